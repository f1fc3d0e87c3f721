/** Snapshots and parents as an image's header keeps them (cls/rbd/cls_rbd.h, cls_rbd_types.cc). */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { compareNumbers, compareStrings } from '../stored-key.ts';
import { NO_POOL, NOSNAP } from './header-keys.ts';

/** A snapshot of an image (ParentImageSpec). */
export interface ImageSnapshot {
  /** `NO_POOL`: there is none. */
  readonly poolId: bigint;
  readonly namespace: RawString;
  readonly imageId: RawString;
  readonly snapId: bigint;
}

/** What an image is a clone of (cls_rbd_parent). */
export interface Parent extends ImageSnapshot {
  /** Bytes that the image shows of it; undefined: only snapshots do. */
  readonly overlap: bigint | undefined;
}

export const NO_PARENT: Parent = {
  poolId: NO_POOL,
  namespace: '',
  imageId: '',
  snapId: NOSNAP,
  overlap: undefined,
};

export function parentExists({ poolId, imageId, snapId }: ImageSnapshot): boolean {
  return poolId >= 0n && imageId !== '' && snapId !== NOSNAP;
}

export function encodeImageSnapshot(encoder: Encoder, spec: ImageSnapshot): void {
  encoder.struct(1, 1, () => {
    encoder.u64big(spec.poolId);
    encoder.rawString(spec.namespace);
    encoder.rawString(spec.imageId);
    encoder.u64big(spec.snapId);
  });
}

/** @throws MalformedInput */
export function decodeImageSnapshot(decoder: Decoder): ImageSnapshot {
  return decoder.struct('parent', 1, () => ({
    poolId: decoder.i64big('pool'),
    namespace: decoder.rawString('namespace'),
    imageId: decoder.rawString('image id'),
    snapId: decoder.u64big('snap id'),
  }));
}

/** As from Nautilus on: no OSD of 16.2 works among older ones. */
export function encodeParent(encoder: Encoder, parent: Parent): void {
  encoder.struct(2, 2, () => {
    encoder.u64big(parent.poolId);
    encoder.rawString(parent.namespace);
    encoder.rawString(parent.imageId);
    encoder.u64big(parent.snapId);
    encoder.optional(parent.overlap, (overlap) => encoder.u64big(overlap));
  });
}

/** @throws MalformedInput */
export function decodeParent(decoder: Decoder): Parent {
  return decoder.struct('parent', 2, (version) => ({
    poolId: decoder.i64big('pool'),
    namespace: version < 2 ? '' : decoder.rawString('namespace'),
    imageId: decoder.rawString('image id'),
    snapId: decoder.u64big('snap id'),
    overlap: version < 2 ? decoder.u64big('overlap') : decoder.optional('overlap', () => decoder.u64big('overlap')),
  }));
}

export const SnapshotType = { user: 0, group: 1, trash: 2, mirror: 3, unknown: 0xffff_ffff } as const;

export const MirrorSnapshotState = { primary: 0, primaryDemoted: 1, nonPrimary: 2, nonPrimaryDemoted: 3 } as const;

export interface MirrorSnapshot {
  readonly type: typeof SnapshotType.mirror;
  readonly state: number;
  readonly isComplete: boolean;
  /** Who has not got it yet, in order. */
  readonly peerUuids: readonly RawString[];
  readonly primaryMirrorUuid: RawString;
  readonly primarySnapId: bigint;
  readonly lastCopiedObject: bigint;
  /** Snapshots here by those there, ascending. */
  readonly snapSeqs: ReadonlyMap<bigint, bigint>;
}

/** What a snapshot is for (SnapshotNamespace). */
export type SnapshotNamespace =
  | { readonly type: typeof SnapshotType.user | typeof SnapshotType.unknown }
  | {
      readonly type: typeof SnapshotType.group;
      readonly poolId: bigint;
      readonly groupId: RawString;
      readonly groupSnapshotId: RawString;
    }
  | { readonly type: typeof SnapshotType.trash; readonly originalName: RawString; readonly originalType: number }
  | MirrorSnapshot;

export function encodeNamespace(encoder: Encoder, namespace: SnapshotNamespace): void {
  encoder.struct(1, 1, () => {
    encoder.u32(namespace.type);
    switch (namespace.type) {
      case SnapshotType.group:
        encoder.u64big(namespace.poolId);
        encoder.rawString(namespace.groupId);
        encoder.rawString(namespace.groupSnapshotId);
        return;
      case SnapshotType.trash:
        encoder.rawString(namespace.originalName);
        encoder.u32(namespace.originalType);
        return;
      case SnapshotType.mirror:
        encodeMirrorSnapshot(encoder, namespace);
        return;
      default:
    }
  });
}

function encodeMirrorSnapshot(encoder: Encoder, mirror: MirrorSnapshot): void {
  encoder.u8(mirror.state);
  encoder.bool(mirror.isComplete);
  encoder.list(mirror.peerUuids, (uuid) => encoder.rawString(uuid));
  encoder.rawString(mirror.primaryMirrorUuid);
  encoder.u64big(mirror.primarySnapId);
  encoder.u64big(mirror.lastCopiedObject);
  encodeSnapSeqs(encoder, mirror.snapSeqs);
}

export function encodeSnapSeqs(encoder: Encoder, snapSeqs: ReadonlyMap<bigint, bigint>): void {
  encoder.map(
    snapSeqs,
    (from) => encoder.u64big(from),
    (to) => encoder.u64big(to),
  );
}

/** Ascending. @throws MalformedInput */
export function decodeSnapSeqs(decoder: Decoder): ReadonlyMap<bigint, bigint> {
  const entries = decoder.map(
    'snap seqs',
    16,
    () => decoder.u64big('snap seq'),
    () => decoder.u64big('snap seq'),
  );
  return new Map([...entries].sort(([a], [b]) => compareNumbers(a, b)));
}

/** A set of strings, in their order. @throws MalformedInput */
export function decodeStringSet(decoder: Decoder, field: string): RawString[] {
  return [...new Set(decoder.list(field, 4, () => decoder.rawString(field)))].sort(compareStrings);
}

/** @throws MalformedInput */
export function decodeNamespace(decoder: Decoder): SnapshotNamespace {
  return decoder.struct('snapshot namespace', 1, (): SnapshotNamespace => {
    const type = decoder.u32('type');
    switch (type) {
      case SnapshotType.user:
        return { type };
      case SnapshotType.group:
        return {
          type,
          poolId: decoder.i64big('pool'),
          groupId: decoder.rawString('group id'),
          groupSnapshotId: decoder.rawString('group snapshot id'),
        };
      case SnapshotType.trash:
        return { type, originalName: decoder.rawString('name'), originalType: decoder.u32('type') };
      case SnapshotType.mirror:
        return {
          type,
          state: decoder.u8('state'),
          isComplete: decoder.bool('complete'),
          peerUuids: decodeStringSet(decoder, 'peer uuids'),
          primaryMirrorUuid: decoder.rawString('primary mirror uuid'),
          primarySnapId: decoder.u64big('primary snap id'),
          lastCopiedObject: decoder.u64big('last copied object'),
          snapSeqs: decodeSnapSeqs(decoder),
        };
      default:
        return { type: SnapshotType.unknown };
    }
  });
}

/** What else two snapshots of one name may differ in. All in the trash are alike to Ceph. */
export function sameNamespace(a: SnapshotNamespace, b: SnapshotNamespace): boolean {
  if (a.type !== b.type) return false;
  if (a.type === SnapshotType.group && b.type === a.type) {
    return a.poolId === b.poolId && a.groupId === b.groupId && a.groupSnapshotId === b.groupSnapshotId;
  }
  return a.type !== SnapshotType.mirror || (b.type === a.type && sameMirrorSnapshot(a, b));
}

function sameMirrorSnapshot(a: MirrorSnapshot, b: MirrorSnapshot): boolean {
  return (
    a.state === b.state &&
    a.isComplete === b.isComplete &&
    a.peerUuids.length === b.peerUuids.length &&
    a.peerUuids.every((uuid, i) => uuid === b.peerUuids[i]) &&
    a.primaryMirrorUuid === b.primaryMirrorUuid &&
    a.primarySnapId === b.primarySnapId &&
    a.lastCopiedObject === b.lastCopiedObject &&
    a.snapSeqs.size === b.snapSeqs.size &&
    [...a.snapSeqs].every(([from, to]) => b.snapSeqs.get(from) === to)
  );
}

/** RBD_PROTECTION_STATUS_*: below `end`. */
export const ProtectionStatus = { unprotected: 0, end: 3 } as const;

/** A snapshot (cls_rbd_snap). */
export interface Snapshot {
  readonly id: bigint;
  readonly name: RawString;
  /** Of the image then, in bytes. */
  readonly imageSize: bigint;
  readonly protectionStatus: number;
  /** Only in snapshots from before Nautilus: newer ones refer to the image's. */
  readonly parent: Parent;
  readonly flags: bigint;
  readonly timestamp: UTime;
  readonly namespace: SnapshotNamespace;
  readonly childCount: number;
  /** Bytes that it shows of the image's parent; undefined: nothing. */
  readonly parentOverlap: bigint | undefined;
}

/** Without its parent, as from Nautilus on. */
export function encodeSnapshot(encoder: Encoder, snapshot: Snapshot): void {
  encoder.struct(8, 8, () => {
    encoder.u64big(snapshot.id);
    encoder.rawString(snapshot.name);
    encoder.u64big(snapshot.imageSize);
    encoder.u8(snapshot.protectionStatus);
    encoder.u64big(snapshot.flags);
    encodeNamespace(encoder, snapshot.namespace);
    encodeUTime(encoder, snapshot.timestamp);
    encoder.u32(snapshot.childCount);
    encoder.optional(snapshot.parentOverlap, (overlap) => encoder.u64big(overlap));
  });
}

/** @throws MalformedInput */
export function decodeSnapshot(decoder: Decoder): Snapshot {
  // Snapshots from before Nautilus keep more: their compat, which stands behind the version, tells.
  const compat = decoder.bytes[decoder.offset + 1] ?? 0;
  const isOld = compat < 8;
  return decoder.struct('snapshot', 8, (version) => {
    const id = decoder.u64big('id');
    const name = decoder.rawString('name');
    const imageSize = decoder.u64big('image size');
    if (isOld) decoder.u64big('features');
    return {
      id,
      name,
      imageSize,
      parent: isOld && version >= 2 ? decodeParent(decoder) : NO_PARENT,
      protectionStatus: version < 3 ? ProtectionStatus.unprotected : decoder.u8('protection status'),
      flags: version < 4 ? 0n : decoder.u64big('flags'),
      namespace: version < 5 ? { type: SnapshotType.user } : decodeNamespace(decoder),
      timestamp: version < 6 ? { sec: 0, nsec: 0 } : decodeUTime(decoder, 'timestamp'),
      childCount: version < 7 ? 0 : decoder.u32('child count'),
      parentOverlap: version < 8 ? undefined : decoder.optional('overlap', () => decoder.u64big('overlap')),
    };
  });
}

/** What clients are told of a snapshot (SnapshotInfo). */
export function encodeSnapshotInfo(encoder: Encoder, snapshot: Snapshot): void {
  encoder.struct(1, 1, () => {
    encoder.u64big(snapshot.id);
    encodeNamespace(encoder, snapshot.namespace);
    encoder.rawString(snapshot.name);
    encoder.u64big(snapshot.imageSize);
    encodeUTime(encoder, snapshot.timestamp);
    encoder.u32(snapshot.childCount);
  });
}

export type SnapshotInfo = Pick<Snapshot, 'id' | 'namespace' | 'name' | 'imageSize' | 'timestamp' | 'childCount'>;

/** @throws MalformedInput */
export function decodeSnapshotInfo(decoder: Decoder): SnapshotInfo {
  return decoder.struct('snapshot info', 1, () => ({
    id: decoder.u64big('id'),
    namespace: decodeNamespace(decoder),
    name: decoder.rawString('name'),
    imageSize: decoder.u64big('image size'),
    timestamp: decodeUTime(decoder, 'timestamp'),
    childCount: decoder.u32('child count'),
  }));
}

/** A clone of a snapshot (ChildImageSpec). */
export interface Child {
  readonly poolId: bigint;
  readonly namespace: RawString;
  readonly imageId: RawString;
}

export function compareChildren(a: Child, b: Child): number {
  return (
    compareNumbers(a.poolId, b.poolId) ||
    compareStrings(a.namespace, b.namespace) ||
    compareStrings(a.imageId, b.imageId)
  );
}

export function encodeChildren(encoder: Encoder, children: readonly Child[]): void {
  encoder.list(children, ({ poolId, imageId, namespace }) =>
    encoder.struct(2, 1, () => {
      encoder.u64big(poolId);
      encoder.rawString(imageId);
      encoder.rawString(namespace);
    }),
  );
}

/** @throws MalformedInput */
export function decodeChild(decoder: Decoder): Child {
  return decoder.struct('child', 2, (version) => ({
    poolId: decoder.i64big('pool'),
    imageId: decoder.rawString('image id'),
    namespace: version < 2 ? '' : decoder.rawString('namespace'),
  }));
}

/** @throws MalformedInput */
export function decodeChildren(decoder: Decoder): Child[] {
  return decoder.list('children', 6 + 8 + 4, () => decodeChild(decoder));
}
