/** What users' buckets hold, as the indexes count it, brought to where users' sums are kept (rgw_user_sync_all_stats). */
import type { UserHeader } from '@spirula/cls';
import { Errno, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { UserId } from '../formats/user-id.ts';
import { indexHeaders, sumOfStats } from './bucket-index.ts';
import type { StoredBucket } from './buckets.ts';
import type { Store } from './store.ts';

/** What objects of all categories take. */
interface BucketTotals {
  readonly entries: bigint;
  readonly size: bigint;
  readonly sizeRounded: bigint;
}

/** @throws RadosError */
export async function bucketTotals({ zone }: Pick<Store, 'zone'>, { info }: StoredBucket): Promise<BucketTotals> {
  const stats = sumOfStats(await indexHeaders(zone.placement(info.placement).index, info));
  let totals: BucketTotals = { entries: 0n, size: 0n, sizeRounded: 0n };
  for (const { entries, size, sizeRounded } of stats.values()) {
    totals = {
      entries: totals.entries + entries,
      size: totals.size + size,
      sizeRounded: totals.sizeRounded + sizeRounded,
    };
  }
  return totals;
}

/** Tells a user's list of buckets what one of them holds. @throws RadosError */
export async function syncBucketStats(store: Store, bucket: StoredBucket, now: UTime): Promise<void> {
  const { entries, size, sizeRounded } = await bucketTotals(store, bucket);
  const { info } = bucket;
  const stats = { size, sizeRounded, count: entries, created: info.created };
  await store.buckets.lists.setStats(info.owner, info.bucket, stats, now);
}

/** Tells it all that they hold, and gives the sums. Undefined: the user never had a bucket. @throws RadosError */
export async function syncUserStats(store: Store, user: UserId, now: UTime): Promise<UserHeader | undefined> {
  const { lists } = store.buckets;
  for await (const { bucket: entry } of lists.list(user)) {
    const bucket = await store.buckets.load(user.tenant, entry.name);
    if (bucket) await syncBucketStats(store, bucket, now);
  }
  try {
    await lists.completeStats(user, now);
  } catch (error) {
    if (!(error instanceof RadosError && error.code === Errno.ENOENT)) throw error;
  }
  return lists.header(user);
}
