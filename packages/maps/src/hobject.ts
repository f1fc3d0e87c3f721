import type { Decoder, Encoder, PoolId, RawString } from '@spirula/encoding';

/**
 * Full name of one object, or a position in the order of a PG's objects (hobject_t, common/hobject.h). Objects of a PG
 * are ordered by the bit-reversed hash, then namespace, then key or name, then name, then snap; `max` sorts after all.
 */
export interface HObject {
  readonly pool: PoolId;
  readonly nspace: RawString;
  /** Locator key; empty when the name itself decides placement. */
  readonly key: RawString;
  readonly name: RawString;
  /** NOSNAP for the head. */
  readonly snap: bigint;
  /** 32-bit placement hash of key or name (with namespace). */
  readonly hash: number;
  readonly max: boolean;
}

/** The pool of positions that belong to none, as encoded: the least 64-bit integer. */
const NO_POOL = -(2n ** 63n);

/** Before every object. */
export const MIN_HOBJECT: HObject = {
  pool: Number.NEGATIVE_INFINITY,
  nspace: '',
  key: '',
  name: '',
  snap: 0n,
  hash: 0,
  max: false,
};

/** After every object. */
export const MAX_HOBJECT: HObject = { ...MIN_HOBJECT, max: true };

/** The 32 bits of `value` in reverse: PGs that split in half stay ranges of this. */
export function reverseBits(value: number): number {
  let v = value >>> 0;
  v = ((v >>> 1) & 0x55555555) | ((v & 0x55555555) << 1);
  v = ((v >>> 2) & 0x33333333) | ((v & 0x33333333) << 2);
  v = ((v >>> 4) & 0x0f0f0f0f) | ((v & 0x0f0f0f0f) << 4);
  v = ((v >>> 8) & 0x00ff00ff) | ((v & 0x00ff00ff) << 8);
  return ((v >>> 16) | (v << 16)) >>> 0;
}

/** Ceph's bitwise order: negative, zero or positive. */
export function compareHObjects(a: HObject, b: HObject): number {
  if (a.max || b.max) return Number(a.max) - Number(b.max);
  if (a.pool !== b.pool) return a.pool < b.pool ? -1 : 1;
  if (a.hash !== b.hash) return reverseBits(a.hash) - reverseBits(b.hash);
  return (
    compareText(a.nspace, b.nspace) ||
    compareText(a.key === '' ? a.name : a.key, b.key === '' ? b.name : b.key) ||
    compareText(a.name, b.name) ||
    (a.snap === b.snap ? 0 : a.snap < b.snap ? -1 : 1)
  );
}

function compareText(a: RawString, b: RawString): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

export function sameHObject(a: HObject, b: HObject): boolean {
  return compareHObjects(a, b) === 0;
}

export function encodeHObject(to: Encoder, object: HObject): void {
  to.struct(4, 3, () => {
    to.rawString(object.key);
    to.rawString(object.name);
    to.u64big(object.snap);
    to.u32(object.hash);
    to.bool(object.max);
    to.rawString(object.nspace);
    to.u64big(object.pool === Number.NEGATIVE_INFINITY ? NO_POOL : BigInt(object.pool));
  });
}

/** @throws MalformedInput */
export function decodeHObject(from: Decoder, field: string): HObject {
  return from.struct(field, 4, (version) => {
    if (version < 4) from.fail(field, `an hobject_t of version ${version}`);
    const key = from.rawString(field);
    const name = from.rawString(field);
    const snap = from.u64big(field);
    const hash = from.u32(field);
    const max = from.bool(field);
    const nspace = from.rawString(field);
    const pool = from.i64big(field);
    return { key, name, snap, hash, max, nspace, pool: pool === NO_POOL ? Number.NEGATIVE_INFINITY : Number(pool) };
  });
}
