/**
 * What the gateway is asked and what it answers: HTTP without sockets. An edge package binds it to a server; the simulator
 * calls it as it is.
 */
import type { Bytes } from '@spirula/encoding';

export interface HttpRequest {
  /** Upper case. */
  readonly method: string;
  /** Path and query as the client sent them: nothing decoded, nothing made shorter (signatures cover these very bytes). */
  readonly target: string;
  /** Names in lower case; what was sent twice, in order, joined by `, `. Values are strings of bytes (latin1). */
  readonly headers: ReadonlyMap<string, string>;
  /** The body as it comes; nothing is read ahead of who asks. Ends with an error when the client goes away. */
  readonly body: AsyncIterable<Bytes>;
  /** Whether it came over TLS. */
  readonly secure: boolean;
  /** Who sent it, an IP address without a port. */
  readonly remoteAddr: string;
}

export interface HttpResponse {
  readonly status: number;
  /** In the order in which they are sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Of a HEAD request: empty, with the length that a GET would have in `content-length`. */
  readonly body: Bytes | AsyncIterable<Bytes>;
  /** Nothing is answered: the connection ends so instead. */
  readonly cut?: ConnectionCut;
}

/**
 * The connection ends here, on purpose: what a body throws to end it in its midst. Its `code` is that of a client who went away,
 * and who reads a request's body treats it as such.
 */
export class ConnectionCut extends Error {
  override readonly name = 'ConnectionCut';
  readonly code = 'ECONNRESET';
  /** Reset (TCP's RST), or closed behind what has been sent (FIN). */
  readonly how: 'reset' | 'close';

  constructor(how: 'reset' | 'close') {
    super(`The connection is cut: ${how}`);
    this.how = how;
  }
}
