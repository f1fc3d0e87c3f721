/**
 * A vector of 2-bit values, four a byte, the first in the highest bits, as an object map is stored
 * (common/bit_vector.hpp, BitVector<2>):
 *
 *     0 length of the header (14) | 4 struct 1,1 { count u64 } | 18 data | length of the footer | crc of the header u32
 *     | number of blocks u32 | crc of each block u32
 *
 * A block is 4 KiB of data. A CRC is crc32c with the initial value 0. Without CRCs the footer is empty.
 */
import { type Bytes, crc32c, Decoder, Encoder } from '@spirula/encoding';
import { encodeWith } from '../stored-key.ts';

export const BLOCK_BYTES = 4096;
export const HEADER_BYTES = 18;
const PER_BYTE = 4;
const MASK = 3;
/** Of a footer, before the CRCs of blocks: its length, the CRC of the header, how many blocks. */
const FOOTER_FRONT_BYTES = 12;

export class BitVector {
  /** Its own: changes stay here. */
  readonly data: Bytes;
  readonly size: number;
  readonly hasCrcs: boolean;

  constructor(size: number, data: Bytes = new Uint8Array(dataBytesOf(size)), hasCrcs = true) {
    this.size = size;
    this.data = data;
    this.hasCrcs = hasCrcs;
  }

  get(at: number): number {
    return (this.data[Math.floor(at / PER_BYTE)]! >> shiftOf(at)) & MASK;
  }

  set(at: number, value: number): void {
    const byte = Math.floor(at / PER_BYTE);
    this.data[byte] = (this.data[byte]! & ~(MASK << shiftOf(at))) | ((value & MASK) << shiftOf(at));
  }

  /** Another one of this size; what is new is 0. */
  resized(size: number): BitVector {
    const data = new Uint8Array(dataBytesOf(size));
    data.set(this.data.subarray(0, data.length));
    return new BitVector(size, data, this.hasCrcs);
  }
}

function shiftOf(at: number): number {
  return 2 * (PER_BYTE - 1 - (at % PER_BYTE));
}

function dataBytesOf(size: number): number {
  return Math.ceil(size / PER_BYTE);
}

function encodeHeader(size: number): Bytes {
  return encodeWith((encoder) => encoder.struct(1, 1, () => encoder.u64(size)));
}

function blocksOf(data: Bytes): Bytes[] {
  const count = Math.ceil(data.length / BLOCK_BYTES);
  return Array.from({ length: count }, (_, i) => data.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES));
}

export function crcOf(bytes: Bytes): number {
  return crc32c(bytes, 0);
}

/** @param hasCrcs whether to write them; as it was read, unless said otherwise */
export function encodeBitVector({ size, data, hasCrcs: had }: BitVector, hasCrcs = had): Bytes {
  const encoder = new Encoder(data.length + 64);
  const header = encodeHeader(size);
  encoder.blob(header);
  encoder.raw(data);
  encoder.blob(
    encodeWith((footer) => {
      if (!hasCrcs) return;
      footer.u32(crcOf(header));
      footer.list(blocksOf(data), (block) => footer.u32(crcOf(block)));
    }),
  );
  return encoder.finish();
}

/** The number of values that a header tells. @throws MalformedInput */
export function decodeBitVectorHeader(decoder: Decoder): { readonly size: number; readonly crc: number } {
  const header = decoder.blob('header');
  const inner = new Decoder(header);
  return { size: inner.struct('bit vector', 1, () => inner.u64('size')), crc: crcOf(header) };
}

/** @throws MalformedInput, also when a CRC is another than that of what was read */
export function decodeBitVector(decoder: Decoder): BitVector {
  const { size, crc } = decodeBitVectorHeader(decoder);
  const data = decoder.raw(dataBytesOf(size), 'data').slice();
  const footer = new Decoder(decoder.blob('footer'));
  const hasCrcs = footer.remaining > 0;
  if (hasCrcs) {
    if (footer.u32('crc of the header') !== crc) footer.fail('crc of the header', 'is another');
    const blocks = blocksOf(data);
    const crcs = footer.list('crcs', 4, () => footer.u32('crc'));
    if (crcs.length < blocks.length) footer.fail('crcs', `${crcs.length} for ${blocks.length} blocks`);
    if (blocks.some((block, i) => crcOf(block) !== crcs[i])) footer.fail('crc', 'is another');
  }
  return new BitVector(size, data, hasCrcs);
}

/** Where in the stored vector the blocks are that hold the values [from, to), and their CRCs. */
export interface BlockRange {
  readonly firstBlock: number;
  /** Of data, from the begin of the data on. */
  readonly dataOffset: number;
  readonly dataLength: number;
  /** From the begin of the stored vector on. */
  readonly crcOffset: number;
  readonly crcCount: number;
}

export function blockRange(size: number, from: number, to: number): BlockRange {
  const dataBytes = dataBytesOf(size);
  const firstBlock = Math.floor(from / PER_BYTE / BLOCK_BYTES);
  const endBlock = Math.floor((to - 1) / PER_BYTE / BLOCK_BYTES) + 1;
  const dataOffset = firstBlock * BLOCK_BYTES;
  return {
    firstBlock,
    dataOffset,
    dataLength: Math.min(endBlock * BLOCK_BYTES, dataBytes) - dataOffset,
    crcOffset: HEADER_BYTES + dataBytes + FOOTER_FRONT_BYTES + 4 * firstBlock,
    crcCount: endBlock - firstBlock,
  };
}
