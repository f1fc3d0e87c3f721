/**
 * Snapshots of all images of a group at one moment (librbd/api/Group.cc, snap_create, snap_remove, snap_rollback).
 *
 *   record: incomplete --> locks of all images --> a snapshot of each --> record: complete, with their numbers
 *
 * Who dies in between leaves a record that is called incomplete; removing it removes whatever snapshots there are.
 */
import {
  decodeGroupSnapshot,
  encodeGroupSnapshot,
  type GroupSnapshot,
  type RbdSnapshotNamespace,
  RbdSnapshotType,
} from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { askIfThere, change, classCall } from './class-calls.ts';
import { groupIdOf, groupLinks, imageIo, randomId, snapshotsOfGroup } from './groups.ts';
import { nameInDirectory } from './images.ts';
import { GROUP_DIRECTORY, groupHeaderObject } from './names.ts';
import { removeSnapshotById } from './remove-snapshot.ts';
import { createSnapshot } from './snapshot-changes.ts';
import { type ImageWorld, WritableImage } from './writable-image.ts';

/** GROUP_SNAPSHOT_STATE_* */
export const GroupSnapshotState = { incomplete: 0, complete: 1 } as const;

/** What a record has for a snapshot that is not there yet. */
const NO_SNAPSHOT = 0n;

/** A group and what is done with it. */
export interface GroupScene {
  readonly rados: Rados;
  /** Where the group is. */
  readonly io: IoCtx;
  readonly world: ImageWorld;
}

/** By their ids. @throws RadosError ENOENT: there is no such group */
export async function listGroupSnapshots(io: IoCtx, group: RawString): Promise<readonly GroupSnapshot[]> {
  return await snapshotsOfGroup(io, await groupIdOf(io, group));
}

/** @throws RadosError ENOENT: there is no such group; EEXIST: it has a snapshot of this name; what keeps one of the images from a snapshot */
export async function createGroupSnapshot(scene: GroupScene, group: RawString, name: RawString): Promise<void> {
  const { io, world } = scene;
  const groupId = await groupIdOf(io, group);
  const links = await groupLinks(io, groupId);
  const images = links.map(({ poolId, imageId }) => ({ poolId, imageId }));
  const begun = images.map((image) => ({ ...image, snapId: NO_SNAPSHOT }));
  const record = { id: randomId(world), name, state: GroupSnapshotState.incomplete, snapshots: begun };
  await setRecord(io, groupId, record);
  const namespace = namespaceOf(io, groupId, record.id);
  const snapshotName = `.group.${io.pool.toString(16)}_${groupId}_${record.id}`;
  try {
    await withImages(scene, images, async (opened) => {
      const made = await Promise.allSettled(
        opened.map((image) => image.changeHeader((at) => createSnapshot(at, snapshotName, namespace))),
      );
      const failed = made.find((each) => each.status === 'rejected');
      if (failed) {
        await removeFromImages(opened, namespace);
        throw failed.reason;
      }
      const snapshots = made.map((each, i) => ({
        ...images[i]!,
        snapId: (each as PromiseFulfilledResult<bigint>).value,
      }));
      await setRecord(io, groupId, { ...record, state: GroupSnapshotState.complete, snapshots });
    });
  } catch (error) {
    await removeRecord(io, groupId, record.id);
    throw error;
  }
}

/** @throws RadosError ENOENT: there is no such group or snapshot */
export async function removeGroupSnapshot(scene: GroupScene, group: RawString, name: RawString): Promise<void> {
  const groupId = await groupIdOf(scene.io, group);
  await removeByRecord(scene, groupId, await recordNamed(scene.io, groupId, name));
}

/** As many as it has; of no group there are none. @throws RadosError */
export async function removeGroupSnapshots(scene: GroupScene, group: RawString): Promise<void> {
  let groupId: RawString;
  try {
    groupId = await groupIdOf(scene.io, group);
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return;
    throw error;
  }
  for (const record of await snapshotsOfGroup(scene.io, groupId)) await removeByRecord(scene, groupId, record);
}

async function removeByRecord(scene: GroupScene, groupId: RawString, record: GroupSnapshot): Promise<void> {
  const images = await openImages(scene, record.snapshots);
  try {
    await removeFromImages(images, namespaceOf(scene.io, groupId, record.id));
  } finally {
    await closeImages(images);
  }
  await removeRecord(scene.io, groupId, record.id);
}

/** @throws RadosError ENOENT: there is no such group or snapshot; EEXIST: there is one of the new name */
export async function renameGroupSnapshot(io: IoCtx, group: RawString, from: RawString, to: RawString): Promise<void> {
  if (from === to) throw new RadosError(Errno.EEXIST, `snapshot ${to}`);
  const groupId = await groupIdOf(io, group);
  await setRecord(io, groupId, { ...(await recordNamed(io, groupId, from)), name: to });
}

/** @param onProgress told after each image. @throws RadosError ENOENT: there is no such group or snapshot */
export async function rollBackGroup(
  scene: GroupScene,
  group: RawString,
  name: RawString,
  onProgress: (done: number, of: number) => void = () => {},
): Promise<void> {
  const groupId = await groupIdOf(scene.io, group);
  const record = await recordNamed(scene.io, groupId, name);
  const namespace = namespaceOf(scene.io, groupId, record.id);
  await withImages(scene, record.snapshots, async (images) => {
    for (const [i, image] of images.entries()) {
      const snapId = snapshotIn(image, namespace);
      if (snapId !== undefined) await image.rollBackTo(snapId);
      onProgress(i + 1, images.length);
    }
  });
}

async function recordNamed(io: IoCtx, groupId: RawString, name: RawString): Promise<GroupSnapshot> {
  const found = (await snapshotsOfGroup(io, groupId)).find((each) => each.name === name);
  if (!found) throw new RadosError(Errno.ENOENT, `snapshot ${name}`);
  return found;
}

type GroupNamespace = Extract<RbdSnapshotNamespace, { type: typeof RbdSnapshotType.group }>;

function namespaceOf(io: IoCtx, groupId: RawString, groupSnapshotId: RawString): GroupNamespace {
  return { type: RbdSnapshotType.group, poolId: BigInt(io.pool), groupId, groupSnapshotId };
}

/** One may have none: the group's snapshot may be incomplete. */
function snapshotIn(
  { header }: WritableImage,
  { poolId, groupId, groupSnapshotId }: GroupNamespace,
): bigint | undefined {
  const found = header.snapshots.find(
    ({ namespace }) =>
      namespace.type === RbdSnapshotType.group &&
      namespace.poolId === poolId &&
      namespace.groupId === groupId &&
      namespace.groupSnapshotId === groupSnapshotId,
  );
  return found?.id;
}

async function removeFromImages(images: readonly WritableImage[], namespace: GroupNamespace): Promise<void> {
  for (const image of images) {
    const snapId = snapshotIn(image, namespace);
    if (snapId !== undefined) await image.changeHeader((scene) => removeSnapshotById(scene, snapId));
  }
}

interface PlacedImage {
  readonly poolId: bigint;
  readonly imageId: RawString;
}

/** Work that needs the locks of all of them: nobody else writes to any meanwhile. */
async function withImages(
  scene: GroupScene,
  places: readonly PlacedImage[],
  work: (images: readonly WritableImage[]) => Promise<void>,
): Promise<void> {
  const images = await openImages(scene, places);
  const locked = images.reduceRight(
    (next, image) => () => image.underLock(next),
    () => work(images),
  );
  try {
    await locked();
  } finally {
    await closeImages(images);
  }
}

async function openImages({ rados, io, world }: GroupScene, places: readonly PlacedImage[]): Promise<WritableImage[]> {
  const images: WritableImage[] = [];
  try {
    for (const place of places) {
      images.push(await WritableImage.openId(rados, await imageIo(rados, io, place), place.imageId, world));
    }
    return images;
  } catch (error) {
    await closeImages(images);
    throw error;
  }
}

async function closeImages(images: readonly WritableImage[]): Promise<void> {
  for (const image of images) await image.close();
}

async function setRecord(io: IoCtx, groupId: RawString, record: GroupSnapshot): Promise<void> {
  await io.operate(
    groupHeaderObject(groupId),
    change('group_snap_set', (to) => encodeGroupSnapshot(to, record)),
  );
}

async function removeRecord(io: IoCtx, groupId: RawString, id: RawString): Promise<void> {
  await io.operate(
    groupHeaderObject(groupId),
    change('group_snap_remove', (to) => to.rawString(id)),
  );
}

/** Whose snapshot it is that an image has for a group; undefined: the group or the snapshot has gone. @throws RadosError */
export async function groupSnapshotNames(
  rados: Rados,
  io: IoCtx,
  { poolId, groupId, groupSnapshotId }: GroupNamespace,
): Promise<{ readonly pool: string; readonly group: RawString; readonly snapshot: RawString } | undefined> {
  const groupIo = (await rados.ioctx(Number(poolId))).with({ nspace: io.nspace });
  const group = await nameInDirectory(groupIo, GROUP_DIRECTORY, groupId);
  const get = classCall('group_snap_get_by_id', decodeGroupSnapshot, (to) => to.rawString(groupSnapshotId));
  const record = group === undefined ? undefined : await askIfThere(groupIo, groupHeaderObject(groupId), get);
  if (group === undefined || record === undefined) return undefined;
  return { pool: rados.poolName(Number(poolId)) ?? '', group, snapshot: record.name };
}
