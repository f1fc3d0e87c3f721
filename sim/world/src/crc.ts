import type { Bytes } from '@spirula/encoding';

/** Reflected polynomials. */
const CRC32 = 0xedb8_8320;
const NVME = 0x9a6c_9329_ac4b_c9b5n;
const MASK64 = 0xffff_ffff_ffff_ffffn;

const crc32Table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ CRC32 : crc >>> 1;
  return crc;
});

const nvmeTable = BigUint64Array.from({ length: 256 }, (_, byte) => {
  let crc = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ NVME : crc >> 1n;
  return crc;
});

/** ISO 3309, continued from `seed` (first 0). */
export function crc32(bytes: Bytes, seed: number): number {
  let crc = ~seed;
  for (const byte of bytes) crc = (crc >>> 8) ^ crc32Table[(crc ^ byte) & 255]!;
  return ~crc >>> 0;
}

/** CRC-64/NVME, continued from `seed` (first 0n). Slow: nothing calls it often. */
export function crc64nvme(bytes: Bytes, seed: bigint): bigint {
  let crc = ~seed & MASK64;
  for (const byte of bytes) crc = (crc >> 8n) ^ nvmeTable[Number(crc & 255n) ^ byte]!;
  return ~crc & MASK64;
}
