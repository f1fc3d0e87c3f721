/**
 * What an image was when it was snapshotted for its mirrors, beside its data: it is in objects of its own, one unless it is much
 * (librbd/mirror/snapshot/SetImageStateRequest.cc, WriteImageStateRequest.cc, RemoveImageStateRequest.cc).
 */
import { encodeSnapshotNamespace, RbdFeature as Feature } from '@spirula/cls';
import { type Bytes, Decoder, Encoder, Errno, MalformedInput, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import { changeIfThere } from './class-calls.ts';
import { type HeaderSnapshot, type ImageHeader, isUserSnapshot } from './image-header.ts';
import { imageNameOf, snapshotLimitOf } from './images.ts';
import { imageMetadata, ownMetadata } from './metadata.ts';
import { NO_SNAPSHOT_LIMIT } from './snapshot-changes.ts';

/** RBD_FEATURES_IMPLICIT_ENABLE: an image has them by itself. */
const IMPLICIT = Feature.stripingV2 | Feature.dataPool | Feature.fastDiff | Feature.operations | Feature.nonPrimary;
/** Bytes that tell in how many objects it is. */
const COUNT_BYTES = 6 + 4;

function stateObject(imageId: RawString, snapId: bigint, index: number): RawString {
  return `rbd_mirror_snapshot.${imageId}.${snapId}.${index}`;
}

/** The first object, which says how many there are, is written last. @throws RadosError */
export async function writeImageState(io: IoCtx, header: ImageHeader, snapId: bigint): Promise<void> {
  const state = await encodeState(io, header);
  const objectSize = 2 ** header.order;
  const count = 1 + Math.floor((COUNT_BYTES + state.length) / objectSize);
  const encoder = new Encoder(COUNT_BYTES + state.length);
  encoder.struct(1, 1, () => encoder.u32(count));
  encoder.raw(state);
  const bytes = encoder.finish();
  for (let index = count - 1; index >= 0; index--) {
    const part = bytes.subarray(index * objectSize, (index + 1) * objectSize);
    await io.writeFull(stateObject(header.id, snapId, index), part);
  }
}

async function encodeState(io: IoCtx, header: ImageHeader): Promise<Bytes> {
  const name = (await imageNameOf(io, header.id)) ?? '';
  const limit = (await snapshotLimitOf(io, header.id)) ?? NO_SNAPSHOT_LIMIT;
  const metadata = ownMetadata(await imageMetadata(io, header.id));
  const snapshots = new Map(
    [...header.snapshots]
      .reverse()
      .filter(isUserSnapshot)
      .map((snapshot) => [snapshot.id, snapshot]),
  );
  const encoder = new Encoder(256);
  encoder.struct(1, 1, () => {
    encoder.rawString(name);
    encoder.u64big(header.features & ~IMPLICIT);
    encoder.u64big(limit);
    encoder.map(
      snapshots,
      (id) => encoder.u64big(id),
      (snapshot) => encodeSnapshot(encoder, snapshot),
    );
    encoder.map(
      metadata,
      (key) => encoder.rawString(key),
      (value) => encoder.blob(value),
    );
  });
  return encoder.finish();
}

function encodeSnapshot(encoder: Encoder, { namespace, name, protection }: HeaderSnapshot): void {
  encoder.struct(1, 1, () => {
    encodeSnapshotNamespace(encoder, namespace);
    encoder.rawString(name);
    encoder.u8(protection);
  });
}

/** None may be there. @throws RadosError */
export async function removeImageState(io: IoCtx, imageId: RawString, snapId: bigint): Promise<void> {
  for (let index = (await countOf(io, imageId, snapId)) - 1; index >= 0; index--) {
    await changeIfThere(io, stateObject(imageId, snapId, index), new ObjectOperation().remove());
  }
}

async function countOf(io: IoCtx, imageId: RawString, snapId: bigint): Promise<number> {
  try {
    const from = new Decoder(await io.read(stateObject(imageId, snapId, 0), 0, COUNT_BYTES));
    return from.struct('image state', 1, () => from.u32('object count'));
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return 0;
    if (error instanceof MalformedInput) return 1;
    throw error;
  }
}
