/**
 * Counts requests for the usage log (rgw_log.cc, UsageLogger).
 *
 *   request --> call: who, which bucket, what --> response, read to its end --> memory --> now and then the usage log
 *
 * A gateway that crashes forgets what it did not write yet, as radosgw does; one that stops writes it.
 */
import type { UsageEntry } from '@spirula/cls';
import { type Bytes, MalformedInput, type RawString, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { formatUserId } from '../formats/user-id.ts';
import type { HttpResponse } from '../http.ts';
import type { Store } from '../store/store.ts';
import { PUT_OBJECT_CATEGORY } from './categories.ts';
import type { CallSubject, ObservedCall } from './observed-call.ts';
import { sumOfEntries, type UsageLog, usageShard } from './usage-log.ts';
import { whenSent } from './when-sent.ts';

const ANONYMOUS = 'anonymous';
/** In place of the bucket, when it or what is looked for in it is not there. */
const NOT_FOUND_BUCKET = '-';
const HOUR_SECONDS = 3600;
/** So many times the threshold are kept when the log cannot be written. */
const MOST_KEPT = 10;

/** One request, as it becomes known what it is. */
export class MeteredCall implements ObservedCall {
  readonly #store: Store;
  #subject: CallSubject | undefined;
  #owner: RawString | undefined;
  #payer: RawString = '';
  #received = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Called when it is known who asks for what. Never rejects. */
  async begin(subject: CallSubject): Promise<void> {
    this.#subject = subject;
    const { tenant, bucket } = subject;
    if (bucket === '') return;
    try {
      const found = await this.#store.buckets.load(tenant, bucket);
      if (!found) return;
      this.#owner = formatUserId(found.info.owner);
      if (found.info.requesterPays) this.#payer = this.#userText;
    } catch (error) {
      // The request meets the same, and says so.
      if (!(error instanceof RadosError || error instanceof MalformedInput)) throw error;
    }
  }

  /** The data of an object, counted as they come. */
  async *receive(body: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
    for await (const chunk of body) {
      if (this.#subject?.category === PUT_OBJECT_CATEGORY) this.#received += chunk.length;
      yield chunk;
    }
  }

  /** What counts is the status. */
  failed(): void {}

  /** Undefined: it is nobody's. */
  entry(status: number, sent: number, now: UTime): UsageEntry | undefined {
    if (!this.#subject) return undefined;
    const { category, bucket } = this.#subject;
    const isMade = category === 'create_bucket' && status < 400;
    const owner = bucket === '' || isMade ? (this.#owner ?? this.#userText) : this.#owner;
    if (owner === undefined) return undefined;
    const usage = {
      bytesSent: BigInt(sent),
      bytesReceived: BigInt(this.#received),
      ops: 1n,
      successfulOps: status < 400 ? 1n : 0n,
    };
    return {
      owner,
      payer: this.#payer,
      bucket: status === 404 ? NOT_FOUND_BUCKET : bucket,
      epoch: BigInt(now.sec - (now.sec % HOUR_SECONDS)),
      total: usage,
      byCategory: new Map([[category, usage]]),
    };
  }

  get #userText(): RawString {
    const user = this.#subject?.user;
    return user ? formatUserId(user) : ANONYMOUS;
  }
}

export interface UsageMeterOptions {
  readonly world: Pick<World, 'clock' | 'config' | 'log'>;
  readonly store: Store;
  readonly log: UsageLog;
}

export class UsageMeter {
  readonly #world: UsageMeterOptions['world'];
  readonly #store: Store;
  readonly #log: UsageLog;
  /** By user, bucket and hour. */
  #counted = new Map<string, UsageEntry>();
  #flushing: Promise<void> = Promise.resolve();

  constructor({ world, store, log }: UsageMeterOptions) {
    this.#world = world;
    this.#store = store;
    this.#log = log;
  }

  /** Undefined: nothing is counted (rgw_enable_usage_log). */
  open(): MeteredCall | undefined {
    return this.#world.config.rgw_enable_usage_log ? new MeteredCall(this.#store) : undefined;
  }

  /** The response; when it has been read, or given up, its call is counted. Bytes are those of bodies. */
  count(call: MeteredCall, response: HttpResponse): HttpResponse {
    return whenSent(response, (sent) => this.#keep(call.entry(response.status, sent, this.#world.clock.wall())));
  }

  #keep(entry: UsageEntry | undefined): void {
    if (!entry) return;
    this.#merge(entry);
    if (this.#counted.size > this.#world.config.rgw_usage_log_flush_threshold) void this.flush();
  }

  #merge(entry: UsageEntry): void {
    const most = MOST_KEPT * Math.max(1, this.#world.config.rgw_usage_log_flush_threshold);
    const key = `${holderOf(entry)}\0${entry.bucket}\0${entry.epoch}`;
    const before = this.#counted.get(key);
    if (!before && this.#counted.size >= most) {
      this.#world.log.warn('usage is not counted: what was counted before cannot be written', { bucket: entry.bucket });
      return;
    }
    this.#counted.set(key, before ? sumOfEntries(before, entry) : entry);
  }

  /** Writes what was counted; what cannot be written is kept for the next time. Never rejects. */
  async flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#write());
    await this.#flushing;
  }

  async #write(): Promise<void> {
    const byShard = new Map<RawString, UsageEntry[]>();
    for (const entry of this.#counted.values()) {
      const shard = usageShard(holderOf(entry));
      byShard.set(shard, [...(byShard.get(shard) ?? []), entry]);
    }
    this.#counted = new Map();
    for (const [shard, entries] of byShard) {
      try {
        await this.#log.add(shard, entries);
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        this.#world.log.warn('the usage log is not written', { shard, error: error.message });
        for (const entry of entries) this.#merge(entry);
      }
    }
  }
}

/** By whom an entry is found: who pays. */
function holderOf({ owner, payer }: UsageEntry): RawString {
  return payer === '' ? owner : payer;
}
