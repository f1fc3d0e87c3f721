/** What an image's header tells of it, all of one moment (librbd/image/RefreshRequest.cc). */
import {
  decodeImageSnapshot,
  decodeSnapshotInfo,
  RbdFeature as Feature,
  type ImageSnapshot,
  imageSnapshotExists,
  NOSNAP,
  type RbdSnapshotInfo,
  RbdSnapshotType,
} from '@spirula/cls';
import { decodeUTime, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, RadosError } from '@spirula/rados';
import { ask, classCall } from './class-calls.ts';
import type { ImageLayout } from './image-layout.ts';
import { headerObject } from './names.ts';

/** What an image, or a snapshot of it, shows of the image that it is a clone of. */
export interface ParentLink extends ImageSnapshot {
  /** Bytes from the beginning; 0: nothing any more. */
  readonly overlap: number;
}

export interface HeaderSnapshot extends RbdSnapshotInfo {
  /** RBD_PROTECTION_STATUS_*: 0 unprotected, 1 unprotecting, 2 protected. */
  readonly protection: number;
  readonly flags: bigint;
  /** Bytes of the parent that it shows; undefined: none. */
  readonly parentOverlap: number | undefined;
}

export interface ImageHeader {
  readonly id: RawString;
  /** Bytes. */
  readonly size: number;
  readonly order: number;
  readonly layout: ImageLayout;
  readonly features: bigint;
  readonly operationFeatures: bigint;
  readonly flags: bigint;
  readonly objectPrefix: RawString;
  /** Undefined: data are in the header's pool. */
  readonly dataPool: bigint | undefined;
  readonly snapSeq: bigint;
  /** Newest first. */
  readonly snapshots: readonly HeaderSnapshot[];
  readonly parent: ParentLink | undefined;
  /** False: only snapshots show the parent. */
  readonly isClone: boolean;
  readonly created: UTime;
  readonly accessed: UTime;
  readonly modified: UTime;
}

/** Whether users made it, and see it by its name. */
export function isUserSnapshot({ namespace }: HeaderSnapshot): boolean {
  return namespace.type === RbdSnapshotType.user;
}

/** Snapshots that come and go while they are read: it is tried again so often. */
const MAX_TRIES = 10;

/** @throws RadosError ENOENT: there is no such image; EFBIG: it is larger than this program counts; EIO */
export async function readHeader(io: IoCtx, id: RawString): Promise<ImageHeader> {
  for (let tries = 1; ; tries++) {
    const header = await readHeaderOnce(io, id);
    if (header) return header;
    if (tries === MAX_TRIES) throw new RadosError(Errno.EBUSY, headerObject(id));
  }
}

/** Undefined: a snapshot went while the others were read. */
async function readHeaderOnce(io: IoCtx, id: RawString): Promise<ImageHeader | undefined> {
  const oid = headerObject(id);
  const [size, objectPrefix, features, flags, context, operationFeatures, parent, overlap, dataPool, ...times] =
    await ask(io, oid, [
      classCall(
        'get_size',
        (from) => ({ order: from.u8('order'), size: from.u64big('size') }),
        (to) => to.u64big(NOSNAP),
      ),
      classCall('get_object_prefix', (from) => from.rawString('object prefix')),
      classCall(
        'get_features',
        (from) => from.u64big('features'),
        (to) => {
          to.u64big(NOSNAP);
          to.bool(true);
        },
      ),
      classCall(
        'get_flags',
        (from) => from.u64big('flags'),
        (to) => to.u64big(NOSNAP),
      ),
      classCall('get_snapcontext', (from) => ({
        seq: from.u64big('seq'),
        ids: from.list('snaps', 8, () => from.u64big('snap')),
      })),
      classCall('op_features_get', (from) => from.u64big('features')),
      classCall('parent_get', decodeImageSnapshot),
      classCall('parent_overlap_get', decodeOverlap, (to) => to.u64big(NOSNAP)),
      classCall('get_data_pool', (from) => from.i64big('data pool')),
      classCall('get_create_timestamp', (from) => decodeUTime(from, 'time')),
      classCall('get_access_timestamp', (from) => decodeUTime(from, 'time')),
      classCall('get_modify_timestamp', (from) => decodeUTime(from, 'time')),
    ]);
  const snapshots = await readSnapshots(io, oid, context.ids);
  if (!snapshots) return undefined;
  const [created, accessed, modified] = times;
  return {
    id,
    size: counted(size.size, oid),
    order: size.order,
    layout: await readLayout(io, oid, size.order, features),
    features,
    operationFeatures,
    flags,
    objectPrefix,
    dataPool: dataPool < 0n ? undefined : dataPool,
    snapSeq: context.seq,
    snapshots,
    isClone: imageSnapshotExists(parent) && overlap !== undefined,
    parent: imageSnapshotExists(parent) ? { ...parent, overlap: counted(overlap ?? 0n, oid) } : undefined,
    created,
    accessed,
    modified,
  };
}

async function readLayout(io: IoCtx, oid: RawString, order: number, features: bigint): Promise<ImageLayout> {
  const objectSize = 2 ** order;
  if ((features & Feature.stripingV2) === 0n) return { objectSize, stripeUnit: objectSize, stripeCount: 1 };
  const [stripes] = await ask(io, oid, [
    classCall('get_stripe_unit_count', (from) => ({ unit: from.u64('unit'), count: from.u64('count') })),
  ]);
  return { objectSize, stripeUnit: stripes.unit, stripeCount: stripes.count };
}

async function readSnapshots(
  io: IoCtx,
  oid: RawString,
  ids: readonly bigint[],
): Promise<readonly HeaderSnapshot[] | undefined> {
  try {
    return await Promise.all(
      ids.map(async (id) => {
        const [info, protection, flags, overlap] = await ask(io, oid, [
          classCall('snapshot_get', decodeSnapshotInfo, (to) => to.u64big(id)),
          classCall(
            'get_protection_status',
            (from) => from.u8('status'),
            (to) => to.u64big(id),
          ),
          classCall(
            'get_flags',
            (from) => from.u64big('flags'),
            (to) => to.u64big(id),
          ),
          classCall('parent_overlap_get', decodeOverlap, (to) => to.u64big(id)),
        ]);
        return { ...info, protection, flags, parentOverlap: overlap === undefined ? undefined : counted(overlap, oid) };
      }),
    );
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}

function decodeOverlap(from: Parameters<typeof decodeUTime>[0]): bigint | undefined {
  return from.optional('overlap', () => from.u64big('overlap'));
}

function counted(bytes: bigint, oid: RawString): number {
  if (bytes > BigInt(Number.MAX_SAFE_INTEGER)) throw new RadosError(Errno.EFBIG, oid);
  return Number(bytes);
}
