/** Images that go elsewhere while they are used (librbd/api/Migration.cc); what is seen meanwhile is in migration.ts. */
import {
  encodeRbdMigration,
  MigrationHeader,
  MigrationState,
  NOSNAP,
  type RbdMigration,
  TrashSource,
} from '@spirula/cls';
import { Errno, equalBytes, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { change, changeIfThere } from './class-calls.ts';
import type { ImagePlace } from './clone-image.ts';
import { type CopyOptions, copyMetadata } from './copy-image.ts';
import { newImageId } from './create-image.ts';
import { beginCopy } from './deep-copy.ts';
import { eraseImage } from './erase-image.ts';
import { tellOfHeader } from './header-update.ts';
import { Image } from './image.ts';
import { type ImageHeader, isUserSnapshot } from './image-header.ts';
import { stripePeriod } from './image-layout.ts';
import { idInDirectory, imageIdOf } from './images.ts';
import { migrationStatus } from './migration-status.ts';
import { DIRECTORY, headerObject } from './names.ts';
import type { Progress } from './object-map-check.ts';
import { Protection } from './snapshot-changes.ts';
import { isZero } from './sparse-parts.ts';
import { moveById, removeEntry, removeImage, restore } from './trash.ts';
import { type ImageWorld, WritableImage } from './writable-image.ts';

export interface PrepareOptions extends CopyOptions {
  /** What it shows of a parent it has itself in the end. */
  readonly isFlat: boolean;
}

/** The other end of a migration. */
interface End {
  readonly io: IoCtx;
  readonly id: RawString;
}

/**
 * The image is at its new place, and shows what is at the old one.
 *
 * @throws RadosError EBUSY: it migrates already, somebody has it open, or it has snapshots that no users made; EEXIST: there is an
 *   image of the new name
 */
export async function prepareMigration(
  rados: Rados,
  from: ImagePlace,
  to: ImagePlace,
  options: PrepareOptions,
  world: ImageWorld,
): Promise<void> {
  const id = await imageIdOf(from.io, from.name);
  const source = await Image.openId(rados, from.io, id);
  await requireQuiet(rados, source, world);
  const taken = await idInDirectory(to.io, DIRECTORY, to.name);
  if (taken !== undefined && taken !== id) throw new RadosError(Errno.EEXIST, `image ${to.name}`);
  const copyId = newImageId(world);
  const old = { io: from.io, id };
  await moveById(rados, from.io, { id, name: from.name, source: TrashSource.migration, deferSeconds: 0 }, world);
  try {
    const spec = { ...BEGUN, flatten: options.isFlat };
    const there = { poolId: BigInt(to.io.pool), namespace: to.io.nspace, imageName: to.name, imageId: copyId };
    await setMigration(old, { ...spec, ...there, headerType: MigrationHeader.source });
    const { copy, numbers } = await beginCopy(rados, source, to, { ...options, id: copyId }, world);
    try {
      await copyMetadata(source, copy);
    } finally {
      await copy.close();
    }
    const here = { poolId: BigInt(from.io.pool), namespace: from.io.nspace, imageName: from.name, imageId: id };
    const snapSeqs = new Map([...numbers].filter(([snapId]) => snapId !== NOSNAP));
    const overlap = BigInt(source.header.size);
    const made = { io: to.io, id: copyId };
    await setMigration(made, { ...spec, ...here, headerType: MigrationHeader.destination, snapSeqs, overlap });
    await setStates([made, old], MigrationState.prepared);
    await tellOfHeader(to.io, copyId);
  } catch (error) {
    await undo(rados, old, { ...to, id: copyId }, world);
    throw error;
  }
}

const BEGUN: RbdMigration = {
  headerType: MigrationHeader.source,
  poolId: 0n,
  namespace: '',
  imageName: '',
  imageId: '',
  snapSeqs: new Map(),
  overlap: 0n,
  flatten: false,
  mirroring: false,
  state: MigrationState.preparing,
  description: '',
  mirrorMode: 0,
  sourceSpec: '',
};

async function requireQuiet(rados: Rados, { io, header, migration }: Image, world: ImageWorld): Promise<void> {
  if (migration || !header.snapshots.every(isUserSnapshot)) throw new RadosError(Errno.EBUSY, `image ${header.id}`);
  const image = await WritableImage.openId(rados, io, header.id, world);
  try {
    await image.underLock(() => requireUnwatched(io, header));
  } finally {
    await image.close();
  }
}

/** By others than us. */
async function requireUnwatched(io: IoCtx, { id }: ImageHeader): Promise<void> {
  if ((await io.listWatchers(headerObject(id))).length > 1) throw new RadosError(Errno.EBUSY, `image ${id}`);
}

/**
 * All that the old image has is copied, while the new one may be used.
 *
 * @param place the new one or the old one
 * @throws RadosError EINVAL: its migration is not prepared
 */
export async function executeMigration(
  rados: Rados,
  place: ImagePlace,
  world: ImageWorld,
  onProgress: Progress,
): Promise<void> {
  const { source, destination, state } = await migrationStatus(rados, place);
  requireState(state, [MigrationState.prepared, MigrationState.executing], destination);
  const { io, id } = destination;
  const image = await WritableImage.openId(rados, io, id, world);
  try {
    const ends = [destination, source];
    await setStates(ends, MigrationState.executing);
    await tellOfHeader(io, id);
    await image.migrate(onProgress);
    await setStates(ends, MigrationState.executed);
    await tellOfHeader(io, id);
  } finally {
    await image.close();
  }
}

/**
 * The old image goes. By its name this may be asked for again, where it was cut short.
 *
 * @param place the new one or the old one
 * @throws RadosError EINVAL: not all of it has been copied
 */
export async function commitMigration(
  rados: Rados,
  place: ImagePlace,
  world: ImageWorld,
  onProgress: Progress,
): Promise<void> {
  const { source, destination, state } = await migrationStatus(rados, place);
  requireState(state, [MigrationState.executed], destination);
  const image = await WritableImage.openId(rados, destination.io, destination.id, world);
  try {
    if (image.migration) await image.changeHeader(() => endMigration(destination));
  } finally {
    await image.close();
  }
  await removeSnapshots(rados, source, world);
  await eraseImage(rados, source.io, source.id, world, onProgress, true);
  await removeEntry(source.io, source.id);
}

/**
 * The image is at its old place again, and is as the new one is now.
 *
 * @param place the new one or the old one
 * @throws RadosError EINVAL: it does not migrate; EBUSY: somebody has it open, or has made snapshots of it meanwhile
 */
export async function abortMigration(
  rados: Rados,
  place: ImagePlace,
  world: ImageWorld,
  onProgress: Progress,
): Promise<void> {
  const { source, destination } = await migrationStatus(rados, place);
  // Who prepared it may have died before there was a new one.
  if ((await idInDirectory(destination.io, DIRECTORY, destination.name)) !== destination.id) {
    await undo(rados, source, destination, world);
    return;
  }
  const { io, id } = destination;
  const image = await WritableImage.openId(rados, io, id, world, { ignoresMigration: true });
  try {
    const { header } = image;
    const copied = [...migrationOf(image).snapSeqs.values()];
    if (header.snapshots.some((snapshot) => !copied.includes(snapshot.id)))
      throw new RadosError(Errno.EBUSY, `image ${id}`);
    await image.underLock(async () => {
      await requireUnwatched(io, header);
      await bringBack(rados, image, source, world, onProgress);
      await setStates([destination, source], MigrationState.aborting);
    });
  } finally {
    await image.close();
  }
  await undo(rados, source, destination, world);
}

/** What was written meanwhile. */
async function bringBack(
  rados: Rados,
  image: WritableImage,
  old: End,
  world: ImageWorld,
  onProgress: Progress,
): Promise<void> {
  const source = await WritableImage.openId(rados, old.io, old.id, world, { ignoresMigration: true });
  try {
    const { size } = image;
    const period = stripePeriod(image.header.layout);
    if (source.size !== size) await source.resize(size);
    for (let offset = 0; offset < size; offset += period) {
      const [bytes, before] = await Promise.all([image.read(offset, period), source.read(offset, period)]);
      if (!equalBytes(bytes, before)) {
        if (isZero(bytes)) await source.discard(offset, bytes.length);
        else await source.write(offset, bytes);
      }
      onProgress(Math.min(offset + period, size), size);
    }
  } finally {
    await source.close();
  }
}

/** The new image goes, as far as it was made, and the old one comes back. */
async function undo(rados: Rados, old: End, made: End & ImagePlace, world: ImageWorld): Promise<void> {
  if ((await idInDirectory(made.io, DIRECTORY, made.name)) === made.id) {
    await removeSnapshots(rados, made, world);
    await endMigration(made);
    await removeImage(rados, made.io, made.name, world);
  }
  await restore(old.io, old.id, '', [TrashSource.migration]);
  await endMigration(old);
  await tellOfHeader(old.io, old.id);
}

async function removeSnapshots(rados: Rados, { io, id }: End, world: ImageWorld): Promise<void> {
  const image = await WritableImage.openId(rados, io, id, world, { ignoresMigration: true });
  try {
    for (const { name, protection } of [...image.header.snapshots].reverse()) {
      if (protection !== Protection.unprotected) await image.unprotectSnapshot(name);
      await image.removeSnapshot(name);
    }
  } finally {
    await image.close();
  }
}

/** @throws RadosError EINVAL: it does not migrate hither */
function migrationOf({ migration, header }: WritableImage): RbdMigration {
  if (migration?.headerType !== MigrationHeader.destination) throw new RadosError(Errno.EINVAL, `image ${header.id}`);
  return migration;
}

/** @throws RadosError EINVAL: it is in another */
function requireState(state: number, states: readonly number[], { id }: End): void {
  if (!states.includes(state)) throw new RadosError(Errno.EINVAL, `image ${id}`);
}

async function setMigration({ io, id }: End, migration: RbdMigration): Promise<void> {
  await io.operate(
    headerObject(id),
    change('migration_set', (to) => encodeRbdMigration(to, migration)),
  );
}

async function setStates(ends: readonly End[], state: number): Promise<void> {
  const set = change('migration_set_state', (to) => {
    to.u8(state);
    to.rawString('');
  });
  for (const { io, id } of ends) await io.operate(headerObject(id), set);
}

/** The header says nothing of it any more. */
async function endMigration({ io, id }: End): Promise<void> {
  await changeIfThere(io, headerObject(id), change('migration_remove'));
}
