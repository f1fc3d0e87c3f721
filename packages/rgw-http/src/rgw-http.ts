import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionCut, type HttpRequest, type HttpResponse } from '@spirula/rgw';
import { type ConnectionError, type FastifyReply, type FastifyRequest, fastify } from 'fastify';

/** Who answers requests. It never rejects: what goes wrong is a response. */
export interface HttpHandler {
  handle(request: HttpRequest): Promise<HttpResponse>;
}

export interface RgwHttp {
  /** `http://127.0.0.1:7480`. */
  readonly url: string;
  readonly port: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

export interface RgwHttpOptions {
  /** 0, or left out: any free one. */
  readonly port?: number;
  readonly host?: string;
  /** A client that neither sends nor takes anything for so long is cut off (rgw's `request_timeout_ms`). */
  readonly idleTimeoutMs?: number;
  /** Takes back the pieces of bodies, when they have been sent. */
  readonly memory?: { giveBack(bytes: Uint8Array): void } | undefined;
}

const LOOPBACK = '127.0.0.1';
const IDLE_TIMEOUT_MS = 65_000;
/** As beast's header limit: a presigned URL with a session token fits, a flood does not. */
const MAX_HEADER_BYTES = 16 << 10;
/** What is left of a refused body is read and dropped up to here, so that the client gets to its answer. */
const MAX_DROPPED_BYTES = 1 << 20;

/**
 * Serves a gateway over HTTP, on loopback unless told otherwise.
 *
 * @throws Error when the port is in use.
 */
export async function serveRgwHttp(gateway: HttpHandler, options: RgwHttpOptions = {}): Promise<RgwHttp> {
  const server = fastify({
    forceCloseConnections: true,
    // Paths are names of buckets and objects: nobody but the gateway takes them apart.
    rewriteUrl: () => '/',
    http: { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: 0 },
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    clientErrorHandler: onClientError,
  });
  // Swift's.
  server.addHttpMethod('COPY', { hasBody: true });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, _payload, done) => done(null));
  // Only the gateway minds what a body is, and it reads raw headers: here an empty or unknown type would be refused.
  server.addHook('onRequest', async ({ raw }) => {
    delete raw.headers['content-type'];
  });
  server.all('/', async (request, reply) => {
    const response = await gateway.handle(requestOf(request));
    return await send(request, reply, response, options.memory);
  });
  server.server.prependListener('request', ({ socket }, answer) => void answers.set(socket, answer));
  continueWhenRead(server.server);
  boundIdling(server.server, options.idleTimeoutMs ?? IDLE_TIMEOUT_MS);
  const url = await server.listen({ port: options.port ?? 0, host: options.host ?? LOOPBACK });
  return { url, port: Number(new URL(url).port), close: () => server.close() };
}

/** Requests whose client waits for `100 Continue` before it sends the body. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** Nobody is told to go on before somebody wants the body: a refused upload is never sent. */
function continueWhenRead(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.set(request, response);
    server.emit('request', request, response);
  });
  // What else a client may expect nobody knows: it is not looked at, as in radosgw.
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/** Of each socket, to the request that came last. */
const answers = new WeakMap<Socket, ServerResponse>();

const STATUS_OF_ERROR: ReadonlyMap<string, number> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
  ['HPE_HEADER_OVERFLOW', 431],
]);
const BAD_REQUEST = 400;

/**
 * What is no request. When it comes behind one that is whole, such as the rest of a body that is longer than was said, that one is
 * answered first.
 */
function onClientError({ code }: ConnectionError, socket: Socket): void {
  if (code === 'ECONNRESET' || socket.destroyed) return;
  const answer = answers.get(socket);
  if (answer && !answer.writableFinished && answer.req.complete) {
    answer.shouldKeepAlive = false;
    answer.once('finish', () => socket.destroySoon());
    return;
  }
  const status = STATUS_OF_ERROR.get(code) ?? BAD_REQUEST;
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, 'Connection: close', 'Content-Length: 0', '', ''];
  if (socket.writable) socket.write(lines.join('\r\n'));
  socket.destroySoon();
}

/** A socket that is idle is ended, unless it is the gateway that its client waits for. */
function boundIdling(server: Server, timeoutMs: number): void {
  server.setTimeout(timeoutMs);
  server.on('timeout', (socket: Socket) => {
    const gatewayIsBusy = busy.has(socket);
    if (!gatewayIsBusy) socket.destroy();
  });
}

/** Sockets whose gateway works, and neither reads from them nor has anything for them. */
const busy = new WeakSet<Socket>();

function requestOf(request: FastifyRequest): HttpRequest {
  const { raw } = request;
  busy.add(raw.socket);
  return {
    method: raw.method ?? 'GET',
    target: request.originalUrl,
    headers: headersOf(raw),
    body: { [Symbol.asyncIterator]: () => readBody(raw) },
    secure: 'encrypted' in raw.socket,
    remoteAddr: raw.socket.remoteAddress ?? '',
  };
}

function headersOf({ rawHeaders }: IncomingMessage): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!.toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? rawHeaders[i + 1]! : `${before}, ${rawHeaders[i + 1]}`);
  }
  return headers;
}

async function* readBody(raw: IncomingMessage): AsyncGenerator<Uint8Array> {
  waiting.get(raw)?.writeContinue();
  waiting.delete(raw);
  const { socket } = raw;
  const chunks = raw.iterator({ destroyOnReturn: false });
  try {
    for (;;) {
      busy.delete(socket);
      const next = await chunks.next();
      busy.add(socket);
      if (next.done) return;
      yield next.value as Uint8Array;
    }
  } finally {
    // Else it holds what comes, and nobody can drop it.
    await chunks.return?.();
  }
}

async function send(
  request: FastifyRequest,
  reply: FastifyReply,
  response: HttpResponse,
  memory: RgwHttpOptions['memory'],
): Promise<FastifyReply> {
  const { raw } = request;
  busy.delete(raw.socket);
  if (response.cut) {
    reply.hijack();
    await cutConnection(raw.socket, response.cut);
    return reply;
  }
  if (!raw.complete) dropRest(raw, reply);
  reply.code(response.status);
  for (const [name, value] of response.headers) reply.header(name, value);
  if (response.body instanceof Uint8Array) {
    return await reply.send(Buffer.from(response.body.buffer, response.body.byteOffset, response.body.length));
  }
  await sendStream(raw.socket, reply, response.body[Symbol.asyncIterator](), memory);
  return reply;
}

/** A body that is cut takes the connection with it. What fails before anything was sent is the caller's. */
async function sendStream(
  socket: Socket,
  reply: FastifyReply,
  body: AsyncIterator<Uint8Array>,
  memory: RgwHttpOptions['memory'],
): Promise<void> {
  const { raw } = reply;
  try {
    let next = await body.next();
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
    raw.writeHead(reply.statusCode);
    while (!next.done) {
      if (!(await isSent(raw, next.value))) return;
      memory?.giveBack(next.value);
      next = await body.next();
    }
    raw.end();
  } catch (error) {
    if (error instanceof ConnectionCut) {
      if (!reply.sent) reply.hijack();
      await cutConnection(socket, error);
    } else if (reply.sent) raw.destroy();
    else throw error;
  } finally {
    // Whoever goes away half-way wants no more of it.
    await body.return?.();
  }
}

/** Resolves once a piece is out of this process, or to false when nobody takes it any more. */
function isSent(raw: ServerResponse, piece: Uint8Array): Promise<boolean> {
  if (raw.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onClose = () => resolve(false);
    raw.once('close', onClose);
    raw.write(piece, (error) => {
      raw.off('close', onClose);
      resolve(!error);
    });
  });
}

/** Ends a connection behind what has been sent on it. */
async function cutConnection(socket: Socket, { how }: ConnectionCut): Promise<void> {
  if (socket.destroyed) return;
  // What the response wrote in this turn is on its way to the socket.
  await new Promise(setImmediate);
  await new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    if (how === 'reset') socket.write('', () => socket.resetAndDestroy());
    else socket.end(() => socket.destroy());
  });
}

/**
 * The client may still be sending what nobody wants, and look at its answer only then: it is heard, and the connection stays,
 * unless it is much.
 */
function dropRest(raw: IncomingMessage, reply: FastifyReply): void {
  // One who was never told to go on sends nothing.
  const isWaiting = waiting.delete(raw);
  if (isWaiting || Number(raw.headers['content-length'] ?? 0) > MAX_DROPPED_BYTES) reply.header('connection', 'close');
  if (isWaiting) return;
  let dropped = 0;
  raw.on('data', (chunk: Uint8Array) => {
    dropped += chunk.length;
    if (dropped > MAX_DROPPED_BYTES) raw.pause();
  });
  raw.on('error', () => {});
}
