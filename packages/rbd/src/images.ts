/** The images of a pool and namespace. */
import { decodeImageGroup, LockType, NO_POOL } from '@spirula/cls';
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, lockInfo, type Rados, RadosError } from '@spirula/rados';
import { ask, classCall } from './class-calls.ts';
import { DIRECTORY, GROUP_DIRECTORY, headerObject, idObject, LOCK } from './names.ts';

export interface NamedImage {
  readonly name: RawString;
  readonly id: RawString;
}

/** Entries asked for at a time (RBD_MAX_KEYS_READ …). */
const PAGE = 1024;
/** UINT64_MAX */
const NO_LIMIT = (1n << 64n) - 1n;

/** In the order of their names. @throws RadosError */
export async function listImages(io: IoCtx): Promise<readonly NamedImage[]> {
  const all: NamedImage[] = [];
  for (;;) {
    const list = classCall(
      'dir_list',
      (from) => from.list('entries', 8, () => ({ name: from.rawString('name'), id: from.rawString('id') })),
      (to) => {
        to.rawString(all.at(-1)?.name ?? '');
        to.u64(PAGE);
      },
    );
    try {
      const [page] = await ask(io, DIRECTORY, [list]);
      all.push(...page);
      if (page.length < PAGE) return all;
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return all;
      throw error;
    }
  }
}

/** @throws RadosError ENOENT: there is no image of this name */
export async function imageIdOf(io: IoCtx, name: RawString): Promise<RawString> {
  const [id] = await ask(io, idObject(name), [classCall('get_id', (from) => from.rawString('id'))]);
  return id;
}

/** Undefined: no image has it, any more or yet. @throws RadosError */
export async function imageNameOf(io: IoCtx, id: RawString): Promise<RawString | undefined> {
  const get = classCall(
    'dir_get_name',
    (from) => from.rawString('name'),
    (to) => to.rawString(id),
  );
  try {
    const [name] = await ask(io, DIRECTORY, [get]);
    return name;
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}

/** A group of images. */
export interface ImageGroup {
  readonly pool: bigint;
  readonly name: RawString;
}

/** Undefined: the image is in none. @throws RadosError */
export async function groupOf(rados: Rados, io: IoCtx, id: RawString): Promise<ImageGroup | undefined> {
  const [{ poolId, groupId }] = await ask(io, headerObject(id), [classCall('image_group_get', decodeImageGroup)]);
  if (poolId === NO_POOL) return undefined;
  const groupIo = (await rados.ioctx(Number(poolId))).with({ nspace: io.nspace });
  const get = classCall(
    'dir_get_name',
    (from) => from.rawString('name'),
    (to) => to.rawString(groupId),
  );
  const [name] = await ask(groupIo, GROUP_DIRECTORY, [get]);
  return { pool: poolId, name };
}

/** Who holds the lock of an image. */
export interface ImageLock {
  readonly isExclusive: boolean;
}

/** Undefined: nobody. @throws RadosError */
export async function lockOf(io: IoCtx, id: RawString): Promise<ImageLock | undefined> {
  const { lockers, type } = await lockInfo(io, headerObject(id), LOCK);
  return lockers.length === 0 ? undefined : { isExclusive: type !== LockType.shared };
}

/** Snapshots that the image may have at most; undefined: as many as wanted. @throws RadosError */
export async function snapshotLimitOf(io: IoCtx, id: RawString): Promise<bigint | undefined> {
  const [limit] = await ask(io, headerObject(id), [classCall('snapshot_get_limit', (from) => from.u64big('limit'))]);
  return limit === NO_LIMIT ? undefined : limit;
}

/** Pairs that programs keep with an image, by name. @throws RadosError */
export async function imageMetadata(io: IoCtx, id: RawString): Promise<ReadonlyMap<RawString, Bytes>> {
  const all = new Map<RawString, Bytes>();
  for (let after = ''; ; ) {
    const list = classCall(
      'metadata_list',
      (from) =>
        from.map(
          'metadata',
          8,
          () => from.rawString('name'),
          () => from.blob('value'),
        ),
      (to) => {
        to.rawString(after);
        to.u64(PAGE);
      },
    );
    const [page] = await ask(io, headerObject(id), [list]);
    for (const [name, value] of page) all.set((after = name), value);
    if (page.size < PAGE) return all;
  }
}
