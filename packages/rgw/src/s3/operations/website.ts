/** Whether a bucket is a web site, and which pages it has; who asks for the pages: `src/website`. */

import { OpMask } from '../../formats/user-info.ts';
import type { Website } from '../../formats/website.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { readWebsiteConfiguration, websiteConfiguration } from '../documents/website.ts';
import { s3Error } from '../s3-errors.ts';
import { requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, type OperationContext, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

/** As in radosgw, nobody makes web sites unless that is asked for. @throws S3Error MethodNotAllowed */
function requireWebsites({ store }: OperationContext): void {
  if (store.hasWebsites) return;
  throw s3Error('MethodNotAllowed', 'There are no web sites here: rgw_enable_static_website is off');
}

export const getBucketWebsite: Operation = {
  name: 'GetBucketWebsite',
  async run(context) {
    requireWebsites(context);
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketWebsite');
    const { website } = bucket.info;
    if (!website) throw s3Error('NoSuchWebsiteConfiguration');
    return xmlResponse(websiteConfiguration(website));
  },
};

export const putBucketWebsite: Operation = {
  name: 'PutBucketWebsite',
  async run(context) {
    requireWebsites(context);
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketWebsite');
    await setWebsite(context, bucket, readWebsiteConfiguration(await readDocument(context)));
    return emptyResponse();
  },
};

export const deleteBucketWebsite: Operation = {
  name: 'DeleteBucketWebsite',
  async run(context) {
    requireWebsites(context);
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.delete);
    requireOwnerAccess(context, bucket, 's3:DeleteBucketWebsite');
    if (bucket.info.website) await setWebsite(context, bucket, undefined);
    return emptyResponse(204);
  },
};

async function setWebsite({ store }: OperationContext, bucket: StoredBucket, website: Website | undefined) {
  await store.buckets.change(bucket, (info) => ({ ...info, website }));
}
