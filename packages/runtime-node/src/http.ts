import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Http, HttpPost, HttpReply, Token, WorldEvent } from '@spirula/world';

type Posted = Extract<WorldEvent, { readonly kind: 'posted' }>;

type Told = (status: number | undefined, detail: string, reply?: HttpReply) => void;

/** Of an answer's head. */
const MAX_HEADER_BYTES = 16 << 10;

/** A connection a request: nothing is left open behind an answer, and no request goes out on a connection that is just ending. */
export class NodeHttp implements Http {
  readonly #deliver: (event: Posted) => void;
  readonly #underway = new Set<ClientRequest>();

  /** @param deliver not called during `post` */
  constructor(deliver: (event: Posted) => void) {
    this.#deliver = deliver;
  }

  post(post: HttpPost, token: Token): void {
    const told: Told = (status, detail, reply) => {
      this.#deliver({ kind: 'posted', token, status, detail, ...(reply && { reply }) });
    };
    try {
      this.#send(post, told);
    } catch (error) {
      told(undefined, (error as Error).message);
    }
  }

  /** Ends what is under way; nothing more is told. */
  close(): void {
    for (const request of this.#underway) request.destroy();
    this.#underway.clear();
  }

  #send(post: HttpPost, told: Told): void {
    const url = new URL(post.url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new Error(`no requests are sent by ${url.protocol}`);
    const { contentType, body, verifiesTls, timeout, method = 'POST', headers = {}, replyBytes } = post;
    const ofBody = method === 'GET' ? {} : { 'Content-Type': contentType, 'Content-Length': body.length };
    const options = {
      method,
      agent: false as const,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: { ...headers, ...ofBody },
    };
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, rejectUnauthorized: verifiesTls })
        : requestHttp(url, options);
    this.#underway.add(request);
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout / 1e6} s`)), timeout / 1000);
    let settled = false;
    const settle: Told = (status, detail, reply) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (this.#underway.delete(request)) told(status, detail, reply);
    };
    request.on('response', (response) => {
      if (replyBytes !== undefined) return readReply(response, replyBytes, settle);
      settle(response.statusCode, `${response.statusCode} ${response.statusMessage}`);
      // What else it says nobody reads.
      response.destroy();
    });
    request.on('error', (error) => settle(undefined, error.message));
    request.on('close', () => settle(undefined, 'the connection ended without an answer'));
    request.end(method === 'GET' ? undefined : body);
  }
}

function readReply(response: IncomingMessage, most: number, settle: Told): void {
  const pieces: Buffer[] = [];
  let length = 0;
  response.on('data', (piece: Buffer) => {
    length += piece.length;
    if (length <= most) return void pieces.push(piece);
    settle(undefined, `an answer of more than ${most} bytes`);
    response.destroy();
  });
  response.on('end', () => {
    const headers = new Map(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
    const reply = { headers, body: new Uint8Array(Buffer.concat(pieces)) };
    settle(response.statusCode, `${response.statusCode} ${response.statusMessage}`, reply);
  });
  response.on('error', (error) => settle(undefined, error.message));
}
