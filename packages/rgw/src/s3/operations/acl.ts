/** ACLs of buckets and objects. */
import { type Acl, encodeAcl } from '../../formats/acl.ts';
import { encoded } from '../../formats/encoded.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { Attr } from '../../store/object-attrs.ts';
import { accessControlPolicy, readAccessControlPolicy } from '../documents/acl.ts';
import { s3Error } from '../s3-errors.ts';
import { aclOf, ownershipOf, requireBucketAccess, requireObjectAccess, requirePrivateAcl } from './access.ts';
import { aclOfHeaders, ownerOfAcl, shownAcl, storedAcl } from './acl-of-request.ts';
import { bucketOwnerOf, findBucket } from './find-bucket.ts';
import { emptyResponse, isVersion, keyOf, type Operation, type OperationContext, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';
import { missingVersion } from './versions.ts';

export const getBucketAcl: Operation = {
  name: 'GetBucketAcl',
  async run(context) {
    const bucket = await findBucket(context);
    requireBucketAccess(context, bucket, 's3:GetBucketAcl');
    const acl = aclOf(bucket.attrs);
    if (!acl) throw s3Error('InternalError', 'The bucket has no ACL');
    return xmlResponse(accessControlPolicy(shownAcl(acl)));
  },
};

export const putBucketAcl: Operation = {
  name: 'PutBucketAcl',
  async run(context) {
    const { store } = context;
    const bucket = await findBucket(context);
    requireBucketAccess(context, bucket, 's3:PutBucketAcl');
    requireAcls(bucket);
    const before = aclOf(bucket.attrs);
    const acl = await givenAcl(context, before ? ownerOfAcl(before) : await bucketOwnerOf(context, bucket));
    requirePrivateAcl(bucket, acl);
    await store.setBucketAcl(bucket, acl);
    return emptyResponse();
  },
};

export const getObjectAcl: Operation = {
  name: 'GetObjectAcl',
  async run(context) {
    const { store } = context;
    const bucket = await findBucket(context);
    const look = await store.objects.look(bucket.info, keyOf(context));
    const { found } = look;
    if (!found) throw missingVersion(context, bucket, look);
    requireObjectAccess(context, bucket, found.head, isVersion(context) ? 's3:GetObjectVersionAcl' : 's3:GetObjectAcl');
    const acl = aclOf(found.head.attrs);
    if (!acl) throw s3Error('InternalError', 'The object has no ACL');
    return xmlResponse(accessControlPolicy(shownAcl(acl)));
  },
};

export const putObjectAcl: Operation = {
  name: 'PutObjectAcl',
  async run(context) {
    const { store } = context;
    const bucket = await findBucket(context);
    const look = await store.objects.look(bucket.info, keyOf(context));
    const { found } = look;
    if (!found) throw missingVersion(context, bucket, look);
    requireObjectAccess(context, bucket, found.head, isVersion(context) ? 's3:PutObjectVersionAcl' : 's3:PutObjectAcl');
    requireAcls(bucket);
    const before = aclOf(found.head.attrs);
    const bucketOwner = await bucketOwnerOf(context, bucket);
    const acl = await givenAcl(context, before ? ownerOfAcl(before) : bucketOwner, bucketOwner);
    requirePrivateAcl(bucket, acl);
    await store.objects.setAttrs(bucket.info, found, new Map([[Attr.acl, encoded(encodeAcl, acl)]]));
    return emptyResponse();
  },
};

/** By a document, or by headers. Whose it is does not change. @throws S3Error AccessDenied */
async function givenAcl(
  context: OperationContext,
  owner: { readonly id: string; readonly displayName: string },
  bucketOwner = owner,
): Promise<Acl> {
  const { request, store } = context;
  const document = await readDocument(context);
  if (document.length === 0) return await aclOfHeaders(store, request.http.headers, owner, bucketOwner);
  const policy = readAccessControlPolicy(document);
  if (policy.owner.id !== owner.id) throw s3Error('AccessDenied', 'The owner cannot be changed');
  return await storedAcl(store, { ...policy, owner });
}

/** @throws S3Error AccessControlListNotSupported */
function requireAcls(bucket: StoredBucket): void {
  if (ownershipOf(bucket) === 'BucketOwnerEnforced') throw s3Error('AccessControlListNotSupported');
}
