/** `spirula nbd serve …`: images for whoever has no librbd, over the Network Block Device protocol. */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { rawFromText } from '@spirula/encoding';
import { type NbdStream, ProtocolError, serveConnection } from '@spirula/nbd';
import { RadosError } from '@spirula/rados';
import { Image } from '@spirula/rbd';
import { largeMemory } from '@spirula/runtime-node';
import { type ClusterConnection, type Connect, connectByConf } from './ceph/connect.ts';
import type { ToolEnvironment } from './ceph/environment.ts';
import { describeErrno } from './ceph/errno-text.ts';
import type { OptionTable } from './ceph/global-options.ts';
import { CLIENT_OPTIONS, parseToolLine, refuse } from './ceph/tool.ts';
import { UserError } from './cluster/user-error.ts';
import { ImageExports, type ServedImage } from './nbd/image-exports.ts';
import { type ServerTls, serverTls } from './nbd/server-tls.ts';
import { imageWorld } from './rbd/image-world.ts';
import { Refusal } from './rbd/refusal.ts';
import { takeImageSpec } from './rbd/spec.ts';
import { Words } from './rbd/words.ts';

const OPTIONS: OptionTable = {
  ...CLIENT_OPTIONS,
  '-p': ['pool', 'value'],
  '--pool': ['pool', 'value'],
  '--port': ['port', 'value'],
  '--bind': ['bind', 'value'],
  '--socket': ['socket', 'value'],
  '-r': ['read_only', 'flag'],
  '--read-only': ['read_only', 'flag'],
  '--tls-cert': ['tls_cert', 'value'],
  '--tls-key': ['tls_key', 'value'],
  '--tls-ca': ['tls_ca', 'value'],
  '--tls-required': ['tls_required', 'flag'],
};
const CONNECT_TIMEOUT_SECONDS = 60;
/** The port that NBD has. */
const DEFAULT_PORT = 10_809;
const LOOPBACK = '127.0.0.1';
const MAX_CLIENTS = 128;
/** For a client to say what it wants. */
const NEGOTIATION_MS = 30_000;

const USAGE = `usage: nbd serve [--port ${DEFAULT_PORT}] [--bind ${LOOPBACK}] [--socket PATH] [--read-only]
                 [--tls-cert FILE --tls-key FILE [--tls-ca FILE] [--tls-required]] IMAGE[@SNAPSHOT]...

  IMAGE is [POOL/[NAMESPACE/]]NAME, and the name of the export; clients that name none get the first.
  --socket PATH   a socket of the file system in place of a port
  --read-only     nothing is written; snapshots never are
  --tls-cert FILE, --tls-key FILE
                  certificate and key, in PEM: TLS for clients that want it
  --tls-required  nobody is served without TLS
  --tls-ca FILE   who uses TLS must have a certificate of these authorities

  qemu-img convert disk.qcow2 nbd://${LOOPBACK}/images/disk
`;

/** Serves until a signal ends it; resolves to the exit status. */
export async function nbd(
  argv: readonly string[],
  env: ToolEnvironment,
  connect: Connect = connectByConf,
): Promise<number> {
  const line = parseToolLine(argv, env, { name: 'nbd', options: OPTIONS, usage: USAGE });
  if (typeof line === 'number') return line;
  const { options, words } = line;
  const [verb, ...names] = words;
  if (verb !== 'serve' || names.length === 0) return refuse(env, 1, USAGE.trimEnd());
  let connection: ClusterConnection | undefined;
  try {
    const tls = serverTls(options);
    const served = new Map(names.map((name) => [name, servedImage(name, options)] as const));
    connection = await connect(env, options, CONNECT_TIMEOUT_SECONDS);
    for (const [name, image] of served) await requireImage(connection, name, image);
    const exports = new ImageExports(connection.rados, imageWorld, served);
    const server = await NbdServer.listen(exports, options, tls, (problem) => env.stderr(`${problem}\n`));
    env.stdout(`serving ${names.join(' ')} at ${server.address}\n`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    await server.close();
    await exports.close();
    return 0;
  } catch (error) {
    if (error instanceof Refusal) return refuse(env, error.status, error.message);
    if (error instanceof UserError) return refuse(env, 1, error.message);
    throw error;
  } finally {
    await connection?.close();
  }
}

function servedImage(name: string, options: ReadonlyMap<string, string>): ServedImage {
  const spec = takeImageSpec({ options, args: new Words([name]) });
  return { ...spec, isReadOnly: spec.snapshot !== '' || options.has('read_only') };
}

/** @throws Refusal */
async function requireImage({ rados }: ClusterConnection, name: string, spec: ServedImage): Promise<void> {
  try {
    const io = (await rados.ioctx(spec.pool)).with({ nspace: rawFromText(spec.namespace) });
    await Image.open(rados, io, rawFromText(spec.image), spec.snapshot === '' ? undefined : rawFromText(spec.snapshot));
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    throw new Refusal(`nbd: error opening ${name}: ${describeErrno(error.code)}`, -error.code);
  }
}

class NbdServer {
  readonly address: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ending = new Set<Promise<void>>();
  /** Of the socket in the file system. */
  readonly #path: string | undefined;

  private constructor(server: Server, address: string, path: string | undefined) {
    this.#server = server;
    this.address = address;
    this.#path = path;
  }

  /** @throws Refusal: the place is taken */
  static async listen(
    exports: ImageExports,
    options: ReadonlyMap<string, string>,
    tls: ServerTls | undefined,
    complain: (problem: string) => void,
  ): Promise<NbdServer> {
    const path = options.get('socket');
    const host = options.get('bind') ?? LOOPBACK;
    const port = Number(options.get('port') ?? DEFAULT_PORT);
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw new Refusal(`nbd: --port ${options.get('port')}`, 22);
    const server = createServer();
    server.maxConnections = MAX_CLIENTS;
    server.listen(path === undefined ? { host, port } : { path });
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new Refusal(`nbd: cannot listen at ${path ?? `${host}:${port}`}: ${(error as Error).message}`, 1);
    }
    const bound = server.address();
    const scheme = tls?.isRequired === true ? 'nbds' : 'nbd';
    const where = typeof bound === 'string' || bound === null ? path! : `${scheme}://${host}:${bound.port}`;
    const listening = new NbdServer(server, where, path);
    server.on('connection', (socket) => listening.#serve(socket, exports, tls, complain));
    return listening;
  }

  #serve(socket: Socket, exports: ImageExports, tls: ServerTls | undefined, complain: (problem: string) => void): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), NEGOTIATION_MS);
    let last: Duplex = socket;
    const secure = async (server: ServerTls) => {
      const secured = await server.secure(socket);
      secured.on('error', () => secured.destroy());
      last = secured;
      return streamOf(secured);
    };
    const stream: NbdStream = {
      ...streamOf(socket),
      ...(tls && { tls: { isRequired: tls.isRequired, start: () => secure(tls) } }),
    };
    const served = serveConnection(stream, exports, { onChosen: () => clearTimeout(timer) })
      .catch((error: unknown) => {
        const { code, message } = error as NodeJS.ErrnoException;
        const isGone = code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_DESTROYED' || socket.destroyed;
        if (error instanceof ProtocolError || !isGone) complain(`nbd: a client was sent away: ${message}`);
      })
      .finally(() => {
        clearTimeout(timer);
        last.end();
        this.#sockets.delete(socket);
        this.#ending.delete(served);
      });
    this.#ending.add(served);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, ...this.#ending]);
    if (this.#path !== undefined) rmSync(this.#path, { force: true });
  }
}

/** What reads it may leave it to another. What is written while the sockets are being looked at goes to the kernel together. */
function streamOf(socket: Duplex): NbdStream {
  let isGathering = false;
  const gather = () => {
    if (isGathering) return;
    isGathering = true;
    socket.cork();
    setImmediate(() => {
      isGathering = false;
      socket.uncork();
    });
  };
  const write = (pieces: readonly Uint8Array[]) =>
    new Promise<void>((resolve, reject) => {
      gather();
      for (const piece of pieces.slice(0, -1)) socket.write(piece);
      socket.write(pieces.at(-1)!, (error) => (error ? reject(error) : resolve()));
    });
  return { input: socket.iterator({ destroyOnReturn: false }), write, memory: largeMemory };
}
