/** Instances of buckets that reshardings have left behind (RGWBucketAdminOp::list_stale_instances, clear_stale_instances). */
import { ReshardStatus } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { bucketName } from '../store/layout.ts';
import { HeldLock, type LockPorts } from './bucket-lock.ts';
import type { Instances } from './instances.ts';

/** For the looking only. */
const LOCK_SECONDS = 30;

export interface StaleParts {
  readonly instances: Instances;
  readonly lockPorts: LockPorts;
}

/**
 * Those that were resharded, and those that their bucket's name does not lead to; of a bucket that is being resharded only the
 * former. @throws RadosError
 */
export async function* staleInstances({ instances, lockPorts }: StaleParts): AsyncGenerator<BucketInfo> {
  const others = new Map<RawString, BucketInfo[]>();
  for await (const { info } of instances.all()) {
    if (info.reshardStatus === ReshardStatus.done) yield info;
    else others.set(bucketName(info.bucket), [...(others.get(bucketName(info.bucket)) ?? []), info]);
  }
  for (const infos of others.values()) {
    const { tenant, name } = infos[0]!.bucket;
    const now = await instances.find(tenant, name);
    if (!now) {
      yield* infos;
      continue;
    }
    const { bucket, reshardStatus, newBucketInstanceId } = now.info;
    if (reshardStatus === ReshardStatus.inProgress) continue;
    const used = new Set([bucket.bucketId, newBucketInstanceId]);
    const unused = infos.filter(({ bucket: { bucketId } }) => !used.has(bucketId));
    if (unused.length === 0) continue;
    // Nobody is about to make one of them the bucket's.
    const lock = await HeldLock.ofBucket(lockPorts, bucket, LOCK_SECONDS);
    if (!lock) continue;
    await lock.release();
    yield* unused;
  }
}

/** How it is named: rgw_bucket::get_key. */
export function instanceKey({ bucket }: BucketInfo): RawString {
  return `${bucketName(bucket)}:${bucket.bucketId}`;
}
