/** What an image is a clone of (cls/rbd/cls_rbd.cc, image::parent). */
import { type Decoder, Errno } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith } from '../stored-key.ts';
import { Feature, OperationFeature } from './features.ts';
import {
  found,
  hasFeature,
  NOSNAP,
  readNumber,
  removeKeys,
  requireFeature,
  requireNumber,
  setOperationFeatures,
} from './header-keys.ts';
import {
  decodeImageSnapshot,
  encodeImageSnapshot,
  type ImageSnapshot,
  NO_PARENT,
  type Parent,
  parentExists,
} from './snapshot-codec.ts';
import { readParent, readSnapshot, showsParent, snapshotsOf, writeParent, writeSnapshot } from './snapshot-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;

function sameImageSnapshot(a: ImageSnapshot, b: ImageSnapshot): boolean {
  return a.poolId === b.poolId && a.namespace === b.namespace && a.imageId === b.imageId && a.snapId === b.snapId;
}

/**
 * @param reattach whether an image that has a parent gets this one instead
 * @throws ClassError EEXIST: it has another one, or shows this one already
 */
function attach(object: MethodContext, parent: Parent, reattach: boolean): void {
  object.stat();
  requireFeature(object, Feature.layering);
  const { overlap = 0n } = parent;
  if (!parentExists(parent) || overlap === 0n) throw new ClassError(Errno.EINVAL);
  const stored = readParent(object);
  if (stored && !reattach && (stored.overlap !== undefined || !sameImageSnapshot(stored, parent))) {
    throw new ClassError(Errno.EEXIST);
  }
  const size = requireNumber(object, 'size');
  const isWhole = overlap < size;
  writeParent(object, { ...parent, overlap: isWhole ? overlap : size });
}

/** Snapshots that show the parent keep it, unless the image can be flattened with them. */
function detach(object: MethodContext, isOldMethod: boolean): void {
  object.stat();
  const features = readNumber(object, 'features') ?? 0n;
  if ((features & Feature.layering) === 0n) throw new ClassError(Errno.ENOEXEC);
  const parent = found(readParent(object));
  if (isOldMethod && parent.namespace !== '') throw new ClassError(Errno.EXDEV);
  if (parent.overlap === undefined) throw new ClassError(Errno.ENOENT);
  let isShown = false;
  for (const snapshot of snapshotsOf(object)) {
    if (!showsParent(snapshot)) continue;
    isShown = (features & Feature.deepFlatten) === 0n;
    if (isShown) break;
    writeSnapshot(object, { ...snapshot, parent: NO_PARENT, parentOverlap: undefined });
  }
  if (isShown) {
    writeParent(object, { ...parent, overlap: undefined });
    return;
  }
  removeKeys(object, 'parent');
  setOperationFeatures(object, 0n, OperationFeature.cloneChild);
}

/** What clients from before Nautilus ask, which know nothing of namespaces. */
function getParent(object: MethodContext, snapId: bigint) {
  object.stat();
  const parent = hasFeature(object, Feature.layering) ? parentOf(object, snapId) : NO_PARENT;
  return encodeWith((encoder) => {
    encoder.u64big(parent.poolId);
    encoder.rawString(parent.imageId);
    encoder.u64big(parent.snapId);
    encoder.u64big(parent.overlap ?? 0n);
  });
}

function parentOf(object: MethodContext, snapId: bigint): Parent {
  const parent = readParent(object) ?? NO_PARENT;
  if (parent.namespace !== '') throw new ClassError(Errno.EXDEV);
  if (snapId === NOSNAP) return parent;
  const snapshot = snapshotIfAny(object, snapId);
  if (snapshot && parentExists(snapshot.parent)) return snapshot.parent;
  if (snapshot?.parentOverlap === undefined) return NO_PARENT;
  if (!parentExists(parent)) throw new ClassError(Errno.EINVAL);
  return { ...parent, overlap: snapshot.parentOverlap };
}

function snapshotIfAny(object: MethodContext, snapId: bigint) {
  try {
    return readSnapshot(object, snapId);
  } catch (error) {
    if (error instanceof ClassError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}

function parentGet(object: MethodContext) {
  object.stat();
  let parent: ImageSnapshot = NO_PARENT;
  if (hasFeature(object, Feature.layering)) {
    const stored = readParent(object);
    parent = stored ?? lastSnapshotParent(object);
  }
  return encodeWith((encoder) => encodeImageSnapshot(encoder, parent));
}

/** That of the newest snapshot that has one of its own. */
function lastSnapshotParent(object: MethodContext): ImageSnapshot {
  let parent: ImageSnapshot = NO_PARENT;
  for (const snapshot of snapshotsOf(object)) if (parentExists(snapshot.parent)) parent = snapshot.parent;
  return parent;
}

function parentOverlapGet(object: MethodContext, snapId: bigint) {
  const overlap = hasFeature(object, Feature.layering) ? overlapOf(object, snapId) : undefined;
  return encodeWith((encoder) => encoder.optional(overlap, (bytes) => encoder.u64big(bytes)));
}

function overlapOf(object: MethodContext, snapId: bigint): bigint | undefined {
  if (snapId === NOSNAP) return readParent(object)?.overlap;
  const { parent, parentOverlap } = readSnapshot(object, snapId);
  return parentOverlap ?? (parentExists(parent) ? parent.overlap : undefined);
}

const snapIdInput = (input: Decoder) => input.u64big('snap id');
const noInput = () => undefined;

export const parentMethods: Readonly<Record<string, ClassMethod>> = {
  get_parent: method(READ, snapIdInput, getParent),
  set_parent: method(
    READ_WRITE,
    (input) => ({
      poolId: input.i64big('pool'),
      namespace: '',
      imageId: input.rawString('image id'),
      snapId: input.u64big('snap id'),
      overlap: input.u64big('overlap'),
    }),
    (object, parent) => attach(object, parent, false),
  ),
  remove_parent: method(READ_WRITE, noInput, (object) => detach(object, true)),
  parent_get: method(READ, noInput, parentGet),
  parent_overlap_get: method(READ, snapIdInput, parentOverlapGet),
  parent_attach: method(
    READ_WRITE,
    (input) => ({
      parent: { ...decodeImageSnapshot(input), overlap: input.u64big('overlap') },
      reattach: input.remaining > 0 && input.bool('reattach'),
    }),
    (object, { parent, reattach }) => attach(object, parent, reattach),
  ),
  parent_detach: method(READ_WRITE, noInput, (object) => detach(object, false)),
};
