/** How new objects of a bucket are encrypted when requests say nothing of it. */
import { decodeBucketEncryption, encodeBucketEncryption } from '../../formats/bucket-encryption.ts';
import { decoded, encoded } from '../../formats/encoded.ts';
import { OpMask } from '../../formats/user-info.ts';
import { BucketAttr } from '../../store/buckets.ts';
import { readServerSideEncryptionConfiguration, serverSideEncryptionConfiguration } from '../documents/encryption.ts';
import { s3Error } from '../s3-errors.ts';
import { requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

export const getBucketEncryption: Operation = {
  name: 'GetBucketEncryption',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetEncryptionConfiguration');
    const value = bucket.attrs.get(BucketAttr.encryption);
    const encryption = value && decoded(decodeBucketEncryption, value);
    if (!encryption) throw s3Error('ServerSideEncryptionConfigurationNotFoundError');
    return xmlResponse(serverSideEncryptionConfiguration(encryption));
  },
};

export const putBucketEncryption: Operation = {
  name: 'PutBucketEncryption',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutEncryptionConfiguration');
    const encryption = readServerSideEncryptionConfiguration(await readDocument(context));
    await context.store.setBucketAttr(bucket, BucketAttr.encryption, encoded(encodeBucketEncryption, encryption));
    return emptyResponse();
  },
};

export const deleteBucketEncryption: Operation = {
  name: 'DeleteBucketEncryption',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutEncryptionConfiguration');
    await context.store.setBucketAttr(bucket, BucketAttr.encryption, undefined);
    return emptyResponse(204);
  },
};
