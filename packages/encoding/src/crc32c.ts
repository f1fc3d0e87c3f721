import type { Bytes } from './bytes.ts';

/** Castagnoli's polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 8;

/** `TABLES[s * 256 + b]`: the effect of byte b followed by s zero bytes. */
const TABLES = makeTables();

function makeTables(): Uint32Array {
  const tables = new Uint32Array(SLICES * 256);
  for (let b = 0; b < 256; b++) {
    let crc = b;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    tables[b] = crc;
  }
  for (let s = 1; s < SLICES; s++) {
    for (let b = 0; b < 256; b++) {
      const before = tables[(s - 1) * 256 + b]!;
      tables[s * 256 + b] = (before >>> 8) ^ tables[before & 255]!;
    }
  }
  return tables;
}

/** Long stretches are summed as four at once, which the processor does side by side. */
const LANE = 1024;
/** `SHIFT[s * 256 + b]`: what `LANE` zero bytes make of byte s of a CRC. */
const SHIFT = makeShift();

function makeShift(): Uint32Array {
  const shift = new Uint32Array(4 * 256);
  for (let s = 0; s < 4; s++) {
    for (let bit = 0; bit < 8; bit++) {
      let crc = 1 << (8 * s + bit);
      for (let i = 0; i < LANE; i++) crc = (crc >>> 8) ^ TABLES[crc & 255]!;
      // Linear: the bits of a byte add up.
      const low = 1 << bit;
      for (let b = 0; b < low; b++) shift[s * 256 + low + b] = shift[s * 256 + b]! ^ crc;
    }
  }
  return shift;
}

function shiftLane(crc: number): number {
  return (
    SHIFT[crc & 255]! ^
    SHIFT[0x100 + ((crc >>> 8) & 255)]! ^
    SHIFT[0x200 + ((crc >>> 16) & 255)]! ^
    SHIFT[0x300 + (crc >>> 24)]!
  );
}

/** Of `4 * LANE` bytes from `start` on. */
function sumLanes(view: DataView, start: number, seed: number): number {
  let [a, b, c, d] = [seed, 0, 0, 0];
  for (let i = start; i < start + LANE; i += 4) {
    a = sumWord(a ^ view.getUint32(i, true));
    b = sumWord(b ^ view.getUint32(i + LANE, true));
    c = sumWord(c ^ view.getUint32(i + 2 * LANE, true));
    d = sumWord(d ^ view.getUint32(i + 3 * LANE, true));
  }
  return shiftLane(shiftLane(shiftLane(a) ^ b) ^ c) ^ d;
}

function sumWord(word: number): number {
  return (
    TABLES[0x300 + (word & 255)]! ^
    TABLES[0x200 + ((word >>> 8) & 255)]! ^
    TABLES[0x100 + ((word >>> 16) & 255)]! ^
    TABLES[word >>> 24]!
  );
}

/**
 * CRC-32C as Ceph computes it (ceph_crc32c): continued from the caller's `seed`, without a final inversion. Unsigned 32
 * bits. Eight bytes a step (Kounavis and Berry's slicing), or four in each of four lanes.
 */
export function crc32c(bytes: Bytes, seed: number): number {
  let crc = seed;
  let i = 0;
  if (bytes.length >= 4 * LANE) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (; i + 4 * LANE <= bytes.length; i += 4 * LANE) crc = sumLanes(view, i, crc);
  }
  const whole = bytes.length - (bytes.length % SLICES);
  for (; i < whole; i += SLICES) {
    const low = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      TABLES[0x700 + (low & 255)]! ^
      TABLES[0x600 + ((low >>> 8) & 255)]! ^
      TABLES[0x500 + ((low >>> 16) & 255)]! ^
      TABLES[0x400 + (low >>> 24)]! ^
      TABLES[0x300 + bytes[i + 4]!]! ^
      TABLES[0x200 + bytes[i + 5]!]! ^
      TABLES[0x100 + bytes[i + 6]!]! ^
      TABLES[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ TABLES[(crc ^ bytes[i]!) & 255]!;
  return crc >>> 0;
}
