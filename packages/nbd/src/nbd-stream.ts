import type { Bytes } from '@spirula/encoding';

/** The peer does not keep to the protocol. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** Memory that is used again: what is large costs most by being made anew. */
interface StreamMemory {
  take(bytes: number): Uint8Array;
  /** Nobody looks at it any more. What was not taken here is let alone. */
  giveBack(bytes: Bytes): void;
}

/** How a stream that anyone can read becomes one that nobody else can. */
interface StreamTls {
  /** Whether clients get no further without it. */
  readonly isRequired: boolean;
  /**
   * Called once, when the client is about to begin, and nothing that it sent in the clear is left. What comes of it has no TLS.
   *
   * @throws Error when client and server do not come to terms
   */
  start(): Promise<NbdStream>;
}

export interface NbdStream {
  readonly input: AsyncIterable<Bytes>;
  /** One piece after the other, with nothing in between. Resolves when they are on their way: nobody looks at them any more. */
  write(pieces: readonly Bytes[]): Promise<void>;
  /** Without it, memory is the garbage collector's affair. */
  readonly memory?: StreamMemory;
  /** Without it, there is no TLS, or it has begun. */
  readonly tls?: StreamTls;
}
