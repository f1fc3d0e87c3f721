/** What buckets are set to. */
import { BucketFlag } from '../../formats/bucket-info.ts';
import { OpMask } from '../../formats/user-info.ts';
import {
  readRequestPaymentConfiguration,
  readVersioningConfiguration,
  requestPaymentConfiguration,
  versioningConfiguration,
} from '../documents/bucket-config.ts';
import { s3Error } from '../s3-errors.ts';
import { requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

export const getBucketVersioning: Operation = {
  name: 'GetBucketVersioning',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketVersioning');
    const { flags } = bucket.info;
    const isOn = (flags & BucketFlag.versioned) !== 0;
    const status = (flags & BucketFlag.versionsSuspended) !== 0 ? 'Suspended' : isOn ? 'Enabled' : undefined;
    const mfaDelete = (flags & BucketFlag.mfaEnabled) !== 0 ? 'Enabled' : undefined;
    return xmlResponse(versioningConfiguration({ status, mfaDelete }));
  },
};

export const putBucketVersioning: Operation = {
  name: 'PutBucketVersioning',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketVersioning');
    const { status, mfaDelete } = readVersioningConfiguration(await readDocument(context));
    const { flags } = bucket.info;
    // No user has an MFA device here.
    const isMfaOn = (flags & BucketFlag.mfaEnabled) !== 0;
    if (mfaDelete !== undefined && (mfaDelete === 'Enabled') !== isMfaOn) {
      throw s3Error('AccessDenied', 'MFA delete is changed with a code of an MFA device');
    }
    await store.setVersioning(bucket, status);
    return emptyResponse();
  },
};

export const putBucketRequestPayment: Operation = {
  name: 'PutBucketRequestPayment',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketRequestPayment');
    const payer = readRequestPaymentConfiguration(await readDocument(context));
    await store.setRequesterPays(bucket, payer === 'Requester');
    return emptyResponse();
  },
};

export const getBucketRequestPayment: Operation = {
  name: 'GetBucketRequestPayment',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketRequestPayment');
    return xmlResponse(requestPaymentConfiguration(bucket.info.requesterPays ? 'Requester' : 'BucketOwner'));
  },
};
