/** What a request makes of an object besides its bytes: whose it is, who may read it, what is said of it. */
import { bytesFromRaw, type RawString } from '@spirula/encoding';
import { encoded } from '../../formats/encoded.ts';
import { encodeTags } from '../../formats/tags.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { Attr, KEPT_HEADERS, textAttr, USER_META_PREFIX } from '../../store/object-attrs.ts';
import { requireStorageClass, tailPlacementOf } from '../../store/placement.ts';
import { MAX_OBJECT_TAGS, readTaggingHeader } from '../documents/tagging.ts';
import { s3Error } from '../s3-errors.ts';
import { ownershipOf, requirePrivateAcl } from './access.ts';
import { ANONYMOUS, aclOfHeaders, ownerOf } from './acl-of-request.ts';
import { bucketOwnerOf } from './find-bucket.ts';
import { newLocks } from './object-lock.ts';
import type { OperationContext } from './operation.ts';

/** rgw_max_attr_size, for all of a user's own headers together, as AWS bounds them. */
const MAX_META_BYTES = 2048;
export const META_HEADER = 'x-amz-meta-';

/** What the headers of a request say of the object that it makes. @throws S3Error, NoSuchStorageClass */
export async function newObject(context: OperationContext, bucket: StoredBucket) {
  const { request, store, user } = context;
  const { headers } = request.http;
  const storageClass = headers.get('x-amz-storage-class') ?? '';
  requireStorageClass(store.zone, tailPlacementOf(bucket.info, storageClass));
  const writer = user ? ownerOf(user) : ANONYMOUS;
  const bucketOwner = await bucketOwnerOf(context, bucket);
  const owner = givesToBucketOwner(bucket, headers) ? bucketOwner : writer;
  const acl = await aclOfHeaders(store, headers, owner, bucketOwner);
  requirePrivateAcl(bucket, acl);
  const attrs = new Map([...attrsOf(headers), ...newLocks(context, bucket)]);
  return { acl, attrs, contentType: headers.get('content-type') ?? '', storageClass };
}

/** Whose a new object is, is the bucket's to say. @throws S3Error AccessControlListNotSupported */
function givesToBucketOwner(bucket: StoredBucket, headers: ReadonlyMap<string, string>): boolean {
  const ownership = ownershipOf(bucket);
  const canned = headers.get('x-amz-acl');
  if (ownership !== 'BucketOwnerEnforced') {
    return ownership === 'BucketOwnerPreferred' && canned === 'bucket-owner-full-control';
  }
  const givesMore = canned !== undefined && canned !== 'bucket-owner-full-control';
  if (givesMore || [...headers.keys()].some((name) => name.startsWith('x-amz-grant-'))) {
    throw s3Error('AccessControlListNotSupported');
  }
  return true;
}

/** Xattrs that keep what the headers say. @throws S3Error MetadataTooLarge, InvalidTag */
function attrsOf(headers: ReadonlyMap<string, string>): Map<RawString, Uint8Array> {
  const attrs = new Map<RawString, Uint8Array>();
  for (const [name, attr] of KEPT_HEADERS) {
    const value = headers.get(name);
    if (value !== undefined && value !== '') attrs.set(attr, textAttr(keptValue(name, value)));
  }
  let metaBytes = 0;
  for (const [name, value] of headers) {
    if (!name.startsWith(META_HEADER)) continue;
    metaBytes += name.length - META_HEADER.length + value.length;
    if (metaBytes > MAX_META_BYTES) throw s3Error('MetadataTooLarge');
    attrs.set(USER_META_PREFIX + name.slice(META_HEADER.length), bytesFromRaw(value.trim()));
  }
  const tags = headers.get('x-amz-tagging');
  if (tags !== undefined && tags !== '') {
    attrs.set(Attr.tags, encoded(encodeTags, readTaggingHeader(tags, MAX_OBJECT_TAGS)));
  }
  return attrs;
}

/** `aws-chunked` is how it was sent, not what it is. */
function keptValue(name: string, value: string): string {
  if (name !== 'content-encoding') return value;
  return value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== 'aws-chunked')
    .join(', ');
}
