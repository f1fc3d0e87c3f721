/** Lifecycle rules of a bucket. Who carries them out: `src/lifecycle`. */
import { encoded } from '../../formats/encoded.ts';
import { encodeLifecycle } from '../../formats/lifecycle.ts';
import { OpMask } from '../../formats/user-info.ts';
import { rulesOf } from '../../lifecycle/lifecycle.ts';
import { randomAlphanumeric } from '../../store/entropy.ts';
import { lifecycleConfiguration, readLifecycleConfiguration } from '../documents/lifecycle.ts';
import { s3Error } from '../s3-errors.ts';
import { requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

/** LC_ID_LENGTH */
const ID_LENGTH = 48;

export const getBucketLifecycle: Operation = {
  name: 'GetBucketLifecycleConfiguration',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetLifecycleConfiguration');
    const rules = rulesOf(bucket);
    if (rules.length === 0) throw s3Error('NoSuchLifecycleConfiguration');
    return xmlResponse(lifecycleConfiguration(rules));
  },
};

export const putBucketLifecycle: Operation = {
  name: 'PutBucketLifecycleConfiguration',
  async run(context) {
    const { crypto, store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutLifecycleConfiguration');
    const document = await readDocument(context);
    const rules = readLifecycleConfiguration(document, () => randomAlphanumeric(crypto, ID_LENGTH));
    await store.setLifecycle(bucket, encoded(encodeLifecycle, rules));
    return emptyResponse();
  },
};

export const deleteBucketLifecycle: Operation = {
  name: 'DeleteBucketLifecycle',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutLifecycleConfiguration');
    await context.store.setLifecycle(bucket, undefined);
    return emptyResponse(204);
  },
};
