/** TLS of the server: certificates that it is given, and how a socket in the clear becomes one that is not. */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { explainSystemError, UserError } from '../cluster/user-error.ts';

export interface ServerTls {
  /** Whether clients get no further without it. */
  readonly isRequired: boolean;
  /** Rejects when the peer does not come to terms: it has no certificate that we trust, where it needs one. */
  secure(socket: Socket): Promise<TLSSocket>;
}

/** Undefined: none was asked for. @throws UserError: files are missing, or do not hold what they should */
export function serverTls(options: ReadonlyMap<string, string>): ServerTls | undefined {
  const [cert, key, ca] = ['tls_cert', 'tls_key', 'tls_ca'].map((name) => options.get(name));
  if (cert === undefined && key === undefined) {
    if (ca === undefined && !options.has('tls_required')) return undefined;
    throw new UserError('nbd: TLS needs --tls-cert and --tls-key.');
  }
  if (cert === undefined || key === undefined) throw new UserError('nbd: --tls-cert and --tls-key go together.');
  const files = { cert: read(cert), key: read(key), ...(ca !== undefined && { ca: read(ca) }) };
  try {
    createSecureContext(files);
  } catch (error) {
    throw new UserError(`nbd: ${cert} and ${key} are no certificate with its key: ${(error as Error).message}`);
  }
  const settings = { ...files, requestCert: ca !== undefined, rejectUnauthorized: ca !== undefined };
  return { isRequired: options.has('tls_required'), secure: (socket) => handshake(socket, settings) };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new UserError(`${path} does not exist.`);
    throw explainSystemError(error, path);
  }
}

/** A server that listens nowhere takes one socket over. */
function handshake(socket: Socket, settings: Parameters<typeof createServer>[0]): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = createServer(settings);
    server.once('secureConnection', resolve);
    server.once('tlsClientError', reject);
    socket.once('close', () => reject(new Error('the client has gone amid the TLS handshake')));
    server.emit('connection', socket);
  });
}
