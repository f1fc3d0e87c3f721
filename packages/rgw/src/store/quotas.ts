/**
 * How much buckets and users may hold, looked at when data come (RGWQuotaHandlerImpl, rgw_quota.cc).
 *
 *   the bucket's own quota, or else its owner's for each bucket   ──┐
 *   its owner's for all buckets                                    ──┴─ is there room for one object more, and its bytes?
 *
 * What is held is counted in the buckets' indexes and remembered for a while, with what this gateway adds; near a limit it is
 * counted anew each time. Requests at the same time may pass a limit together, as with radosgw.
 */
import type { Bytes } from '@spirula/encoding';
import { type Instant, seconds, type World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { NO_QUOTA, type Quota } from '../formats/quota.ts';
import { formatUserId } from '../formats/user-id.ts';
import type { UserInfo } from '../formats/user-info.ts';
import type { IndexFollower } from '../reshard/index-follower.ts';
import { indexHeaders, sumOfStats } from './bucket-index.ts';
import type { BucketStore } from './buckets.ts';
import type { UserStore } from './users.ts';
import type { Zone } from './zone.ts';

export class QuotaExceeded extends Error {
  override readonly name = 'QuotaExceeded';
}

/** What is held. */
interface Usage {
  readonly objects: bigint;
  readonly bytes: bigint;
  /** Each object in whole blocks. */
  readonly roundedBytes: bigint;
}

interface Known {
  readonly usage: Usage;
  readonly at: Instant;
}

interface Limit {
  readonly quota: Quota;
  /** Whose: what is known goes by it. */
  readonly holder: string;
  count(): Promise<Usage>;
}

interface Parts {
  readonly zone: Zone;
  readonly users: UserStore;
  readonly buckets: BucketStore;
  readonly follower: IndexFollower;
  readonly clock: World['clock'];
}

/** rgw_bucket_quota_ttl */
const KNOWN_FOR: Instant = seconds(600);
/** rgw_bucket_quota_cache_size */
const MAX_KNOWN = 10_000;
/** rgw_bucket_quota_soft_threshold, in hundredths. */
const NEAR = 95n;
const BLOCK = 4096n;
const NOTHING: Usage = { objects: 0n, bytes: 0n, roundedBytes: 0n };

export class Quotas {
  readonly #parts: Parts;
  /** By holder, in the order in which they were counted. */
  readonly #known = new Map<string, Known>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * `data` of a new object, or part, as long as there is room for it.
   *
   * @param size of the data, when it was said before they come; otherwise what they are is looked at when all have come
   * @throws QuotaExceeded, from here or while the data are read
   */
  async guard(bucket: BucketInfo, data: AsyncIterable<Bytes>, size?: number): Promise<AsyncIterable<Bytes>> {
    const limits = await this.#limitsOf(bucket);
    if (limits.length === 0) return data;
    await this.#require(limits, size ?? 0);
    return this.#counted(limits, data, size !== undefined);
  }

  async *#counted(limits: readonly Limit[], data: AsyncIterable<Bytes>, isSized: boolean): AsyncGenerator<Bytes> {
    let size = 0;
    for await (const chunk of data) {
      size += chunk.length;
      yield chunk;
    }
    if (!isSized) await this.#require(limits, size);
    for (const { holder } of limits) {
      const known = this.#known.get(holder);
      if (known) this.#known.set(holder, { ...known, usage: sumOf(known.usage, usageOf(size)) });
    }
  }

  async #limitsOf(bucket: BucketInfo): Promise<Limit[]> {
    const owner = (await this.#parts.users.load(bucket.owner))?.info;
    const ofBucket = bucket.quota.enabled ? bucket.quota : (owner?.bucketQuota ?? NO_QUOTA);
    const limits: Limit[] = [];
    if (ofBucket.enabled) {
      const holder = `bucket ${bucket.bucket.bucketId}`;
      limits.push({ quota: ofBucket, holder, count: () => this.#countBucket(bucket) });
    }
    if (owner?.userQuota.enabled) {
      const holder = `user ${formatUserId(owner.id)}`;
      limits.push({ quota: owner.userQuota, holder, count: () => this.#countUser(owner) });
    }
    return limits;
  }

  async #require(limits: readonly Limit[], size: number): Promise<void> {
    for (const limit of limits) {
      const more = usageOf(size);
      const held = await this.#usageOf(limit, more);
      if (isAbove(limit.quota, sumOf(held, more))) throw new QuotaExceeded(`The quota of ${limit.holder} is exceeded`);
    }
  }

  /** @param more what is about to come */
  async #usageOf({ quota, holder, count }: Limit, more: Usage): Promise<Usage> {
    const now = this.#parts.clock.now();
    const known = this.#known.get(holder);
    if (known && now - known.at <= KNOWN_FOR && !isNear(quota, sumOf(known.usage, more))) return known.usage;
    const usage = await count();
    this.#known.delete(holder);
    this.#known.set(holder, { usage, at: now });
    if (this.#known.size > MAX_KNOWN) {
      const [oldest] = this.#known.keys();
      this.#known.delete(oldest!);
    }
    return usage;
  }

  async #countBucket(bucket: BucketInfo): Promise<Usage> {
    const { zone, follower } = this.#parts;
    const headers = await follower.following(bucket, (now) => indexHeaders(zone.placement(now.placement).index, now));
    const stats = [...sumOfStats(headers).values()];
    return stats
      .map(({ entries, size, sizeRounded }) => ({ objects: entries, bytes: size, roundedBytes: sizeRounded }))
      .reduce(sumOf, NOTHING);
  }

  async #countUser({ id }: UserInfo): Promise<Usage> {
    const { buckets } = this.#parts;
    let sum = NOTHING;
    for await (const { bucket } of buckets.lists.list(id)) {
      const stored = await buckets.load(id.tenant, bucket.name);
      if (stored) sum = sumOf(sum, await this.#countBucket(stored.info));
    }
    return sum;
  }
}

function usageOf(size: number): Usage {
  const bytes = BigInt(size);
  return { objects: 1n, bytes, roundedBytes: ((bytes + BLOCK - 1n) / BLOCK) * BLOCK };
}

function sumOf(one: Usage, other: Usage): Usage {
  return {
    objects: one.objects + other.objects,
    bytes: one.bytes + other.bytes,
    roundedBytes: one.roundedBytes + other.roundedBytes,
  };
}

/** Negative limits are none. */
function isAbove({ checkOnRaw, maxSize, maxObjects }: Quota, { objects, bytes, roundedBytes }: Usage): boolean {
  const held = checkOnRaw ? bytes : roundedBytes;
  return (maxObjects >= 0n && objects > maxObjects) || (maxSize >= 0n && held > maxSize);
}

function isNear({ maxSize, maxObjects }: Quota, { objects, roundedBytes }: Usage): boolean {
  const isOver = (held: bigint, most: bigint) => most >= 0n && held >= (most * NEAR) / 100n;
  return isOver(objects, maxObjects) || isOver(roundedBytes, maxSize);
}
