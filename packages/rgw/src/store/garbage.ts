/**
 * What an object's old tail becomes: entries of the class `rgw` in the objects `gc.N`, each with the names of RADOS objects and the
 * time at which they go. By then whoever began to read them has finished (RGWGC). A radosgw beside keeps its own in a queue of the
 * same objects (class `rgw_gc`): they are listed and processed as well.
 */
import {
  decodeGcListReply,
  encodeGcListInput,
  encodeGcQueueRemoveInput,
  encodeGcRemoveInput,
  encodeGcSetInput,
  encodeReferenceInput,
  type GcEntry,
  type GcListReply,
} from '@spirula/cls';
import { Decoder, Errno, type RawString } from '@spirula/encoding';
import { strHashLinux } from '@spirula/maps';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { DataPools } from './data-pools.ts';
import { exclusively } from './shard-lock.ts';

/** rgw_gc_max_objs */
const SHARDS = 32;
/** rgw_gc_obj_min_wait */
const MIN_WAIT_SECONDS = 2 * 60 * 60;
/** rgw_gc_processor_max_time: so long one gateway has a shard for itself. */
const LOCK_SECONDS = 60 * 60;
const LOCK_NAME = 'gc_process';
const PAGE = 100;
const PRIME = 7877;
/** There is no queue in the object. */
const NO_QUEUE: ReadonlySet<number> = new Set([Errno.ENOENT, Errno.EINVAL, Errno.EOPNOTSUPP]);

export interface GarbageObject {
  /** Name of the pool. */
  readonly pool: RawString;
  readonly oid: RawString;
  readonly locator: RawString;
}

export class Garbage {
  readonly #io: IoCtx;
  readonly #pools: DataPools;
  readonly #world: Pick<World, 'crypto' | 'log'>;
  readonly #minWaitSeconds: number;

  /** @param io of the pool and namespace of `gc.N` */
  constructor(
    world: Pick<World, 'crypto' | 'log'>,
    io: IoCtx,
    pools: DataPools,
    options: { readonly minWaitSeconds?: number } = {},
  ) {
    this.#world = world;
    this.#io = io;
    this.#pools = pools;
    this.#minWaitSeconds = options.minWaitSeconds ?? MIN_WAIT_SECONDS;
  }

  /** Objects that are to go in a while. @param tag of who lets them go: of data that others have, too, his reference goes */
  async add(tag: RawString, objects: readonly GarbageObject[]): Promise<void> {
    const chain = objects.map(({ pool, oid, locator }) => ({ pool, key: { name: oid, instance: '' }, locator }));
    const input = encodeGcSetInput({
      expirationSec: this.#minWaitSeconds,
      entry: { tag, chain, time: { sec: 0, nsec: 0 } },
    });
    await this.#io.operate(shardOid(tag), new ObjectOperation().exec('rgw', 'gc_set_entry', input, 'write'));
  }

  /** Entries of all shards, in no order that means anything. */
  async *list(expiredOnly: boolean): AsyncGenerator<GcEntry> {
    for (let shard = 0; shard < SHARDS; shard++) {
      yield* this.#listShard(`gc.${shard}`, expiredOnly);
      yield* this.#listQueue(`gc.${shard}`, expiredOnly);
    }
  }

  /**
   * Removes what is due, shard by shard, but for those that another gateway works on.
   *
   * @param all what is not due yet, too (`gc process --include-all`)
   * @returns how many RADOS objects were removed, or are for those only that have the data, too
   */
  async process(all = false): Promise<number> {
    let removed = 0;
    for (let shard = 0; shard < SHARDS; shard++) removed += await this.#processShard(`gc.${shard}`, all);
    return removed;
  }

  async #processShard(oid: RawString, all: boolean): Promise<number> {
    let removed = 0;
    const lock = { name: LOCK_NAME, seconds: LOCK_SECONDS };
    await exclusively(this.#io, oid, lock, this.#world.crypto, async () => {
      for await (const { tag, chain } of this.#listShard(oid, !all)) {
        removed += await this.#letGoAll(tag, chain);
        const input = encodeGcRemoveInput([tag]);
        await this.#io.operate(oid, new ObjectOperation().exec('rgw', 'gc_remove', input, 'write'));
      }
      removed += await this.#processQueue(oid, all);
    });
    return removed;
  }

  /** From the oldest on, up to the first that is not due. */
  async #processQueue(oid: RawString, all: boolean): Promise<number> {
    let removed = 0;
    for (;;) {
      const page = await this.#queuePage(oid, '', false);
      const due = all ? undefined : new Set((await this.#queuePage(oid, '', true)).entries.map(({ tag }) => tag));
      const end = page.entries.findIndex(({ tag }) => due?.has(tag) === false);
      const done = end < 0 ? page.entries : page.entries.slice(0, end);
      if (done.length === 0) return removed;
      for (const { tag, chain } of done) removed += await this.#letGoAll(tag, chain);
      const input = encodeGcQueueRemoveInput(done.length);
      await this.#io.operate(oid, new ObjectOperation().exec('rgw_gc', 'rgw_gc_queue_remove_entries', input, 'write'));
      if (end >= 0) return removed;
    }
  }

  async #letGoAll(tag: RawString, chain: GcEntry['chain']): Promise<number> {
    let removed = 0;
    for (const { pool, key, locator } of chain) removed += await this.#letGo(pool, key.name, locator, tag);
    return removed;
  }

  /** By the class refcount: data that a copy shares stays as long as one object has it. */
  async #letGo(pool: RawString, oid: RawString, locator: RawString, tag: RawString): Promise<number> {
    const io = this.#pools.dataByName(pool);
    if (!io) {
      this.#world.log.warn('garbage in a pool that no placement has', { pool, oid });
      return 0;
    }
    const operation = new ObjectOperation().exec(
      'refcount',
      'put',
      encodeReferenceInput({ tag, implicit: true }),
      'write',
    );
    const { result } = await (locator === '' ? io : io.with({ locatorKey: locator })).submit(oid, operation);
    if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, oid);
    return result < 0 ? 0 : 1;
  }

  async *#listShard(oid: RawString, expiredOnly: boolean): AsyncGenerator<GcEntry> {
    for (let marker = '', more = true; more; ) {
      const input = encodeGcListInput({ marker, max: PAGE, expiredOnly });
      const reply = await this.#io.submit(oid, new ObjectOperation().exec('rgw', 'gc_list', input));
      if (reply.result === Errno.ENOENT) return;
      if (reply.result < 0) throw new RadosError(reply.result, oid);
      const page = decodeGcListReply(new Decoder(reply.ops[0]!.output));
      yield* page.entries;
      marker = page.next;
      more = page.truncated && marker !== '';
    }
  }

  async *#listQueue(oid: RawString, expiredOnly: boolean): AsyncGenerator<GcEntry> {
    for (let marker = '', more = true; more; ) {
      const page = await this.#queuePage(oid, marker, expiredOnly);
      yield* page.entries;
      marker = page.next;
      more = page.truncated && marker !== '';
    }
  }

  async #queuePage(oid: RawString, marker: RawString, expiredOnly: boolean): Promise<GcListReply> {
    const input = encodeGcListInput({ marker, max: PAGE, expiredOnly });
    const reply = await this.#io.submit(oid, new ObjectOperation().exec('rgw_gc', 'rgw_gc_queue_list_entries', input));
    if (NO_QUEUE.has(reply.result)) return { entries: [], next: '', truncated: false };
    if (reply.result < 0) throw new RadosError(reply.result, oid);
    return decodeGcListReply(new Decoder(reply.ops[0]!.output));
  }
}

function shardOid(tag: RawString): RawString {
  return `gc.${(strHashLinux(tag) % PRIME) % SHARDS}`;
}
