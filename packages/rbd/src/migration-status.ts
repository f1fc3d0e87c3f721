/** Both places of an image that migrates, found by either name (librbd/api/Migration.cc, open_images, Migration::status). */
import { MigrationHeader, type RbdMigration, TrashSource } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import type { ImagePlace } from './clone-image.ts';
import { idInDirectory, imageNameOf } from './images.ts';
import { readMigration } from './migration.ts';
import { DIRECTORY } from './names.ts';
import { listTrash } from './trash-list.ts';

export interface MigrationEnd extends ImagePlace {
  readonly id: RawString;
}

export interface MigrationStatus {
  readonly source: MigrationEnd;
  readonly destination: MigrationEnd;
  /** MigrationState */
  readonly state: number;
}

/** @throws RadosError ENOENT: there is no such image; EINVAL: it does not migrate */
export async function migrationStatus(rados: Rados, place: ImagePlace): Promise<MigrationStatus> {
  const given = { ...place, id: await idOf(place) };
  const migration = await readMigration(given.io, given.id);
  const other = await otherEnd(rados, migration);
  if (migration.headerType === MigrationHeader.source) {
    // It may have another name by now.
    const name = (await imageNameOf(other.io, other.id)) ?? other.name;
    return { source: given, destination: { ...other, name }, state: migration.state };
  }
  const { state } = await readMigration(other.io, other.id);
  return { source: other, destination: given, state };
}

/** The one that goes is in the trash. */
async function idOf({ io, name }: ImagePlace): Promise<RawString> {
  const id = await idInDirectory(io, DIRECTORY, name);
  if (id !== undefined) return id;
  const gone = (await listTrash(io)).find((each) => each.source === TrashSource.migration && each.name === name);
  if (!gone) throw new RadosError(Errno.ENOENT, `image ${name}`);
  return gone.id;
}

async function otherEnd(rados: Rados, { poolId, namespace, imageName, imageId }: RbdMigration): Promise<MigrationEnd> {
  const io: IoCtx = (await rados.ioctx(Number(poolId))).with({ nspace: namespace });
  return { io, name: imageName, id: imageId };
}
