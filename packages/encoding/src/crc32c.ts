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

/**
 * CRC-32C as Ceph computes it (ceph_crc32c): continued from the caller's `seed`, without a final inversion. Unsigned 32
 * bits. Eight bytes a step (Kounavis and Berry's slicing).
 */
export function crc32c(bytes: Bytes, seed: number): number {
  let crc = seed;
  let i = 0;
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
