/**
 * Groups of images (librbd/api/Group.cc). The group's header lists its images, and each image's header names its group: who dies between
 * the two leaves a link that is called incomplete, and is made or removed again.
 */
import {
  decodeGroupImageStatus,
  decodeGroupSnapshot,
  encodeGroupImage,
  encodeGroupImageStatus,
  encodeGroupSnapshot,
  encodeImageGroup,
  type GroupImage,
  type GroupImageStatus,
  type GroupSnapshot,
  NO_POOL,
} from '@spirula/cls';
import { Errno, type RawString, rawFromText } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { change, changeIfThere, classCall } from './class-calls.ts';
import { tellOfHeader } from './header-update.ts';
import { idInDirectory, listDirectory, nameInDirectory } from './images.ts';
import { DIRECTORY, GROUP_DIRECTORY, groupHeaderObject, headerObject } from './names.ts';
import { readPages } from './pages.ts';
import type { ImageWorld } from './writable-image.ts';

/** GROUP_IMAGE_LINK_STATE_* */
export const LinkState = { attached: 0, incomplete: 1 } as const;

/** In the order of their names. @throws RadosError */
export async function listGroups(io: IoCtx): Promise<readonly RawString[]> {
  return (await listDirectory(io, GROUP_DIRECTORY, 'group_dir_list')).map(({ name }) => name);
}

/** @throws RadosError ENOENT: there is no group of this name */
export async function groupIdOf(io: IoCtx, name: RawString): Promise<RawString> {
  const id = await idInDirectory(io, GROUP_DIRECTORY, name);
  if (id === undefined) throw new RadosError(Errno.ENOENT, `group ${name}`);
  return id;
}

/** @throws RadosError EEXIST */
export async function createGroup(io: IoCtx, name: RawString, world: ImageWorld): Promise<void> {
  const id = randomId(world);
  await io.operate(GROUP_DIRECTORY, directoryEntry('group_dir_add', name, id));
  try {
    await io.create(groupHeaderObject(id), true);
  } catch (error) {
    await changeIfThere(io, GROUP_DIRECTORY, directoryEntry('group_dir_remove', name, id));
    throw error;
  }
}

/** No other group, snapshot of one or image has it. */
export function randomId(world: Pick<ImageWorld, 'randomBytes'>): RawString {
  return rawFromText([...world.randomBytes(7)].map((byte) => byte.toString(16).padStart(2, '0')).join(''));
}

function directoryEntry(method: string, name: RawString, id: RawString): ObjectOperation {
  return change(method, (to) => {
    to.rawString(name);
    to.rawString(id);
  });
}

/** @throws RadosError ENOENT: there is no group of the first name; EEXIST: there is one of the second */
export async function renameGroup(io: IoCtx, from: RawString, to: RawString): Promise<void> {
  const id = await groupIdOf(io, from);
  const rename = change('group_dir_rename', (input) => {
    input.rawString(from);
    input.rawString(to);
    input.rawString(id);
  });
  await changeIfThere(io, GROUP_DIRECTORY, rename);
}

/** Its snapshots have gone. One that is not there is none. @throws RadosError */
export async function removeGroup(rados: Rados, io: IoCtx, name: RawString): Promise<void> {
  const id = (await idInDirectory(io, GROUP_DIRECTORY, name)) ?? '';
  for (const image of await groupLinks(io, id)) await unlink(io, id, await imageIo(rados, io, image), image.imageId);
  await changeIfThere(io, groupHeaderObject(id), new ObjectOperation().remove());
  await changeIfThere(io, GROUP_DIRECTORY, directoryEntry('group_dir_remove', name, id));
}

/** @throws RadosError */
export async function groupLinks(io: IoCtx, id: RawString): Promise<readonly GroupImageStatus[]> {
  return await readPages<GroupImageStatus>(io, groupHeaderObject(id), (after, max) =>
    classCall(
      'group_image_list',
      (from) => from.list('images', 25, () => decodeGroupImageStatus(from)),
      (to) => {
        encodeGroupImage(to, after ?? { imageId: '', poolId: NO_POOL });
        to.u64(max);
      },
    ),
  );
}

/** Where an image of a group is. */
export async function imageIo(rados: Rados, group: IoCtx, { poolId }: Pick<GroupImage, 'poolId'>): Promise<IoCtx> {
  return (await rados.ioctx(Number(poolId))).with({ nspace: group.nspace });
}

/** An image of a group, by name. */
export interface ImageInGroup {
  readonly pool: number;
  readonly name: RawString;
  /** `LinkState` */
  readonly state: number;
}

/** @throws RadosError ENOENT: one of them has no name */
export async function listGroupImages(rados: Rados, io: IoCtx, group: RawString): Promise<readonly ImageInGroup[]> {
  const id = await idInDirectory(io, GROUP_DIRECTORY, group);
  const images: ImageInGroup[] = [];
  if (id === undefined) return images;
  for (const { imageId, poolId, state } of await groupLinks(io, id)) {
    const name = await nameInDirectory(await imageIo(rados, io, { poolId }), DIRECTORY, imageId);
    if (name === undefined) throw new RadosError(Errno.ENOENT, `image ${imageId}`);
    images.push({ pool: Number(poolId), name, state });
  }
  return images;
}

/** @throws RadosError ENOENT: there is no such group or image; EEXIST: the image is in another group */
export async function addToGroup(io: IoCtx, group: RawString, image: IoCtx, name: RawString): Promise<void> {
  const id = await groupIdOf(io, group);
  const imageId = await namedImage(image, name);
  const link = { imageId, poolId: BigInt(image.pool) };
  await io.operate(groupHeaderObject(id), setLink(link, LinkState.incomplete));
  const add = change('image_group_add', (to) => encodeImageGroup(to, { poolId: BigInt(io.pool), groupId: id }));
  const { result } = await image.submit(headerObject(imageId), add);
  if (result < 0) {
    await io.submit(groupHeaderObject(id), removeLink(link));
    throw new RadosError(result, `image ${name}`);
  }
  await tellOfHeader(image, imageId);
  await io.operate(groupHeaderObject(id), setLink(link, LinkState.attached));
}

async function namedImage(io: IoCtx, name: RawString): Promise<RawString> {
  const id = await idInDirectory(io, DIRECTORY, name);
  if (id === undefined) throw new RadosError(Errno.ENOENT, `image ${name}`);
  return id;
}

/** @throws RadosError ENOENT: there is no such group or image; EBADF: the image is in another group */
export async function removeFromGroup(io: IoCtx, group: RawString, image: IoCtx, name: RawString): Promise<void> {
  const id = await groupIdOf(io, group);
  await unlink(io, id, image, await namedImage(image, name));
}

/** As `removeFromGroup`, of an image that may have no name. */
export async function removeIdFromGroup(io: IoCtx, group: RawString, image: IoCtx, imageId: RawString): Promise<void> {
  await unlink(io, await groupIdOf(io, group), image, imageId);
}

async function unlink(io: IoCtx, groupId: RawString, image: IoCtx, imageId: RawString): Promise<void> {
  const link = { imageId, poolId: BigInt(image.pool) };
  await io.operate(groupHeaderObject(groupId), setLink(link, LinkState.incomplete));
  const remove = change('image_group_remove', (to) => encodeImageGroup(to, { poolId: BigInt(io.pool), groupId }));
  const { result } = await image.submit(headerObject(imageId), remove);
  if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, `image ${imageId}`);
  if (result >= 0) await tellOfHeader(image, imageId);
  await io.operate(groupHeaderObject(groupId), removeLink(link));
}

function setLink(image: GroupImage, state: number): ObjectOperation {
  return change('group_image_set', (to) => encodeGroupImageStatus(to, { ...image, state }));
}

function removeLink(image: GroupImage): ObjectOperation {
  return change('group_image_remove', (to) => encodeGroupImage(to, image));
}

/** By their ids. @throws RadosError */
export async function snapshotsOfGroup(io: IoCtx, id: RawString): Promise<readonly GroupSnapshot[]> {
  return await readPages<GroupSnapshot>(io, groupHeaderObject(id), (after, max) =>
    classCall(
      'group_snap_list',
      (from) => from.list('snapshots', 19, () => decodeGroupSnapshot(from)),
      (to) => {
        encodeGroupSnapshot(to, after ?? { id: '', name: '', state: 0, snapshots: [] });
        to.u64(max);
      },
    ),
  );
}
