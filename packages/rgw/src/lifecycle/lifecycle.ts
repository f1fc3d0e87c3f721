/** Ends what lifecycle rules say has reached its end: bucket by bucket, once a day (RGWLC::process, bucket_lc_process). */
import type { RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { decoded } from '../formats/encoded.ts';
import { decodeLifecycle, type LifecycleRule } from '../formats/lifecycle.ts';
import { decodeTags, type Tags } from '../formats/tags.ts';
import { formatUserId } from '../formats/user-id.ts';
import { BucketAttr, type StoredBucket } from '../store/buckets.ts';
import { isOfTime } from '../store/head.ts';
import { NULL_INSTANCE } from '../store/layout.ts';
import { type LifecycleBuckets, LifecycleStatus, parseLifecycleName } from '../store/lifecycle-buckets.ts';
import { lockOf } from '../store/locks.ts';
import { Attr } from '../store/object-attrs.ts';
import { BucketBusy, BucketGone } from '../store/object-index.ts';
import { canonicalStorageClass, hasStorageClass } from '../store/placement.ts';
import type { Store } from '../store/store.ts';
import { listUploads } from '../store/upload-list.ts';
import { NoSuchUpload } from '../store/upload-meta.ts';
import { type ListedVersion, listVersions } from '../store/version-listing.ts';
import { actionFor, isDue, type LifecycleClock, prefixOf } from './due.ts';

const DAY_SEC = 86_400;
const PAGE = 1000;

/** It was changed since it was listed, or is locked: it is looked at in the next round. */
class Left extends Error {
  override readonly name = 'Left';
}

export interface LifecycleOptions {
  readonly world: Pick<World, 'clock' | 'log'>;
  readonly store: Store;
  /** rgw_lc_debug_interval; undefined: days are days. */
  readonly debugInterval: () => number | undefined;
}

export class Lifecycle {
  readonly #world: LifecycleOptions['world'];
  readonly #store: Store;
  readonly #debugInterval: () => number | undefined;

  constructor({ world, store, debugInterval }: LifecycleOptions) {
    this.#world = world;
    this.#store = store;
    this.#debugInterval = debugInterval;
  }

  /**
   * Goes through all buckets with rules, but those that another gateway is at, or was at today.
   *
   * @param again also those of today
   */
  async process(again = false): Promise<void> {
    const { lifecycleBuckets: buckets } = this.#store;
    for (const shard of buckets.shards) {
      if (again || (await this.#isDue(shard)))
        await buckets.exclusively(shard, () => this.#processShard(buckets, shard));
    }
  }

  async #isDue(shard: RawString): Promise<boolean> {
    const began = Number((await this.#store.lifecycleBuckets.head(shard)).startDate);
    const { sec } = this.#world.clock.wall();
    const interval = this.#debugInterval();
    return interval === undefined ? Math.floor(began / DAY_SEC) < Math.floor(sec / DAY_SEC) : sec - began >= interval;
  }

  async #processShard(buckets: LifecycleBuckets, shard: RawString): Promise<void> {
    const startTime = BigInt(this.#world.clock.wall().sec);
    await buckets.setHead(shard, { startDate: startTime, marker: '' });
    for await (const { bucket } of buckets.list(shard)) {
      const { tenant, name, marker } = parseLifecycleName(bucket);
      const found = await this.#store.buckets.load(tenant, name);
      if (found?.info.bucket.marker !== marker || rulesOf(found).length === 0) {
        // A gateway did not live to take it from the list; or rules are being set just now.
        await buckets.removeNamed(bucket);
        const now = await this.#store.buckets.load(tenant, name);
        if (now?.info.bucket.marker === marker && rulesOf(now).length > 0) await buckets.add(now.info.bucket);
        continue;
      }
      await buckets.set(shard, { bucket, startTime, status: LifecycleStatus.processing });
      let status: number = LifecycleStatus.complete;
      try {
        await this.processBucket(found);
      } catch (error) {
        if (error instanceof BucketGone) {
          await buckets.removeNamed(bucket);
          continue;
        }
        if (!(error instanceof RadosError || error instanceof BucketBusy)) throw error;
        this.#world.log.warn("a bucket's lifecycle ends early", { bucket, error: error.message });
        status = LifecycleStatus.failed;
      }
      await buckets.set(shard, { bucket, startTime, status });
    }
  }

  /** Ends what is due in one bucket. @throws BucketGone, BucketBusy, RadosError */
  async processBucket(bucket: StoredBucket): Promise<void> {
    const rules = rulesOf(bucket).filter(({ status }) => status === 'Enabled');
    if (rules.length === 0) return;
    const clock: LifecycleClock = { now: this.#world.clock.wall(), debugInterval: this.#debugInterval() };
    const prefix = commonPrefix(rules.map(prefixOf));
    await this.#endObjects(bucket, rules, prefix, clock);
    await this.#endUploads(bucket, rules, prefix, clock);
  }

  async #endObjects(
    bucket: StoredBucket,
    rules: readonly LifecycleRule[],
    prefix: RawString,
    clock: LifecycleClock,
  ): Promise<void> {
    const query = { prefix, delimiter: '', after: '', versionId: '', hint: PAGE };
    let newer: ListedVersion | undefined;
    // What is alone is known when the next name comes.
    let held: ListedVersion | undefined;
    for await (const entry of listVersions(this.#store.objects, bucket.info, query)) {
      if (entry.kind !== 'version') continue;
      if (held) await this.#look(bucket, rules, held, undefined, held.name !== entry.name, clock);
      held = undefined;
      const older = newer?.name === entry.name ? newer : undefined;
      if (entry.isLatest && !older) held = entry;
      else await this.#look(bucket, rules, entry, older, false, clock);
      newer = entry;
    }
    if (held) await this.#look(bucket, rules, held, undefined, true, clock);
  }

  async #look(
    bucket: StoredBucket,
    rules: readonly LifecycleRule[],
    entry: ListedVersion,
    newer: ListedVersion | undefined,
    isAlone: boolean,
    clock: LifecycleClock,
  ): Promise<void> {
    const { name, meta, isLatest, isDeleteMarker } = entry;
    const noncurrentSince = isLatest ? undefined : newer?.meta.mtime;
    const storageClass = canonicalStorageClass(meta.storageClass);
    const version = { name, mtime: meta.mtime, isLatest, isDeleteMarker, noncurrentSince, isAlone, storageClass };
    const found = await actionFor(rules, version, clock, () => this.#tagsOf(bucket, entry));
    if (!found) return;
    if (typeof found.action === 'string') await this.#end(bucket, entry, found.action);
    else await this.#move(bucket, entry, found.action.transition, found.rule);
  }

  /** One that was changed meanwhile is looked at in the next round. */
  async #move(
    { info }: StoredBucket,
    { name, instance, meta }: ListedVersion,
    storageClass: RawString,
    { id }: LifecycleRule,
  ): Promise<void> {
    if (!hasStorageClass(this.#store.zone, { name: info.placement.name, storageClass })) {
      const { name: bucket } = info.bucket;
      this.#world.log.warn('a lifecycle rule names a storage class that is not there', {
        bucket,
        rule: id,
        storageClass,
      });
      return;
    }
    await this.#store.objects.transition(info, { name, instance, ns: '' }, meta.mtime, storageClass);
  }

  async #tagsOf({ info }: StoredBucket, { name, instance }: ListedVersion): Promise<Tags> {
    const found = await this.#store.objects.find(info, { name, instance: instance || NULL_INSTANCE, ns: '' });
    const value = found?.head.attrs.get(Attr.tags);
    return value ? decoded(decodeTags, value) : new Map();
  }

  async #end({ info }: StoredBucket, entry: ListedVersion, action: 'expire' | 'remove'): Promise<void> {
    const { name, instance, meta } = entry;
    const key = { name, instance: action === 'expire' ? '' : instance || NULL_INSTANCE, ns: '' };
    const owner = { id: formatUserId(info.owner), displayName: '' };
    try {
      await this.#store.objects.remove(info, key, owner, (head) => {
        // A delete marker goes when it is the version that is meant, and hides nothing again when it came meanwhile.
        if (!head && key.instance !== '') return;
        if (!head || !isOfTime(head, meta.mtime)) throw new Left();
        if (key.instance !== '' && lockOf(head.attrs, this.#world.clock.wall())) throw new Left();
      });
    } catch (error) {
      if (!(error instanceof Left)) throw error;
    }
  }

  async #endUploads(
    { info }: StoredBucket,
    rules: readonly LifecycleRule[],
    prefix: RawString,
    clock: LifecycleClock,
  ): Promise<void> {
    if (rules.every(({ multipartExpiration: { days } }) => days === '')) return;
    const query = { prefix, delimiter: '', after: { key: '', id: '' }, hint: PAGE };
    for await (const upload of listUploads(this.#store.objects, info, query)) {
      if (upload.kind !== 'upload') continue;
      const { key, id, meta } = upload;
      const isOver = rules.some(
        (rule) => key.startsWith(prefixOf(rule)) && isDue(meta.mtime, rule.multipartExpiration, clock),
      );
      if (!isOver) continue;
      try {
        await this.#store.uploads.abort({ bucket: info, key, id });
      } catch (error) {
        if (!(error instanceof NoSuchUpload)) throw error;
      }
    }
  }
}

export function rulesOf({ attrs }: StoredBucket): LifecycleRule[] {
  const value = attrs.get(BucketAttr.lifecycle);
  return value ? decoded(decodeLifecycle, value) : [];
}

function commonPrefix(prefixes: readonly RawString[]): RawString {
  return prefixes.reduce((common, prefix) => {
    let length = 0;
    while (length < common.length && common[length] === prefix[length]) length += 1;
    return common.slice(0, length);
  });
}
