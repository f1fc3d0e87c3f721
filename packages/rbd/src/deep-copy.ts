/**
 * A copy of an image with its snapshots, and a clone of what it is a clone of (librbd/api/Image.cc, deep_copy; DeepCopyRequest.cc,
 * deep_copy/SnapshotCopyRequest.cc, ImageCopyRequest.cc).
 *
 *   the copy is made --> its snapshots, oldest first: sizes, what they show of the parent --> objects, snapshot by snapshot
 *
 * An object that is written with no snapshot newer than one is that snapshot's, until it is written with a newer one.
 */
import { NOSNAP } from '@spirula/cls';
import { ObjectOperation, type Rados } from '@spirula/rados';
import { allOf } from './ahead.ts';
import { change } from './class-calls.ts';
import { cloneSnapshot, type ImagePlace } from './clone-image.ts';
import { type CopyOptions, copyMetadata, likeImage } from './copy-image.ts';
import { createImage } from './create-image.ts';
import type { Image } from './image.ts';
import { type HeaderSnapshot, type ImageHeader, isUserSnapshot, type ParentLink } from './image-header.ts';
import { imageRanges, objectCount, objectExtents } from './image-layout.ts';
import type { SnapshotNumbers } from './migration.ts';
import { headerObject } from './names.ts';
import { ObjectCopy } from './object-copy.ts';
import type { Progress } from './object-map-check.ts';
import { diffObjectMaps, ObjectDiff } from './object-map-diff.ts';
import { attachParent } from './parents.ts';
import { createEmptySnapshot, Protection } from './snapshot-changes.ts';
import { type ImageWorld, WritableImage } from './writable-image.ts';

export interface DeepCopyOptions extends CopyOptions {
  /** What it shows of a parent it has itself. */
  readonly isFlat: boolean;
}

/**
 * @param source an image, or a snapshot of one: then what is newer is left out
 * @throws RadosError EEXIST: there is an image of the copy's name
 */
export async function deepCopyImage(
  rados: Rados,
  source: Image,
  place: ImagePlace,
  { isFlat, ...options }: DeepCopyOptions,
  world: ImageWorld,
  onProgress: Progress,
): Promise<void> {
  const { copy, numbers } = await beginCopy(rados, source, place, { isFlat, ...options }, world);
  try {
    await copyObjects(rados, source, copy, numbers, isFlat, onProgress);
    const end = source.snapshot && numbers.get(source.snapshot.id);
    // The copy is what its newest snapshot is.
    if (end !== undefined) await copy.changeHeader(async ({ map }) => map?.rollBack(end));
    await copyMetadata(source, copy);
  } finally {
    await copy.close();
  }
}

/** An image with the snapshots of the other, in which nothing is yet. */
export async function beginCopy(
  rados: Rados,
  source: Image,
  place: ImagePlace,
  { isFlat, ...options }: DeepCopyOptions,
  world: ImageWorld,
): Promise<{ readonly copy: WritableImage; readonly numbers: SnapshotNumbers }> {
  const parent = isFlat ? undefined : oldestParent(source.header);
  const { size, ...like } = likeImage(source, options);
  if (parent) {
    const io = (await rados.ioctx(Number(parent.poolId))).with({ nspace: parent.namespace });
    const { imageId, snapId } = parent;
    await cloneSnapshot(rados, { io, imageId, snapId }, place, like, world);
  } else await createImage(place.io, place.name, { ...like, size }, world);
  const copy = await WritableImage.open(rados, place.io, place.name, world);
  try {
    return { copy, numbers: await copySnapshots(source, copy, parent) };
  } catch (error) {
    await copy.close();
    throw error;
  }
}

/** What the oldest snapshot shows, or else the image: it shows no other. */
function oldestParent({ parent, snapshots }: ImageHeader): ParentLink | undefined {
  const overlap = snapshots.length > 0 ? snapshots.at(-1)!.parentOverlap : parent?.overlap;
  return parent && overlap ? parent : undefined;
}

/** With nothing in them yet. */
async function copySnapshots(
  source: Image,
  copy: WritableImage,
  parent: ParentLink | undefined,
): Promise<SnapshotNumbers> {
  const numbers = new Map<bigint, bigint>();
  for (const snapshot of copiedSnapshots(source)) {
    await copySnapshot(snapshot, copy, parent, numbers);
  }
  if (source.snapshot) return numbers;
  numbers.set(NOSNAP, NOSNAP);
  await setHead(copy, source.header.size, parent && { ...parent, overlap: source.header.parent?.overlap ?? 0 });
  return numbers;
}

/** Those that users made, oldest first, to where it ends. */
function copiedSnapshots({ header, snapshot: end }: Image): readonly HeaderSnapshot[] {
  return [...header.snapshots].reverse().filter((each) => isUserSnapshot(each) && (!end || each.id <= end.id));
}

async function copySnapshot(
  { id, name, imageSize, parentOverlap, protection }: HeaderSnapshot,
  copy: WritableImage,
  parent: ParentLink | undefined,
  numbers: Map<bigint, bigint>,
): Promise<void> {
  const size = Number(imageSize);
  await setHead(copy, size, parent && { ...parent, overlap: parentOverlap ?? 0 });
  await copy.changeHeader(async (scene) => {
    numbers.set(id, await createEmptySnapshot(scene, name, objectCount(scene.header.layout, size)));
  });
  if (protection === Protection.protected) await copy.protectSnapshot(name);
}

/** The image is as large, and shows as much of its parent (deep_copy/SetHeadRequest.cc). */
async function setHead(copy: WritableImage, size: number, parent: ParentLink | undefined): Promise<void> {
  await copy.changeHeader(async ({ io, header, map }) => {
    const oid = headerObject(header.id);
    if (header.size !== size) {
      await io.operate(
        oid,
        change('set_size', (to) => to.u64(size)),
      );
    }
    const objects = objectCount(header.layout, size);
    await map?.resize(objects);
    const shown = Math.min(header.parent?.overlap ?? 0, size);
    if (!parent || parent.overlap === shown) return;
    if (header.parent) await io.operate(oid, new ObjectOperation().exec('rbd', 'parent_detach', undefined, 'write'));
    if (parent.overlap > 0) await attachParent({ io, id: header.id }, parent);
  });
}

async function copyObjects(
  rados: Rados,
  source: Image,
  copy: WritableImage,
  numbers: SnapshotNumbers,
  isFlat: boolean,
  onProgress: Progress,
): Promise<void> {
  const sizes = [source.header.size, ...source.header.snapshots.map(({ imageSize }) => Number(imageSize))];
  const count = objectCount(copy.header.layout, Math.max(...sizes));
  const end = source.snapshot?.id ?? NOSNAP;
  const states = isFlat ? undefined : await diffObjectMaps(source, 0n, end, 'copy');
  const work = new ObjectCopy(rados, source, numbers, { isFlat });
  let done = 0;
  const pieces = function* () {
    for (let object = 0; object < count; object++) {
      yield async () => {
        if (mayHaveData(object, source, copy.header, states)) await copy.underLock((scene) => work.copy(object, scene));
        onProgress(++done, count);
      };
    }
  };
  await allOf(pieces());
}

/** Whether any of the objects that hold the same bytes was ever there. */
function mayHaveData(object: number, { header }: Image, copy: ImageHeader, states: Uint8Array | undefined): boolean {
  if (!states) return true;
  return imageRanges(copy.layout, object).some(({ offset, length }) =>
    objectExtents(header.layout, offset, length).some((extent) => states[extent.object] !== ObjectDiff.hole),
  );
}
