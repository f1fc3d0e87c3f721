/**
 * Reads what radosgw has compressed (RGWGetObj_Decompress, rgw_compression.cc; ZlibCompressor): an object is a row of blocks, each
 * compressed by itself. Nothing here compresses.
 */
import { type Bytes, concatBytes, Errno } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { Decompression } from '../decompression.ts';
import type { Compression } from '../formats/compression.ts';

/** Nobody here can undo it. */
export class CannotDecompress extends Error {
  override readonly name = 'CannotDecompress';
}

/** A byte in front of each block of `zlib`: nothing means anything by it. */
const ZLIB_MARK_BYTES = 1;

/** @throws CannotDecompress */
export function requireReadable(
  { type, compressorMessage = -1 }: Compression,
  decompression: Decompression | undefined,
): Decompression {
  // The size of its window, in bits: below zero, without a frame around it, which is how Ceph has it.
  const isRaw = type === 'zlib' && compressorMessage < 0;
  if (isRaw && decompression) return decompression;
  throw new CannotDecompress(`The object was compressed by ${type}, which is not there to read it`);
}

/**
 * Bytes `from` up to `to` (exclusive) of what was compressed.
 *
 * @param read bytes as they are stored
 * @throws RadosError EIO: what is stored is not what it should be
 */
export async function* readCompressed(
  { blocks, originalSize }: Compression,
  decompression: Decompression,
  read: (from: number, to: number) => AsyncIterable<Bytes>,
  from: number,
  to: number,
): AsyncGenerator<Bytes> {
  let at = from;
  for (const [i, { offset, storedOffset, storedLength }] of blocks.entries()) {
    const end = blocks[i + 1]?.offset ?? originalSize;
    if (end <= at) continue;
    if (offset >= to) break;
    if (offset > at) break;
    const pieces: Bytes[] = [];
    for await (const piece of read(storedOffset, storedOffset + storedLength)) pieces.push(piece);
    const block = await inflated(decompression, concatBytes(pieces), end - offset);
    yield block.subarray(at - offset, Math.min(to, end) - offset);
    at = Math.min(to, end);
  }
  if (at < Math.min(to, originalSize)) throw new RadosError(Errno.EIO, 'no compressed block has these bytes');
}

async function inflated(decompression: Decompression, stored: Bytes, length: number): Promise<Bytes> {
  let block: Bytes;
  try {
    block = await decompression.inflate(stored.subarray(ZLIB_MARK_BYTES), length);
  } catch (error) {
    throw new RadosError(Errno.EIO, `a block that was compressed cannot be read: ${(error as Error).message}`);
  }
  if (block.length !== length) throw new RadosError(Errno.EIO, 'a block that was compressed has another length');
  return block;
}
