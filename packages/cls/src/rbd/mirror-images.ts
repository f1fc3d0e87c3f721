/** Which images of a pool are mirrored (cls/rbd/cls_rbd.cc, mirror_image_*, mirror_instances_*). */
import { type Decoder, EMPTY, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError, type ClassMethod, decodeStored, MethodFlag, method } from '../object-class.ts';
import { encodeWith, entriesFrom, firstOf, writeKey } from '../stored-key.ts';
import { found, removeKeys } from './header-keys.ts';
import {
  decodeImageMapping,
  decodeMirrorImage,
  encodeImageMapping,
  encodeMirrorImage,
  type MirrorImage,
  MirrorImageState,
} from './mirror-codec.ts';
import { GLOBAL_PREFIX, IMAGE_PREFIX, readImageId, readMirrorImage } from './mirror-keys.ts';
import { removeStatuses } from './mirror-status.ts';
import { type MirrorSnapshot, MirrorSnapshotState, type Snapshot, SnapshotType } from './snapshot-codec.ts';
import { readSnapshot, snapshotsOf, writeSnapshot } from './snapshot-keys.ts';

const READ = MethodFlag.read;
const READ_WRITE = MethodFlag.read | MethodFlag.write;
const PROMOTE = MethodFlag.promote;
const INSTANCE_PREFIX = 'instance_';
const MAPPING_PREFIX = 'image_map_';

interface ImageInput {
  readonly imageId: RawString;
  readonly image: MirrorImage;
}

/** @throws ClassError EEXIST: another image has the global id; ENOENT: what is not there cannot be disabled */
function setImage(object: MethodContext, { imageId, image }: ImageInput): void {
  const globalKey = GLOBAL_PREFIX + image.globalId;
  const before = readMirrorImage(object, imageId);
  if (before === undefined) {
    if (readImageId(object, image.globalId) !== undefined) {
      throw new ClassError(Errno.EEXIST);
    }
    if (image.state === MirrorImageState.disabling) throw new ClassError(Errno.ENOENT);
  } else if (before.globalId !== image.globalId) {
    throw new ClassError(Errno.EINVAL);
  }
  writeKey(object, IMAGE_PREFIX + imageId, (encoder) => encodeMirrorImage(encoder, image));
  writeKey(object, globalKey, (encoder) => encoder.rawString(imageId));
}

/** @throws ClassError EBUSY: it is not being disabled */
function removeImage(object: MethodContext, imageId: RawString): void {
  const { state, globalId } = found(readMirrorImage(object, imageId));
  if (state !== MirrorImageState.disabling) throw new ClassError(Errno.EBUSY);
  object.omapRemove([IMAGE_PREFIX + imageId]);
  removeKeys(object, GLOBAL_PREFIX + globalId);
  removeStatuses(object, globalId);
}

/** Images by their ids. The keys of mappings begin as theirs: they are taken for images, as in 16.2. */
function imageList(object: MethodContext, { after, max }: { after: RawString; max: bigint }) {
  const entries = [...firstOf(entriesFrom(object, IMAGE_PREFIX, IMAGE_PREFIX + after), max)];
  const images = entries.map(([key, value]) => [key, decodeStored(value, decodeMirrorImage)] as const);
  return encodeWith((encoder) =>
    encoder.list(images, ([key, { globalId }]) => {
      encoder.rawString(key.slice(IMAGE_PREFIX.length));
      encoder.rawString(globalId);
    }),
  );
}

function mappingList(object: MethodContext, { after, max }: { after: RawString; max: bigint }) {
  const entries = [...firstOf(entriesFrom(object, MAPPING_PREFIX, MAPPING_PREFIX + after), max)];
  const mappings = entries.map(([key, value]) => [key, decodeStored(value, decodeImageMapping)] as const);
  return encodeWith((encoder) =>
    encoder.list(mappings, ([key, mapping]) => {
      encoder.rawString(key.slice(MAPPING_PREFIX.length));
      encodeImageMapping(encoder, mapping);
    }),
  );
}

/** @throws ClassError EINVAL: it is none of mirroring */
function mirrorSnapshot(object: MethodContext, snapId: bigint): { snapshot: Snapshot; mirror: MirrorSnapshot } {
  const snapshot = readSnapshot(object, snapId);
  const { namespace } = snapshot;
  if (namespace.type !== SnapshotType.mirror) throw new ClassError(Errno.EINVAL);
  return { snapshot, mirror: namespace };
}

/** A peer needs a snapshot no longer. @throws ClassError ERESTART: the last one does not, and there are newer ones */
function unlinkPeer(object: MethodContext, { snapId, peerUuid }: { snapId: bigint; peerUuid: RawString }): void {
  const { snapshot, mirror } = mirrorSnapshot(object, snapId);
  if (!mirror.peerUuids.includes(peerUuid)) throw new ClassError(Errno.ENOENT);
  if (mirror.peerUuids.length === 1) {
    for (const { id, namespace } of snapshotsOf(object)) {
      if (id > snapId && namespace.type === SnapshotType.mirror) throw new ClassError(Errno.ERESTART);
    }
  }
  const peerUuids = mirror.peerUuids.filter((uuid) => uuid !== peerUuid);
  writeSnapshot(object, { ...snapshot, namespace: { ...mirror, peerUuids } });
}

interface Progress {
  readonly snapId: bigint;
  readonly isComplete: boolean;
  readonly lastCopiedObject: bigint;
}

function setProgress(object: MethodContext, { snapId, isComplete, lastCopiedObject }: Progress): void {
  const { snapshot, mirror } = mirrorSnapshot(object, snapId);
  const isCopy =
    mirror.state === MirrorSnapshotState.nonPrimary || mirror.state === MirrorSnapshotState.nonPrimaryDemoted;
  const namespace = { ...mirror, isComplete, ...(isCopy ? { lastCopiedObject } : {}) };
  writeSnapshot(object, { ...snapshot, namespace });
}

const imageIdInput = (input: Decoder) => input.rawString('image id');
const globalIdInput = (input: Decoder) => input.rawString('global image id');
const pageInput = (input: Decoder) => ({ after: input.rawString('start after'), max: input.u64big('max') });
const instanceInput = (input: Decoder) => input.rawString('instance id');

export const mirrorImageMethods: Readonly<Record<string, ClassMethod>> = {
  mirror_image_list: method(READ, pageInput, imageList),
  mirror_image_get_image_id: method(READ, globalIdInput, (object, globalId) => {
    const imageId = found(readImageId(object, globalId));
    return encodeWith((encoder) => encoder.rawString(imageId));
  }),
  mirror_image_get: method(READ, imageIdInput, (object, imageId) => {
    const image = found(readMirrorImage(object, imageId));
    return encodeWith((encoder) => encodeMirrorImage(encoder, image));
  }),
  mirror_image_set: method(
    READ_WRITE,
    (input): ImageInput => ({ imageId: imageIdInput(input), image: decodeMirrorImage(input) }),
    setImage,
  ),
  mirror_image_remove: method(READ_WRITE, imageIdInput, removeImage),
  mirror_instances_list: method(
    READ,
    () => undefined,
    (object) => {
      const ids = Array.from(entriesFrom(object, INSTANCE_PREFIX), ([key]) => key.slice(INSTANCE_PREFIX.length));
      return encodeWith((encoder) => encoder.list(ids, (id) => encoder.rawString(id)));
    },
  ),
  mirror_instances_add: method(READ_WRITE | PROMOTE, instanceInput, (object, id) =>
    object.omapSet(new Map([[INSTANCE_PREFIX + id, EMPTY]])),
  ),
  mirror_instances_remove: method(READ_WRITE, instanceInput, (object, id) => object.omapRemove([INSTANCE_PREFIX + id])),
  mirror_image_map_list: method(READ, pageInput, mappingList),
  mirror_image_map_update: method(
    MethodFlag.write,
    (input) => ({ globalId: globalIdInput(input), mapping: decodeImageMapping(input) }),
    (object, { globalId, mapping }) =>
      writeKey(object, MAPPING_PREFIX + globalId, (encoder) => encodeImageMapping(encoder, mapping)),
  ),
  mirror_image_map_remove: method(MethodFlag.write, globalIdInput, (object, globalId) =>
    removeKeys(object, MAPPING_PREFIX + globalId),
  ),
  mirror_image_snapshot_unlink_peer: method(
    READ_WRITE,
    (input) => ({ snapId: input.u64big('snap id'), peerUuid: input.rawString('mirror peer uuid') }),
    unlinkPeer,
  ),
  mirror_image_snapshot_set_copy_progress: method(
    READ_WRITE,
    (input): Progress => ({
      snapId: input.u64big('snap id'),
      isComplete: input.bool('complete'),
      lastCopiedObject: input.u64big('last copied object'),
    }),
    setProgress,
  ),
};
