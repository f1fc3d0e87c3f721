/** Groups of images and their snapshots (cls/rbd/cls_rbd_types.cc). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { hex16 } from '../stored-key.ts';
import { NO_POOL } from './header-keys.ts';

/** GroupSpec. */
export interface Group {
  readonly poolId: bigint;
  readonly groupId: RawString;
}

export const NO_GROUP: Group = { poolId: NO_POOL, groupId: '' };

export function encodeGroup(encoder: Encoder, { poolId, groupId }: Group): void {
  encoder.struct(1, 1, () => {
    encoder.u64big(poolId);
    encoder.rawString(groupId);
  });
}

/** @throws MalformedInput */
export function decodeGroup(decoder: Decoder): Group {
  return decoder.struct('group', 1, () => ({ poolId: decoder.i64big('pool'), groupId: decoder.rawString('group id') }));
}

/** GroupImageSpec. */
export interface GroupImage {
  readonly imageId: RawString;
  readonly poolId: bigint;
}

export function encodeGroupImage(encoder: Encoder, { imageId, poolId }: GroupImage): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(imageId);
    encoder.u64big(poolId);
  });
}

/** @throws MalformedInput */
export function decodeGroupImage(decoder: Decoder): GroupImage {
  return decoder.struct('group image', 1, () => ({
    imageId: decoder.rawString('image id'),
    poolId: decoder.i64big('pool'),
  }));
}

export interface GroupImageStatus extends GroupImage {
  /** GROUP_IMAGE_LINK_STATE_*. */
  readonly state: number;
}

export function encodeGroupImageStatus(encoder: Encoder, status: GroupImageStatus): void {
  encoder.struct(1, 1, () => {
    encodeGroupImage(encoder, status);
    encoder.u8(status.state);
  });
}

/** @throws MalformedInput */
export function decodeGroupImageStatus(decoder: Decoder): GroupImageStatus {
  return decoder.struct('group image status', 1, () => ({ ...decodeGroupImage(decoder), state: decoder.u8('state') }));
}

export const GROUP_IMAGE_PREFIX = 'image_';

/** '' where there is no pool. */
export function groupImageKey({ poolId, imageId }: GroupImage): RawString {
  if (poolId === NO_POOL) return '';
  return `${GROUP_IMAGE_PREFIX}${hex16(BigInt.asUintN(64, poolId))}_${imageId}`;
}

/** Undefined: it is no such key. */
export function parseGroupImageKey(key: RawString): GroupImage | undefined {
  const [, pool, imageId] = /^image_([0-9a-f]+)_(\S*)/.exec(key) ?? [];
  if (pool === undefined || imageId === undefined) return undefined;
  return { poolId: BigInt.asIntN(64, BigInt(`0x${pool}`)), imageId };
}

/** GROUP_SNAPSHOT_STATE_INCOMPLETE. */
export const INCOMPLETE_GROUP_SNAPSHOT = 0;

/** GroupSnapshot. */
export interface GroupSnapshot {
  readonly id: RawString;
  readonly name: RawString;
  readonly state: number;
  readonly snapshots: readonly { readonly poolId: bigint; readonly imageId: RawString; readonly snapId: bigint }[];
}

export function encodeGroupSnapshot(encoder: Encoder, { id, name, state, snapshots }: GroupSnapshot): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(id);
    encoder.rawString(name);
    encoder.u8(state);
    encoder.list(snapshots, ({ poolId, imageId, snapId }) =>
      encoder.struct(1, 1, () => {
        encoder.u64big(poolId);
        encoder.rawString(imageId);
        encoder.u64big(snapId);
      }),
    );
  });
}

/** @throws MalformedInput */
export function decodeGroupSnapshot(decoder: Decoder): GroupSnapshot {
  return decoder.struct('group snapshot', 1, () => ({
    id: decoder.rawString('id'),
    name: decoder.rawString('name'),
    state: decoder.u8('state'),
    snapshots: decoder.list('snapshots', 6 + 8 + 4 + 8, () =>
      decoder.struct('snapshot', 1, () => ({
        poolId: decoder.i64big('pool'),
        imageId: decoder.rawString('image id'),
        snapId: decoder.u64big('snap id'),
      })),
    ),
  }));
}
