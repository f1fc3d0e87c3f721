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
  const { length } = bytes;
  if (length < NATIVE_FROM_BYTES) return smallCrc32c(bytes, seed);
  if (length >= BLOCK_BYTES) {
    const known = summed.get(bytes.buffer);
    if (known !== undefined) return blockwiseCrc32c(bytes, seed, known);
  }
  return wholeCrc32c(bytes, seed);
}

/**
 * Has the sums of this memory remembered as long as it lives: the same bytes are summed when they arrive or are read, when
 * they are stored, and for each peer they are sent to. Nobody changes them once they are summed.
 */
export function rememberSums(memory: ArrayBufferLike): void {
  if (memory.byteLength >= REMEMBERED_FROM_BYTES) summed.set(memory, { crcs: undefined });
}

function wholeCrc32c(bytes: Bytes, seed: number): number {
  return ~nativeCrc32c(bytes, ~seed >>> 0) >>> 0;
}

const REMEMBERED_FROM_BYTES = 64 << 10;
/** Block size and initial value are those of the object store. */
const BLOCK_BYTES = 4096;
const BLOCK_SEED = 0xffff_ffff;

/** The checksums of a memory's whole blocks; undefined until the first is asked for. */
interface SummedBlocks {
  crcs: Uint32Array | undefined;
}

const summed = new WeakMap<ArrayBufferLike, SummedBlocks>();

function sumBlocks(memory: ArrayBufferLike): Uint32Array {
  const crcs = new Uint32Array(Math.floor(memory.byteLength / BLOCK_BYTES));
  for (let i = 0; i < crcs.length; i++) {
    crcs[i] = wholeCrc32c(new Uint8Array(memory, i * BLOCK_BYTES, BLOCK_BYTES), BLOCK_SEED);
  }
  return crcs;
}

/** From the sums of the blocks of which `bytes` consists, and what may follow them. */
function blockwiseCrc32c(bytes: Bytes, seed: number, known: SummedBlocks): number {
  if (bytes.byteOffset % BLOCK_BYTES !== 0) return wholeCrc32c(bytes, seed);
  known.crcs ??= sumBlocks(bytes.buffer);
  const { crcs } = known;
  const first = bytes.byteOffset / BLOCK_BYTES;
  const count = Math.floor(bytes.length / BLOCK_BYTES);
  if (count === 1 && seed === BLOCK_SEED && bytes.length === BLOCK_BYTES) return crcs[first]!;
  // A crc is linear: that of a then b is that of a, moved on by the length of b, xor that of b from zero.
  let crc = seed;
  for (let i = first; i < first + count; i++) crc = afterBlock(crc) ^ crcs[i]! ^ seedAfterBlock;
  const rest = bytes.subarray(count * BLOCK_BYTES);
  return rest.length === 0 ? crc >>> 0 : wholeCrc32c(rest, crc >>> 0);
}

/** What `BLOCK_BYTES` zeros make of a crc, for each of its four bytes. */
const afterBlockTables = makeAfterBlockTables();
const seedAfterBlock = afterBlock(BLOCK_SEED);

function afterBlock(crc: number): number {
  const t = afterBlockTables;
  return t[crc & 0xff]! ^ t[256 + ((crc >>> 8) & 0xff)]! ^ t[512 + ((crc >>> 16) & 0xff)]! ^ t[768 + (crc >>> 24)]!;
}

function makeAfterBlockTables(): Uint32Array {
  const zeros = new Uint8Array(BLOCK_BYTES);
  const bits = Array.from({ length: 32 }, (_, bit) => wholeCrc32c(zeros, (1 << bit) >>> 0));
  const tables = new Uint32Array(4 * 256);
  for (let i = 0; i < tables.length; i++) {
    let crc = 0;
    for (let bit = 0; bit < 8; bit++) if ((i & (1 << bit)) !== 0) crc ^= bits[8 * (i >> 8) + bit]!;
    tables[i] = crc;
  }
  return tables;
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
