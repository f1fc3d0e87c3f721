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

export interface NbdStream {
  readonly input: AsyncIterable<Bytes>;
  /** Resolves when more may be sent. */
  write(bytes: Bytes): Promise<void>;
  /** Without it, memory is the garbage collector's affair. */
  readonly memory?: StreamMemory;
}
