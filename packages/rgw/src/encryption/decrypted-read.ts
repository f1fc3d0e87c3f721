import { type Bytes, concatBytes } from '@spirula/encoding';
import { type BlockCipher, CHUNK_BYTES } from './block-cipher.ts';

/** A stretch that was encrypted by itself: an object, or one of the parts it was uploaded in. */
export interface EncryptedPart {
  readonly offset: number;
  readonly length: number;
}

/**
 * Bytes `from` up to `to` (exclusive) of what is stored encrypted.
 *
 * @param read gives bytes as they are stored
 */
export async function* readDecrypted(
  read: (from: number, to: number) => AsyncIterable<Bytes>,
  cipher: BlockCipher,
  parts: readonly EncryptedPart[],
  from: number,
  to: number,
): AsyncGenerator<Bytes> {
  for (const { offset, length } of parts) {
    const [first, last] = [Math.max(from, offset) - offset, Math.min(to, offset + length) - offset];
    if (first >= last) continue;
    // Whole chunks: from the beginning of the one to the end of the other.
    let at = first - (first % CHUNK_BYTES);
    const end = Math.min(length, Math.ceil(last / CHUNK_BYTES) * CHUNK_BYTES);
    let held: Bytes[] = [];
    let heldBytes = 0;
    for await (const bytes of read(offset + at, offset + end)) {
      held.push(bytes);
      heldBytes += bytes.length;
      const ready = at + heldBytes === end ? heldBytes : heldBytes - (heldBytes % CHUNK_BYTES);
      if (ready === 0) continue;
      const sealed = concatBytes(held);
      const plain = cipher.decrypt(sealed.subarray(0, ready), at);
      yield plain.subarray(Math.max(0, first - at), Math.min(ready, last - at));
      held = [sealed.subarray(ready)];
      heldBytes -= ready;
      at += ready;
    }
  }
}
