import { createServer } from 'node:net';
import { UserError } from './user-error.ts';

function listen(port: number, host = '127.0.0.1'): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address ? address.port : port;
      resolve({ port: bound, close: () => new Promise((done) => server.close(() => done())) });
    });
  });
}

/** `count` TCP ports that are free on loopback now. */
export async function findFreePorts(count: number): Promise<number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => listen(0)));
  await Promise.all(held.map((each) => each.close()));
  return held.map((each) => each.port);
}

/** The first TCP port behind `first`, of `count` from it on, that is neither in use at `host` nor one of `used`; else any that is free. */
export async function findPortAfter(
  host: string,
  first: number,
  count: number,
  used: readonly number[],
): Promise<number> {
  for (let port = first + 1; port < first + count; port++) {
    if (used.includes(port)) continue;
    try {
      await (await listen(port, host)).close();
      return port;
    } catch {
      // Somebody else's: the next one may be free.
    }
  }
  const any = await listen(0, host);
  await any.close();
  return any.port;
}

/** @throws UserError naming the first of `ports` that is in use at `host`, or that host when it is none of this machine. */
export async function requireFreePorts(host: string, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (port === 0) continue;
    try {
      await (await listen(port, host)).close();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EADDRNOTAVAIL') throw new UserError(`--bind ${host}: this machine has no such address.`);
      throw new UserError(
        `Port ${port} of ${host} is not available (${code}). Stop what uses it or choose others with --port-base.`,
      );
    }
  }
}
