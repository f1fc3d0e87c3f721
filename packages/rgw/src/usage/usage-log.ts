/**
 * The usage log: who transferred how much with which bucket, by the hour, kept by the class `rgw` in the objects `usage.N`
 * (RGWRados::log_usage, read_usage, trim_usage).
 */
import {
  type BucketUsage,
  decodeReadUsageReply,
  encodeAddUsageInput,
  encodeReadUsageInput,
  encodeTrimUsageInput,
  NO_USAGE,
  type ReadUsageReply,
  type Usage,
  type UsageEntry,
  type UsageRange,
} from '@spirula/cls';
import { type Bytes, Decoder, EMPTY, Errno, type RawString } from '@spirula/encoding';
import { strHashLinux } from '@spirula/maps';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';

/** rgw_usage_max_shards; rgw_usage_max_user_shards is 1. */
const SHARDS = 32;
const PAGE = 1000;
/** Later than all that is logged. */
export const END_OF_TIME = 0xffff_ffff_ffff_ffffn;
export const ALL_USAGE: UsageRange = { start: 0n, end: END_OF_TIME, user: '', bucket: '' };

/** Where what a user uses is kept. */
export function usageShard(user: RawString): RawString {
  return `usage.${strHashLinux(user) % SHARDS}`;
}

export class UsageLog {
  readonly #io: IoCtx;

  /** @param io of the pool and namespace of `usage.N` */
  constructor(io: IoCtx) {
    this.#io = io;
  }

  /** Adds to what is kept; all entries are of one shard. @throws RadosError */
  async add(shard: RawString, entries: readonly UsageEntry[]): Promise<void> {
    const input = encodeAddUsageInput(entries, '');
    await this.#io.operate(shard, new ObjectOperation().exec('rgw', 'user_usage_log_add', input, 'write'));
  }

  /**
   * Sums over a range, one for each user and bucket, in their order. Their epochs are those of the first hours.
   *
   * @throws RadosError
   */
  async read(range: UsageRange): Promise<BucketUsage[]> {
    const found = new Map<string, BucketUsage>();
    for (const shard of this.#shardsOf(range)) {
      for (let marker = '', more = true; more; ) {
        const page = await this.#page(shard, range, marker);
        for (const { user, bucket, usage } of page?.reply.usage ?? []) {
          const key = `${user}\0${bucket}`;
          const before = found.get(key);
          found.set(key, { user, bucket, usage: before ? sumOfEntries(before.usage, usage) : usage });
        }
        marker = page?.reply.next ?? '';
        more = page?.reply.truncated === true && marker !== '';
      }
    }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  }

  /** Forgets a range, but for what others paid: 16.2's class does not find that. @throws RadosError */
  async trim(range: UsageRange): Promise<void> {
    const input = encodeTrimUsageInput(range);
    for (const shard of this.#shardsOf(range)) {
      let before: Bytes | undefined;
      for (;;) {
        const page = await this.#page(shard, range, '');
        // The class says that it removed even what it did not find: what stays the same would be removed for ever.
        if (!page || (before && isSame(before, page.bytes))) break;
        before = page.bytes;
        const operation = new ObjectOperation().exec('rgw', 'user_usage_log_trim', input, 'write');
        const { result } = await this.#io.submit(shard, operation);
        if (result === Errno.ENODATA || result === Errno.ENOENT) break;
        if (result < 0) throw new RadosError(result, shard);
      }
    }
  }

  /** Forgets all. @throws RadosError */
  async clear(): Promise<void> {
    for (const shard of this.#shardsOf(ALL_USAGE)) {
      await this.#io.operate(shard, new ObjectOperation().exec('rgw', 'usage_log_clear', EMPTY, 'write'));
    }
  }

  #shardsOf({ user }: UsageRange): RawString[] {
    if (user !== '') return [usageShard(user)];
    return Array.from({ length: SHARDS }, (_, i) => `usage.${i}`);
  }

  /** Undefined: there is no such object. */
  async #page(
    shard: RawString,
    range: UsageRange,
    marker: RawString,
  ): Promise<{ readonly reply: ReadUsageReply; readonly bytes: Bytes } | undefined> {
    const input = encodeReadUsageInput({ ...range, marker, max: PAGE });
    const { result, ops } = await this.#io.submit(
      shard,
      new ObjectOperation().exec('rgw', 'user_usage_log_read', input),
    );
    if (result === Errno.ENOENT) return undefined;
    if (result < 0) throw new RadosError(result, shard);
    const bytes = ops[0]!.output;
    return { reply: decodeReadUsageReply(new Decoder(bytes)), bytes };
  }
}

function isSame(one: Bytes, other: Bytes): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

export function sumOfUsage(one: Usage, other: Usage): Usage {
  return {
    bytesSent: one.bytesSent + other.bytesSent,
    bytesReceived: one.bytesReceived + other.bytesReceived,
    ops: one.ops + other.ops,
    successfulOps: one.successfulOps + other.successfulOps,
  };
}

/** `one`, with what the other has of each category. */
export function sumOfEntries(one: UsageEntry, other: UsageEntry): UsageEntry {
  const byCategory = new Map(one.byCategory);
  for (const [category, usage] of other.byCategory) {
    byCategory.set(category, sumOfUsage(byCategory.get(category) ?? NO_USAGE, usage));
  }
  const sorted = new Map([...byCategory].sort(([a], [b]) => (a < b ? -1 : 1)));
  return { ...one, total: sumOfUsage(one.total, other.total), byCategory: sorted };
}
