/**
 * Images that are to go later (librbd/api/Trash.cc, trash/MoveRequest.cc, RemoveRequest.cc). A trashed image has no name, and all else.
 *
 *   named --- trash_add: moving ---> id object, directory entry go ---> normal
 *   normal -- restoring -----------> id object, directory entry come -> its entry in the trash goes
 *   normal -- removing ------------> the image goes ------------------> its entry in the trash goes
 *
 * Who dies in between leaves an image that is in the trash, and perhaps in the directory as well: the same is asked for again.
 */
import { decodeTrashedImage, encodeTrashedImage, TrashSource, TrashState } from '@spirula/cls';
import { addSeconds, compareUTimes, Encoder, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { askIfThere, change, changeIfThere, classCall } from './class-calls.ts';
import { eraseImage, type OnErased, requireMovable, requireRemovable } from './erase-image.ts';
import { idInDirectory, imageIdOf } from './images.ts';
import { endMirroring } from './mirror-images.ts';
import { DIRECTORY, idObject, TRASH } from './names.ts';
import { listTrash, type TrashEntry } from './trash-list.ts';
import type { ImageWorld } from './writable-image.ts';

/** @throws RadosError ENOENT: it is not in the trash */
async function trashEntry(io: IoCtx, id: RawString): Promise<TrashEntry> {
  const get = classCall('trash_get', decodeTrashedImage, (to) => to.rawString(id));
  const entry = await askIfThere(io, TRASH, get);
  if (entry === undefined) throw new RadosError(Errno.ENOENT, `image ${id} in the trash`);
  return { id, ...entry };
}

/**
 * @param deferSeconds so long it may not go, except by force
 * @throws RadosError ENOENT; EBUSY: somebody has its lock, or it is being migrated; EINVAL: it is mirrored, and not written here
 */
export async function moveToTrash(
  rados: Rados,
  io: IoCtx,
  name: RawString,
  deferSeconds: number,
  world: ImageWorld,
): Promise<void> {
  const id = (await idInDirectory(io, DIRECTORY, name)) ?? (await halfMoved(io, name));
  await requireMovable(rados, io, id, world);
  await moveById(rados, io, { id, name, source: TrashSource.user, deferSeconds }, world);
}

/** The id of an image whose move into the trash was begun, and not ended. */
async function halfMoved(io: IoCtx, name: RawString): Promise<RawString> {
  const found = (await listTrash(io)).find(
    (each) => each.source === TrashSource.user && each.state === TrashState.moving && each.name === name,
  );
  if (!found) throw new RadosError(Errno.ENOENT, `image ${name}`);
  return found.id;
}

export interface Move {
  readonly id: RawString;
  readonly name: RawString;
  readonly source: number;
  readonly deferSeconds: number;
}

/** Into the trash. */
export async function moveById(
  rados: Rados,
  io: IoCtx,
  { id, name, source, deferSeconds }: Move,
  world: ImageWorld,
): Promise<void> {
  await endMirroring({ rados, io, world }, id, { isGoing: true });
  const deleted = world.wall();
  const entry = { source, name, deleted, deferredUntil: addSeconds(deleted, deferSeconds), state: TrashState.moving };
  const add = change('trash_add', (to) => {
    to.rawString(id);
    encodeTrashedImage(to, entry);
  });
  const { result } = await io.submit(TRASH, add);
  if (result < 0 && result !== Errno.EEXIST) throw new RadosError(result, TRASH);
  await changeIfThere(io, idObject(name), new ObjectOperation().remove());
  const remove = change('dir_remove_image', (to) => {
    to.rawString(name);
    to.rawString(id);
  });
  await changeIfThere(io, DIRECTORY, remove);
  await setState(io, id, TrashState.normal, TrashState.moving);
  await tellOfTrash(io, (to) => {
    to.u32(Notice.added);
    to.rawString(id);
    encodeTrashedImage(to, { ...entry, state: TrashState.normal });
  });
}

/**
 * Gives it a name again.
 *
 * @param name '': the one that it had
 * @throws RadosError ENOENT: it is not in the trash; EEXIST: there is an image of this name; EINVAL: nobody put it there by hand
 */
export async function restoreFromTrash(io: IoCtx, id: RawString, name: RawString): Promise<void> {
  await restore(io, id, name, RESTORABLE);
}

const RESTORABLE: readonly number[] = [TrashSource.user, TrashSource.mirroring];

/** As `restoreFromTrash`, of what was put there so. */
async function restore(io: IoCtx, id: RawString, asked: RawString, sources: readonly number[]): Promise<void> {
  await giveName(io, id, asked, sources);
  await removeEntry(io, id);
}

/** It is in the trash still. */
async function giveName(io: IoCtx, id: RawString, asked: RawString, sources: readonly number[]): Promise<void> {
  const entry = await trashEntry(io, id);
  if (!sources.includes(entry.source)) throw new RadosError(Errno.EINVAL, `image ${id} in the trash`);
  if (entry.state !== TrashState.normal && entry.state !== TrashState.restoring) {
    throw new RadosError(Errno.EBUSY, `image ${id} in the trash`);
  }
  await setState(io, id, TrashState.restoring, TrashState.normal);
  const name = asked === '' ? entry.name : asked;
  const taken = await idUnder(io, name);
  if (taken !== undefined && taken !== id) {
    await setState(io, id, TrashState.normal, TrashState.restoring);
    throw new RadosError(Errno.EEXIST, `image ${name}`);
  }
  if (taken === undefined) {
    const setId = change('set_id', (to) => to.rawString(id));
    await io.operate(idObject(name), new ObjectOperation().create(true).add(setId.ops[0]!, 'write'));
  }
  const add = change('dir_add_image', (to) => {
    to.rawString(name);
    to.rawString(id);
  });
  const { result } = await io.submit(DIRECTORY, add);
  if (result < 0 && result !== Errno.EEXIST) throw new RadosError(result, DIRECTORY);
}

/**
 * What was put into the trash for `source` has its name again, also when that was cut short.
 *
 * @param beforeLast what else is to be done before the trash knows of it no more: at once, where it does not
 */
export async function comeBack(
  io: IoCtx,
  id: RawString,
  source: number,
  beforeLast: () => Promise<void>,
): Promise<void> {
  const entry = (await listTrash(io)).find((each) => each.id === id);
  if (entry?.state === TrashState.moving) await setState(io, id, TrashState.normal, TrashState.moving);
  if (entry) await giveName(io, id, '', [source]);
  await beforeLast();
  if (entry) await removeEntry(io, id);
}

async function idUnder(io: IoCtx, name: RawString): Promise<RawString | undefined> {
  try {
    return await imageIdOf(io, name);
  } catch (error) {
    if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
    throw error;
  }
}

export interface TrashRemoval {
  /** Also what may not go yet. */
  readonly isForced: boolean;
  readonly onErased?: OnErased;
}

/**
 * @throws RadosError ENOENT: it is not in the trash; EPERM: it may not go yet; EUCLEAN: its move into the trash has not ended; EBUSY: it is
 *   being restored, or somebody has it open; ENOTEMPTY: it has snapshots; EMLINK: it is in a group
 */
export async function removeFromTrash(
  rados: Rados,
  io: IoCtx,
  id: RawString,
  { isForced, onErased }: TrashRemoval,
  world: ImageWorld,
): Promise<void> {
  const entry = await trashEntry(io, id);
  if (!isForced && compareUTimes(world.wall(), entry.deferredUntil) < 0)
    throw new RadosError(Errno.EPERM, `image ${id}`);
  if (entry.state === TrashState.moving) throw new RadosError(Errno.EUCLEAN, `image ${id} in the trash`);
  if (entry.state === TrashState.restoring) throw new RadosError(Errno.EBUSY, `image ${id} in the trash`);
  await setState(io, id, TrashState.removing, TrashState.normal);
  try {
    await eraseImage(rados, io, id, world, onErased);
  } catch (error) {
    await setState(io, id, TrashState.normal, TrashState.removing);
    throw error;
  }
  await removeEntry(io, id);
}

/**
 * Removes an image by its name, by way of the trash: what is begun and not ended is there, and goes when the same is asked for again
 * (librbd/api/Image.cc, remove).
 *
 * @throws RadosError ENOENT; ENOTEMPTY: it has snapshots; EBUSY: somebody has it open; EMLINK: it is in a group
 */
export async function removeImage(
  rados: Rados,
  io: IoCtx,
  name: RawString,
  world: ImageWorld,
  onErased?: OnErased,
): Promise<void> {
  const removal = { isForced: true, ...(onErased && { onErased }) };
  const id = await idInDirectory(io, DIRECTORY, name);
  if (id === undefined) {
    const begun = (await listTrash(io)).find((each) => each.name === name && each.source === TrashSource.removing);
    if (!begun) throw new RadosError(Errno.ENOENT, `image ${name}`);
    await removeFromTrash(rados, io, begun.id, removal, world);
    return;
  }
  await requireRemovable(rados, io, id, world);
  await moveById(rados, io, { id, name, source: TrashSource.removing, deferSeconds: 0 }, world);
  try {
    await removeFromTrash(rados, io, id, removal, world);
  } catch (error) {
    if (error instanceof RadosError && STAYS.has(error.code)) await restore(io, id, name, [TrashSource.removing]);
    throw error;
  }
}

/** One that was being made, or removed, when that was cut short: nothing lists it any more, or yet. */
export async function removeUnlisted(
  rados: Rados,
  io: IoCtx,
  { id, name }: Pick<Move, 'id' | 'name'>,
  world: ImageWorld,
): Promise<void> {
  const entry = (await listTrash(io)).find((each) => each.id === id);
  if (entry?.state === TrashState.moving) await setState(io, id, TrashState.normal, TrashState.moving);
  if (entry) await removeFromTrash(rados, io, id, { isForced: true }, world);
  else if ((await idUnder(io, name)) === id) await changeIfThere(io, idObject(name), new ObjectOperation().remove());
}

/** Somebody began to use it meanwhile: it is an image as before. */
const STAYS: ReadonlySet<number> = new Set([Errno.ENOTEMPTY, Errno.EBUSY, Errno.EMLINK]);

async function setState(io: IoCtx, id: RawString, state: number, expected: number): Promise<void> {
  const set = change('trash_state_set', (to) => {
    to.rawString(id);
    to.u8(state);
    to.u8(expected);
  });
  await io.operate(TRASH, set);
}

/** The image has gone. */
export async function removeEntry(io: IoCtx, id: RawString): Promise<void> {
  await changeIfThere(
    io,
    TRASH,
    change('trash_remove', (to) => to.rawString(id)),
  );
  await tellOfTrash(io, (to) => {
    to.u32(Notice.removed);
    to.rawString(id);
  });
}

/** NOTIFY_OP_IMAGE_* (librbd/trash_watcher/Types.h). */
const Notice = { added: 0, removed: 1 } as const;

/** Who mirrors the pool listens. */
async function tellOfTrash(io: IoCtx, encode: (to: Encoder) => void): Promise<void> {
  const encoder = new Encoder(128);
  encoder.struct(1, 1, () => encode(encoder));
  try {
    await io.notify(TRASH, encoder.finish());
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
  }
}
