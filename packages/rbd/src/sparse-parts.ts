/** Which of some bytes are zeros (tools/rbd/Utils.cc, librbd/Utils.cc: calc_sparse_extent). */
import type { Bytes } from '@spirula/encoding';

export interface SparsePart {
  readonly offset: number;
  readonly bytes: Bytes;
  readonly isZero: boolean;
}

/** Stretches that are zero and stretches that are not, in turn. @param unit pieces of so many bytes are looked at; 0: all is one that is not */
export function sparseParts(bytes: Bytes, unit: number): readonly SparsePart[] {
  if (unit === 0) return [{ offset: 0, bytes, isZero: false }];
  const parts: SparsePart[] = [];
  for (let offset = 0; offset < bytes.length; offset += unit) {
    const piece = bytes.subarray(offset, offset + unit);
    const last = parts.at(-1);
    const isEmpty = isZero(piece);
    if (last?.isZero === isEmpty) {
      parts.splice(-1, 1, { ...last, bytes: bytes.subarray(last.offset, offset + piece.length) });
    } else parts.push({ offset, bytes: piece, isZero: isEmpty });
  }
  return parts;
}

export function isZero(bytes: Bytes): boolean {
  // Words, where they may be read as such.
  const words = bytes.byteOffset % 4 === 0 ? Math.floor(bytes.length / 4) : 0;
  const view = new Uint32Array(bytes.buffer, words === 0 ? 0 : bytes.byteOffset, words);
  for (let i = 0; i < words; i++) if (view[i] !== 0) return false;
  for (let at = 4 * words; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}
