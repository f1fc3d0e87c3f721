import { createServer } from 'node:net';
import { UserError } from './user-error.ts';

function listen(port: number): Promise<{ port: number; close: () => Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
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

/** @throws UserError naming the first of `ports` that is in use. */
export async function requireFreePorts(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    if (port === 0) continue;
    try {
      await (await listen(port)).close();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      throw new UserError(
        `Port ${port} of 127.0.0.1 is not available (${code}). Stop what uses it or choose others with --port-base.`,
      );
    }
  }
}
