/** What becomes of an image that goes (librbd/image/PreRemoveRequest.cc, RemoveRequest.cc). */
import { decodeImageGroup, RbdFeature as Feature, NO_POOL, RbdSnapshotType } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { askOne, changeIfThere, classCall } from './class-calls.ts';
import type { HeaderSnapshot, ImageHeader } from './image-header.ts';
import { headerObject, objectMapObject } from './names.ts';
import { detachFromParent, removeSnapshotById } from './remove-snapshot.ts';
import { type ImageWorld, type OpenOptions, WritableImage } from './writable-image.ts';

/** Told after each stretch of objects that went. */
export type OnErased = (done: number, of: number) => void;

/** @throws RadosError EBUSY: somebody has its lock, or it is being migrated */
export async function requireMovable(rados: Rados, io: IoCtx, id: RawString, world: ImageWorld): Promise<void> {
  await withImageIfThere(rados, io, id, world, (image) =>
    image.underLock(async ({ header }) => requireNotMigrating(header)),
  );
}

/** @throws RadosError EBUSY: as of `requireMovable`, or somebody has it open; ENOTEMPTY: it has snapshots; EMLINK: it is in a group */
export async function requireRemovable(rados: Rados, io: IoCtx, id: RawString, world: ImageWorld): Promise<void> {
  await withImageIfThere(rados, io, id, world, (image) => image.underLock(({ header }) => checkRemovable(io, header)));
}

async function checkRemovable(io: IoCtx, header: ImageHeader, ignoresMigration = false): Promise<void> {
  if (!ignoresMigration) requireNotMigrating(header);
  if (header.snapshots.some(isInTheWay)) {
    throw new RadosError(Errno.ENOTEMPTY, `image ${header.id}`);
  }
  if ((await io.listWatchers(headerObject(header.id))).length > 1)
    throw new RadosError(Errno.EBUSY, `image ${header.id}`);
  await requireNoGroup(io, header.id);
}

/** Those for mirrors go with the image; those in the trash may be shown by clones. */
function isInTheWay({ namespace, childCount }: HeaderSnapshot): boolean {
  if (namespace.type === RbdSnapshotType.mirror) return false;
  return namespace.type !== RbdSnapshotType.trash || childCount > 0;
}

function requireNotMigrating({ features, id }: ImageHeader): void {
  if ((features & Feature.migrating) !== 0n) throw new RadosError(Errno.EBUSY, `image ${id}`);
}

async function requireNoGroup(io: IoCtx, id: RawString): Promise<void> {
  const { poolId } = await askOne(io, headerObject(id), classCall('image_group_get', decodeImageGroup));
  if (poolId !== NO_POOL) throw new RadosError(Errno.EMLINK, `image ${id}`);
}

/**
 * Its objects, then what others know of it, then itself: an end in the middle leaves an image with less in it, which is erased again.
 *
 * @throws RadosError as of `requireRemovable`
 */
export async function eraseImage(
  rados: Rados,
  io: IoCtx,
  id: RawString,
  world: ImageWorld,
  onErased?: OnErased,
  ignoresMigration = false,
): Promise<void> {
  const work = async (image: WritableImage) => {
    await image.underLock(({ header }) => checkRemovable(io, header, ignoresMigration));
    for (const snapshot of [...image.header.snapshots].reverse()) {
      await image.changeHeader((scene) => removeSnapshotById(scene, snapshot.id));
    }
    await image.trim(onErased);
    if (image.header.parent) await detachFromParent(rados, { io, id }, image.header.parent);
  };
  await withImageIfThere(rados, io, id, world, work, { ignoresMigration });
  for (const oid of [headerObject(id), objectMapObject(id)])
    await changeIfThere(io, oid, new ObjectOperation().remove());
}

/** Nothing, where the header has gone already. */
async function withImageIfThere(
  rados: Rados,
  io: IoCtx,
  id: RawString,
  world: ImageWorld,
  work: (image: WritableImage) => Promise<void>,
  options: OpenOptions = {},
): Promise<void> {
  let image: WritableImage;
  try {
    image = await WritableImage.openId(rados, io, id, world, { mayBeOfOthers: true, ...options });
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return;
    throw error;
  }
  try {
    await work(image);
  } finally {
    await image.close();
  }
}
