/** Making an image that shows a snapshot of another until it is written (librbd/image/CloneRequest.cc). */
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { createImage, type NewImage } from './create-image.ts';
import { readHeader } from './image-header.ts';
import { imageIdOf } from './images.ts';
import { inheritMetadata } from './metadata.ts';
import { attachChild, attachParent } from './parents.ts';
import { Protection, snapshotNamed } from './snapshot-changes.ts';
import { removeImage } from './trash.ts';
import type { ImageWorld } from './writable-image.ts';

/** Release 13: its clients know clones whose snapshots are not protected. */
const MIMIC = 13;

export interface NewClone extends Omit<NewImage, 'size'> {
  /** Left out: 2, where all clients must know it (rbd_default_clone_format auto). */
  readonly format?: 1 | 2;
}

/** Where an image is. */
export interface ImagePlace {
  readonly io: IoCtx;
  readonly name: RawString;
}

/**
 * @returns the id of the clone
 * @throws RadosError ENOENT: there is no such image or snapshot; EINVAL: a clone of format 1 needs a protected snapshot, in the default
 *   namespace; EEXIST: there is an image of the clone's name
 */
export async function cloneImage(
  rados: Rados,
  parent: ImagePlace & { readonly snapshot: RawString },
  clone: ImagePlace,
  { format, ...like }: NewClone,
  world: ImageWorld,
): Promise<RawString> {
  const imageId = await imageIdOf(parent.io, parent.name);
  const snapshot = snapshotNamed(await readHeader(parent.io, imageId), parent.snapshot);
  return await cloneSnapshot(
    rados,
    { io: parent.io, imageId, snapId: snapshot.id },
    clone,
    { ...like, ...(format && { format }) },
    world,
  );
}

/** A snapshot, by its numbers. */
export interface ParentPlace {
  readonly io: IoCtx;
  readonly imageId: RawString;
  readonly snapId: bigint;
}

/** As `cloneImage`. */
export async function cloneSnapshot(
  rados: Rados,
  { io: parentIo, imageId, snapId }: ParentPlace,
  clone: ImagePlace,
  { format, ...like }: NewClone,
  world: ImageWorld,
): Promise<RawString> {
  const isNew = (rados.osdMap?.requireMinCompatClient ?? 0) >= MIMIC;
  const chosen = format ?? (isNew ? 2 : 1);
  const header = await readHeader(parentIo, imageId);
  const snapshot = header.snapshots.find(({ id }) => id === snapId);
  if (!snapshot) throw new RadosError(Errno.ENOENT, `snapshot ${snapId} of image ${imageId}`);
  const isUnfit = chosen === 1 && (snapshot.protection !== Protection.protected || parentIo.nspace !== clone.io.nspace);
  if (isUnfit) throw new RadosError(Errno.EINVAL, `snapshot ${snapshot.name} is not protected`);
  const size = Number(snapshot.imageSize);
  const link = {
    poolId: BigInt(parentIo.pool),
    namespace: parentIo.nspace,
    imageId,
    snapId,
    overlap: size,
  };
  const id = await createImage(clone.io, clone.name, { order: header.order, ...like, size }, world);
  try {
    if (size > 0) {
      await attachParent({ io: clone.io, id }, link);
      await attachChild({ io: clone.io, id }, parentIo, link, chosen);
    }
    await inheritMetadata(parentIo, imageId, clone.io, id);
  } catch (error) {
    await removeImage(rados, clone.io, clone.name, world);
    throw error;
  }
  return id;
}
