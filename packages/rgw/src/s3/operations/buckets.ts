/** Operations on buckets, and the list of them. */
import { type RawString, textFromRaw } from '@spirula/encoding';
import { OpMask, type UserInfo } from '../../formats/user-info.ts';
import type { HttpResponse } from '../../http.ts';
import { bucketArn } from '../../iam/arn.ts';
import { checkBucketName } from '../bucket-name.ts';
import { locationConstraint, readCreateBucketConfiguration } from '../documents/bucket-config.ts';
import { type ListedBucket, listAllMyBucketsResult, readListBuckets } from '../documents/list-buckets.ts';
import { s3Error } from '../s3-errors.ts';
import {
  aclOf,
  isOwner,
  requireBucketAccess,
  requireOpMask,
  requireOwnerAccess,
  requireUser,
  requireUserAccess,
} from './access.ts';
import { ANONYMOUS, aclOfHeaders, isSameAcl, ownerOf } from './acl-of-request.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readOwnershipHeader } from './ownership.ts';
import { readDocument } from './read-document.ts';

export const listBuckets: Operation = {
  name: 'ListBuckets',
  async run(context) {
    const { request, store, user } = context;
    const { prefix, after, maxBuckets } = readListBuckets(request.params);
    const buckets: ListedBucket[] = [];
    // Nobody in particular has none.
    if (!user) return xmlResponse(listAllMyBucketsResult(ANONYMOUS, { prefix, buckets, isTruncated: false }));
    requireUserAccess(context, 's3:ListAllMyBuckets', bucketArn(user.id.tenant, '*'));
    let isTruncated = false;
    for await (const { bucket, created } of store.buckets.lists.list(user.id, after)) {
      if (!bucket.name.startsWith(prefix)) continue;
      isTruncated = buckets.length === maxBuckets;
      if (isTruncated) break;
      buckets.push({ name: bucket.name, created });
    }
    return xmlResponse(listAllMyBucketsResult(ownerOf(user), { prefix, buckets, isTruncated }));
  },
};

export const createBucket: Operation = {
  name: 'CreateBucket',
  async run(context) {
    const { request, store, user, identity } = context;
    const owner = requireUser(user);
    requireOpMask(user, OpMask.write);
    const { tenant } = owner.id;
    requireUserAccess(context, 's3:CreateBucket', bucketArn(tenant, textFromRaw(request.bucket)));
    if (identity.role && identity.role.tenant !== tenant)
      throw s3Error('AccessDenied', 'The role is of another tenant');
    checkBucketName(request.bucket);
    const document = await readDocument(context);
    const location = document.length === 0 ? undefined : readCreateBucketConfiguration(document);
    if (location !== undefined && !store.isOwnLocation(location)) throw s3Error('InvalidLocationConstraint');
    const acl = await aclOfHeaders(store, request.http.headers, ownerOf(owner));
    const hasLock = request.http.headers.get('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true';
    const storageClass = request.http.headers.get('x-amz-storage-class') ?? '';
    const asked = { name: placementOfLocation(location ?? ''), storageClass };
    const ownership = readOwnershipHeader(request.http.headers, acl);
    const bucket = await store.createBucket(owner, request.bucket, acl, { hasLock, asked, ownership });
    const given = aclOf(bucket.attrs);
    // It was there, and is not what is asked for.
    if (given && !isSameAcl(given, acl)) throw s3Error('BucketAlreadyExists');
    return emptyResponse();
  },
};

/** Behind the colon in `zonegroup:placement`; '': it says nothing of that. */
function placementOfLocation(location: RawString): RawString {
  const colon = location.indexOf(':');
  return colon < 0 ? '' : location.slice(colon + 1);
}

export const headBucket: Operation = {
  name: 'HeadBucket',
  async run(context) {
    const bucket = await findBucket(context);
    requireBucketAccess(context, bucket, 's3:ListBucket');
    const { objects, bytes } = await context.store.bucketStats(bucket);
    return emptyResponse(200, [
      ['X-RGW-Object-Count', String(objects)],
      ['X-RGW-Bytes-Used', String(bytes)],
      // Others are not to learn how much its owner may have.
      ...(context.user && isOwner(context.user, bucket) ? quotaHeaders(context.user) : []),
    ]);
  },
};

function quotaHeaders({ userQuota, bucketQuota, maxBuckets }: UserInfo): HttpResponse['headers'] {
  return [
    ['X-RGW-Quota-User-Size', String(userQuota.maxSize)],
    ['X-RGW-Quota-User-Objects', String(userQuota.maxObjects)],
    ['X-RGW-Quota-Max-Buckets', String(maxBuckets)],
    ['X-RGW-Quota-Bucket-Size', String(bucketQuota.maxSize)],
    ['X-RGW-Quota-Bucket-Objects', String(bucketQuota.maxObjects)],
  ];
}

export const deleteBucket: Operation = {
  name: 'DeleteBucket',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.delete);
    requireOwnerAccess(context, bucket, 's3:DeleteBucket');
    await store.removeBucket(bucket);
    return emptyResponse(204);
  },
};

export const getBucketLocation: Operation = {
  name: 'GetBucketLocation',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketLocation');
    return xmlResponse(locationConstraint(context.store.location));
  },
};
