/** Tags of objects, of versions and of buckets. */
import { decoded, encoded } from '../../formats/encoded.ts';
import { decodeTags, encodeTags } from '../../formats/tags.ts';
import { OpMask } from '../../formats/user-info.ts';
import type { HttpResponse } from '../../http.ts';
import type { Action } from '../../iam/actions.ts';
import { BucketAttr, type StoredBucket } from '../../store/buckets.ts';
import type { Head } from '../../store/head.ts';
import { Attr } from '../../store/object-attrs.ts';
import type { FoundObject } from '../../store/stripes.ts';
import { MAX_BUCKET_TAGS, MAX_OBJECT_TAGS, readTagging, tagging } from '../documents/tagging.ts';
import { s3Error } from '../s3-errors.ts';
import { requireObjectAccess, requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, isVersion, keyOf, type Operation, type OperationContext, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';
import { missingVersion, versionHeaders } from './versions.ts';

const NO_TAGS: ReadonlyMap<string, string> = new Map();

export const getObjectTagging: Operation = {
  name: 'GetObjectTagging',
  async run(context) {
    const { found } = await findTagged(context, 's3:GetObjectTagging', 's3:GetObjectVersionTagging');
    const value = found.head.attrs.get(Attr.tags);
    return xmlResponse(tagging(value ? decoded(decodeTags, value) : NO_TAGS), versionHeaders(found.versionId));
  },
};

export const putObjectTagging: Operation = {
  name: 'PutObjectTagging',
  async run(context) {
    requireOpMask(context.user, OpMask.write);
    const { bucket, found } = await findTagged(context, 's3:PutObjectTagging', 's3:PutObjectVersionTagging');
    const tags = readTagging(await readDocument(context), MAX_OBJECT_TAGS);
    const attrs = new Map([[Attr.tags, encoded(encodeTags, tags)]]);
    await context.store.objects.setAttrs(bucket.info, found, attrs);
    return emptyResponse(200, versionHeaders(found.versionId));
  },
};

export const deleteObjectTagging: Operation = {
  name: 'DeleteObjectTagging',
  async run(context) {
    requireOpMask(context.user, OpMask.write);
    const { bucket, found } = await findTagged(context, 's3:DeleteObjectTagging', 's3:DeleteObjectVersionTagging');
    if (found.head.attrs.has(Attr.tags)) {
      await context.store.objects.setAttrs(bucket.info, found, new Map([[Attr.tags, undefined]]));
    }
    return emptyResponse(204, versionHeaders(found.versionId));
  },
};

export const getBucketTagging: Operation = {
  name: 'GetBucketTagging',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketTagging');
    const value = bucket.attrs.get(BucketAttr.tagging);
    if (!value) throw s3Error('NoSuchTagSet');
    return xmlResponse(tagging(decoded(decodeTags, value)));
  },
};

export const putBucketTagging: Operation = {
  name: 'PutBucketTagging',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketTagging');
    const tags = readTagging(await readDocument(context), MAX_BUCKET_TAGS);
    await context.store.setBucketAttr(bucket, BucketAttr.tagging, encoded(encodeTags, tags));
    return emptyResponse(204);
  },
};

export const deleteBucketTagging: Operation = {
  name: 'DeleteBucketTagging',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketTagging');
    await context.store.setBucketAttr(bucket, BucketAttr.tagging, undefined);
    return emptyResponse(204);
  },
};

/** How many tags an object has; nothing without any. */
export function tagCountHeader({ attrs }: Pick<Head, 'attrs'>): HttpResponse['headers'] {
  const value = attrs.get(Attr.tags);
  const count = value ? decoded(decodeTags, value).size : 0;
  return count === 0 ? [] : [['x-amz-tagging-count', String(count)]];
}

/** @throws S3Error NoSuchKey, AccessDenied */
async function findTagged(
  context: OperationContext,
  action: Action,
  versionAction: Action,
): Promise<{ readonly bucket: StoredBucket; readonly found: FoundObject }> {
  const bucket = await findBucket(context);
  const look = await context.store.objects.look(bucket.info, keyOf(context));
  const { found } = look;
  if (!found) throw missingVersion(context, bucket, look);
  requireObjectAccess(context, bucket, found.head, isVersion(context) ? versionAction : action);
  return { bucket, found };
}
