/**
 * Features of an image that come and go (librbd/Operations.cc, update_features; operation/EnableFeaturesRequest.cc,
 * DisableFeaturesRequest.cc). What says that an object map is wrong is written before there is one.
 */
import { RbdFeature as Feature, NOSNAP, RBD_DISABLE_ONLY_FEATURES } from '@spirula/cls';
import { Errno } from '@spirula/encoding';
import { ObjectOperation, RadosError } from '@spirula/rados';
import { change, changeIfThere } from './class-calls.ts';
import { Flag, setFlags } from './header-flags.ts';
import type { ImageHeader } from './image-header.ts';
import { objectCount } from './image-layout.ts';
import { headerObject, objectMapObject } from './names.ts';
import { resizeOperation } from './object-map.ts';
import type { SnapshotScene } from './snapshot-changes.ts';
import type { WritableImage } from './writable-image.ts';

const MAPS = Feature.objectMap | Feature.fastDiff;
const MUTABLE = Feature.exclusiveLock | Feature.journaling | MAPS;
const MAPS_INVALID = Flag.objectMapInvalid | Flag.fastDiffInvalid;

/**
 * @param asked as bits; object-map and fast-diff go together
 * @throws RadosError EINVAL: one cannot be changed, is there already, or needs the exclusive lock; EROFS: journals are not kept by this client
 */
export async function enableFeatures(image: WritableImage, asked: bigint): Promise<void> {
  await image.changeHeader(async (scene) => {
    const { io, header } = scene;
    requireKnown(header, asked, MUTABLE);
    if ((asked & header.features) !== 0n) throw refusal(header);
    requireNoJournal(asked);
    const features = (asked & MAPS) === 0n ? asked : asked | MAPS;
    const added = features & ~header.features;
    const after = header.features | added;
    const needsLock = (added & MAPS) !== 0n;
    if (needsLock && (after & Feature.exclusiveLock) === 0n) throw refusal(header);
    if (needsLock) await setAllFlags(scene, MAPS_INVALID, MAPS_INVALID);
    const mask = needsLock ? added | Feature.exclusiveLock | MAPS : added;
    await io.operate(headerObject(header.id), setFeatures(after, mask));
    if ((added & Feature.objectMap) !== 0n) await createMaps(scene);
  });
}

/**
 * @param asked as bits; object-map and fast-diff go together
 * @throws RadosError EINVAL: one cannot be changed, is not there, or is needed by another; EROFS: journals are not kept by this client
 */
export async function disableFeatures(image: WritableImage, asked: bigint): Promise<void> {
  await image.changeHeader(async (scene) => {
    const { io, header } = scene;
    requireKnown(header, asked, MUTABLE | RBD_DISABLE_ONLY_FEATURES);
    if ((asked & ~header.features) !== 0n) throw refusal(header);
    requireNoJournal(asked);
    const removed = (asked & MAPS) === 0n ? asked : asked | (header.features & MAPS);
    const after = header.features & ~removed;
    if ((removed & Feature.exclusiveLock) !== 0n && (after & Feature.objectMap) !== 0n) throw refusal(header);
    const isMapGoing = (removed & Feature.objectMap) !== 0n;
    if (isMapGoing) {
      await image.forgetObjectMap();
      await removeMaps(scene);
    }
    const mask = (removed & Feature.exclusiveLock) === 0n ? removed : removed | Feature.objectMap | Feature.journaling;
    await io.operate(headerObject(header.id), setFeatures(after, mask));
    const flags =
      (isMapGoing ? Flag.objectMapInvalid : 0n) | ((removed & Feature.fastDiff) === 0n ? 0n : Flag.fastDiffInvalid);
    if (flags !== 0n) await setAllFlags(scene, 0n, flags);
  });
}

function requireKnown(header: ImageHeader, asked: bigint, changeable: bigint): void {
  if (asked === 0n || (asked & ~changeable) !== 0n) throw refusal(header);
}

function requireNoJournal(asked: bigint): void {
  if ((asked & Feature.journaling) !== 0n) throw new RadosError(Errno.EROFS, 'journals are not kept by this client');
}

function refusal({ id }: ImageHeader): RadosError {
  return new RadosError(Errno.EINVAL, `features of image ${id}`);
}

function setFeatures(features: bigint, mask: bigint): ObjectOperation {
  return change('set_features', (to) => {
    to.u64big(features);
    to.u64big(mask);
  });
}

/** Of the image and of its snapshots (librbd/image/SetFlagsRequest.cc). */
async function setAllFlags({ io, header }: SnapshotScene, flags: bigint, mask: bigint): Promise<void> {
  for (const snapId of [NOSNAP, ...header.snapshots.map(({ id }) => id)]) {
    await io.operate(headerObject(header.id), setFlags(flags, mask, snapId));
  }
}

/** Empty ones, which are rebuilt. */
async function createMaps({ io, header }: SnapshotScene): Promise<void> {
  const sizes = header.snapshots.map(({ id, imageSize }) => [id, Number(imageSize)] as const);
  for (const [snapId, size] of [[undefined, header.size] as const, ...sizes]) {
    await io.operate(objectMapObject(header.id, snapId), resizeOperation(objectCount(header.layout, size), false));
  }
}

async function removeMaps({ io, header }: SnapshotScene): Promise<void> {
  for (const snapId of [undefined, ...header.snapshots.map(({ id }) => id)]) {
    await changeIfThere(io, objectMapObject(header.id, snapId), new ObjectOperation().remove());
  }
}
