/** How the stored bytes of an object are compressed (RGWCompressionInfo, rgw_compression_types.h): xattr `user.rgw.compression`. */
import type { Decoder, Encoder } from '@spirula/encoding';

/** A run of bytes: where it is in the object, and where and how long compressed. */
export interface CompressedBlock {
  readonly offset: number;
  readonly storedOffset: number;
  readonly storedLength: number;
}

export interface Compression {
  /** The name of a compressor, or `none`. */
  readonly type: string;
  readonly originalSize: number;
  /** What some compressors must be told to undo it. */
  readonly compressorMessage: number | undefined;
  readonly blocks: readonly CompressedBlock[];
}

export const NOT_COMPRESSED: Compression = {
  type: 'none',
  originalSize: 0,
  compressorMessage: undefined,
  blocks: [],
};

/** Some parts of an upload are compressed, and others are not, or otherwise. */
export class MixedCompression extends Error {
  override readonly name = 'MixedCompression';
}

/**
 * How the bytes of several objects are compressed, one behind the other (RGWCompleteMultipart::execute). Undefined: not at all.
 *
 * @throws MixedCompression
 */
export function joinedCompression(parts: readonly Compression[]): Compression | undefined {
  const [first] = parts;
  if (parts.some(({ type }) => type !== first?.type)) throw new MixedCompression();
  if (!first || first.type === NOT_COMPRESSED.type) return undefined;
  const blocks: CompressedBlock[] = [];
  let originalSize = 0;
  let storedSize = 0;
  for (const part of parts) {
    for (const { offset, storedLength } of part.blocks) {
      blocks.push({ offset: offset + originalSize, storedOffset: storedSize, storedLength });
      storedSize += storedLength;
    }
    originalSize += part.originalSize;
  }
  return { type: first.type, originalSize, compressorMessage: first.compressorMessage, blocks };
}

const BLOCK_BYTES = 6 + 3 * 8;

export function encodeCompression(to: Encoder, { type, originalSize, compressorMessage, blocks }: Compression): void {
  to.struct(2, 1, () => {
    to.string(type);
    to.u64(originalSize);
    to.optional(compressorMessage, (message) => to.i32(message));
    to.list(blocks, ({ offset, storedOffset, storedLength }) =>
      to.struct(1, 1, () => {
        for (const number of [offset, storedOffset, storedLength]) to.u64(number);
      }),
    );
  });
}

/** @throws MalformedInput */
export function decodeCompression(from: Decoder): Compression {
  return from.struct('compression', 2, (version) => ({
    type: from.string('compression type'),
    originalSize: from.u64('original size'),
    compressorMessage:
      version >= 2 ? from.optional('has a compressor message', () => from.i32('compressor message')) : undefined,
    blocks: from.list('blocks', BLOCK_BYTES, () =>
      from.struct('block', 1, () => ({
        offset: from.u64('offset'),
        storedOffset: from.u64('stored offset'),
        storedLength: from.u64('stored length'),
      })),
    ),
  }));
}
