/**
 * Whether an object map is what the objects are, and making it so (librbd/operation/ObjectMapIterate.cc, RebuildObjectMapRequest.cc). The
 * image's lock is held, and nothing is written meanwhile.
 */
import { decodeRbdBitVector, encodeRbdBitVector, RbdFeature as Feature, NOSNAP, RbdBitVector } from '@spirula/cls';
import { Decoder, Errno, MalformedInput } from '@spirula/encoding';
import { type ObjectClone, ObjectOperation, RadosError, type SnapSet } from '@spirula/rados';
import { allOf } from './ahead.ts';
import { CLASS } from './class-calls.ts';
import { Flag, invalidateObjectMap, validateObjectMap } from './header-flags.ts';
import type { Image } from './image.ts';
import { objectCount } from './image-layout.ts';
import { dataObject, objectMapObject } from './names.ts';
import { assertLocked, ObjectState } from './object-map.ts';

/** Told after each object. */
export type Progress = (done: number, of: number) => void;

/**
 * A map that would hide an object, or a change, is invalid from then on; that there may be objects which are not there does no harm.
 *
 * @param image or a snapshot of one
 * @throws RadosError EINVAL: the image keeps no object map
 */
export async function checkObjectMap(image: Image, onProgress: Progress): Promise<void> {
  const map = await loadOrInvalidate(image);
  let isWrong = false;
  await eachState(image, onProgress, (object, actual) => {
    const known = map.get(object);
    const isHarmless = isThere(known) && !isThere(actual);
    if (known !== actual && !isHarmless) isWrong = true;
  });
  if (isWrong && (flagsOf(image) & Flag.objectMapInvalid) === 0n) {
    await invalidateObjectMap(image.io, image.header, image.snapshot?.id);
  }
}

/** @throws RadosError EINVAL: the image keeps no object map */
export async function rebuildObjectMap(image: Image, onProgress: Progress): Promise<void> {
  const { header, io, snapshot } = image;
  const map = (await loadOrInvalidate(image)).resized(objectsOf(image));
  await eachState(image, onProgress, (object, actual) => {
    // As librbd, which takes it for one that is being written.
    const mayBeComing = !snapshot && map.get(object) === ObjectState.exists && actual === ObjectState.nonexistent;
    if (!mayBeComing) map.set(object, actual);
  });
  const save = (snapshot ? new ObjectOperation() : assertLocked()).exec(
    CLASS,
    'object_map_save',
    encodeRbdBitVector(map, true),
    'write',
  );
  await io.operate(objectMapObject(header.id, snapshot?.id), save);
  await validateObjectMap(io, header, snapshot?.id ?? NOSNAP);
}

function objectsOf({ header, size }: Image): number {
  return objectCount(header.layout, size);
}

function flagsOf({ header, snapshot }: Image): bigint {
  return (snapshot ?? header).flags;
}

function isThere(state: number): boolean {
  return state === ObjectState.exists || state === ObjectState.existsClean;
}

/** A map that cannot be read is one in which all exist, and invalid (object_map/RefreshRequest.cc). */
async function loadOrInvalidate(image: Image): Promise<RbdBitVector> {
  const { header, io, snapshot } = image;
  if ((header.features & Feature.objectMap) === 0n) throw new RadosError(Errno.EINVAL, `image ${header.id}`);
  const objects = objectsOf(image);
  try {
    const oid = objectMapObject(header.id, snapshot?.id);
    const map = decodeRbdBitVector(new Decoder(await io.exec(oid, CLASS, 'object_map_load')));
    if (map.size >= objects) return map;
  } catch (error) {
    if (!(error instanceof RadosError || error instanceof MalformedInput)) throw error;
  }
  await invalidateObjectMap(io, header, snapshot?.id);
  const all = new RbdBitVector(objects);
  for (let object = 0; object < objects; object++) all.set(object, ObjectState.exists);
  return all;
}

async function eachState(
  image: Image,
  onProgress: Progress,
  tell: (object: number, state: number) => void,
): Promise<void> {
  const objects = objectsOf(image);
  let done = 0;
  const pieces = function* () {
    for (let object = 0; object < objects; object++) {
      yield async () => {
        tell(object, await stateOf(image, object));
        onProgress(++done, objects);
      };
    }
  };
  await allOf(pieces());
}

async function stateOf({ header, data, snapshot }: Image, object: number): Promise<number> {
  let snapSet: SnapSet;
  try {
    snapSet = await data.snapSet(dataObject(header.objectPrefix, object));
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return ObjectState.nonexistent;
    throw error;
  }
  const snapId = snapshot?.id ?? NOSNAP;
  const existing = [...header.snapshots.map(({ id }) => id).reverse(), NOSNAP];
  const fromSeq = (id: bigint) => existing.find((each) => each >= id) ?? NOSNAP;
  const seen = snapSet.clones.find((clone) => newestOf(clone) >= snapId);
  if (!seen) return ObjectState.nonexistent;
  const oldest = fromSeq(seen.id === 'head' ? snapSet.seq + 1n : (seen.snaps[0] ?? NOSNAP));
  if (snapId < oldest) return ObjectState.nonexistent;
  const isClean = (header.features & Feature.fastDiff) !== 0n && oldest !== snapId;
  return isClean ? ObjectState.existsClean : ObjectState.exists;
}

function newestOf({ id, snaps }: ObjectClone): bigint {
  return id === 'head' ? NOSNAP : (snaps.at(-1) ?? 0n);
}
