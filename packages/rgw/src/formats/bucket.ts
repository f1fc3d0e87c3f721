/** Which bucket: its name, and which of the buckets that had this name (rgw_bucket, rgw_bucket_types.h). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface Pool {
  readonly name: RawString;
  readonly ns: RawString;
}

/** Pools of a bucket from before placement targets. */
export interface ExplicitPlacement {
  readonly data: Pool;
  /** For what an erasure-coded pool cannot hold; no name: the data pool. */
  readonly dataExtra: Pool;
  readonly index: Pool;
}

export interface Bucket {
  readonly tenant: RawString;
  readonly name: RawString;
  /** Begins the names of the RADOS objects of its data; remains when it is resharded. */
  readonly marker: RawString;
  /** Names the instance and its index; another after each resharding. */
  readonly bucketId: RawString;
  /** Undefined: a placement target says. */
  readonly explicitPlacement: ExplicitPlacement | undefined;
}

/** What `rgw_bucket`s are compared by. */
export function isSameBucket(a: Bucket, b: Bucket): boolean {
  return a.tenant === b.tenant && a.name === b.name && a.bucketId === b.bucketId;
}

/** `name`, or `name:namespace` (rgw_pool::to_str). */
export function formatPool({ name, ns }: Pool): RawString {
  return ns === '' ? name : `${name}:${ns}`;
}

export function parsePool(text: RawString): Pool {
  const colon = text.indexOf(':');
  return colon < 0 ? { name: text, ns: '' } : { name: text.slice(0, colon), ns: text.slice(colon + 1) };
}

export function encodePool(to: Encoder, { name, ns }: Pool): void {
  to.struct(10, 10, () => {
    to.rawString(name);
    to.rawString(ns);
  });
}

/** @throws MalformedInput */
export function decodePool(from: Decoder): Pool {
  return from.struct('pool', 10, (version) => {
    const name = from.rawString('pool name');
    return { name, ns: version >= 10 ? from.rawString('pool namespace') : '' };
  });
}

export function encodeBucket(to: Encoder, { name, marker, bucketId, tenant, explicitPlacement }: Bucket): void {
  to.struct(10, 10, () => {
    for (const text of [name, marker, bucketId, tenant]) to.rawString(text);
    to.optional(explicitPlacement, ({ data, dataExtra, index }) => {
      for (const pool of [data, dataExtra, index]) encodePool(to, pool);
    });
  });
}

/** @throws MalformedInput */
export function decodeBucket(from: Decoder): Bucket {
  return from.struct('bucket', 10, (version) => (version >= 10 ? decodeBody(from) : decodeOldBody(from, version)));
}

function decodeBody(from: Decoder): Bucket {
  const name = from.rawString('bucket name');
  const marker = from.rawString('bucket marker');
  const bucketId = from.rawString('bucket id');
  const tenant = from.rawString('tenant');
  const explicitPlacement = from.optional('explicit placement', () => ({
    data: decodePool(from),
    dataExtra: decodePool(from),
    index: decodePool(from),
  }));
  return { tenant, name, marker, bucketId, explicitPlacement };
}

/** Until release 11 a bucket named its pools itself. */
function decodeOldBody(from: Decoder, version: number): Bucket {
  if (version < 3) from.fail('bucket', `of version ${version}, which had no length`);
  const pool = (field: string): Pool => ({ name: from.rawString(field), ns: '' });
  const name = from.rawString('bucket name');
  const data = pool('data pool');
  const marker = from.rawString('bucket marker');
  const bucketId = version === 3 ? String(from.u64big('bucket id')) : from.rawString('bucket id');
  const index = version >= 5 ? pool('index pool') : data;
  const dataExtra = version >= 7 ? pool('data extra pool') : { name: '', ns: '' };
  const tenant = version >= 8 ? from.rawString('tenant') : '';
  const explicitPlacement = data.name === '' ? undefined : { data, dataExtra, index };
  return { tenant, name, marker, bucketId, explicitPlacement };
}
