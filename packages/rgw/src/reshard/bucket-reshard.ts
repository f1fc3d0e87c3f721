/**
 * Resharding: the index of a bucket moves to another number of shards (RGWBucketReshard::execute). Which shards there are, the
 * bucket's instance says; so another instance is made, and the bucket's name leads to it in the end. Objects stay as they are.
 *
 *   lock the bucket
 *   instance           says that it is being resharded, and to which one: nobody changes it from now on
 *   other instance     made, with an empty index
 *   shards             take no changes any more                  --> who has one to tell waits
 *   entries            are copied
 *   entry point        leads to the other instance               --> from here on it is so, whoever crashes
 *   shards, instance   go                                        --> who waits finds the other one
 *
 * Who crashes before the entry point is written leaves a closed index. When the lock has ended, the next one who meets it opens it
 * again, but first writes the entry point as it is: so whoever had the lock and was only slow does not end its resharding. Who
 * crashes afterwards leaves an instance that is marked or that no name leads to: a stale instance.
 */
import { ReshardStatus } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { BucketIndexType } from '../formats/bucket-layout.ts';
import type { Entropy } from '../store/entropy.ts';
import { BucketGone } from '../store/object-index.ts';
import type { Zone } from '../store/zone.ts';
import { HeldLock } from './bucket-lock.ts';
import { copyIndex } from './index-copy.ts';
import { type FoundBucket, Instances } from './instances.ts';
import { reopen, withIndex } from './reopening.ts';
import { closeShards, shardStates } from './shard-states.ts';

type ReshardConfig = Pick<
  World['config'],
  'rgw_reshard_bucket_lock_duration' | 'rgw_reshard_batch_size' | 'rgw_reshard_max_aio' | 'rgw_reshard_num_logs'
>;

export interface ReshardParts {
  readonly zone: Zone;
  readonly clock: Pick<World['clock'], 'now' | 'wall'>;
  readonly log: Pick<World['log'], 'warn'>;
  readonly config: ReshardConfig;
  readonly entropy: Entropy;
}

export interface Resharded {
  readonly from: BucketInfo;
  readonly to: BucketInfo;
  readonly entries: number;
}

/** Another gateway or administrator reshards the bucket, or removes it. */
export class ReshardingElsewhere extends Error {
  override readonly name = 'ReshardingElsewhere';
}

/** The bucket has no index. */
export class NoIndex extends Error {
  override readonly name = 'NoIndex';
}

export class BucketReshard {
  readonly #parts: ReshardParts;
  readonly #instances: Instances;

  constructor(parts: ReshardParts) {
    this.#parts = parts;
    this.#instances = new Instances(parts.zone, parts.entropy);
  }

  /**
   * Moves the index of a bucket to so many shards; 0: to one object without a number.
   *
   * @param outer a lock to be kept meanwhile
   * @throws BucketGone, NoIndex, ReshardingElsewhere; RadosError: nothing has changed, or, when it leaves that open, somebody will see
   */
  async run(tenant: RawString, name: RawString, shardCount: number, outer?: HeldLock): Promise<Resharded> {
    const seen = await this.#find(tenant, name);
    const lock = await this.#lock(seen.info);
    let moved: Resharded;
    try {
      const found = await this.#prepared(seen);
      try {
        moved = await this.#move(found, shardCount, async () => {
          await lock.renewIfDue();
          await outer?.renewIfDue();
        });
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        const ended = await this.#giveUp(found, lock, error);
        if (!ended) throw error;
        moved = { from: found.info, to: ended, entries: 0 };
      }
      await this.#tryTo('remove an index that was resharded', moved.from, () => this.#instances.remove(moved.from));
    } finally {
      await lock.release();
    }
    return moved;
  }

  /** Gives up what somebody has begun and does not go on with. @throws BucketGone, ReshardingElsewhere, RadosError */
  async cancel(tenant: RawString, name: RawString): Promise<void> {
    const seen = await this.#find(tenant, name);
    const lock = await this.#lock(seen.info);
    try {
      await this.#reopen(await this.#sameAs(seen));
    } finally {
      await lock.release();
    }
  }

  async #lock({ bucket }: BucketInfo): Promise<HeldLock> {
    const { zone, clock, entropy, config } = this.#parts;
    const ports = { io: zone.system('reshard'), clock, entropy };
    const lock = await HeldLock.ofBucket(ports, bucket, config.rgw_reshard_bucket_lock_duration);
    if (!lock) throw new ReshardingElsewhere(bucket.name);
    return lock;
  }

  async #find(tenant: RawString, name: RawString): Promise<FoundBucket> {
    const found = await this.#instances.find(tenant, name);
    if (!found) throw new BucketGone(name);
    return found;
  }

  /** As it is now that the lock is held. @throws ReshardingElsewhere it is another instance by now */
  async #sameAs({ info: { bucket } }: FoundBucket): Promise<FoundBucket> {
    const found = await this.#find(bucket.tenant, bucket.name);
    if (found.info.bucket.bucketId !== bucket.bucketId) throw new ReshardingElsewhere(bucket.name);
    return found;
  }

  /** The same, with what somebody has begun and did not live to end given up. */
  async #prepared(seen: FoundBucket): Promise<FoundBucket> {
    const found = await this.#sameAs(seen);
    if (found.info.layout.current.type !== BucketIndexType.normal) throw new NoIndex(found.info.bucket.name);
    const states = await shardStates(this.#index(found.info), found.info);
    const isOpen = states.every(({ status }) => status === ReshardStatus.notResharding);
    if (isOpen && found.info.reshardStatus === ReshardStatus.notResharding) return found;
    await this.#reopen(found);
    return await this.#sameAs(seen);
  }

  async #move(found: FoundBucket, shardCount: number, keepLocks: () => Promise<void>): Promise<Resharded> {
    const { clock, config } = this.#parts;
    const instances = this.#instances;
    const io = this.#index(found.info);
    const to = withIndex(found.info, instances.newBucketId(), shardCount);
    const newId = to.bucket.bucketId;

    const marked = { reshardStatus: ReshardStatus.inProgress, newBucketInstanceId: newId };
    const old = await instances.update(found, { ...found.info, ...marked });
    let entries: number;
    try {
      await instances.create(to, found.attrs);
      await closeShards(io, found.info, newId, shardCount);
      const limits = { batchSize: config.rgw_reshard_batch_size, maxWrites: config.rgw_reshard_max_aio };
      entries = await copyIndex(io, found.info, to, limits, keepLocks);
      await this.#requireClosed(found.info, newId);
    } catch (error) {
      // Nothing ever leads to it. Somebody else may have given it up, and removed it, before all of it was there.
      const remove = () => instances.remove(to);
      if (error instanceof RadosError) await this.#tryTo('remove an index that is not needed', to, remove);
      throw error;
    }
    await instances.list(to, clock.wall());
    await instances.pointTo(found.entry, to.bucket);
    const done = { ...old.info, reshardStatus: ReshardStatus.done };
    await this.#tryTo('mark an instance that was resharded', old.info, () => instances.update(old, done));
    return { from: old.info, to, entries };
  }

  /** An index that was opened meanwhile has changes that the copy lacks. @throws RadosError ECANCELED */
  async #requireClosed(info: BucketInfo, newId: RawString): Promise<void> {
    for (const { status, newInstanceId } of await shardStates(this.#index(info), info)) {
      if (status !== ReshardStatus.inProgress || newInstanceId !== newId) {
        throw new RadosError(Errno.ECANCELED, `the index of ${info.bucket.name} was opened again`);
      }
    }
  }

  /** The resharding counts: what is left over, somebody will find. */
  async #tryTo(what: string, { bucket }: BucketInfo, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#parts.log.warn(`cannot ${what}`, { bucket: bucket.name, error: error.message });
    }
  }

  /** What was begun goes. The other instance, when the resharding has come to its end and only this one does not know. */
  async #giveUp(found: FoundBucket, lock: HeldLock, error: RadosError): Promise<BucketInfo | undefined> {
    const { bucket } = found.info;
    let ended: BucketInfo | undefined;
    const end = async () => {
      await lock.renew();
      const now = await this.#instances.find(bucket.tenant, bucket.name);
      if (now?.info.bucket.bucketId === bucket.bucketId) await this.#reopen(now);
      else ended = now?.info;
    };
    // When this fails, too: whoever meets the index closed, once the lock has ended, opens it.
    await this.#tryTo(`give up a resharding that failed (${error.message})`, found.info, end);
    return ended;
  }

  async #reopen(found: FoundBucket): Promise<void> {
    const { zone, clock } = this.#parts;
    await reopen({ zone, instances: this.#instances, now: () => clock.wall() }, found);
  }

  #index({ placement }: BucketInfo) {
    return this.#parts.zone.placement(placement).index;
  }
}
