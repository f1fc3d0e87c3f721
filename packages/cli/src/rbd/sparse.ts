/** Which of some bytes are zeros (tools/rbd/Utils.cc, calc_sparse_extent). */
import type { Bytes } from '@spirula/encoding';
import { isZero } from './byte-streams.ts';

/** rbd's own: pieces of so many bytes are looked at. */
export const DEFAULT_SPARSE_SIZE = 4096;

export interface SparsePart {
  readonly offset: number;
  readonly bytes: Bytes;
  readonly isZero: boolean;
}

/** Stretches that are zero and stretches that are not, in turn. @param sparseSize 0: all is one that is not */
export function sparseParts(bytes: Bytes, sparseSize: number): readonly SparsePart[] {
  if (sparseSize === 0) return [{ offset: 0, bytes, isZero: false }];
  const parts: SparsePart[] = [];
  for (let offset = 0; offset < bytes.length; offset += sparseSize) {
    const piece = bytes.subarray(offset, offset + sparseSize);
    const last = parts.at(-1);
    const isEmpty = isZero(piece);
    if (last?.isZero === isEmpty) {
      parts.splice(-1, 1, { ...last, bytes: bytes.subarray(last.offset, offset + piece.length) });
    } else parts.push({ offset, bytes: piece, isZero: isEmpty });
  }
  return parts;
}
