import type { PgId, RawString } from '@spirula/encoding';
import { type HObject, MIN_HOBJECT, sameHObject } from '@spirula/maps';
import { NOSNAP } from '@spirula/messages';

/** The position before every object: what `lastBackfill` says of a replica that has nothing yet. */
export function isFirst(position: HObject): boolean {
  return sameHObject(position, MIN_HOBJECT);
}

/** Names an object within one PG, for use as a key of maps. */
export type ObjectKey = RawString;

/** The object asked for last: a request asks for the key of its object again and again. */
let lastKeyed: { readonly oid: HObject; readonly key: ObjectKey } | undefined;

export function objectKey(oid: HObject): ObjectKey {
  if (lastKeyed?.oid === oid) return lastKeyed.key;
  const { name, key, nspace, snap } = oid;
  // Names are any bytes: only their lengths tell where one ends.
  const head = `${name.length},${key.length},${snap === NOSNAP ? 'head' : snap.toString(16)},`;
  lastKeyed = { oid, key: `${head}${name}${key}${nspace}` };
  return lastKeyed.key;
}

/** The object that holds a PG's own metadata (pgmeta_oid): its empty name sorts it before the PG's objects. */
export function pgMetaOid(pgid: PgId): HObject {
  return { pool: pgid.pool, nspace: '', key: '', name: '', snap: NOSNAP, hash: pgid.seed, max: false };
}

export function isPgMeta(oid: HObject): boolean {
  return oid.name === '';
}

/** Where an object is put together that arrives in several parts. Sorts before the PG's objects: its pool is below 0. */
export function tempOid(oid: HObject): HObject {
  return { ...oid, pool: -2 - oid.pool };
}

export function isTemp(oid: HObject): boolean {
  return oid.pool < -1;
}
