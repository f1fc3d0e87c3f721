/**
 * Changes of shards of indexes on their way: of those of one shard that come while one is under way, many go together in the next
 * request. The OSD makes changes of an object one after another anyway.
 *
 *   prepare a ------> [a] ---------------> done
 *     prepare b, complete c, prepare d --> [b c d] ---> done
 */
import { type EncodedChange, encodeChangesInput, encodeReshardGuardInput } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation } from '@spirula/rados';

const CLASS = 'rgw';
const METHODS = { prepare: 'bucket_prepare_op', complete: 'bucket_complete_op' } as const;
/** ERR_BUSY_RESHARDING: what the guard before each change fails with. */
export const BUSY_RESHARDING = -2300;
/** Changes in one request. */
const MAX_TOGETHER = 32;
/** Of what fails with one of these nothing more can be said by asking for each change alone. */
const OF_ALL: ReadonlySet<number> = new Set([BUSY_RESHARDING, Errno.ETIMEDOUT, Errno.ESHUTDOWN, Errno.EACCES]);

interface Waiting {
  readonly change: EncodedChange;
  readonly settle: (result: number) => void;
  readonly fail: (error: unknown) => void;
}

/** No index comes back by a change of a bucket that was removed; none is changed while its entries are moved. */
export function guardedByShard(): ObjectOperation {
  const closed = encodeReshardGuardInput(BUSY_RESHARDING);
  return new ObjectOperation().stat().exec(CLASS, 'guard_bucket_resharding', closed);
}

/** A gateway's, of all its buckets. */
export class IndexChanges {
  /** By pool and shard: a change is under way, and these come after it. */
  readonly #queues = new Map<string, Waiting[]>();
  /** OSDs of Ceph know no changes of many. */
  readonly #isAlone = new Set<number>();

  /** What the OSD says of it: 0 or a negative errno. Rejects as `IoCtx.submit` does. */
  submit(io: IoCtx, oid: RawString, change: EncodedChange): Promise<number> {
    if (this.#isAlone.has(io.pool)) return submitAlone(io, oid, change);
    return new Promise((settle, fail) => {
      const at = `${io.pool}/${oid}`;
      const waiting = { change, settle, fail };
      const queue = this.#queues.get(at);
      if (queue) {
        queue.push(waiting);
        return;
      }
      const begun = [waiting];
      this.#queues.set(at, begun);
      void this.#work(io, oid, begun, () => this.#queues.delete(at));
    });
  }

  /** Never rejects. @param onEmpty called when the last has left: nothing may be added any more */
  async #work(io: IoCtx, oid: RawString, queue: Waiting[], onEmpty: () => void): Promise<void> {
    while (queue.length > 0) {
      const together = queue.splice(0, MAX_TOGETHER);
      try {
        await this.#send(io, oid, together);
      } catch (error) {
        for (const { fail } of together) fail(error);
      }
    }
    onEmpty();
  }

  async #send(io: IoCtx, oid: RawString, together: readonly Waiting[]): Promise<void> {
    if (together.length > 1 && !this.#isAlone.has(io.pool)) {
      const input = encodeChangesInput(together.map(({ change }) => change));
      const { result } = await io.submit(oid, guardedByShard().exec(CLASS, 'bucket_change_many', input, 'write'));
      if (result >= 0 || OF_ALL.has(result)) {
        for (const { settle } of together) settle(result);
        return;
      }
      if (result === Errno.EOPNOTSUPP) this.#isAlone.add(io.pool);
    }
    await Promise.all(together.map(async ({ change, settle }) => settle(await submitAlone(io, oid, change))));
  }
}

async function submitAlone(io: IoCtx, oid: RawString, { kind, input }: EncodedChange): Promise<number> {
  const { result } = await io.submit(oid, guardedByShard().exec(CLASS, METHODS[kind], input, 'write'));
  return result;
}
