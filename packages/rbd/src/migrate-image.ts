/** Images that go elsewhere while they are used (librbd/api/Migration.cc); what is seen meanwhile is in migration.ts. */
import {
  encodeRbdMigration,
  MigrationHeader,
  MigrationState,
  NOSNAP,
  type RbdMigration,
  TrashSource,
  TrashState,
} from '@spirula/cls';
import { Errno, equalBytes, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { change } from './class-calls.ts';
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
import { readMigration } from './migration.ts';
import {
  ifMigrating,
  ifThere,
  type MigratedImage,
  type MigrationStatus,
  migratedImages,
  migrationStatus,
} from './migration-status.ts';
import { endMirroring } from './mirror-images.ts';
import { DIRECTORY, headerObject } from './names.ts';
import type { Progress } from './object-map-check.ts';
import { Protection } from './snapshot-changes.ts';
import { isZero } from './sparse-parts.ts';
import { comeBack, moveById, removeEntry, removeImage, removeUnlisted } from './trash.ts';
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
  const old = { ...from, id };
  await endMirroring({ rados, io: from.io, world }, id, { isGoing: true });
  const spec = { ...BEGUN, flatten: options.isFlat };
  const there = { poolId: BigInt(to.io.pool), namespace: to.io.nspace, imageName: to.name, imageId: copyId };
  // Before it loses its name: what is cut short from here on is taken back by an abort.
  await setMigration(old, { ...spec, ...there, headerType: MigrationHeader.source });
  try {
    await moveById(rados, from.io, { id, name: from.name, source: TrashSource.migration, deferSeconds: 0 }, world);
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
 * The old image goes. What was cut short is ended when it is asked for again.
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
  const { source, destination, state } = await statusToEnd(rados, place, world);
  requireState(state, [MigrationState.executed], destination);
  const image = await WritableImage.openId(rados, destination.io, destination.id, world);
  try {
    if (image.migration) await image.changeHeader(() => endMigration(destination));
  } finally {
    await image.close();
  }
  await ifThere(removeSnapshots(rados, source, world));
  await eraseImage(rados, source.io, source.id, world, onProgress, true);
  await removeEntry(source.io, source.id);
}

/** As `migrationStatus`. Where it fails a commit or an abort may have ended but for what the trash says of the old image: that goes. */
export async function statusToEnd(rados: Rados, place: ImagePlace, world: ImageWorld): Promise<MigrationStatus> {
  try {
    return await migrationStatus(rados, place);
  } catch (error) {
    await removeRemnants(rados, world);
    throw error;
  }
}

/** Images that went, or that are where they were, but for what the trash says of them. */
async function removeRemnants(rados: Rados, world: ImageWorld): Promise<void> {
  for await (const image of migratedImages(rados)) {
    const { io, id } = image;
    const { result } = await io.submit(headerObject(id), new ObjectOperation().stat());
    if (result === Errno.ENOENT) await eraseImage(rados, io, id, world);
    else if (!(await isBack(image))) continue;
    await removeEntry(io, id);
  }
}

async function isBack({ io, id, name, trashState }: MigratedImage): Promise<boolean> {
  if (trashState !== TrashState.restoring || (await idInDirectory(io, DIRECTORY, name)) !== id) return false;
  return (await ifMigrating(readMigration(io, id))) === undefined;
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
  const { source, destination, state } = await statusToEnd(rados, place, world);
  if (HOLDING.has(state)) await bringAllBack(rados, source, destination, world, onProgress);
  await undo(rados, source, destination, world);
}

/** The new image may have what the old one has not: not before it is whole, nor when all is back. */
const HOLDING: ReadonlySet<number> = new Set([
  MigrationState.prepared,
  MigrationState.executing,
  MigrationState.executed,
]);

async function bringAllBack(
  rados: Rados,
  source: End,
  destination: End,
  world: ImageWorld,
  onProgress: Progress,
): Promise<void> {
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

/** The new image goes, as far as it was made, and the old one comes back. What was cut short is done again. */
async function undo(rados: Rados, old: End, made: End & ImagePlace, world: ImageWorld): Promise<void> {
  await removeMade(rados, made, world);
  await comeBack(old.io, old.id, TrashSource.migration, () => endMigration(old));
  await tellOfHeader(old.io, old.id);
}

async function removeMade(rados: Rados, made: End & ImagePlace, world: ImageWorld): Promise<void> {
  const { io, id, name } = made;
  if ((await idInDirectory(io, DIRECTORY, name)) !== id) {
    await removeUnlisted(rados, io, { id, name }, world);
    return;
  }
  await ifThere(removeSnapshots(rados, made, world));
  await endMigration(made);
  await removeImage(rados, io, name, world);
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

/** The header, if there is one, says nothing of it any more. */
async function endMigration({ io, id }: End): Promise<void> {
  const { result } = await io.submit(headerObject(id), change('migration_remove'));
  if (result < 0 && !NO_HEADER.has(result)) throw new RadosError(result, headerObject(id));
}

/** There is no such object, or nothing in it: its making was cut short. */
const NO_HEADER: ReadonlySet<number> = new Set([Errno.ENOENT, Errno.ENXIO]);
