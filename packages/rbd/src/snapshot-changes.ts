/**
 * Snapshots of an image: made, renamed, kept from removal (librbd/operation/Snapshot*Request.cc). The image's lock is held, and nothing
 * else changes it.
 */
import {
  encodeSnapshotNamespace,
  RbdFeature as Feature,
  type RbdSnapshotNamespace,
  RbdSnapshotType,
} from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, type PoolSnapshots, type Rados, RadosError } from '@spirula/rados';
import { ask, change, classCall } from './class-calls.ts';
import { type HeaderSnapshot, type ImageHeader, isUserSnapshot } from './image-header.ts';
import { CHILDREN, headerObject, objectMapObject } from './names.ts';
import { type ObjectMap, resizeOperation } from './object-map.ts';

/** RBD_PROTECTION_STATUS_* */
export const Protection = { unprotected: 0, unprotecting: 1, protected: 2 } as const;
/** How many there may be where there is no limit (UINT64_MAX). */
export const NO_SNAPSHOT_LIMIT = (1n << 64n) - 1n;
/** Another client may make a newer snapshot first: its number is not ours. */
const MAX_TRIES = 10;

export interface SnapshotScene {
  readonly rados: Rados;
  /** Of the header. */
  readonly io: IoCtx;
  /** Of the data. */
  readonly data: IoCtx;
  readonly header: ImageHeader;
  /** Of the pool that has the data. */
  readonly pool: PoolSnapshots;
  readonly map: ObjectMap | undefined;
}

/** Users' (UserSnapshotNamespace). */
const USER: RbdSnapshotNamespace = { type: RbdSnapshotType.user };

/**
 * @returns its number
 * @throws RadosError EEXIST: there is one of this name; EDQUOT: there are as many as may be
 */
export async function createSnapshot(
  { io, header, pool, map }: SnapshotScene,
  name: RawString,
  namespace = USER,
): Promise<bigint> {
  if (namespace === USER && header.snapshots.some((each) => isUserSnapshot(each) && each.name === name)) {
    throw new RadosError(Errno.EEXIST, `snapshot ${name}`);
  }
  const id = await addSnapshot(io, header, pool, name, namespace);
  await map?.addSnapshot(id);
  return id;
}

/** As `createSnapshot`, with an object map in which nothing is, of so many objects: what the snapshot has comes later. */
export async function createEmptySnapshot(
  { io, header, pool }: SnapshotScene,
  name: RawString,
  objects: number,
): Promise<bigint> {
  const id = await addSnapshot(io, header, pool, name, USER);
  if ((header.features & Feature.objectMap) !== 0n) {
    await io.operate(objectMapObject(header.id, id), resizeOperation(objects, false));
  }
  return id;
}

async function addSnapshot(
  io: IoCtx,
  { id: imageId }: ImageHeader,
  pool: PoolSnapshots,
  name: RawString,
  namespace: RbdSnapshotNamespace,
): Promise<bigint> {
  for (let tries = 1; ; tries++) {
    const id = await pool.createSelfManaged();
    const add = change('snapshot_add', (to) => {
      to.rawString(name);
      to.u64big(id);
      encodeSnapshotNamespace(to, namespace);
    });
    const { result } = await io.submit(headerObject(imageId), add);
    if (result >= 0) return id;
    await pool.removeSelfManaged(id);
    if (result !== Errno.ESTALE || tries === MAX_TRIES) throw new RadosError(result, `snapshot ${name}`);
  }
}

/** @throws RadosError ENOENT: there is none of the first name; EEXIST: there is one of the second */
export async function renameSnapshot({ io, header }: SnapshotScene, from: RawString, to: RawString): Promise<void> {
  const { id } = snapshotNamed(header, from);
  if (header.snapshots.some((each) => isUserSnapshot(each) && each.name === to)) {
    throw new RadosError(Errno.EEXIST, `snapshot ${to}`);
  }
  const rename = change('snapshot_rename', (input) => {
    input.u64big(id);
    input.rawString(to);
  });
  await io.operate(headerObject(header.id), rename);
}

/** @param limit `NO_SNAPSHOT_LIMIT`: as many as wanted. @throws RadosError ERANGE: there are more already */
export async function limitSnapshots({ io, header }: SnapshotScene, limit: bigint): Promise<void> {
  await io.operate(
    headerObject(header.id),
    change('snapshot_set_limit', (to) => to.u64big(limit)),
  );
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

/** @throws RadosError ENOENT */
export function snapshotNumbered({ snapshots, id: imageId }: ImageHeader, id: bigint): HeaderSnapshot {
  const found = snapshots.find((each) => each.id === id);
  if (!found) throw new RadosError(Errno.ENOENT, `snapshot ${id} of image ${imageId}`);
  return found;
}

async function setProtection(io: IoCtx, { id }: ImageHeader, snapshot: HeaderSnapshot, status: number): Promise<void> {
  const set = change('set_protection_status', (to) => {
    to.u64big(snapshot.id);
    to.u8(status);
  });
  await io.operate(headerObject(id), set);
}
