import { crc32 as nativeCrc32, crc32c as nativeCrc32c } from '@node-rs/crc32';
import type { Bytes } from '@spirula/encoding';

/** Reflected polynomials. */
const CASTAGNOLI = 0x82f6_3b78;
const NVME_HIGH = 0x9a6c_9329;
const NVME_LOW = 0xac4b_c9b5;

/** Below this a call into native code costs more than the work. */
const NATIVE_FROM_BYTES = 256;

/** Slicing by 8: table k gives the effect of a byte that 7 - k more follow. */
const castagnoliTables = makeTables();

/** Ceph's crc32c: reflected Castagnoli, the caller's initial value, no final inversion. */
export function crc32c(bytes: Bytes, seed: number): number {
  if (bytes.length < NATIVE_FROM_BYTES) return smallCrc32c(bytes, seed);
  return ~nativeCrc32c(bytes, ~seed >>> 0) >>> 0;
}

/** ISO 3309, as zlib's. */
export function crc32(bytes: Bytes, seed: number): number {
  return nativeCrc32(bytes, seed) >>> 0;
}

/** CRC-64/NVME: reflected, inverted before and after. */
export function crc64nvme(bytes: Bytes, seed: bigint): bigint {
  const { high, low } = nvmeTable;
  let h = ~Number(seed >> 32n) >>> 0;
  let l = ~Number(seed & 0xffff_ffffn) >>> 0;
  for (let i = 0; i < bytes.length; i++) {
    const index = (l ^ bytes[i]!) & 0xff;
    l = ((l >>> 8) | (h << 24)) ^ low[index]!;
    h = (h >>> 8) ^ high[index]!;
  }
  return (BigInt(~h >>> 0) << 32n) | BigInt(~l >>> 0);
}

function smallCrc32c(bytes: Bytes, seed: number): number {
  const t = castagnoliTables;
  let crc = seed;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    const a = crc ^ (bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
    crc =
      t[7 * 256 + (a & 0xff)]! ^
      t[6 * 256 + ((a >>> 8) & 0xff)]! ^
      t[5 * 256 + ((a >>> 16) & 0xff)]! ^
      t[4 * 256 + (a >>> 24)]! ^
      t[3 * 256 + bytes[i + 4]!]! ^
      t[2 * 256 + bytes[i + 5]!]! ^
      t[256 + bytes[i + 6]!]! ^
      t[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 0xff]!;
  return crc >>> 0;
}

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? CASTAGNOLI : 0);
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256]!;
    tables[i] = (before >>> 8) ^ tables[before & 0xff]!;
  }
  return tables;
}

const nvmeTable = makeNvmeTable();

function makeNvmeTable(): { readonly high: Uint32Array; readonly low: Uint32Array } {
  const high = new Uint32Array(256);
  const low = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let h = 0;
    let l = byte;
    for (let bit = 0; bit < 8; bit++) {
      const odd = l & 1;
      l = (l >>> 1) | ((h & 1) << 31);
      h >>>= 1;
      if (odd) {
        l ^= NVME_LOW;
        h ^= NVME_HIGH;
      }
    }
    high[byte] = h;
    low[byte] = l;
  }
  return { high, low };
}
