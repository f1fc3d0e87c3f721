/**
 * Which objects of an image exist, as its writer keeps it: in memory, and in an object of its own that is changed before an object
 * comes and after it went (librbd/ObjectMap.cc, object_map/LockRequest.cc, UpdateRequest.cc).
 */
import { decodeRbdBitVector, encodeHeldInput, encodeRbdBitVector, LockType, type RbdBitVector } from '@spirula/cls';
import { type Bytes, Encoder, Errno, type RawString } from '@spirula/encoding';
import { breakLock, type IoCtx, lockInfo, lockObject, ObjectOperation, RadosError, unlockObject } from '@spirula/rados';
import { askIfThere, askOne, CLASS, changeIfThere, classCall } from './class-calls.ts';
import { LOCK, objectMapObject } from './names.ts';

/** OBJECT_*; clean: as it was at the newest snapshot. */
export const ObjectState = { nonexistent: 0, exists: 1, pending: 2, existsClean: 3 } as const;

const LOAD = classCall('object_map_load', decodeRbdBitVector);

export class ObjectMap {
  readonly #io: IoCtx;
  readonly #id: RawString;
  readonly #oid: RawString;
  #states: RbdBitVector;
  /** Changes on their way, by object: the next one waits. */
  readonly #changing = new Map<number, Promise<void>>();
  readonly #distrust: () => Promise<void>;
  /** It could not be changed: it says nothing any more. */
  #isDistrusted = false;

  private constructor(io: IoCtx, id: RawString, states: RbdBitVector, distrust: () => Promise<void>) {
    this.#io = io;
    this.#id = id;
    this.#oid = objectMapObject(id);
    this.#states = states;
    this.#distrust = distrust;
  }

  /**
   * Takes it from whoever had it: the lock of the image is held. Undefined: there is none that can be used.
   *
   * @param distrust called when it cannot be changed as the image is: nobody is to trust it afterwards
   */
  static async open(
    io: IoCtx,
    id: RawString,
    objects: number,
    distrust: () => Promise<void>,
  ): Promise<ObjectMap | undefined> {
    const oid = objectMapObject(id);
    await lockObjectMap(io, id);
    const states = await loadMap(io, oid);
    if (states !== undefined && states.size >= objects) return new ObjectMap(io, id, states, distrust);
    await unlockObject(io, oid, LOCK).catch(() => {});
    return undefined;
  }

  async close(): Promise<void> {
    await Promise.all(this.#changing.values());
    await unlockObject(this.#io, this.#oid, LOCK);
  }

  mayExist(object: number): boolean {
    return this.#isDistrusted || object >= this.#states.size || this.#states.get(object) !== ObjectState.nonexistent;
  }

  /** Before the object is written. @param from only when it was so before */
  async exists(object: number, from?: number): Promise<void> {
    await this.#change(object, ObjectState.exists, from);
  }

  /** Before the object is removed. @param from only when it was so before */
  async pending(object: number, from?: number): Promise<void> {
    await this.#change(object, ObjectState.pending, from);
  }

  /** Whatever it was before. */
  async set(object: number, state: number): Promise<void> {
    await this.#change(object, state);
  }

  /** After it was, unless it was written meanwhile. */
  async gone(object: number): Promise<void> {
    await this.#change(object, ObjectState.nonexistent, ObjectState.pending);
  }

  /** @param objects as many as the image may have from now on */
  async resize(objects: number): Promise<void> {
    await this.#orDistrust(async () => {
      await this.#io.operate(this.#oid, resizeOperation(objects, true));
      this.#states = this.#states.resized(objects);
    });
  }

  /** As it is now it is the snapshot's; what exists is clean from now on. Nothing changes meanwhile. */
  async addSnapshot(snapId: bigint): Promise<void> {
    await this.#orDistrust(async () => {
      await this.#io.writeFull(objectMapObject(this.#id, snapId), await this.#io.read(this.#oid));
      await this.#io.operate(this.#oid, assertLocked().exec(CLASS, 'object_map_snap_add', undefined, 'write'));
      await this.#load();
    });
  }

  /** The snapshot's is no more. Nothing changes meanwhile. */
  async removeSnapshot(snapId: bigint): Promise<void> {
    const oid = objectMapObject(this.#id, snapId);
    await this.#orDistrust(async () => {
      const states = await askIfThere(this.#io, oid, LOAD);
      if (states !== undefined) {
        const input = encodeRbdBitVector(states, false);
        await this.#io.operate(this.#oid, assertLocked().exec(CLASS, 'object_map_snap_remove', input, 'write'));
      }
      await this.#load();
    });
    await changeIfThere(this.#io, oid, new ObjectOperation().remove());
  }

  /** Before objects come back: what exists in the snapshot may exist from now on. False: nobody noted what does. */
  async beginRollBack(snapId: bigint): Promise<boolean> {
    const states = await loadMap(this.#io, objectMapObject(this.#id, snapId));
    if (states === undefined) return false;
    const both = this.#states.resized(this.#states.size);
    for (let object = 0; object < Math.min(states.size, both.size); object++) {
      const comes = states.get(object) !== ObjectState.nonexistent && both.get(object) === ObjectState.nonexistent;
      if (comes) both.set(object, ObjectState.exists);
    }
    await this.#io.operate(this.#oid, assertLocked().writeFull(encodeRbdBitVector(both, true)));
    this.#states = both;
    return true;
  }

  /** What the snapshot's says, it says. Nothing changes meanwhile. */
  async rollBack(snapId: bigint): Promise<void> {
    await this.#orDistrust(async () => {
      const bytes = await this.#io.read(objectMapObject(this.#id, snapId));
      await this.#io.operate(this.#oid, assertLocked().writeFull(bytes));
      await this.#load();
    });
  }

  async #load(): Promise<void> {
    this.#states = await askOne(this.#io, this.#oid, LOAD);
  }

  async #change(object: number, state: number, from?: number): Promise<void> {
    for (;;) {
      const under = this.#changing.get(object);
      if (!under) break;
      await under;
    }
    const before = this.#states.get(object);
    if (before === state || (from !== undefined && before !== from)) return;
    const change = this.#update(object, state, from);
    this.#changing.set(object, change);
    try {
      await change;
    } finally {
      this.#changing.delete(object);
    }
  }

  async #update(object: number, state: number, from: number | undefined): Promise<void> {
    const operation = assertLocked().exec(CLASS, 'object_map_update', updateInput(object, state, from), 'write');
    await this.#orDistrust(async () => {
      await this.#io.operate(this.#oid, operation);
      this.#states.set(object, state);
    });
  }

  /** A map that cannot be changed stops nobody from writing (librbd/object_map/Request.cc, should_complete). */
  async #orDistrust(change: () => Promise<void>): Promise<void> {
    if (this.#isDistrusted) return;
    try {
      await change();
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      await this.#distrust();
      this.#isDistrusted = true;
    }
  }
}

/** ENOENT and what an object map that does not parse is read with. */
const DAMAGED: ReadonlySet<number> = new Set([Errno.ENOENT, Errno.EINVAL, Errno.EIO]);

/** Undefined: there is none, or none that can be read. */
async function loadMap(io: IoCtx, oid: RawString): Promise<RbdBitVector | undefined> {
  try {
    return await askOne(io, oid, LOAD);
  } catch (error) {
    if (!(error instanceof RadosError && DAMAGED.has(error.code))) throw error;
    return undefined;
  }
}

/** In the map of a snapshot, which nobody locks; one without a map has none. */
export async function markInSnapshot(
  io: IoCtx,
  id: RawString,
  snapId: bigint,
  object: number,
  state: number,
): Promise<void> {
  const operation = new ObjectOperation().exec(
    CLASS,
    'object_map_update',
    updateInput(object, state, undefined),
    'write',
  );
  const { result } = await io.submit(objectMapObject(id, snapId), operation);
  if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, objectMapObject(id, snapId));
}

/** All objects are not there. @param isLocked whether only the one who holds its lock may */
export function resizeOperation(objects: number, isLocked: boolean): ObjectOperation {
  const input = new Encoder(16);
  input.u64(objects);
  input.u8(ObjectState.nonexistent);
  const operation = isLocked ? assertLocked() : new ObjectOperation();
  return operation.exec(CLASS, 'object_map_resize', input.finish(), 'write');
}

/** What follows fails unless the lock of the map is held. */
export function assertLocked(): ObjectOperation {
  const input = encodeHeldInput({ name: LOCK, type: LockType.exclusive, cookie: '', tag: '' });
  return new ObjectOperation().exec('lock', 'assert_locked', input);
}

function updateInput(object: number, state: number, from: number | undefined): Bytes {
  const input = new Encoder(32);
  input.u64(object);
  input.u64(object + 1);
  input.u8(state);
  input.optional(from, (known) => input.u8(known));
  return input.finish();
}

/** Takes it from whoever had it: the lock of the image is held. */
export async function lockObjectMap(io: IoCtx, id: RawString): Promise<void> {
  const oid = objectMapObject(id);
  for (let tries = 1; ; tries++) {
    try {
      await lockObject(io, oid, LOCK, 'exclusive');
      return;
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      if (error.code === Errno.EEXIST) return;
      if (error.code !== Errno.EBUSY || tries > 1) throw error;
    }
    const { lockers } = await lockInfo(io, oid, LOCK);
    for (const locker of lockers) await breakLock(io, oid, LOCK, locker);
  }
}
