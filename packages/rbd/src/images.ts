/** The images of a pool and namespace. */
import { decodeImageGroup, LockType, NO_POOL } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, lockInfo, type Rados, RadosError } from '@spirula/rados';
import { ask, askIfThere, askOne, classCall } from './class-calls.ts';
import { DIRECTORY, GROUP_DIRECTORY, headerObject, idObject, LOCK } from './names.ts';
import { readPages } from './pages.ts';
import { NO_SNAPSHOT_LIMIT } from './snapshot-changes.ts';

export interface NamedImage {
  readonly name: RawString;
  readonly id: RawString;
}

/** In the order of their names. @throws RadosError */
export async function listImages(io: IoCtx): Promise<readonly NamedImage[]> {
  return await listDirectory(io, DIRECTORY, 'dir_list');
}

/** Names and ids that a directory holds. @throws RadosError */
export async function listDirectory(io: IoCtx, oid: RawString, method: string): Promise<readonly NamedImage[]> {
  return await readPages<NamedImage>(io, oid, (after, max) =>
    classCall(
      method,
      (from) => from.list('entries', 8, () => ({ name: from.rawString('name'), id: from.rawString('id') })),
      (to) => {
        to.rawString(after?.name ?? '');
        to.u64(max);
      },
    ),
  );
}

/** The id that a directory has for a name; undefined: it has not the name. @throws RadosError */
export async function idInDirectory(io: IoCtx, oid: RawString, name: RawString): Promise<RawString | undefined> {
  const get = classCall(
    'dir_get_id',
    (from) => from.rawString('id'),
    (to) => to.rawString(name),
  );
  return await askIfThere(io, oid, get);
}

/** @throws RadosError ENOENT: there is no image of this name */
export async function imageIdOf(io: IoCtx, name: RawString): Promise<RawString> {
  return await askOne(
    io,
    idObject(name),
    classCall('get_id', (from) => from.rawString('id')),
  );
}

/** Undefined: no image has it, any more or yet. @throws RadosError */
export async function imageNameOf(io: IoCtx, id: RawString): Promise<RawString | undefined> {
  return await nameInDirectory(io, DIRECTORY, id);
}

/** The name that a directory has for an id; undefined: it has not the id. @throws RadosError */
export async function nameInDirectory(io: IoCtx, oid: RawString, id: RawString): Promise<RawString | undefined> {
  const get = classCall(
    'dir_get_name',
    (from) => from.rawString('name'),
    (to) => to.rawString(id),
  );
  return await askIfThere(io, oid, get);
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
  const name = await nameInDirectory(groupIo, GROUP_DIRECTORY, groupId);
  if (name === undefined) throw new RadosError(Errno.ENOENT, `the group of image ${id}`);
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
  return limit === NO_SNAPSHOT_LIMIT ? undefined : limit;
}
