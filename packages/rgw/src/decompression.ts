/** What a gateway can read of what others have compressed: how it is undone is the edge's business. */
import type { Bytes } from '@spirula/encoding';

export interface Decompression {
  /**
   * A raw deflate stream (RFC 1951), whole.
   *
   * @param length bytes that it becomes
   * @throws Error: it is none, or becomes something longer
   */
  inflate(deflated: Bytes, length: number): Promise<Bytes>;
}
