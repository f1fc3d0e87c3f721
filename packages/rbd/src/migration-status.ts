/** Both places of an image that migrates, found by either name (librbd/api/Migration.cc, open_images, Migration::status). */
import { MigrationHeader, type RbdMigration, TrashSource } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import type { ImagePlace } from './clone-image.ts';
import { idInDirectory, imageNameOf } from './images.ts';
import { readMigration } from './migration.ts';
import { DIRECTORY } from './names.ts';
import { listNamespaces } from './namespaces.ts';
import { listTrash } from './trash-list.ts';

export interface MigrationEnd extends ImagePlace {
  readonly id: RawString;
}

/** One that is in the trash since it was migrated. */
export interface MigratedImage extends MigrationEnd {
  /** TrashState */
  readonly trashState: number;
}

export interface MigrationStatus {
  readonly source: MigrationEnd;
  readonly destination: MigrationEnd;
  /** MigrationState */
  readonly state: number;
}

/** @throws RadosError ENOENT: there is no such image; EINVAL: it does not migrate */
export async function migrationStatus(rados: Rados, place: ImagePlace): Promise<MigrationStatus> {
  const id = await idOf(place);
  const migration = id && (await ifMigrating(readMigration(place.io, id)));
  if (!id || !migration) {
    const left = await leftSource(rados, place, id);
    if (left) return left;
    throw new RadosError(id ? Errno.EINVAL : Errno.ENOENT, `image ${place.name}`);
  }
  const given = { ...place, id };
  const other = await otherEnd(rados, migration);
  if (migration.headerType === MigrationHeader.source) {
    // It may have another name by now.
    const name = (await imageNameOf(other.io, other.id)) ?? other.name;
    return { source: given, destination: { ...other, name }, state: migration.state };
  }
  const { state } = await readMigration(other.io, other.id);
  return { source: other, destination: given, state };
}

/** The one that goes is in the trash. Undefined: there is none of this name. */
async function idOf({ io, name }: ImagePlace): Promise<RawString | undefined> {
  const id = await idInDirectory(io, DIRECTORY, name);
  if (id !== undefined) return id;
  return (await listTrash(io)).find((each) => each.source === TrashSource.migration && each.name === name)?.id;
}

/**
 * The old one of which the new one does not know any more, or which is alone: a commit or an abort was cut short. It may be in
 * whatever pool.
 */
async function leftSource(
  rados: Rados,
  { io: newIo, name }: ImagePlace,
  id: RawString | undefined,
): Promise<MigrationStatus | undefined> {
  for await (const source of migratedImages(rados)) {
    const to = await ifMigrating(readMigration(source.io, source.id));
    if (!to || Number(to.poolId) !== newIo.pool || to.namespace !== newIo.nspace) continue;
    if (id === undefined ? to.imageName !== name : to.imageId !== id) continue;
    return { source, destination: { io: newIo, name, id: to.imageId }, state: to.state };
  }
  return undefined;
}

/** Those that are in the trash since they were migrated, of all pools that this client may see. */
export async function* migratedImages(rados: Rados): AsyncIterable<MigratedImage> {
  for (const pool of rados.poolList()) {
    const io = await rados.ioctx(pool);
    for (const nspace of ['', ...((await ifPermitted(listNamespaces(io))) ?? [])]) {
      const place = io.with({ nspace });
      for (const { source, id, name, state } of (await ifPermitted(listTrash(place))) ?? []) {
        if (source === TrashSource.migration) yield { io: place, id, name, trashState: state };
      }
    }
  }
}

/** Undefined: it does not migrate, or is no more. */
export function ifMigrating(asked: Promise<RbdMigration>): Promise<RbdMigration | undefined> {
  return unless([Errno.EINVAL, Errno.ENOENT], asked);
}

function ifPermitted<T>(asked: Promise<T>): Promise<T | undefined> {
  return unless([Errno.EPERM, Errno.ENOENT], asked);
}

/** Undefined: there is no such thing. */
export function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  return unless([Errno.ENOENT], asked);
}

async function unless<T>(codes: readonly number[], asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof RadosError && codes.includes(error.code)) return undefined;
    throw error;
  }
}

async function otherEnd(rados: Rados, { poolId, namespace, imageName, imageId }: RbdMigration): Promise<MigrationEnd> {
  const io: IoCtx = (await rados.ioctx(Number(poolId))).with({ nspace: namespace });
  return { io, name: imageName, id: imageId };
}
