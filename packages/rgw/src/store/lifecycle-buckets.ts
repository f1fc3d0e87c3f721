/** Which buckets have lifecycle rules, and how far their processing is: the class `rgw` in the objects `lc.N` (rgw_lc.cc). */
import {
  decodeLifecycleHeadReply,
  decodeLifecycleListReply,
  encodeLifecycleEntryInput,
  encodeLifecycleHeadInput,
  encodeLifecycleListInput,
  type LifecycleEntry,
  type LifecycleHead,
} from '@spirula/cls';
import { Decoder, Errno, type RawString } from '@spirula/encoding';
import { strHashLinux } from '@spirula/maps';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { Bucket } from '../formats/bucket.ts';
import type { Entropy } from './entropy.ts';
import { exclusively } from './shard-lock.ts';

/** rgw_lc_max_objs */
const SHARDS = 32;
const PRIME = 7877;
const PAGE = 100;
const LOCK_NAME = 'lc_process';
/** rgw_lc_lock_max_time: so long one gateway has a shard for itself. */
const LOCK_SECONDS = 90;

export const LifecycleStatus = { uninitial: 0, processing: 1, failed: 2, complete: 3 } as const;

export class LifecycleBuckets {
  readonly #io: IoCtx;
  readonly #entropy: Entropy;

  /** @param io of the pool and namespace of `lc.N` */
  constructor(io: IoCtx, entropy: Entropy) {
    this.#io = io;
    this.#entropy = entropy;
  }

  get shards(): readonly RawString[] {
    return Array.from({ length: SHARDS }, (_, i) => `lc.${i}`);
  }

  async add(bucket: Bucket): Promise<void> {
    const name = nameOf(bucket);
    await this.set(shardOf(name), { bucket: name, startTime: 0n, status: LifecycleStatus.uninitial });
  }

  async remove(bucket: Bucket): Promise<void> {
    await this.removeNamed(nameOf(bucket));
  }

  async removeNamed(name: RawString): Promise<void> {
    const input = encodeLifecycleEntryInput({ bucket: name, startTime: 0n, status: LifecycleStatus.uninitial });
    const operation = new ObjectOperation().exec('rgw', 'lc_rm_entry', input, 'write');
    const { result } = await this.#io.submit(shardOf(name), operation);
    if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, shardOf(name));
  }

  async set(shard: RawString, entry: LifecycleEntry): Promise<void> {
    const input = encodeLifecycleEntryInput(entry);
    await this.#io.operate(shard, new ObjectOperation().exec('rgw', 'lc_set_entry', input, 'write'));
  }

  async *list(shard: RawString): AsyncGenerator<LifecycleEntry> {
    for (let marker = '', more = true; more; ) {
      const input = encodeLifecycleListInput({ marker, max: PAGE });
      const reply = await this.#io.submit(shard, new ObjectOperation().exec('rgw', 'lc_list_entries', input));
      if (reply.result === Errno.ENOENT) return;
      if (reply.result < 0) throw new RadosError(reply.result, shard);
      const { entries, truncated } = decodeLifecycleListReply(new Decoder(reply.ops[0]!.output));
      yield* entries;
      marker = entries.at(-1)?.bucket ?? '';
      more = truncated && marker !== '';
    }
  }

  /** When a round began last. */
  async head(shard: RawString): Promise<LifecycleHead> {
    const { result, ops } = await this.#io.submit(shard, new ObjectOperation().exec('rgw', 'lc_get_head'));
    if (result === Errno.ENOENT) return { startDate: 0n, marker: '' };
    if (result < 0) throw new RadosError(result, shard);
    return decodeLifecycleHeadReply(new Decoder(ops[0]!.output));
  }

  async setHead(shard: RawString, head: LifecycleHead): Promise<void> {
    const input = encodeLifecycleHeadInput(head);
    await this.#io.operate(shard, new ObjectOperation().exec('rgw', 'lc_put_head', input, 'write'));
  }

  /** Does work that one gateway at a time does for a shard. False: another one is at it. */
  async exclusively(shard: RawString, work: () => Promise<void>): Promise<boolean> {
    const lock = { name: LOCK_NAME, seconds: LOCK_SECONDS };
    return await exclusively(this.#io, shard, lock, this.#entropy, work);
  }
}

/** The bucket that an entry is about. */
export function parseLifecycleName(text: RawString): Pick<Bucket, 'tenant' | 'name' | 'marker'> {
  const [tenant = '', name = '', marker = ''] = text.split(':');
  return { tenant, name, marker };
}

/** get_bucket_lc_key */
function nameOf({ tenant, name, marker }: Bucket): RawString {
  return `${tenant}:${name}:${marker}`;
}

/** get_lc_oid */
function shardOf(name: RawString): RawString {
  return `lc.${(strHashLinux(name) % PRIME) % SHARDS}`;
}
