/**
 * xxHash, as Y. Collet specifies it (github.com/Cyan4973/xxHash, doc/xxhash_spec.md): XXH32 and XXH64.
 *
 * The packages that have XXH64 are native or must be waited for until they are loaded; what is hashed here is now and then an
 * object, when a client asks for its checksum.
 */
import type { Bytes } from './bytes.ts';

const P32_1 = 0x9e3779b1;
const P32_2 = 0x85ebca77;
const P32_3 = 0xc2b2ae3d;
const P32_4 = 0x27d4eb2f;
const P32_5 = 0x165667b1;

function rotate32(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function round32(lane: number, input: number): number {
  return Math.imul(rotate32((lane + Math.imul(input, P32_2)) | 0, 13), P32_1);
}

/** @param seed 32 bits. Returns 32 bits. */
export function xxhash32(bytes: Bytes, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { length } = bytes;
  let at = 0;
  let hash: number;
  if (length >= 16) {
    let a = (seed + P32_1 + P32_2) | 0;
    let b = (seed + P32_2) | 0;
    let c = seed | 0;
    let d = (seed - P32_1) | 0;
    for (; at + 16 <= length; at += 16) {
      a = round32(a, view.getUint32(at, true));
      b = round32(b, view.getUint32(at + 4, true));
      c = round32(c, view.getUint32(at + 8, true));
      d = round32(d, view.getUint32(at + 12, true));
    }
    hash = (rotate32(a, 1) + rotate32(b, 7) + rotate32(c, 12) + rotate32(d, 18)) | 0;
  } else hash = (seed + P32_5) | 0;
  hash = (hash + length) | 0;
  for (; at + 4 <= length; at += 4) {
    hash = Math.imul(rotate32((hash + Math.imul(view.getUint32(at, true), P32_3)) | 0, 17), P32_4);
  }
  for (; at < length; at++) hash = Math.imul(rotate32((hash + Math.imul(bytes[at]!, P32_5)) | 0, 11), P32_1);
  hash = Math.imul(hash ^ (hash >>> 15), P32_2);
  hash = Math.imul(hash ^ (hash >>> 13), P32_3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const P64_1 = 0x9e3779b185ebca87n;
const P64_2 = 0xc2b2ae3d27d4eb4fn;
const P64_3 = 0x165667b19e3779f9n;
const P64_4 = 0x85ebca77c2b2ae63n;
const P64_5 = 0x27d4eb2f165667c5n;

function u64(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function rotate64(value: bigint, bits: bigint): bigint {
  return u64((value << bits) | (value >> (64n - bits)));
}

function round64(lane: bigint, input: bigint): bigint {
  return u64(rotate64(u64(lane + input * P64_2), 31n) * P64_1);
}

/** @param seed 64 bits. Returns 64 bits. */
export function xxhash64(bytes: Bytes, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { length } = bytes;
  let at = 0;
  let hash: bigint;
  if (length >= 32) {
    const lanes = [u64(seed + P64_1 + P64_2), u64(seed + P64_2), seed, u64(seed - P64_1)] as const;
    let [a, b, c, d]: readonly [bigint, bigint, bigint, bigint] = lanes;
    for (; at + 32 <= length; at += 32) {
      a = round64(a, view.getBigUint64(at, true));
      b = round64(b, view.getBigUint64(at + 8, true));
      c = round64(c, view.getBigUint64(at + 16, true));
      d = round64(d, view.getBigUint64(at + 24, true));
    }
    hash = u64(rotate64(a, 1n) + rotate64(b, 7n) + rotate64(c, 12n) + rotate64(d, 18n));
    for (const lane of [a, b, c, d]) hash = u64((hash ^ round64(0n, lane)) * P64_1 + P64_4);
  } else hash = u64(seed + P64_5);
  hash = u64(hash + BigInt(length));
  for (; at + 8 <= length; at += 8) {
    hash = u64(rotate64(hash ^ round64(0n, view.getBigUint64(at, true)), 27n) * P64_1 + P64_4);
  }
  if (at + 4 <= length) {
    hash = u64(rotate64(hash ^ u64(BigInt(view.getUint32(at, true)) * P64_1), 23n) * P64_2 + P64_3);
    at += 4;
  }
  for (; at < length; at++) hash = u64(rotate64(hash ^ u64(BigInt(bytes[at]!) * P64_5), 11n) * P64_1);
  hash = u64((hash ^ (hash >> 33n)) * P64_2);
  hash = u64((hash ^ (hash >> 29n)) * P64_3);
  return hash ^ (hash >> 32n);
}
