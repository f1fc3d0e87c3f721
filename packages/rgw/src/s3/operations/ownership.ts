/** Whose the objects of a bucket are, and whether ACLs count there. */
import type { Acl } from '../../formats/acl.ts';
import { encoded } from '../../formats/encoded.ts';
import { encodeOwnership, OWNERSHIPS, type Ownership } from '../../formats/ownership.ts';
import { OpMask } from '../../formats/user-info.ts';
import { BucketAttr } from '../../store/buckets.ts';
import { ownershipControls, readOwnershipControls } from '../documents/ownership.ts';
import { s3Error } from '../s3-errors.ts';
import { aclOf, isPublicAcl, ownershipOf, requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

export const getBucketOwnershipControls: Operation = {
  name: 'GetBucketOwnershipControls',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketOwnershipControls');
    if (!bucket.attrs.has(BucketAttr.ownership)) throw s3Error('OwnershipControlsNotFoundError');
    return xmlResponse(ownershipControls(ownershipOf(bucket)));
  },
};

export const putBucketOwnershipControls: Operation = {
  name: 'PutBucketOwnershipControls',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketOwnershipControls');
    const ownership = readOwnershipControls(await readDocument(context));
    requirePrivateIfEnforced(ownership, aclOf(bucket.attrs));
    await context.store.setBucketAttr(bucket, BucketAttr.ownership, encoded(encodeOwnership, ownership));
    return emptyResponse();
  },
};

export const deleteBucketOwnershipControls: Operation = {
  name: 'DeleteBucketOwnershipControls',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketOwnershipControls');
    await context.store.setBucketAttr(bucket, BucketAttr.ownership, undefined);
    return emptyResponse(204);
  },
};

/**
 * What a new bucket is told: `x-amz-object-ownership`. Undefined: nothing.
 *
 * @throws S3Error InvalidArgument, InvalidBucketAclWithObjectOwnership
 */
export function readOwnershipHeader(headers: ReadonlyMap<string, string>, acl: Acl): Ownership | undefined {
  const text = headers.get('x-amz-object-ownership');
  if (text === undefined) return undefined;
  const ownership = OWNERSHIPS.find((each) => each === text);
  if (!ownership) throw s3Error('InvalidArgument', `x-amz-object-ownership is one of ${OWNERSHIPS.join(', ')}`);
  requirePrivateIfEnforced(ownership, acl);
  return ownership;
}

function requirePrivateIfEnforced(ownership: Ownership, acl: Acl | undefined): void {
  if (ownership === 'BucketOwnerEnforced' && acl && isPublicAcl(acl)) {
    throw s3Error('InvalidBucketAclWithObjectOwnership');
  }
}
