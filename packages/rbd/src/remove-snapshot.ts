/**
 * Snapshots that go, and clones that are none any more: the one may bring the other (librbd/operation/SnapshotRemoveRequest.cc,
 * image/DetachChildRequest.cc).
 *
 *   seen --- trash_add: nobody clones it any more ---> in the trash --- its last clone of format 2 goes ---> gone
 */
import { decodeSnapshotInfo, RbdSnapshotType } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { askIfThere, change, changeIfThere, classCall } from './class-calls.ts';
import { tellOfHeader } from './header-update.ts';
import { openDataPool } from './image.ts';
import { type HeaderSnapshot, type ImageHeader, type ParentLink, readHeader } from './image-header.ts';
import { removeImageState } from './mirror-image-state.ts';
import { CHILDREN, headerObject, objectMapObject } from './names.ts';
import { type Clone, child, oldChild } from './parents.ts';
import { Protection, type SnapshotScene, snapshotNamed, snapshotNumbered } from './snapshot-changes.ts';

/** One that has clones of format 2 goes when they do. @throws RadosError ENOENT; EBUSY: it is protected */
export async function removeSnapshot(scene: SnapshotScene, name: RawString): Promise<void> {
  await removeSnapshotById(scene, snapshotNamed(scene.header, name).id);
}

/** As `removeSnapshot`, whatever it is for. */
export async function removeSnapshotById(scene: SnapshotScene, id: bigint): Promise<void> {
  const { rados, io, header, pool, map } = scene;
  const snapshot = snapshotNumbered(header, id);
  if (snapshot.protection !== Protection.unprotected) throw new RadosError(Errno.EBUSY, `snapshot ${snapshot.name}`);
  const oid = headerObject(header.id);
  // Who clones it from now on is refused: its number is given up below.
  if (snapshot.namespace.type !== RbdSnapshotType.trash) {
    await io.operate(
      oid,
      change('snapshot_trash_add', (to) => to.u64big(id)),
    );
  }
  const info = await askIfThere(
    io,
    oid,
    classCall('snapshot_get', decodeSnapshotInfo, (to) => to.u64big(id)),
  );
  if (info === undefined || info.childCount > 0) return;
  if (header.parent && isLastToShow(header, snapshot))
    await detachFromParent(rados, { io, id: header.id }, header.parent);
  if (map) await map.removeSnapshot(id);
  else await changeIfThere(io, objectMapObject(header.id, id), new ObjectOperation().remove());
  if (isForMirrors(snapshot)) await removeImageState(io, header.id, id);
  await pool.removeSelfManaged(id);
  await io.operate(
    oid,
    change('snapshot_remove', (to) => to.u64big(id)),
  );
}

/** Or was, until its removal began. */
function isForMirrors({ namespace }: HeaderSnapshot): boolean {
  const { mirror, trash } = RbdSnapshotType;
  return namespace.type === mirror || (namespace.type === trash && namespace.originalType === mirror);
}

/** Whether nothing else of the image shows its parent. */
function isLastToShow({ isClone, snapshots }: ImageHeader, { id, parentOverlap }: HeaderSnapshot): boolean {
  if (isClone || parentOverlap === undefined) return false;
  return snapshots.every((each) => each.id === id || each.parentOverlap === undefined);
}

/** Of whichever format it is. A snapshot that stayed for it alone goes. @throws RadosError */
export async function detachFromParent(rados: Rados, clone: Clone, parent: ParentLink): Promise<void> {
  const parentIo = (await rados.ioctx(Number(parent.poolId))).with({ nspace: parent.namespace });
  await changeIfThere(parentIo, headerObject(parent.imageId), child('child_detach', clone, parent));
  await removeIfUnneeded(rados, parentIo, parent);
  await tellOfHeader(parentIo, parent.imageId);
  await changeIfThere(clone.io, CHILDREN, oldChild('remove_child', clone, parent));
}

async function removeIfUnneeded(rados: Rados, io: Clone['io'], { imageId, snapId }: ParentLink): Promise<void> {
  const get = classCall('snapshot_get', decodeSnapshotInfo, (to) => to.u64big(snapId));
  const info = await askIfThere(io, headerObject(imageId), get);
  if (info?.namespace.type !== RbdSnapshotType.trash || info.childCount > 0) return;
  const header = await readHeader(io, imageId);
  const data = await openDataPool(rados, io, header);
  const pool = rados.snapshots(data.pool);
  // Nobody sees it, and whoever has the image open needs no lock to lose it.
  await removeSnapshotById({ rados, io, data, header, pool, map: undefined }, snapId);
}
