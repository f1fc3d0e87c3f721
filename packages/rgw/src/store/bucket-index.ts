/** The objects of a bucket's index as a whole; what is in them, the class `rgw` keeps. */
import {
  addStats,
  type BucketStats,
  type DirHeader,
  decodeListReply,
  encodeListInput,
  NO_OBJECT_KEY,
} from '@spirula/cls';
import { EMPTY, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { BucketIndexType } from '../formats/bucket-layout.ts';
import { indexOids } from './layout.ts';
import { decodeStored } from './meta-object.ts';

/** None of a bucket without an index. */
export function indexOidsOf({ bucket, layout: { current } }: BucketInfo): readonly RawString[] {
  return current.type === BucketIndexType.indexless ? [] : indexOids(bucket.bucketId, current.shards.count);
}

/** Makes them; none is there before. @throws RadosError */
export async function createIndex(io: IoCtx, info: BucketInfo): Promise<void> {
  const make = () => new ObjectOperation().create(true).exec('rgw', 'bucket_init_index', EMPTY, 'write');
  await Promise.all(indexOidsOf(info).map((oid) => io.operate(oid, make())));
}

/** Those that are there. @throws RadosError */
export async function removeIndex(io: IoCtx, info: BucketInfo): Promise<void> {
  await Promise.all(
    indexOidsOf(info).map(async (oid) => {
      const { result } = await io.submit(oid, new ObjectOperation().remove());
      if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, oid);
    }),
  );
}

/** What each shard says of itself, in their order. @throws RadosError */
export async function indexHeaders(io: IoCtx, info: BucketInfo): Promise<DirHeader[]> {
  const input = encodeListInput({ start: NO_OBJECT_KEY, max: 0, prefix: '', listVersions: true, delimiter: '' });
  return Promise.all(
    indexOidsOf(info).map(
      async (oid) => decodeStored(oid, await io.exec(oid, 'rgw', 'bucket_list', input), decodeListReply).header,
    ),
  );
}

/** What all shards hold, by category. */
export function sumOfStats(headers: readonly DirHeader[]): BucketStats {
  let sums: BucketStats = new Map();
  for (const { stats } of headers) for (const [category, more] of stats) sums = addStats(sums, category, more);
  return sums;
}
