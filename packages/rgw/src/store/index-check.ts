/** Whether the sums that a bucket's index keeps are those of its entries (RGWBucket::check_index, check_bad_index_multipart). */
import { type BucketStats, type DirHeader, decodeCheckIndexReply } from '@spirula/cls';
import { EMPTY, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { indexOidsOf, sumOfStats } from './bucket-index.ts';
import type { StoredBucket } from './buckets.ts';
import { MULTIPART_NS } from './layout.ts';
import { listObjects, mergeShards } from './listing.ts';
import { decodeStored } from './meta-object.ts';
import { RawIndex } from './raw-index.ts';
import type { Store } from './store.ts';

export interface IndexCheck {
  /** Parts in the index whose upload is not there. */
  readonly invalidParts: readonly RawString[];
  readonly existing: BucketStats;
  readonly calculated: BucketStats;
}

const META_SUFFIX = '.meta';
const PAGE = 1000;

/** @param fix the sums become those of the entries @throws RadosError */
export async function checkBucketIndex(store: Store, { info }: StoredBucket, fix: boolean): Promise<IndexCheck> {
  const { index } = store.zone.placement(info.placement);
  const invalidParts = await partsWithoutUpload(store, info);
  const existing: DirHeader[] = [];
  const calculated: DirHeader[] = [];
  for (const oid of indexOidsOf(info)) {
    const shard = await checkShard(index, oid);
    existing.push(shard.existing);
    calculated.push(shard.calculated);
    if (fix) await index.operate(oid, new ObjectOperation().exec('rgw', 'bucket_rebuild_index', EMPTY, 'write'));
  }
  return { invalidParts, existing: sumOfStats(existing), calculated: sumOfStats(calculated) };
}

/**
 * Keys of the index as listings meet them, in their order. Entries in doubt are what their heads say from then on: a listing settles
 * that (RGWBucket::check_object_index).
 */
export async function checkedEntries(store: Store, bucket: BucketInfo): Promise<RawString[]> {
  const query = { prefix: '', delimiter: '', after: '', ns: '', hint: PAGE, versions: { after: '' } };
  for await (const _ of mergeShards(store.objects, bucket, query));
  const index = new RawIndex(store.zone.placement(bucket.placement).index, bucket);
  const keys: RawString[] = [];
  for (let shard = 0; shard < index.shards; shard++) {
    for await (const [key] of index.entries(shard, '')) keys.push(key);
  }
  return keys.sort();
}

async function checkShard(index: IoCtx, oid: RawString) {
  return decodeStored(oid, await index.exec(oid, 'rgw', 'bucket_check_index', EMPTY), decodeCheckIndexReply);
}

async function partsWithoutUpload({ objects }: Store, bucket: BucketInfo): Promise<RawString[]> {
  const uploads = new Set<RawString>();
  const parts: { readonly name: RawString; readonly upload: RawString }[] = [];
  const query = { prefix: '', delimiter: '', after: '', ns: MULTIPART_NS, hint: PAGE };
  for await (const { name } of listObjects(objects, bucket, query)) {
    const upload = name.slice(0, name.lastIndexOf('.'));
    if (name.endsWith(META_SUFFIX)) uploads.add(upload);
    else parts.push({ name, upload });
  }
  return parts.filter(({ upload }) => !uploads.has(upload)).map(({ name }) => `_${MULTIPART_NS}_${name}`);
}
