/** Snapshots of an image, in its header (cls/rbd/cls_rbd.cc). */
import { type Decoder, Errno, encodeUTime, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { randomUuid } from '../random-uuid.ts';
import { encodeWith } from '../stored-key.ts';
import { Feature, OperationFeature } from './features.ts';
import {
  MAXSNAP,
  NOSNAP,
  readNumber,
  removeKeys,
  requireFeature,
  requireNumber,
  setOperationFeatures,
  writeNumber,
} from './header-keys.ts';
import { readOldHeader } from './old-header.ts';
import {
  decodeNamespace,
  encodeSnapshotInfo,
  NO_PARENT,
  ProtectionStatus,
  parentExists,
  type Snapshot,
  type SnapshotNamespace,
  SnapshotType,
  sameNamespace,
} from './snapshot-codec.ts';
import { readParent, readSnapshot, showsParent, snapshotKey, snapshotsOf, writeSnapshot } from './snapshot-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const NO_LIMIT = (1n << 64n) - 1n;

const snapIdInput = (input: Decoder) => input.u64big('snap id');
const noInput = () => undefined;

/** @throws ClassError EINVAL: the head is no snapshot */
function snapshotOf(object: MethodContext, snapId: bigint): Snapshot {
  if (snapId === NOSNAP) throw new ClassError(Errno.EINVAL);
  return readSnapshot(object, snapId);
}

/** Newest first. */
function getSnapcontext(object: MethodContext) {
  const ids = [...snapshotIds(object)].reverse();
  const seq = requireNumber(object, 'snap_seq');
  return encodeWith((encoder) => {
    encoder.u64big(seq);
    encoder.list(ids, (id) => encoder.u64big(id));
  });
}

function* snapshotIds(object: MethodContext): Generator<bigint> {
  for (const { id } of snapshotsOf(object)) yield id;
}

interface AddInput {
  readonly name: RawString;
  readonly id: bigint;
  readonly namespace: SnapshotNamespace;
}

/** @throws ClassError ESTALE: a newer one has been made; EDQUOT: there are as many as may be */
function snapshotAdd(object: MethodContext, { name, id, namespace }: AddInput): void {
  if (namespace.type === SnapshotType.unknown || id > MAXSNAP) throw new ClassError(Errno.EINVAL);
  if (id < requireNumber(object, 'snap_seq')) throw new ClassError(Errno.ESTALE);
  const imageSize = requireNumber(object, 'size');
  const flags = readNumber(object, 'flags') ?? 0n;
  const limit = readNumber(object, 'snap_limit') ?? NO_LIMIT;
  let count = 0n;
  for (const other of snapshotsOf(object)) {
    count += 1n;
    if (count >= limit) throw new ClassError(Errno.EDQUOT);
    const isSame = other.id === id || (other.name === name && sameNamespace(other.namespace, namespace));
    if (isSame) throw new ClassError(Errno.EEXIST);
  }
  const parent = readParent(object) ?? NO_PARENT;
  if (namespace.type === SnapshotType.trash) {
    setOperationFeatures(object, OperationFeature.snapTrash, OperationFeature.snapTrash);
  }
  writeNumber(object, 'snap_seq', id);
  writeSnapshot(object, {
    id,
    name,
    imageSize,
    protectionStatus: ProtectionStatus.unprotected,
    parent,
    flags,
    timestamp: object.now(),
    namespace,
    childCount: 0,
    parentOverlap: undefined,
  });
}

function snapshotRename(object: MethodContext, { id, name }: { id: bigint; name: RawString }): void {
  for (const other of snapshotsOf(object)) {
    if (other.namespace.type === SnapshotType.user && other.name === name) throw new ClassError(Errno.EEXIST);
  }
  const snapshot = readSnapshot(object, id);
  if (snapshot.namespace.type !== SnapshotType.user) throw new ClassError(Errno.EINVAL);
  writeSnapshot(object, { ...snapshot, name });
}

/** @throws ClassError EBUSY: it is protected, or has clones */
function snapshotRemove(object: MethodContext, snapId: bigint): void {
  const snapshot = readSnapshot(object, snapId);
  const isBusy = snapshot.protectionStatus !== ProtectionStatus.unprotected || snapshot.childCount > 0;
  if (isBusy) throw new ClassError(Errno.EBUSY);
  removeKeys(object, snapshotKey(snapId));
  const others = [...snapshotsOf(object)].filter(({ id }) => id !== snapId);
  const isShown = others.some(showsParent);
  const hasTrash = others.some(({ namespace }) => namespace.type === SnapshotType.trash);
  const parent = readParent(object) ?? NO_PARENT;
  const isChild = parentExists(parent) && parent.overlap !== undefined;
  if (parentExists(parent) && !isChild && !isShown) removeKeys(object, 'parent');
  const gone = (isShown || isChild ? 0n : OperationFeature.cloneChild) | (hasTrash ? 0n : OperationFeature.snapTrash);
  if (gone !== 0n) setOperationFeatures(object, 0n, gone);
}

/** A snapshot that clones still need goes where nobody sees it, under a name of its own. */
function snapshotTrashAdd(object: MethodContext, snapId: bigint): void {
  const snapshot = readSnapshot(object, snapId);
  if (snapshot.protectionStatus !== ProtectionStatus.unprotected) throw new ClassError(Errno.EBUSY);
  const { name: originalName, namespace } = snapshot;
  if (namespace.type === SnapshotType.trash) throw new ClassError(Errno.EEXIST);
  setOperationFeatures(object, OperationFeature.snapTrash, OperationFeature.snapTrash);
  writeSnapshot(object, {
    ...snapshot,
    name: randomUuid(object),
    namespace: { type: SnapshotType.trash, originalName, originalType: namespace.type },
  });
}

function getProtectionStatus(object: MethodContext, snapId: bigint) {
  object.stat();
  const { protectionStatus } = snapshotOf(object, snapId);
  if (protectionStatus >= ProtectionStatus.end) throw new ClassError(Errno.EIO);
  return encodeWith((encoder) => encoder.u8(protectionStatus));
}

function setProtectionStatus(object: MethodContext, { snapId, status }: { snapId: bigint; status: number }): void {
  object.stat();
  requireFeature(object, Feature.layering);
  if (snapId === NOSNAP || status >= ProtectionStatus.end) throw new ClassError(Errno.EINVAL);
  writeSnapshot(object, { ...readSnapshot(object, snapId), protectionStatus: status });
}

/** @throws ClassError ERANGE: there are more already */
function setLimit(object: MethodContext, limit: bigint): void {
  if (limit === NO_LIMIT) {
    object.omapRemove(['snap_limit']);
    return;
  }
  if (limit < countSnapshots(object)) throw new ClassError(Errno.ERANGE);
  writeNumber(object, 'snap_limit', limit);
}

/** Of an image of either format. */
function countSnapshots(object: MethodContext): bigint {
  try {
    return BigInt(readOldHeader(object).snapshots.length);
  } catch (error) {
    // It has no header of the old format.
    if (!(error instanceof ClassError && error.code === Errno.EINVAL)) throw error;
    return BigInt([...snapshotIds(object)].length);
  }
}

export const snapshotMethods: Readonly<Record<string, ClassMethod>> = {
  get_snapcontext: method(READ, noInput, getSnapcontext),
  get_snapshot_name: method(READ, snapIdInput, (object, snapId) => {
    const { name } = snapshotOf(object, snapId);
    return encodeWith((encoder) => encoder.rawString(name));
  }),
  get_snapshot_timestamp: method(READ, snapIdInput, (object, snapId) => {
    const { timestamp } = snapshotOf(object, snapId);
    return encodeWith((encoder) => encodeUTime(encoder, timestamp));
  }),
  snapshot_get: method(READ, snapIdInput, (object, snapId) => {
    const snapshot = snapshotOf(object, snapId);
    return encodeWith((encoder) => encodeSnapshotInfo(encoder, snapshot));
  }),
  snapshot_add: method(
    READ_WRITE,
    (input): AddInput => ({
      name: input.rawString('name'),
      id: input.u64big('snap id'),
      namespace: input.remaining === 0 ? { type: SnapshotType.user } : decodeNamespace(input),
    }),
    snapshotAdd,
  ),
  snapshot_rename: method(
    READ_WRITE,
    (input) => ({ id: input.u64big('snap id'), name: input.rawString('name') }),
    snapshotRename,
  ),
  snapshot_remove: method(READ_WRITE, snapIdInput, snapshotRemove),
  snapshot_trash_add: method(READ_WRITE, snapIdInput, snapshotTrashAdd),
  get_protection_status: method(READ, snapIdInput, getProtectionStatus),
  set_protection_status: method(
    READ_WRITE,
    (input) => ({ snapId: input.u64big('snap id'), status: input.u8('status') }),
    setProtectionStatus,
  ),
  snapshot_get_limit: method(READ, noInput, (object) => {
    const limit = readNumber(object, 'snap_limit') ?? NO_LIMIT;
    return encodeWith((encoder) => encoder.u64big(limit));
  }),
  snapshot_set_limit: method(READ_WRITE, (input) => input.u64big('limit'), setLimit),
};
