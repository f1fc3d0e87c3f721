/** How many shards an index should have (RGWBucketReshard::get_preferred_shards, RGWRados::check_bucket_shards). */

/** RGWBucketReshard keeps a list of the primes up to here, and 1. */
const LARGEST = 1999;
/** get_max_bucket_shards: the larger prime of a shard's hash. */
export const MAX_SHARDS = 65521;

const primes: readonly number[] = (() => {
  const found = [1];
  for (let candidate = 2; candidate <= LARGEST; candidate++) {
    if (found.every((prime) => prime === 1 || candidate % prime !== 0)) found.push(candidate);
  }
  return found;
})();

/** A prime, where there is one: keys are spread better then. */
export function preferredShards(suggested: number, most: number): number {
  const limit = most >= LARGEST ? most : primes.findLast((prime) => prime <= most)!;
  const prime = primes.find((each) => each >= suggested) ?? suggested;
  return Math.min(prime, limit);
}

export interface ShardLimits {
  /** rgw_max_objs_per_shard */
  readonly objectsPerShard: number;
  /** rgw_max_dynamic_shards */
  readonly most: number;
}

/** Undefined: as many as there are, or more than may be made. */
export function neededShards(
  objects: number,
  shards: number,
  { objectsPerShard, most }: ShardLimits,
): number | undefined {
  const now = Math.max(shards, 1);
  if (now >= most || objects <= now * objectsPerShard) return undefined;
  const suggested = objectsPerShard > 0 ? Math.floor((objects * 2) / objectsPerShard) : most;
  const preferred = Math.min(preferredShards(suggested, most), MAX_SHARDS);
  return preferred > now ? preferred : undefined;
}
