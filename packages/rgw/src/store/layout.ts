/**
 * What things are called in RADOS (rgw_common.h, rgw_obj_manifest.cc, services/svc_bi_rados.cc, svc_bucket_sobj.cc).
 *
 *   data pool     MARKER_key                       head; a key that begins with _ has one more: MARKER___key
 *                 MARKER__:INSTANCE_key            head of a version
 *                 MARKER__multipart_key.UPLOAD.N   first stripe of a part; MARKER__shadow_… any other stripe
 *   index pool    .dir.BUCKETID[.SHARD]
 *   meta pool     root       [TENANT/]NAME, .bucket.meta.[TENANT:]NAME:BUCKETID
 *                 users.uid  UID, UID.buckets; users.keys, users.email, users.swift: what leads to a uid
 */
import type { RawString } from '@spirula/encoding';
import { strHashLinux } from '@spirula/maps';
import type { Bucket } from '../formats/bucket.ts';
import type { BucketObject, ObjectKey } from '../formats/object.ts';
import { formatUserId, type UserId } from '../formats/user-id.ts';

export const MULTIPART_NS = 'multipart';
export const SHADOW_NS = 'shadow';
/** The instance of objects written while versioning was off or suspended: it has no part in names. */
export const NULL_INSTANCE = 'null';

/** The RADOS object of a head or of a stripe. */
export interface RadosName {
  readonly oid: RawString;
  /** What its placement follows, '' for its name: of keys that begin with _, which were escaped when names no longer could be. */
  readonly locator: RawString;
}

/** An object's name without its bucket (rgw_obj_key::get_oid). */
export function keyToOid({ name, instance, ns }: ObjectKey): RawString {
  const isVersion = instance !== '' && instance !== NULL_INSTANCE;
  if (ns === '' && !isVersion) return name.startsWith('_') ? `_${name}` : name;
  return isVersion ? `_${ns}:${instance}_${name}` : `_${ns}_${name}`;
}

/** Undefined: `oid` is the name of no key (rgw_obj_key::parse_raw_oid). */
export function oidToKey(oid: RawString): ObjectKey | undefined {
  if (!oid.startsWith('_')) return { name: oid, instance: '', ns: '' };
  if (oid.startsWith('__')) return { name: oid.slice(1), instance: '', ns: '' };
  const end = oid.indexOf('_', 2);
  if (oid.length < 3 || end < 0) return undefined;
  const [ns = '', ...instance] = oid.slice(1, end).split(':');
  return { name: oid.slice(end + 1), instance: instance.join(':'), ns };
}

/** The name a bucket's index has an object under; the instance is beside it (get_index_key_name). */
export function keyToIndexName({ name, ns }: ObjectKey): RawString {
  if (ns !== '') return `_${ns}_${name}`;
  return name.startsWith('_') ? `_${name}` : name;
}

/** The key that a bucket's index has so. Of what is no name of a key, the text is the name. */
export function keyOfIndex({ name, instance }: { readonly name: RawString; readonly instance: RawString }): ObjectKey {
  const key = oidToKey(name) ?? { name, ns: '' };
  return { name: key.name, ns: key.ns, instance };
}

export function radosNameOf({ bucket: { marker }, key }: BucketObject): RadosName {
  const inBucket = (name: RawString) => (marker === '' ? name : `${marker}_${name}`);
  const isEscaped = key.ns === '' && key.name.startsWith('_');
  return { oid: inBucket(keyToOid(key)), locator: isEscaped ? inBucket(key.name) : '' };
}

const PRIME_UP_TO = 7877;
const LARGER_PRIME = 65521;

/**
 * Which shard of an index of so many has a key (rgw_bucket_shard_index); 0 for an index without shards.
 *
 * @param name the key's name without namespace; of what belongs to an upload, the name of the object uploaded
 */
export function shardOf(name: RawString, shardCount: number): number {
  if (shardCount === 0) return 0;
  const hash = strHashLinux(name);
  const mixed = (hash ^ ((hash & 0xff) << 24)) >>> 0;
  return (mixed % (shardCount <= PRIME_UP_TO ? PRIME_UP_TO : LARGER_PRIME)) % shardCount;
}

/** The objects of a bucket's index, by shard: one without a number when there are no shards. */
export function indexOids(bucketId: RawString, shardCount: number): RawString[] {
  if (shardCount === 0) return [`.dir.${bucketId}`];
  return Array.from({ length: shardCount }, (_, shard) => `.dir.${bucketId}.${shard}`);
}

/** The object of the index that has a key; see `shardOf`. */
export function indexOidOf(bucketId: RawString, shardCount: number, name: RawString): RawString {
  return shardCount === 0 ? `.dir.${bucketId}` : `.dir.${bucketId}.${shardOf(name, shardCount)}`;
}

/** What a bucket is called in all tenants: `name`, or `tenant/name`. The name of its entry point. */
export function bucketName({ tenant, name }: Pick<Bucket, 'tenant' | 'name'>): RawString {
  return tenant === '' ? name : `${tenant}/${name}`;
}

export function bucketInstanceOid({ tenant, name, bucketId }: Bucket): RawString {
  return `.bucket.meta.${tenant === '' ? '' : `${tenant}:`}${name}:${bucketId}`;
}

export function userBucketsOid(user: UserId): RawString {
  return `${formatUserId(user)}.buckets`;
}
