/** Whose the objects of a bucket are, and whether ACLs count there. */
import { encoded } from '../../formats/encoded.ts';
import { encodeOwnership } from '../../formats/ownership.ts';
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
    const acl = aclOf(bucket.attrs);
    if (ownership === 'BucketOwnerEnforced' && acl && isPublicAcl(acl)) {
      throw s3Error('InvalidBucketAclWithObjectOwnership');
    }
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
