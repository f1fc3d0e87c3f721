/** A daemon's unix socket (common/admin_socket.cc): a JSON request that ends with NUL, an answer behind its length. */
import { unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** Longest request that is read. */
const MAX_REQUEST = 1 << 20;
const LENGTH_BYTES = 4;
/** Connections at a time. */
const MAX_CONNECTIONS = 64;

/** Hands a request to the daemon; `reply` is called at once, later, or never. */
export type AskDaemon = (request: Uint8Array, reply: (answer: Uint8Array) => void) => void;

export class AdminListener {
  readonly #path: string;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  private constructor(path: string, ask: AskDaemon) {
    this.#path = path;
    this.#server = createServer((socket) => this.#serve(socket, ask));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Listens at `path`, whose file is replaced. @throws when it cannot */
  static async open(path: string, ask: AskDaemon): Promise<AdminListener> {
    const listener = new AdminListener(path, ask);
    removeFile(path);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      listener.#server.listen(path, resolve);
    });
    return listener;
  }

  async close(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    removeFile(this.#path);
  }

  #serve(socket: Socket, ask: AskDaemon): void {
    this.#connections.add(socket);
    const chunks: Buffer[] = [];
    let bytes = 0;
    socket.once('close', () => this.#connections.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      const end = chunk.findIndex((byte) => byte === 0 || byte === 0x0a);
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      bytes += chunk.length;
      if (end >= 0) {
        socket.removeAllListeners('data');
        ask(Buffer.concat(chunks), (answer) => reply(socket, answer));
      } else if (bytes > MAX_REQUEST) socket.destroy();
    });
  }
}

function reply(socket: Socket, answer: Uint8Array): void {
  if (!socket.writable) return;
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32BE(answer.length);
  socket.end(Buffer.concat([length, answer]));
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
