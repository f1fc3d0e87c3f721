import type { Bytes } from '@spirula/encoding';

/** The peer does not keep to the protocol. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

export interface NbdStream {
  readonly input: AsyncIterable<Bytes>;
  /** Resolves when more may be sent. */
  write(bytes: Bytes): Promise<void>;
}
