/**
 * Clones of an image's snapshots. Newer clones stand in the header, with their snapshot; older ones in the pool's object
 * `rbd_children`, under what they are clones of (cls/rbd/cls_rbd.cc).
 */
import { type Decoder, Errno, type RawString, rawFromBytes } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, MethodFlag, method } from '../object-class.ts';
import { encodeWith, hex16, readKey, writeKey } from '../stored-key.ts';
import { OperationFeature } from './features.ts';
import { found, removeKeys, setOperationFeatures } from './header-keys.ts';
import {
  type Child,
  compareChildren,
  decodeChild,
  decodeChildren,
  decodeStringSet,
  encodeChildren,
  SnapshotType,
} from './snapshot-codec.ts';
import { readSnapshot, snapshotsOf, writeSnapshot } from './snapshot-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;

interface ChildInput {
  readonly snapId: bigint;
  readonly child: Child;
}

const childInput = (input: Decoder): ChildInput => ({ snapId: input.u64big('snap id'), child: decodeChild(input) });

function childrenKey(snapId: bigint): RawString {
  return `snap_children_${hex16(snapId)}`;
}

/** @throws ClassError ENOENT: nobody may clone a snapshot in the trash any more */
function childAttach(object: MethodContext, { snapId, child }: ChildInput): void {
  const snapshot = readSnapshot(object, snapId);
  if (snapshot.namespace.type === SnapshotType.trash) throw new ClassError(Errno.ENOENT);
  const children = readKey(object, childrenKey(snapId), decodeChildren) ?? [];
  if (children.some((each) => compareChildren(each, child) === 0)) throw new ClassError(Errno.EEXIST);
  const all = [...children, child].sort(compareChildren);
  writeKey(object, childrenKey(snapId), (encoder) => encodeChildren(encoder, all));
  writeSnapshot(object, { ...snapshot, childCount: snapshot.childCount + 1 });
  setOperationFeatures(object, OperationFeature.cloneParent, OperationFeature.cloneParent);
}

function childDetach(object: MethodContext, { snapId, child }: ChildInput): void {
  const snapshot = readSnapshot(object, snapId);
  const children = readKey(object, childrenKey(snapId), decodeChildren) ?? [];
  if (snapshot.childCount !== children.length) throw new ClassError(Errno.EINVAL);
  const left = children.filter((each) => compareChildren(each, child) !== 0);
  if (left.length === children.length) throw new ClassError(Errno.ENOENT);
  if (left.length === 0) removeKeys(object, childrenKey(snapId));
  else writeKey(object, childrenKey(snapId), (encoder) => encodeChildren(encoder, left));
  writeSnapshot(object, { ...snapshot, childCount: left.length });
  if (left.length > 0) return;
  for (const other of snapshotsOf(object)) if (other.id !== snapId && other.childCount > 0) return;
  setOperationFeatures(object, 0n, OperationFeature.cloneParent);
}

function childrenList(object: MethodContext, snapId: bigint) {
  readSnapshot(object, snapId);
  const children = found(readKey(object, childrenKey(snapId), decodeChildren));
  return encodeWith((encoder) => encodeChildren(encoder, children));
}

/** The key of a parent in `rbd_children`: its encoding. */
function parentInput(input: Decoder): RawString {
  const from = input.offset;
  input.u64big('pool');
  input.rawString('image id');
  input.u64big('snap id');
  return rawFromBytes(input.bytes.subarray(from, input.offset));
}

interface OldChildInput {
  readonly key: RawString;
  readonly child: RawString;
}

const oldChildInput = (input: Decoder): OldChildInput => ({
  key: parentInput(input),
  child: input.rawString('child id'),
});

function readOldChildren(object: MethodContext, key: RawString): RawString[] | undefined {
  return readKey(object, key, (decoder) => decodeStringSet(decoder, 'children'));
}

function addChild(object: MethodContext, { key, child }: OldChildInput): void {
  const children = readOldChildren(object, key) ?? [];
  if (children.includes(child)) throw new ClassError(Errno.EEXIST);
  const all = [...children, child].sort();
  writeKey(object, key, (encoder) => encoder.list(all, (id) => encoder.rawString(id)));
}

function removeChild(object: MethodContext, { key, child }: OldChildInput): void {
  const children = found(readOldChildren(object, key));
  if (!children.includes(child)) throw new ClassError(Errno.ENOENT);
  const left = children.filter((id) => id !== child);
  if (left.length === 0) object.omapRemove([key]);
  else writeKey(object, key, (encoder) => encoder.list(left, (id) => encoder.rawString(id)));
}

export const childMethods: Readonly<Record<string, ClassMethod>> = {
  child_attach: method(READ_WRITE, childInput, childAttach),
  child_detach: method(READ_WRITE, childInput, childDetach),
  children_list: method(READ, (input) => input.u64big('snap id'), childrenList),
  add_child: method(READ_WRITE, oldChildInput, addChild),
  remove_child: method(READ_WRITE, oldChildInput, removeChild),
  get_children: method(READ, parentInput, (object, key) => {
    const children = found(readOldChildren(object, key));
    return encodeWith((encoder) => encoder.list(children, (id) => encoder.rawString(id)));
  }),
};
