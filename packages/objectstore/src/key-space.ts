import { bytesFromRaw, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { Crypto } from '@spirula/world';

/*
 * The keys of a store, by their first byte:
 *
 *   S                                  superblock
 *   C <cid>                            collection -> its number
 *   D <seq:8> <device block:4>         deferred write of one block -> its bytes, without zeros at their end
 *   H <nid:8>                          omap header
 *   M <nid:8> <omap key>               omap entry
 *   O <collection:4> <object order>    onode
 *   X <nid:8> <shard:4>                one shard of an onode's block map (shard 0 is in the onode)
 *
 * Numbers are big-endian, so that byte order is their order. <object order> is pool, bit-reversed hash, namespace,
 * locator key or name, name, snap: the order of HObject. `nid` is the store's number for an object while it exists.
 */

/** A key that would be longer is cut here and ends in a digest of all of it; its value then carries it in full. */
const MAX_WHOLE_KEY = 1000;
const DIGEST_BYTES = 16;

/** Above every snap id; snap ids are unsigned, the head's is -2. */
const SNAP_BITS = 64;
const POOL_BIAS = 2 ** 52;

export const SUPERBLOCK_KEY: RawString = 'S';
export const COLLECTION_PREFIX: RawString = 'C';
export const DEFERRED_PREFIX: RawString = 'D';
export const OMAP_PREFIX: RawString = 'M';
export const ONODE_PREFIX: RawString = 'O';
export const SHARD_PREFIX: RawString = 'X';
export const OMAP_HEADER_PREFIX: RawString = 'H';

export function collectionKey(cid: string): RawString {
  return COLLECTION_PREFIX + cid;
}

export function deferredKey(seq: number, block: number): RawString {
  return DEFERRED_PREFIX + u64(seq) + u32(block);
}

export function readDeferredKey(key: RawString): { readonly seq: number; readonly block: number } {
  return { seq: readU64(key, 1), block: readU32(key, 9) };
}

export function omapHeaderKey(nid: number): RawString {
  return OMAP_HEADER_PREFIX + u64(nid);
}

export function omapPrefix(nid: number): RawString {
  return OMAP_PREFIX + u64(nid);
}

export function shardPrefix(nid: number): RawString {
  return SHARD_PREFIX + u64(nid);
}

export function shardKey(nid: number, shard: number): RawString {
  return shardPrefix(nid) + u32(shard);
}

export function onodePrefix(collection: number): RawString {
  return ONODE_PREFIX + u32(collection);
}

/** Where an object stands in its collection, as text that orders as HObject does, before any cut. */
export function objectOrder(oid: HObject): RawString {
  const name = escapeZeros(oid.name);
  const effectiveKey = oid.key === '' ? name : escapeZeros(oid.key);
  const head = poolText(oid.pool) + u32(reverseBits(oid.hash)) + escapeZeros(oid.nspace);
  return head + effectiveKey + name + snapText(oid.snap);
}

/** The object of an order that was not cut: the inverse of `objectOrder`. */
export function objectOfOrder(order: RawString): HObject {
  const pool = readU64(order, 0) - POOL_BIAS;
  const hash = reverseBits(readU32(order, 8));
  const [nspace, afterNspace] = unescapeZeros(order, 12);
  const [effectiveKey, afterKey] = unescapeZeros(order, afterNspace);
  const [name, afterName] = unescapeZeros(order, afterKey);
  let snap = 0n;
  for (let i = 0; i < 8; i++) snap = (snap << 8n) | BigInt(order.charCodeAt(afterName + i));
  return { pool, hash, nspace, key: effectiveKey === name ? '' : effectiveKey, name, snap, max: false };
}

/** Whether a key this long is stored as it is. */
export function fitsWhole(key: RawString): boolean {
  return key.length <= MAX_WHOLE_KEY;
}

/** The part of a key under which it is stored when it is too long, shared by all long keys that begin so. */
export function cutOf(key: RawString): RawString {
  return key.slice(0, MAX_WHOLE_KEY);
}

/** The key as stored: itself, or cut and followed by a digest. */
export function storedKey(key: RawString, crypto: Pick<Crypto, 'hash'>): RawString {
  if (fitsWhole(key)) return key;
  let digest = '';
  for (const byte of crypto.hash('sha256', bytesFromRaw(key)).subarray(0, DIGEST_BYTES)) {
    digest += String.fromCharCode(byte);
  }
  return cutOf(key) + digest;
}

/** Whether a stored key was cut: then its value begins with the whole key. */
export function isCut(stored: RawString): boolean {
  return stored.length > MAX_WHOLE_KEY;
}

/** The first key after all that begin with `prefix`. */
export function afterPrefix(prefix: RawString): RawString {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) end -= 1;
  return end === 0
    ? '\u00ff'.repeat(1024)
    : prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1);
}

function u32(value: number): RawString {
  return String.fromCharCode(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff);
}

function u64(value: number): RawString {
  return u32(Math.floor(value / 0x1_0000_0000)) + u32(value % 0x1_0000_0000);
}

/** The last pool and snap that were asked for, as text: nearly always those that come next. */
let lastPool: { readonly pool: number; readonly text: RawString } = { pool: 0, text: u64(POOL_BIAS) };
let lastSnap: { readonly snap: bigint; readonly text: RawString } = { snap: 0n, text: u64(0) };

function poolText(pool: number): RawString {
  if (lastPool.pool !== pool) lastPool = { pool, text: u64(pool + POOL_BIAS) };
  return lastPool.text;
}

function snapText(snap: bigint): RawString {
  if (lastSnap.snap !== snap) {
    const bits = BigInt.asUintN(SNAP_BITS, snap);
    lastSnap = { snap, text: u32(Number(bits >> 32n)) + u32(Number(bits & 0xffff_ffffn)) };
  }
  return lastSnap.text;
}

export function readU32(text: RawString, at: number): number {
  return (
    ((text.charCodeAt(at) << 24) |
      (text.charCodeAt(at + 1) << 16) |
      (text.charCodeAt(at + 2) << 8) |
      text.charCodeAt(at + 3)) >>>
    0
  );
}

export function readU64(text: RawString, at: number): number {
  return readU32(text, at) * 0x1_0000_0000 + readU32(text, at + 4);
}

/** Ends in a zero byte; zero and one inside are written as two bytes, which keeps the order. */
function escapeZeros(raw: RawString): RawString {
  for (let i = 0; i < raw.length; i++) {
    if (raw.charCodeAt(i) > 1) continue;
    return `${raw.replaceAll('\u0001', '\u0001\u0002').replaceAll('\u0000', '\u0001\u0001')}\u0000`;
  }
  return `${raw}\u0000`;
}

function unescapeZeros(text: RawString, at: number): readonly [raw: RawString, next: number] {
  const end = text.indexOf('\u0000', at);
  const escaped = text.slice(at, end);
  if (!escaped.includes('\u0001')) return [escaped, end + 1];
  let raw = '';
  for (let i = 0; i < escaped.length; i++) {
    const char = escaped[i]!;
    if (char !== '\u0001') raw += char;
    else raw += String.fromCharCode(escaped.charCodeAt(++i) - 1);
  }
  return [raw, end + 1];
}

function reverseBits(value: number): number {
  let v = value >>> 0;
  v = ((v >>> 1) & 0x5555_5555) | ((v & 0x5555_5555) << 1);
  v = ((v >>> 2) & 0x3333_3333) | ((v & 0x3333_3333) << 2);
  v = ((v >>> 4) & 0x0f0f_0f0f) | ((v & 0x0f0f_0f0f) << 4);
  v = ((v >>> 8) & 0x00ff_00ff) | ((v & 0x00ff_00ff) << 8);
  return ((v >>> 16) | (v << 16)) >>> 0;
}
