/** Lists of a bucket's objects. */
import { compareUTimes, type RawString } from '@spirula/encoding';
import type { StoredBucket } from '../../store/buckets.ts';
import { type Listed, listObjects, type ListedObject as StoredObject } from '../../store/listing.ts';
import {
  type ListedObject,
  type ListPage,
  listBucketResult,
  listBucketV2Result,
  readListV1,
  readListV2,
} from '../documents/list-objects.ts';
import { requireBucketAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { type Operation, type OperationContext, xmlResponse } from './operation.ts';

interface Page {
  readonly found: readonly Listed[];
  readonly isTruncated: boolean;
}

export const listObjectsV1: Operation = {
  name: 'ListObjects',
  async run(context) {
    const bucket = await openForListing(context);
    const asked = readListV1(context.request.params);
    const page = await readPage(context, bucket, { ...asked, after: asked.marker });
    // Without a delimiter the last key says where to go on, as AWS has it.
    const nextMarker = asked.delimiter === '' ? undefined : lastName(page);
    return xmlResponse(listBucketResult(asked, { ...shown(bucket, page), nextMarker }));
  },
};

export const listObjectsV2: Operation = {
  name: 'ListObjectsV2',
  async run(context) {
    const bucket = await openForListing(context);
    const asked = readListV2(context.request.params);
    const after = asked.continuationToken ?? asked.startAfter ?? '';
    const page = await readPage(context, bucket, { ...asked, after });
    return xmlResponse(listBucketV2Result(asked, { ...shown(bucket, page), nextContinuationToken: lastName(page) }));
  },
};

async function openForListing(context: OperationContext): Promise<StoredBucket> {
  const bucket = await findBucket(context);
  requireBucketAccess(context, bucket, 's3:ListBucket');
  return bucket;
}

async function readPage(
  { store, unseenSince }: OperationContext,
  bucket: StoredBucket,
  asked: {
    readonly prefix: RawString;
    readonly delimiter: RawString;
    readonly after: RawString;
    readonly maxKeys: number;
  },
): Promise<Page> {
  const { prefix, delimiter, after, maxKeys } = asked;
  const found: Listed[] = [];
  if (maxKeys === 0) return { found, isTruncated: false };
  const query = { prefix, delimiter, after, ns: '', hint: maxKeys + 1 };
  for await (const entry of listObjects(store.objects, bucket.info, query)) {
    if (unseenSince && entry.kind === 'object' && compareUTimes(entry.meta.mtime, unseenSince) > 0) continue;
    if (found.length === maxKeys) return { found, isTruncated: true };
    found.push(entry);
  }
  return { found, isTruncated: false };
}

function shown({ info }: StoredBucket, { found, isTruncated }: Page): ListPage<ListedObject> {
  const entries = found.filter((entry): entry is StoredObject => entry.kind === 'object');
  return {
    tenant: info.bucket.tenant,
    bucket: info.bucket.name,
    entries: entries.map(({ name, meta }) => ({
      key: name,
      mtime: meta.mtime,
      etag: meta.etag,
      size: Number(meta.accountedSize),
      storageClass: meta.storageClass,
      owner: { id: meta.owner, displayName: meta.ownerDisplayName },
      appendable: meta.appendable,
    })),
    commonPrefixes: found.filter(({ kind }) => kind === 'prefix').map(({ name }) => name),
    isTruncated,
  };
}

function lastName({ found }: Page): RawString | undefined {
  return found.at(-1)?.name;
}
