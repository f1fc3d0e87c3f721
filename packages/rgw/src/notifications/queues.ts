/**
 * Queues of events that wait to be delivered: an object a topic, of the class `2pc_queue`, in the pool `notif` of the zone; the keys
 * of the object `queues_list_object` are their names. One gateway at a time works on a queue: it holds the queue's lock, and every
 * one of its operations on the queue says so.
 */
import {
  decodeQueueList,
  decodeQueueReserveReply,
  encodeHeldInput,
  encodeLockInput,
  encodeQueueAbortInput,
  encodeQueueCommitInput,
  encodeQueueExpireInput,
  encodeQueueInitInput,
  encodeQueueListInput,
  encodeQueueRemoveInput,
  encodeQueueReserveInput,
  LockFlag,
  LockType,
  type QueueList,
} from '@spirula/cls';
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError, unlockObject } from '@spirula/rados';
import { decodeStored } from '../store/meta-object.ts';

const LIST_OID = 'queues_list_object';
const CLASS = '2pc_queue';
/** Bytes of entries that wait, of one topic. */
const QUEUE_BYTES = 128_000_000;
/** What is reserved for an event of which nothing is known yet. */
export const RESERVED_BYTES = 4096;
/** How long a gateway that has died keeps a queue. */
const LOCK_SECONDS = 90;

/** The queue of a topic has no room: clients are to come later. */
export class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/** Of a topic: those of tenants must not meet. */
export function queueNameOf(tenant: RawString, topic: RawString): RawString {
  return tenant === '' ? topic : `${tenant}:${topic}`;
}

/** Whether a queue may have this name. */
export function isQueueName(name: RawString): boolean {
  return name !== LIST_OID;
}

export class EventQueues {
  readonly #io: IoCtx;

  /** @param io of the pool and namespace of queues */
  constructor(io: IoCtx) {
    this.#io = io;
  }

  /** Makes a queue; one that is there stays as it is. @throws RadosError */
  async create(name: RawString): Promise<void> {
    const made = new ObjectOperation()
      .create(true)
      .exec(CLASS, '2pc_queue_init', encodeQueueInitInput(QUEUE_BYTES), 'write');
    await this.#operate(name, made, [Errno.EEXIST]);
    // Also of one that is there: whoever made it may not have lived to say so.
    await this.#operate(LIST_OID, new ObjectOperation().create(false).omapSet(new Map([[name, new Uint8Array(0)]])));
  }

  /** With all that waits in it. @throws RadosError */
  async remove(name: RawString): Promise<void> {
    await this.#operate(name, new ObjectOperation().remove(), [Errno.ENOENT]);
    await this.#operate(LIST_OID, new ObjectOperation().omapRmKeys([name]), [Errno.ENOENT]);
  }

  /** @throws RadosError */
  async names(): Promise<readonly RawString[]> {
    try {
      return await this.#io.omapGetKeys(LIST_OID);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return [];
      throw error;
    }
  }

  // Who has events

  /** Undefined: there is no such queue, or no more. @throws QueueFull, RadosError */
  async reserve(name: RawString, bytes: number): Promise<number | undefined> {
    const input = encodeQueueReserveInput({ size: bytes, entries: 1 });
    const operation = new ObjectOperation().stat().exec(CLASS, '2pc_queue_reserve', input, 'write').returning();
    const { result, ops } = await this.#io.submit(name, operation);
    if (result === Errno.ENOENT) return undefined;
    if (result === Errno.ENOSPC) throw new QueueFull(name);
    if (result < 0) throw new RadosError(result, name);
    return decodeStored(name, ops[1]!.output, decodeQueueReserveReply);
  }

  /** False: the reservation is no more. @throws RadosError */
  async commit(name: RawString, id: number, entry: Bytes): Promise<boolean> {
    const input = encodeQueueCommitInput({ id, entries: [entry] });
    const operation = new ObjectOperation().exec(CLASS, '2pc_queue_commit', input, 'write');
    return (await this.#operate(name, operation, [Errno.ENOENT])) === 0;
  }

  /** @throws RadosError */
  async abort(name: RawString, id: number): Promise<void> {
    const operation = new ObjectOperation().exec(CLASS, '2pc_queue_abort', encodeQueueAbortInput(id), 'write');
    await this.#operate(name, operation, [Errno.ENOENT]);
  }

  // Who delivers them

  /** Takes the queue, or keeps it. False: another has it, or there is none. @throws RadosError */
  async lock(name: RawString, cookie: RawString): Promise<boolean> {
    const duration = { sec: LOCK_SECONDS, nsec: 0 };
    const held = heldOf(name, cookie);
    const input = encodeLockInput({ ...held, description: '', duration, flags: LockFlag.mayRenew });
    const operation = new ObjectOperation().stat().exec('lock', 'lock', input, 'write');
    return (await this.#operate(name, operation, [Errno.EBUSY, Errno.ENOENT])) === 0;
  }

  /** @throws RadosError */
  async unlock(name: RawString, cookie: RawString): Promise<void> {
    try {
      await unlockObject(this.#io, name, lockName(name), cookie);
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
    }
  }

  /** Entries from a marker on; '': the oldest. Undefined: the queue is not this gateway's any more. @throws RadosError */
  async list(name: RawString, cookie: RawString, max: number, marker: RawString = ''): Promise<QueueList | undefined> {
    const input = encodeQueueListInput({ max, marker });
    const operation = asHolder(name, cookie).exec(CLASS, '2pc_queue_list_entries', input);
    const { result, ops } = await this.#io.submit(name, operation);
    if (result === Errno.EBUSY || result === Errno.ENOENT) return undefined;
    if (result < 0) throw new RadosError(result, name);
    return decodeStored(name, ops[1]!.output, decodeQueueList);
  }

  /** @param end the first entry that stays. @throws RadosError */
  async removeUpTo(name: RawString, cookie: RawString, end: RawString): Promise<void> {
    const operation = asHolder(name, cookie).exec(
      CLASS,
      '2pc_queue_remove_entries',
      encodeQueueRemoveInput(end),
      'write',
    );
    await this.#operate(name, operation, [Errno.EBUSY, Errno.ENOENT]);
  }

  /** Frees room of whoever never came back. @throws RadosError */
  async expire(name: RawString, cookie: RawString, before: UTime): Promise<void> {
    const operation = asHolder(name, cookie).exec(
      CLASS,
      '2pc_queue_expire_reservations',
      encodeQueueExpireInput(before),
      'write',
    );
    await this.#operate(name, operation, [Errno.EBUSY, Errno.ENOENT]);
  }

  /** The result: 0, or one of those that are expected. @throws RadosError of any other failure */
  async #operate(oid: RawString, operation: ObjectOperation, expected: readonly number[] = []): Promise<number> {
    const { result } = await this.#io.submit(oid, operation);
    if (result < 0 && !expected.includes(result)) throw new RadosError(result, oid);
    return result;
  }
}

function lockName(name: RawString): RawString {
  return `${name}_lock`;
}

function heldOf(name: RawString, cookie: RawString) {
  return { name: lockName(name), type: LockType.exclusive, cookie, tag: '' };
}

/** Fails with EBUSY unless this gateway has the queue. */
function asHolder(name: RawString, cookie: RawString): ObjectOperation {
  return new ObjectOperation().exec('lock', 'assert_locked', encodeHeldInput(heldOf(name, cookie)));
}
