/** Logs of requests in buckets. A bucket is told where its log is to go, and tells it; no gateway writes one. */
import { decoded, encoded } from '../../formats/encoded.ts';
import { decodeLoggingTarget, encodeLoggingTarget } from '../../formats/logging.ts';
import { formatUserId } from '../../formats/user-id.ts';
import { OpMask } from '../../formats/user-info.ts';
import { BucketAttr } from '../../store/buckets.ts';
import { bucketLoggingStatus, readBucketLoggingStatus } from '../documents/logging.ts';
import { s3Error } from '../s3-errors.ts';
import { requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

export const getBucketLogging: Operation = {
  name: 'GetBucketLogging',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketLogging');
    const stored = bucket.attrs.get(BucketAttr.logging);
    return xmlResponse(bucketLoggingStatus(stored && decoded(decodeLoggingTarget, stored)));
  },
};

export const putBucketLogging: Operation = {
  name: 'PutBucketLogging',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketLogging');
    const target = readBucketLoggingStatus(await readDocument(context));
    if (target) {
      const { owner } = bucket.info;
      const found = await store.buckets.load(bucket.info.bucket.tenant, target.bucket);
      const isTheirs = found && formatUserId(found.info.owner) === formatUserId(owner);
      if (!isTheirs) throw s3Error('InvalidTargetBucketForLogging');
    }
    await store.setBucketAttr(bucket, BucketAttr.logging, target && encoded(encodeLoggingTarget, target));
    return emptyResponse();
  },
};
