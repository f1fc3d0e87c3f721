/**
 * Snapshots of an image: made, removed, kept from removal (librbd/operation/Snapshot*Request.cc). The image's lock is held, and nothing
 * else changes it.
 */
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type PoolSnapshots, RadosError } from '@spirula/rados';
import { ask, CLASS, classCall } from './class-calls.ts';
import { type HeaderSnapshot, type ImageHeader, isUserSnapshot } from './image-header.ts';
import { CHILDREN, headerObject } from './names.ts';
import type { ObjectMap } from './object-map.ts';

/** RBD_PROTECTION_STATUS_* */
export const Protection = { unprotected: 0, unprotecting: 1, protected: 2 } as const;
/** Another client may make a newer snapshot first: its number is not ours. */
const MAX_TRIES = 10;

export interface SnapshotScene {
  /** Of the header. */
  readonly io: IoCtx;
  readonly header: ImageHeader;
  /** Of the pool that has the data. */
  readonly pool: PoolSnapshots;
  readonly map: ObjectMap | undefined;
}

/** @throws RadosError EEXIST: there is one of this name; EDQUOT: there are as many as may be */
export async function createSnapshot({ io, header, pool, map }: SnapshotScene, name: RawString): Promise<void> {
  if (header.snapshots.some((each) => isUserSnapshot(each) && each.name === name)) {
    throw new RadosError(Errno.EEXIST, `snapshot ${name}`);
  }
  const id = await addSnapshot(io, header, pool, name);
  await map?.addSnapshot(id);
}

async function addSnapshot(io: IoCtx, { id: imageId }: ImageHeader, pool: PoolSnapshots, name: RawString) {
  for (let tries = 1; ; tries++) {
    const id = await pool.createSelfManaged();
    const add = classCall(
      'snapshot_add',
      () => undefined,
      (to) => {
        to.rawString(name);
        to.u64big(id);
        // Users' (UserSnapshotNamespace).
        to.struct(1, 1, () => to.u32(0));
      },
    );
    const { result } = await io.submit(headerObject(imageId), change(add));
    if (result >= 0) return id;
    await pool.removeSelfManaged(id);
    if (result !== Errno.ESTALE || tries === MAX_TRIES) throw new RadosError(result, `snapshot ${name}`);
  }
}

/** @throws RadosError ENOENT; EBUSY: it is protected, or images are clones of it */
export async function removeSnapshot({ io, header, pool, map }: SnapshotScene, name: RawString): Promise<void> {
  const snapshot = snapshotNamed(header, name);
  const isBusy = snapshot.protection !== Protection.unprotected || snapshot.childCount > 0;
  if (isBusy) throw new RadosError(Errno.EBUSY, `snapshot ${name}`);
  await map?.removeSnapshot(snapshot.id);
  await pool.removeSelfManaged(snapshot.id);
  const remove = classCall(
    'snapshot_remove',
    () => undefined,
    (to) => to.u64big(snapshot.id),
  );
  await io.operate(headerObject(header.id), change(remove));
}

/** Clones of format 1 need it. @throws RadosError ENOENT; EBUSY: it is */
export async function protectSnapshot({ io, header }: SnapshotScene, name: RawString): Promise<void> {
  const snapshot = snapshotNamed(header, name);
  if (snapshot.protection === Protection.protected) throw new RadosError(Errno.EBUSY, `snapshot ${name}`);
  await setProtection(io, header, snapshot, Protection.protected);
}

/**
 * @param isParent whether an image is a clone of it that stands in a pool's `rbd_children`
 * @throws RadosError ENOENT; EINVAL: it is not protected; EBUSY: it has clones
 */
export async function unprotectSnapshot(
  { io, header }: SnapshotScene,
  name: RawString,
  isParent: (snapshot: HeaderSnapshot) => Promise<boolean>,
): Promise<void> {
  const snapshot = snapshotNamed(header, name);
  if (snapshot.protection === Protection.unprotected) throw new RadosError(Errno.EINVAL, `snapshot ${name}`);
  // Who clones meanwhile finds that it may not.
  await setProtection(io, header, snapshot, Protection.unprotecting);
  if (await isParent(snapshot)) {
    await setProtection(io, header, snapshot, Protection.protected);
    throw new RadosError(Errno.EBUSY, `snapshot ${name}`);
  }
  await setProtection(io, header, snapshot, Protection.unprotected);
}

/** Whether a pool has a clone of it of format 1. @throws RadosError */
export async function hasOldChildren(io: IoCtx, parent: IoCtx, imageId: RawString, snapId: bigint): Promise<boolean> {
  const list = classCall(
    'get_children',
    (from) => from.list('children', 4, () => from.rawString('child')),
    (to) => {
      to.u64(parent.pool);
      to.rawString(imageId);
      to.u64big(snapId);
    },
  );
  try {
    const [children] = await ask(io, CHILDREN, [list]);
    return children.length > 0;
  } catch (error) {
    if (error instanceof RadosError && (error.code === Errno.ENOENT || error.code === Errno.EOPNOTSUPP)) return false;
    throw error;
  }
}

/** @throws RadosError ENOENT */
export function snapshotNamed({ snapshots }: ImageHeader, name: RawString): HeaderSnapshot {
  const found = snapshots.find((each) => isUserSnapshot(each) && each.name === name);
  if (!found) throw new RadosError(Errno.ENOENT, `snapshot ${name}`);
  return found;
}

async function setProtection(io: IoCtx, { id }: ImageHeader, snapshot: HeaderSnapshot, status: number): Promise<void> {
  const set = classCall(
    'set_protection_status',
    () => undefined,
    (to) => {
      to.u64big(snapshot.id);
      to.u8(status);
    },
  );
  await io.operate(headerObject(id), change(set));
}

function change({ method, input }: ReturnType<typeof classCall>): ObjectOperation {
  return new ObjectOperation().exec(CLASS, method, input, 'write');
}
