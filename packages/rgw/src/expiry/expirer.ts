/** Removes objects whose end has come (RGWObjectExpirer, rgw_object_expirer_core.cc): shard by shard of the notes about them. */
import { addSeconds, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { ExpiryHint } from '../formats/expiry-hint.ts';
import { formatUserId } from '../formats/user-id.ts';
import { deleteAtOf } from '../store/expiry.ts';
import { UNKNOWN } from '../store/heads.ts';
import { NULL_INSTANCE } from '../store/layout.ts';
import { lockOf } from '../store/locks.ts';
import { BucketBusy, BucketGone } from '../store/object-index.ts';
import type { Store } from '../store/store.ts';

/** A note whose object is not there yet may be of one that is just being written: so long it is kept. */
const GRACE_SECONDS = 120;

/** It is not the object that the note is about, or not any more. */
class NotMeant extends Error {
  override readonly name = 'NotMeant';
}

export interface ExpirerOptions {
  readonly world: Pick<World, 'clock' | 'config' | 'log'>;
  readonly store: Store;
}

export class Expirer {
  readonly #world: ExpirerOptions['world'];
  readonly #store: Store;

  constructor({ world, store }: ExpirerOptions) {
    this.#world = world;
    this.#store = store;
  }

  /**
   * Removes what is due, but for shards that another gateway works on.
   *
   * @returns how many objects were removed
   * @throws RadosError
   */
  async process(): Promise<number> {
    const { expiryHints: hints } = this.#store;
    const seconds = this.#world.config.rgw_objexp_gc_interval;
    let removed = 0;
    for (const shard of hints.shards) {
      // Most are empty, and need no lock.
      const { done } = await hints.list(shard, this.#now).next();
      if (done) continue;
      await hints.exclusively(shard, seconds, async () => {
        removed += await this.#processShard(shard, addSeconds(this.#now, seconds));
      });
    }
    return removed;
  }

  /** @param end when another gateway may begin */
  async #processShard(shard: string, end: UTime): Promise<number> {
    const { expiryHints: hints } = this.#store;
    const now = this.#now;
    const settled = addSeconds(now, -GRACE_SECONDS);
    let removed = 0;
    let hasFailed = false;
    for (const [from, to] of [
      [undefined, settled],
      [settled, now],
    ] as const) {
      for await (const page of hints.list(shard, to, from)) {
        for (const hint of page.hints) {
          if (this.#now.sec >= end.sec) return removed;
          const outcome = await this.#end(hint);
          if (outcome === 'removed') removed += 1;
          hasFailed ||= outcome === 'failed';
        }
        if (to === settled && !hasFailed) await hints.trim(shard, page.last);
      }
    }
    return removed;
  }

  /** The object that is meant is removed, as long as it bears the note's time. @throws RadosError the cluster does not answer */
  async #end({
    tenant,
    bucketName,
    name,
    instance,
    deleteAt,
  }: ExpiryHint): Promise<'removed' | 'not meant' | 'failed'> {
    const bucket = await this.#store.buckets.load(tenant, bucketName);
    if (!bucket) return 'not meant';
    const { info } = bucket;
    const owner = { id: formatUserId(info.owner), displayName: '' };
    let isMeant = false;
    try {
      await this.#store.objects.remove(info, { name, instance: instance || NULL_INSTANCE, ns: '' }, owner, (head) => {
        const at = head && deleteAtOf(head.attrs);
        if (at?.sec !== deleteAt.sec || at.nsec !== deleteAt.nsec) throw new NotMeant();
        if (lockOf(head!.attrs, this.#now)) throw new NotMeant();
        isMeant = true;
      });
      return isMeant ? 'removed' : 'not meant';
    } catch (error) {
      if (error instanceof NotMeant || error instanceof BucketGone) return 'not meant';
      const isToBeTried = error instanceof BucketBusy || (error instanceof RadosError && !UNKNOWN.has(error.code));
      if (!isToBeTried) throw error;
      this.#world.log.warn('an object whose end has come stays', { bucket: bucketName, name, error: error.message });
      return 'failed';
    }
  }

  get #now(): UTime {
    return this.#world.clock.wall();
  }
}
