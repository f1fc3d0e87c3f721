/**
 * What is overwritten in a container that keeps it elsewhere (X-Versions-Location; RGWRados::swift_versioning_copy, _restore).
 *
 *   write     the object that is there is copied to LOCATION under `LLLname/SECONDS.MICROS`, LLL the name's length in hexadecimal,
 *             then replaced: by this write only if it is the one that was copied
 *   delete    the last of its copies comes back, and is no copy any more; without any, the object goes
 *
 * A copy is named by the time of what it is of: made twice, it is one. Bytes are copied as they are stored.
 */
import type { Bytes, RawString } from '@spirula/encoding';
import { type Acl, decodeAcl, privateAcl } from '../formats/acl.ts';
import { BucketFlag, type BucketInfo } from '../formats/bucket-info.ts';
import { decoded } from '../formats/encoded.ts';
import { uploadedParts } from '../formats/manifest-parts.ts';
import { formatUserId } from '../formats/user-id.ts';
import type { StoredBucket } from './buckets.ts';
import { etagOf, type Head } from './head.ts';
import { isSameWrite } from './head-write.ts';
import type { HeadCheck } from './heads.ts';
import { keyToOid } from './layout.ts';
import { listObjects } from './listing.ts';
import { Attr, attrText, OLH_PREFIX } from './object-attrs.ts';
import type { Store } from './store.ts';
import { CHUNK_BYTES, type FoundObject } from './stripes.ts';

/** What is overwritten cannot be kept where it should be. */
export class PreviousVersionError extends Error {
  override readonly name = 'PreviousVersionError';
}

/** There is nothing where what was overwritten is kept. */
export class NoPreviousVersions extends Error {
  override readonly name = 'NoPreviousVersions';
}

/** Said anew of each object that is written, or not true of a copy. */
const OWN_ATTRS: ReadonlySet<RawString> = new Set([
  Attr.acl,
  Attr.compression,
  Attr.deleteAt,
  Attr.etag,
  Attr.idTag,
  Attr.legalHold,
  Attr.manifest,
  Attr.pgVersion,
  Attr.retention,
  Attr.sourceZone,
  Attr.storageClass,
  Attr.tailTag,
]);
const CRYPT_MODE = 'user.rgw.crypt.mode';
const LENGTH_DIGITS = 3;

/** Undefined: the bucket keeps nothing elsewhere. One with versions of S3's keeps those. */
function locationOf({ flags, swiftVersionsLocation }: BucketInfo): RawString | undefined {
  return (flags & BucketFlag.versioned) !== 0 || swiftVersionsLocation === '' ? undefined : swiftVersionsLocation;
}

/**
 * What a write of an object asks of the one that is there: that it is kept first, where the bucket says so.
 *
 * @param check what else is asked of it, before
 */
export function keeping(
  store: Store,
  bucket: StoredBucket,
  name: RawString,
  check?: HeadCheck,
): { readonly check?: HeadCheck } {
  if (locationOf(bucket.info) === undefined) return check ? { check } : {};
  let kept: Head | undefined;
  const keep = async (found: Head | undefined) => {
    await check?.(found);
    if (!found || (kept && isSameWrite(kept, found))) return;
    await archive(store, bucket, name);
    kept = found;
  };
  return { check: keep };
}

async function archive(store: Store, bucket: StoredBucket, name: RawString): Promise<void> {
  const found = await findWhole(store, bucket.info, name);
  if (!found) return;
  const to = await locationBucket(store, bucket.info);
  if (!to) throw new PreviousVersionError('There is no container where previous versions are to be kept');
  const { sec, nsec } = found.head.mtime;
  const micros = String(Math.floor(nsec / 1000)).padStart(6, '0');
  await copyAsStored(store, bucket.info, found, to.info, `${prefixOf(name)}${sec}.${micros}`);
}

/**
 * What an object was before. False: nothing is kept of it, and it is as it was.
 *
 * @throws NoPreviousVersions, PreviousVersionError
 */
export async function restorePrevious(store: Store, bucket: StoredBucket, name: RawString): Promise<boolean> {
  if (locationOf(bucket.info) === undefined) return false;
  const from = await locationBucket(store, bucket.info);
  if (!from) throw new NoPreviousVersions('There is no container where previous versions are kept');
  const query = { prefix: prefixOf(name), delimiter: '', after: '', ns: '', hint: 1000 };
  let last: RawString | undefined;
  for await (const entry of listObjects(store.objects, from.info, query)) last = entry.name;
  if (last === undefined) return false;
  if ((from.info.flags & BucketFlag.versioned) !== 0) {
    throw new PreviousVersionError('Previous versions are in a bucket that has versions of its own');
  }
  const found = await findWhole(store, from.info, last);
  if (!found) return false;
  await copyAsStored(store, from.info, found, bucket.info, name);
  const owner = { id: formatUserId(from.info.owner), displayName: '' };
  await store.objects.remove(from.info, { name: last, instance: '', ns: '' }, owner);
  return true;
}

/** Undefined: there is none, or it is somebody else's. */
async function locationBucket(store: Store, { bucket, owner, swiftVersionsLocation }: BucketInfo) {
  const found = await store.buckets.load(bucket.tenant, swiftVersionsLocation!);
  return found && formatUserId(found.info.owner) === formatUserId(owner) ? found : undefined;
}

function prefixOf(name: RawString): RawString {
  const oid = keyToOid({ name, instance: '', ns: '' });
  return `${oid.length.toString(16).padStart(LENGTH_DIGITS, '0')}${oid}/`;
}

/** Attributes and first bytes of one moment: the head may be replaced before it is read again. */
async function findWhole(store: Store, bucket: BucketInfo, name: RawString): Promise<FoundObject | undefined> {
  return await store.objects.find(bucket, { name, instance: '', ns: '' }, CHUNK_BYTES);
}

async function copyAsStored(
  store: Store,
  from: BucketInfo,
  found: FoundObject,
  to: BucketInfo,
  name: RawString,
): Promise<void> {
  const { head } = found;
  if (head.attrs.has(CRYPT_MODE) && head.manifest && uploadedParts(head.manifest).length > 0) {
    throw new PreviousVersionError('What was uploaded in parts and encrypted cannot be kept elsewhere');
  }
  const isKept = (attr: RawString) => !OWN_ATTRS.has(attr) && !attr.startsWith(OLH_PREFIX);
  const attrs = new Map<RawString, Bytes>([...head.attrs].filter(([attr]) => isKept(attr)));
  const contentType = head.attrs.get(Attr.contentType);
  const data = await store.quotas.guard(to, store.objects.read(from, found, 0, head.size), head.size);
  await store.objects.write(to, name, data, {
    attrs,
    acl: aclOf(head, to),
    contentType: contentType ? attrText(contentType) : '',
    etag: etagOf(head),
  });
}

function aclOf({ attrs }: Head, { owner }: BucketInfo): Acl {
  const value = attrs.get(Attr.acl);
  return value ? decoded(decodeAcl, value) : privateAcl(owner, '');
}
