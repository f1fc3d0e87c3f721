/** An index whose resharding, or whose bucket's removal, was begun and will not end: it takes changes again. */

import { ReshardStatus } from '@spirula/cls';
import type { UTime } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { Zone } from '../store/zone.ts';
import type { FoundBucket, Instances } from './instances.ts';
import { openShards, shardStates } from './shard-states.ts';

export interface ReopeningParts {
  readonly zone: Zone;
  readonly instances: Instances;
  readonly now: () => UTime;
}

/**
 * Gives up what was begun; whoever calls this holds the bucket's lock. Who had it before, and is only slow, does not end it any
 * more: that needs the entry point as it was.
 *
 * @throws RadosError ECANCELED: it did end; ENOENT
 */
export async function reopen({ zone, instances, now }: ReopeningParts, found: FoundBucket): Promise<void> {
  const { info, entry } = found;
  const { index } = zone.placement(info.placement);
  await instances.pointTo(entry, info.bucket);
  for (const unfinished of await unfinishedInstances(found, await shardStates(index, info))) {
    const stored = await instances.load(unfinished.bucket);
    await instances.remove(stored?.info ?? unfinished);
  }
  if (info.reshardStatus !== ReshardStatus.notResharding || info.newBucketInstanceId !== '') {
    await instances.list(info, now());
    await instances.update(found, { ...info, reshardStatus: ReshardStatus.notResharding, newBucketInstanceId: '' });
  }
  await openShards(index, info);
}

/** By what the bucket and its shards say. */
async function unfinishedInstances(
  { info }: FoundBucket,
  states: Awaited<ReturnType<typeof shardStates>>,
): Promise<readonly BucketInfo[]> {
  const counts = new Map(states.map(({ newInstanceId, shards }) => [newInstanceId, shards]));
  if (!counts.has(info.newBucketInstanceId)) counts.set(info.newBucketInstanceId, 0);
  counts.delete('');
  counts.delete(info.bucket.bucketId);
  return [...counts].map(([bucketId, count]) => withIndex(info, bucketId, Math.max(count, 0)));
}

/** The bucket with another index. */
export function withIndex(info: BucketInfo, bucketId: string, shardCount: number): BucketInfo {
  const { layout } = info;
  const current = { ...layout.current, shards: { ...layout.current.shards, count: shardCount } };
  return {
    ...info,
    bucket: { ...info.bucket, bucketId },
    layout: { ...layout, current },
    reshardStatus: ReshardStatus.notResharding,
    newBucketInstanceId: '',
  };
}
