/** The policy of a bucket, and what of it may be public. */
import { fromUtf8, type RawString } from '@spirula/encoding';
import { encoded } from '../../formats/encoded.ts';
import { encodePublicAccess } from '../../formats/public-access.ts';
import { OpMask } from '../../formats/user-info.ts';
import { isPublic, MalformedPolicy, type Policy, parseNewPolicy } from '../../iam/policy.ts';
import { BucketAttr } from '../../store/buckets.ts';
import {
  policyStatus,
  publicAccessBlockConfiguration,
  readPublicAccessBlockConfiguration,
} from '../documents/public-access.ts';
import { s3Error } from '../s3-errors.ts';
import { aclOf, isPublicAcl, policyOf, publicAccessOf, requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

/** As AWS has it. */
const MAX_POLICY_BYTES = 20 * 1024;

export const getBucketPolicy: Operation = {
  name: 'GetBucketPolicy',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketPolicy');
    const policy = bucket.attrs.get(BucketAttr.policy);
    if (!policy) throw s3Error('NoSuchBucketPolicy');
    return { status: 200, headers: [['Content-Type', 'application/json']], body: policy };
  },
};

export const putBucketPolicy: Operation = {
  name: 'PutBucketPolicy',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketPolicy');
    const text = await readDocument(context, MAX_POLICY_BYTES);
    const policy = readPolicy(fromUtf8(text), bucket.info.bucket.tenant);
    if (publicAccessOf(bucket).blockPublicPolicy && isPublic(policy)) {
      throw s3Error('AccessDenied', 'The public access block of the bucket takes no policy that lets in everybody');
    }
    await store.setBucketAttr(bucket, BucketAttr.policy, text.slice());
    return emptyResponse(204);
  },
};

export const deleteBucketPolicy: Operation = {
  name: 'DeleteBucketPolicy',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:DeleteBucketPolicy');
    await context.store.setBucketAttr(bucket, BucketAttr.policy, undefined);
    return emptyResponse(204);
  },
};

export const getBucketPolicyStatus: Operation = {
  name: 'GetBucketPolicyStatus',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketPolicyStatus');
    const policy = policyOf(bucket);
    const acl = aclOf(bucket.attrs);
    return xmlResponse(policyStatus((policy && isPublic(policy)) || (acl && isPublicAcl(acl)) || false));
  },
};

export const getPublicAccessBlock: Operation = {
  name: 'GetPublicAccessBlock',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketPublicAccessBlock');
    if (!bucket.attrs.has(BucketAttr.publicAccess)) throw s3Error('NoSuchPublicAccessBlockConfiguration');
    return xmlResponse(publicAccessBlockConfiguration(publicAccessOf(bucket)));
  },
};

export const putPublicAccessBlock: Operation = {
  name: 'PutPublicAccessBlock',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketPublicAccessBlock');
    const block = readPublicAccessBlockConfiguration(await readDocument(context));
    await store.setBucketAttr(bucket, BucketAttr.publicAccess, encoded(encodePublicAccess, block));
    return emptyResponse();
  },
};

export const deletePublicAccessBlock: Operation = {
  name: 'DeletePublicAccessBlock',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketPublicAccessBlock');
    await context.store.setBucketAttr(bucket, BucketAttr.publicAccess, undefined);
    return emptyResponse(204);
  },
};

/** @throws S3Error MalformedPolicy */
function readPolicy(text: string, tenant: RawString): Policy {
  try {
    return parseNewPolicy(text, 'bucket', tenant);
  } catch (error) {
    if (error instanceof MalformedPolicy) throw s3Error('MalformedPolicy', error.message);
    throw error;
  }
}
