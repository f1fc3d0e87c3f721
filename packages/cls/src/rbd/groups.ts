/** The images and snapshots of a group, in its header, and an image's group, in the image's (cls/rbd/cls_rbd.cc, group_*). */
import { type Bytes, Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method } from '../object-class.ts';
import { encodeWith, entriesFrom, firstOf, writeKey } from '../stored-key.ts';
import { OperationFeature } from './features.ts';
import {
  decodeGroup,
  decodeGroupImage,
  decodeGroupImageStatus,
  decodeGroupSnapshot,
  encodeGroup,
  encodeGroupImageStatus,
  encodeGroupSnapshot,
  GROUP_IMAGE_PREFIX,
  type Group,
  type GroupImage,
  type GroupImageStatus,
  type GroupSnapshot,
  groupImageKey,
  INCOMPLETE_GROUP_SNAPSHOT,
  NO_GROUP,
  parseGroupImageKey,
} from './groups-codec.ts';
import { found, setOperationFeatures } from './header-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const GROUP_KEY = 'rbd_group_ref';
const SNAPSHOT_PREFIX = 'snapshot_';

function imageList(object: MethodContext, { after, max }: { after: GroupImage; max: bigint }): Bytes {
  const entries = firstOf(entriesFrom(object, GROUP_IMAGE_PREFIX, groupImageKey(after)), max);
  const images = [...entries].map(([key, value]): GroupImageStatus => {
    const state = decodeStored(value, (decoder) => decoder.u8('state'));
    const image = parseGroupImageKey(key);
    if (image === undefined) throw new ClassError(Errno.EIO);
    return { ...image, state };
  });
  return encodeWith((encoder) => encoder.list(images, (image) => encodeGroupImageStatus(encoder, image)));
}

/** An image's group; what does not parse is EINVAL here. */
function readGroup(object: MethodContext): Group | undefined {
  const stored = object.omapGet(GROUP_KEY);
  return stored && decodeGroup(new Decoder(stored));
}

function sameGroup(a: Group, b: Group): boolean {
  return a.groupId === b.groupId && a.poolId === b.poolId;
}

/** @throws ClassError EEXIST: the image is in another one */
function imageGroupAdd(object: MethodContext, group: Group): void {
  const before = readGroup(object);
  if (before) {
    if (sameGroup(before, group)) return;
    throw new ClassError(Errno.EEXIST);
  }
  setOperationFeatures(object, OperationFeature.group, OperationFeature.group);
  writeKey(object, GROUP_KEY, (encoder) => encodeGroup(encoder, group));
}

/** @throws ClassError EBADF: the image is in another one */
function imageGroupRemove(object: MethodContext, group: Group): void {
  if (!sameGroup(found(readGroup(object)), group)) throw new ClassError(Errno.EBADF);
  object.omapRemove([GROUP_KEY]);
  setOperationFeatures(object, 0n, OperationFeature.group);
}

function* snapshotsOf(object: MethodContext, after: RawString): Generator<GroupSnapshot> {
  for (const [, value] of entriesFrom(object, SNAPSHOT_PREFIX, SNAPSHOT_PREFIX + after)) {
    yield decodeStored(value, decodeGroupSnapshot);
  }
}

function snapSet(object: MethodContext, snapshot: GroupSnapshot): void {
  const { id, name, state } = snapshot;
  if (name === '' || id === '') throw new ClassError(Errno.EINVAL);
  for (const other of snapshotsOf(object, '')) {
    if (other.name === name && other.id !== id) throw new ClassError(Errno.EEXIST);
  }
  const key = SNAPSHOT_PREFIX + id;
  const isNew = state === INCOMPLETE_GROUP_SNAPSHOT;
  if (isNew && object.omapGet(key) !== undefined) throw new ClassError(Errno.EEXIST);
  writeKey(object, key, (encoder) => encodeGroupSnapshot(encoder, snapshot));
}

/** What does not parse ends the list, and is no failure, as in 16.2. */
function snapList(object: MethodContext, { after, max }: { after: RawString; max: bigint }): Bytes {
  const listed: GroupSnapshot[] = [];
  try {
    for (const snapshot of firstOf(snapshotsOf(object, after), max)) listed.push(snapshot);
  } catch (error) {
    if (!(error instanceof ClassError)) throw error;
  }
  return encodeWith((encoder) => encoder.list(listed, (snapshot) => encodeGroupSnapshot(encoder, snapshot)));
}

export const groupMethods: Readonly<Record<string, ClassMethod>> = {
  group_image_set: method(READ_WRITE, decodeGroupImageStatus, (object, image) =>
    writeKey(object, groupImageKey(image), (encoder) => encoder.u8(image.state)),
  ),
  group_image_remove: method(READ_WRITE, decodeGroupImage, (object, image) =>
    object.omapRemove([groupImageKey(image)]),
  ),
  group_image_list: method(READ, (input) => ({ after: decodeGroupImage(input), max: input.u64big('max') }), imageList),
  image_group_add: method(READ_WRITE, decodeGroup, imageGroupAdd),
  image_group_remove: method(READ_WRITE, decodeGroup, imageGroupRemove),
  image_group_get: method(
    READ,
    () => undefined,
    (object) => {
      const group = readGroup(object) ?? NO_GROUP;
      return encodeWith((encoder) => encodeGroup(encoder, group));
    },
  ),
  group_snap_set: method(READ_WRITE, decodeGroupSnapshot, snapSet),
  group_snap_remove: method(
    READ_WRITE,
    (input) => SNAPSHOT_PREFIX + input.rawString('snapshot id'),
    (object, key) => object.omapRemove([key]),
  ),
  group_snap_get_by_id: method(
    READ,
    (input) => SNAPSHOT_PREFIX + input.rawString('snapshot id'),
    (object, key) => {
      const snapshot = decodeStored(found(object.omapGet(key)), decodeGroupSnapshot);
      return encodeWith((encoder) => encodeGroupSnapshot(encoder, snapshot));
    },
  ),
  group_snap_list: method(
    READ,
    (input) => ({ after: decodeGroupSnapshot(input).id, max: input.u64big('max') }),
    snapList,
  ),
};
