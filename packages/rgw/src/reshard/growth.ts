/**
 * Buckets that are written to are counted now and then; one whose shards have more objects than they should waits to be resharded
 * (RGWQuotaHandlerImpl::check_bucket_shards, RGWRados::check_bucket_shards, add_bucket_to_reshard).
 */
import { ObjectCategory } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import type { World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { BucketIndexType } from '../formats/bucket-layout.ts';
import { indexHeaders, sumOfStats } from '../store/bucket-index.ts';
import type { BucketStore } from '../store/buckets.ts';
import { BucketGone } from '../store/object-index.ts';
import type { Zone } from '../store/zone.ts';
import type { IndexFollower } from './index-follower.ts';
import { ReshardLog } from './reshard-log.ts';
import { neededShards } from './shard-count.ts';

/** Of more than these, some are counted when they are written to the next time. */
const MAX_WRITTEN = 10_000;

export interface GrowthParts {
  readonly zone: Zone;
  readonly buckets: BucketStore;
  readonly follower: IndexFollower;
  readonly clock: Pick<World['clock'], 'wall'>;
  readonly config: Pick<
    World['config'],
    'rgw_dynamic_resharding' | 'rgw_max_objs_per_shard' | 'rgw_max_dynamic_shards' | 'rgw_reshard_num_logs'
  >;
}

export class Growth {
  readonly #parts: GrowthParts;
  /** By their markers, which stay. */
  #written = new Map<RawString, BucketInfo>();

  constructor(parts: GrowthParts) {
    this.#parts = parts;
  }

  /** An object was written into it. */
  note(bucket: BucketInfo): void {
    if (this.#written.size < MAX_WRITTEN) this.#written.set(bucket.bucket.marker, bucket);
  }

  /** Looks at the buckets that were written to since the last time. @throws RadosError */
  async count(): Promise<void> {
    const written = this.#written;
    this.#written = new Map();
    if (!this.#parts.config.rgw_dynamic_resharding) return;
    for (const { bucket } of written.values()) {
      const found = await this.#parts.buckets.load(bucket.tenant, bucket.name);
      if (found?.info.bucket.marker === bucket.marker) await this.#look(found.info);
    }
  }

  async #look(info: BucketInfo): Promise<void> {
    const { zone, follower, clock, config } = this.#parts;
    const { type, shards } = info.layout.current;
    if (type !== BucketIndexType.normal) return;
    const objects = await this.#countObjects(follower, info);
    if (objects === undefined) return;
    const limits = { objectsPerShard: config.rgw_max_objs_per_shard, most: config.rgw_max_dynamic_shards };
    const newShards = neededShards(objects, shards.count, limits);
    if (newShards === undefined) return;
    const log = new ReshardLog(zone.system('reshard'), config.rgw_reshard_num_logs);
    await log.add({
      time: clock.wall(),
      tenant: info.bucket.tenant,
      bucketName: info.bucket.name,
      bucketId: info.bucket.bucketId,
      newInstanceId: '',
      oldShards: Math.max(shards.count, 1),
      newShards,
    });
  }

  /** Undefined: the bucket was removed. */
  async #countObjects(follower: IndexFollower, info: BucketInfo): Promise<number | undefined> {
    const { zone } = this.#parts;
    try {
      const headers = await follower.following(info, (now) => indexHeaders(zone.placement(now.placement).index, now));
      return Number(sumOfStats(headers).get(ObjectCategory.main)?.entries ?? 0n);
    } catch (error) {
      if (error instanceof BucketGone) return undefined;
      throw error;
    }
  }
}
