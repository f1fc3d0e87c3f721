/**
 * Where the index of a bucket is, for whoever works on it while it is resharded, or while the bucket is removed
 * (RGWRados::block_while_resharding).
 *
 *   a shard takes no changes     wait, until it does, or the index is elsewhere, or the bucket is gone
 *   ... and nobody holds the     whoever closed it does not live, or will not end what it began: open it again
 *       bucket's lock
 *   a shard is not there         look where the bucket's name leads to
 */
import { ReshardStatus } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { type Instant, SECOND, seconds, type World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import type { Entropy } from '../store/entropy.ts';
import { BucketBusy, BucketGone, type IndexMoves, type IndexPlace } from '../store/object-index.ts';
import type { Zone } from '../store/zone.ts';
import { HeldLock, type LockPorts } from './bucket-lock.ts';
import { type FoundBucket, Instances } from './instances.ts';
import { reopen } from './reopening.ts';
import { closeShards, readShardState } from './shard-states.ts';

/** radosgw looks ten times, every 5 s. */
const WAIT: Instant = seconds(50);
const FIRST_PAUSE: Instant = SECOND / 20;
const LONGEST_PAUSE: Instant = seconds(2);
/** While it is looked whether a bucket is empty, and it is removed. */
const CLOSED_SECONDS = 30;
/** While an index is opened again: that is a few operations. */
const REOPENING_SECONDS = 30;

export interface FollowerOptions {
  readonly zone: Zone;
  readonly clock: Pick<World['clock'], 'now' | 'wall'>;
  readonly log: Pick<World['log'], 'warn'>;
  readonly entropy: Entropy;
  readonly sleep: (us: number) => Promise<void>;
}

export class IndexFollower {
  readonly #options: FollowerOptions;
  readonly #instances: Instances;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.#instances = new Instances(options.zone, options.entropy);
  }

  /** For one who knows the bucket as it was. */
  of(info: BucketInfo): IndexMoves {
    let seen = info;
    return {
      find: async () => {
        seen = (await this.#find(seen)).info;
        return placeOf(seen);
      },
      wait: async (oid) => {
        seen = (await this.#wait(seen, async () => await this.#isOpen(seen, oid))).info;
        return placeOf(seen);
      },
    };
  }

  /** The bucket, when it is not being resharded. @throws BucketGone, BucketBusy, RadosError */
  async settled(info: BucketInfo): Promise<FoundBucket> {
    return await this.#wait(info, async (found) => found.info.reshardStatus !== ReshardStatus.inProgress, true);
  }

  /**
   * Closes the index for some work, and opens it again unless that removes the bucket: what has been announced is in the index
   * then, and who has something to tell waits.
   *
   * @param work false: the bucket stays
   * @throws BucketGone, BucketBusy, RadosError, what `work` throws
   */
  async closed(info: BucketInfo, work: (found: FoundBucket) => Promise<boolean>): Promise<boolean> {
    const { clock, sleep } = this.#options;
    const end = clock.now() + WAIT;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const seen = await this.#find(info);
      const lock = await HeldLock.ofBucket(this.#lockPorts, seen.info.bucket, CLOSED_SECONDS);
      if (lock) {
        const found = await this.#find(info);
        const isSame = found.info.bucket.bucketId === seen.info.bucket.bucketId;
        try {
          if (isSame) return await this.#closed(found, lock, work);
        } finally {
          await lock.release();
        }
      }
      if (clock.now() >= end) throw new BucketBusy(info.bucket.name);
      if (!lock) await sleep(pause);
    }
  }

  async #closed(found: FoundBucket, lock: HeldLock, work: (found: FoundBucket) => Promise<boolean>): Promise<boolean> {
    const { zone } = this.#options;
    const { index } = zone.placement(found.info.placement);
    const { bucketId } = found.info.bucket;
    let isRemoved = false;
    try {
      await closeShards(index, found.info, bucketId, found.info.layout.current.shards.count);
      isRemoved = await work(found);
    } finally {
      if (!isRemoved) await this.#openAgain(found, lock);
    }
    return isRemoved;
  }

  /** When this fails, whoever meets it closed opens it, once the lock has ended. */
  async #openAgain({ info }: FoundBucket, lock: HeldLock): Promise<void> {
    const { zone, clock, log } = this.#options;
    try {
      // Somebody else may have closed it, if this took too long.
      await lock.renew();
      const { tenant, name } = info.bucket;
      const now = await this.#instances.find(tenant, name);
      if (now?.info.bucket.bucketId !== info.bucket.bucketId) return;
      await reopen({ zone, instances: this.#instances, now: () => clock.wall() }, now);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      log.warn('an index stays closed for a while', { bucket: info.bucket.name, error: error.message });
    }
  }

  /** What `read` reads of the index; once more, when that is elsewhere. @throws BucketGone, RadosError */
  async following<T>(info: BucketInfo, read: (info: BucketInfo) => Promise<T>): Promise<T> {
    for (let seen = info; ; ) {
      try {
        return await read(seen);
      } catch (error) {
        if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
        const found = await this.#find(seen);
        if (found.info.bucket.bucketId === seen.bucket.bucketId) throw error;
        seen = found.info;
      }
    }
  }

  /** @param always also of a bucket whose index is elsewhere already */
  async #wait(
    seen: BucketInfo,
    isDone: (found: FoundBucket) => Promise<boolean>,
    always = false,
  ): Promise<FoundBucket> {
    const { clock } = this.#options;
    const end = clock.now() + WAIT;
    for (let pause = FIRST_PAUSE; ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
      const found = await this.#find(seen);
      if (!always && found.info.bucket.bucketId !== seen.bucket.bucketId) return found;
      if (await isDone(found)) return found;
      if (await this.#reopenAbandoned(found)) continue;
      if (clock.now() >= end) throw new BucketBusy(found.info.bucket.name);
      await this.#options.sleep(pause);
    }
  }

  async #isOpen({ placement }: BucketInfo, oid: RawString): Promise<boolean> {
    const state = await readShardState(this.#options.zone.placement(placement).index, oid);
    return state === undefined || state.status === ReshardStatus.notResharding;
  }

  async #find({ bucket: { tenant, name, marker } }: BucketInfo): Promise<FoundBucket> {
    const found = await this.#instances.find(tenant, name);
    // Another bucket of this name has another marker.
    if (found?.info.bucket.marker !== marker) throw new BucketGone(name);
    return found;
  }

  /** False: somebody is at it. */
  async #reopenAbandoned(seen: FoundBucket): Promise<boolean> {
    const { zone, clock, log } = this.#options;
    const lock = await HeldLock.ofBucket(this.#lockPorts, seen.info.bucket, REOPENING_SECONDS);
    if (!lock) return false;
    try {
      const found = await this.#find(seen.info);
      if (found.info.bucket.bucketId !== seen.info.bucket.bucketId) return true;
      await reopen({ zone, instances: this.#instances, now: () => clock.wall() }, found);
      log.warn('an index that was closed is open again', { bucket: found.info.bucket.name });
    } catch (error) {
      // What was thought abandoned has ended.
      if (!(error instanceof RadosError) || error.code !== Errno.ECANCELED) throw error;
    } finally {
      await lock.release();
    }
    return true;
  }

  get #lockPorts(): LockPorts {
    const { zone, clock, entropy } = this.#options;
    return { io: zone.system('reshard'), clock, entropy };
  }
}

function placeOf({ bucket, layout }: Pick<BucketInfo, 'bucket' | 'layout'>): IndexPlace {
  return { bucketId: bucket.bucketId, shardCount: layout.current.shards.count };
}
