import { type ClientRequest, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Http, HttpPost, Token, WorldEvent } from '@spirula/world';

type Posted = Extract<WorldEvent, { readonly kind: 'posted' }>;

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
    const told = (status: number | undefined, detail: string) => {
      this.#deliver({ kind: 'posted', token, status, detail });
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

  #send(post: HttpPost, told: (status: number | undefined, detail: string) => void): void {
    const url = new URL(post.url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new Error(`no requests are sent by ${url.protocol}`);
    const { contentType, body, verifiesTls, timeout } = post;
    const options = {
      method: 'POST',
      agent: false as const,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: { 'Content-Type': contentType, 'Content-Length': body.length },
    };
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, rejectUnauthorized: verifiesTls })
        : requestHttp(url, options);
    this.#underway.add(request);
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout / 1e6} s`)), timeout / 1000);
    let settled = false;
    const settle = (status: number | undefined, detail: string) => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      if (this.#underway.delete(request)) told(status, detail);
    };
    request.on('response', (response) => {
      settle(response.statusCode, `${response.statusCode} ${response.statusMessage}`);
      // What else it says nobody reads.
      response.destroy();
    });
    request.on('error', (error) => settle(undefined, error.message));
    request.on('close', () => settle(undefined, 'the connection ended without an answer'));
    request.end(body);
  }
}
