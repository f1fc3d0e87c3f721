import { createServer, type Server, type Socket } from 'node:net';

/** A port, or the first that is free of several. 0: any. */
export type Ports = number | { readonly first: number; readonly last: number };

/** Whether `host` reaches this machine only. */
export function isLoopback(host: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * Listens on `host` and calls `accept` for each connection.
 *
 * @throws Error in one line when no port is free.
 */
export async function listen(host: string, ports: Ports, accept: (socket: Socket) => void): Promise<Server> {
  const { first, last } = typeof ports === 'number' ? { first: ports, last: ports } : ports;
  for (let port = first; port <= last; port++) {
    const server = await tryListen(host, port, accept);
    if (server !== undefined) return server;
  }
  throw new Error(`no free port on ${host} in ${first === last ? first : `${first}-${last}`}`);
}

/** Undefined when the port is taken. */
function tryListen(host: string, port: number, accept: (socket: Socket) => void): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    // Nothing is read before somebody says where to.
    const server = createServer({ pauseOnConnect: true }, accept);
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`));
    });
    server.listen(port, host, () => resolve(server));
  });
}
