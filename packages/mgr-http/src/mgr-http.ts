import type { Mgr } from '@spirula/mgr';
import { fastify } from 'fastify';

export interface MgrHttp {
  /** `http://127.0.0.1:9283/`. */
  readonly url: string;
  close(): Promise<void>;
}

export interface MgrHttpOptions {
  /** 0, or left out: any free one. */
  readonly port?: number;
  readonly host?: string;
}

const LOOPBACK = '127.0.0.1';

/**
 * Serves a manager's HTTP face (`/metrics`), on loopback unless told otherwise, and tells the manager its URL.
 *
 * @throws Error when the port is in use.
 */
export async function serveMgrHttp(
  mgr: Pick<Mgr, 'handleHttp' | 'setServices'>,
  options: MgrHttpOptions = {},
): Promise<MgrHttp> {
  const server = fastify({ forceCloseConnections: true });
  server.all('/*', (request, reply) => {
    const [path = '/'] = request.url.split('?');
    const response = mgr.handleHttp({ method: request.method, path });
    return reply.code(response.status).type(response.contentType).send(response.body);
  });
  const address = await server.listen({ port: options.port ?? 0, host: options.host ?? LOOPBACK });
  const url = `${address}/`;
  mgr.setServices(new Map([['prometheus', url]]));
  return { url, close: () => server.close() };
}
