/** What buckets are set to. */
import { BucketFlag } from '../../formats/bucket-info.ts';
import { requestPaymentConfiguration, versioningConfiguration } from '../documents/bucket-config.ts';
import { s3Error } from '../s3-errors.ts';
import { findBucket } from './find-bucket.ts';
import { type Operation, xmlResponse } from './operation.ts';
import { isOwner } from './permissions.ts';

export const getBucketVersioning: Operation = {
  name: 'GetBucketVersioning',
  async run(context) {
    const bucket = await findBucket(context);
    if (!isOwner(context.user, bucket)) throw s3Error('AccessDenied');
    const { flags } = bucket.info;
    const isOn = (flags & BucketFlag.versioned) !== 0;
    const status = (flags & BucketFlag.versionsSuspended) !== 0 ? 'Suspended' : isOn ? 'Enabled' : undefined;
    return xmlResponse(versioningConfiguration({ status, mfaDelete: undefined }));
  },
};

export const getBucketRequestPayment: Operation = {
  name: 'GetBucketRequestPayment',
  async run(context) {
    const bucket = await findBucket(context);
    if (!isOwner(context.user, bucket)) throw s3Error('AccessDenied');
    return xmlResponse(requestPaymentConfiguration(bucket.info.requesterPays ? 'Requester' : 'BucketOwner'));
  },
};
