/** ACLs of buckets and objects. */
import { type Acl, encodeAcl, Permission } from '../../formats/acl.ts';
import { encoded } from '../../formats/encoded.ts';
import { Attr } from '../../store/object-attrs.ts';
import { accessControlPolicy, readAccessControlPolicy } from '../documents/acl.ts';
import { s3Error } from '../s3-errors.ts';
import { aclOfHeaders, ownerOfAcl, shownAcl, storedAcl } from './acl-of-request.ts';
import { bucketOwnerOf, findBucket } from './find-bucket.ts';
import { keyOf } from './objects.ts';
import { emptyResponse, type Operation, type OperationContext, xmlResponse } from './operation.ts';
import { aclOf, requireBucketPermission, requireObjectPermission } from './permissions.ts';
import { readDocument } from './read-document.ts';
import { missingVersion, versionHeaders } from './versions.ts';

export const getBucketAcl: Operation = {
  name: 'GetBucketAcl',
  async run(context) {
    const bucket = await findBucket(context);
    requireBucketPermission(context.user, bucket, Permission.readAcp);
    const acl = aclOf(bucket.attrs);
    if (!acl) throw s3Error('InternalError', 'The bucket has no ACL');
    return xmlResponse(accessControlPolicy(shownAcl(acl)));
  },
};

export const putBucketAcl: Operation = {
  name: 'PutBucketAcl',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireBucketPermission(user, bucket, Permission.writeAcp);
    const before = aclOf(bucket.attrs);
    const acl = await givenAcl(context, before ? ownerOfAcl(before) : await bucketOwnerOf(context, bucket));
    await store.setBucketAcl(bucket, acl);
    return emptyResponse();
  },
};

export const getObjectAcl: Operation = {
  name: 'GetObjectAcl',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    const look = await store.objects.look(bucket.info, keyOf(context));
    const { found } = look;
    if (!found) throw missingVersion(context, bucket, look);
    requireObjectPermission(user, bucket, found.head, Permission.readAcp);
    const acl = aclOf(found.head.attrs);
    if (!acl) throw s3Error('InternalError', 'The object has no ACL');
    return xmlResponse(accessControlPolicy(shownAcl(acl)), versionHeaders(found.versionId));
  },
};

export const putObjectAcl: Operation = {
  name: 'PutObjectAcl',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    const look = await store.objects.look(bucket.info, keyOf(context));
    const { found } = look;
    if (!found) throw missingVersion(context, bucket, look);
    requireObjectPermission(user, bucket, found.head, Permission.writeAcp);
    const before = aclOf(found.head.attrs);
    const bucketOwner = await bucketOwnerOf(context, bucket);
    const acl = await givenAcl(context, before ? ownerOfAcl(before) : bucketOwner, bucketOwner);
    await store.objects.setAttrs(bucket.info, found, new Map([[Attr.acl, encoded(encodeAcl, acl)]]));
    return emptyResponse(200, versionHeaders(found.versionId));
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
