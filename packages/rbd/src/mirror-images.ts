/**
 * Which images of a pool are mirrored, and which site is the one that writes to them (librbd/mirror/EnableRequest.cc, DisableRequest.cc,
 * PromoteRequest.cc, DemoteRequest.cc, GetInfoRequest.cc).
 */
import {
  decodeMirrorImage,
  encodeMirrorImage,
  RbdFeature as Feature,
  type MirrorImage,
  MirrorImageState,
  MirrorSnapshotState,
} from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, type Rados, RadosError } from '@spirula/rados';
import { listChildren } from './children.ts';
import { askIfThere, change, changeIfThere, classCall } from './class-calls.ts';
import type { ImageHeader } from './image-header.ts';
import { groupOf } from './images.ts';
import { journalOwner } from './journal-owner.ts';
import { removeImageMetadata, setImageMetadata } from './metadata.ts';
import { MirrorMode, mirrorModeOf, mirrorUuidOf, randomUuid, tellOfMirrorImage } from './mirror-pool.ts';
import { createPrimarySnapshot, mirrorSnapshots, removeMirrorSnapshots } from './mirror-snapshots.ts';
import { headerObject, MIRRORING } from './names.ts';
import { readPages } from './pages.ts';
import { type ImageWorld, WritableImage } from './writable-image.ts';

/** MIRROR_IMAGE_MODE_* */
export const MirrorImageMode = { journal: 0, snapshot: 1 } as const;

/** Where an image is written: here, elsewhere, or nowhere at present. */
type Promotion = 'primary' | 'non-primary' | 'orphan';

export interface MirrorInfo extends MirrorImage {
  readonly promotion: Promotion;
}

/** What is done with a mirrored image. */
export interface MirrorScene {
  readonly rados: Rados;
  readonly io: IoCtx;
  readonly world: ImageWorld;
}

/** Undefined: it is not mirrored. @throws RadosError */
export async function mirrorImageOf(io: IoCtx, id: RawString): Promise<MirrorImage | undefined> {
  const get = classCall('mirror_image_get', decodeMirrorImage, (to) => to.rawString(id));
  return await askIfThere(io, MIRRORING, get);
}

/** Undefined: it is not mirrored. @throws RadosError */
export async function mirrorInfo(io: IoCtx, header: ImageHeader): Promise<MirrorInfo | undefined> {
  const image = await mirrorImageOf(io, header.id);
  return image && { ...image, promotion: await promotionOf(io, header, image) };
}

async function promotionOf(io: IoCtx, header: ImageHeader, { mode }: MirrorImage): Promise<Promotion> {
  if (mode === MirrorImageMode.journal) return await journalOwner(io, header.id);
  switch (mirrorSnapshots({ header })[0]?.namespace.state) {
    case MirrorSnapshotState.primary:
      return 'primary';
    case MirrorSnapshotState.primaryDemoted:
    case MirrorSnapshotState.nonPrimaryDemoted:
      return 'orphan';
    default:
      return 'non-primary';
  }
}

/** Ids of those that are mirrored. @throws RadosError */
export async function listMirrorImages(io: IoCtx): Promise<readonly RawString[]> {
  return await readPages<RawString>(io, MIRRORING, (after, max) =>
    classCall(
      'mirror_image_list',
      (from) =>
        from.list('images', 8, () => {
          const id = from.rawString('id');
          from.rawString('global id');
          return id;
        }),
      (to) => {
        to.rawString(after ?? '');
        to.u64(max);
      },
    ),
  );
}

/** An image that another site may be writing, to be changed. */
async function openMirrored({ rados, io, world }: MirrorScene, id: RawString): Promise<WritableImage> {
  return await WritableImage.openId(rados, io, id, world, { mayBeOfOthers: true });
}

async function withMirrored<T>(
  scene: MirrorScene,
  id: RawString,
  work: (image: WritableImage) => Promise<T>,
): Promise<T> {
  const image = await openMirrored(scene, id);
  try {
    return await work(image);
  } finally {
    await image.close();
  }
}

/**
 * By snapshots, or by its journal, where it keeps one.
 *
 * @param mode `MirrorImageMode`
 * @throws RadosError EINVAL: images of the pool are not mirrored one by one, it is mirrored otherwise or in a group, or what it is a clone
 *   of is not mirrored; EROFS: it keeps no journal, and this client does not begin one
 */
export async function mirrorImage(scene: MirrorScene, header: ImageHeader, mode: number): Promise<void> {
  const { rados, io, world } = scene;
  const { id, parent, features } = header;
  await requireNoGroup(scene, id);
  if ((await mirrorModeOf(io)) !== MirrorMode.image)
    throw new RadosError(Errno.EINVAL, 'the mirroring mode of the pool');
  if (parent) {
    const parentIo = (await rados.ioctx(Number(parent.poolId))).with({ nspace: parent.namespace });
    if ((await mirrorImageOf(parentIo, parent.imageId)) === undefined) {
      throw new RadosError(Errno.EINVAL, `the parent of image ${id} is not mirrored`);
    }
  }
  if (mode === MirrorImageMode.journal && (features & Feature.journaling) === 0n) {
    throw new RadosError(Errno.EROFS, 'journals are not kept by this client');
  }
  const before = await mirrorImageOf(io, id);
  if (before) {
    if (before.mode === mode && before.state === MirrorImageState.enabled) return;
    throw new RadosError(Errno.EINVAL, `image ${id} is mirrored otherwise, or is to be no more`);
  }
  const globalId = randomUuid(world);
  if (mode === MirrorImageMode.snapshot) {
    await withMirrored(scene, id, (image) => createPrimarySnapshot(image, globalId, { mayLackPeers: true }, world));
  } else if ((await journalOwner(io, id)) !== 'primary') {
    throw new RadosError(Errno.EINVAL, `the journal of image ${id} is written elsewhere`);
  }
  await setMirrorImage(io, id, { globalId, mode, state: MirrorImageState.enabled });
}

async function requireNoGroup({ rados, io }: MirrorScene, id: RawString): Promise<void> {
  if (await groupOf(rados, io, id)) throw new RadosError(Errno.EINVAL, `image ${id} is in a group`);
}

async function setMirrorImage(io: IoCtx, id: RawString, image: MirrorImage): Promise<void> {
  const set = change('mirror_image_set', (to) => {
    to.rawString(id);
    encodeMirrorImage(to, image);
  });
  await io.operate(MIRRORING, set);
  await tellOfMirrorImage(io, image.state, id, image.globalId);
}

/**
 * It is not mirrored any more, nor are there snapshots for it.
 *
 * @param isForced also where another site writes it
 * @throws RadosError EINVAL: images of the pool are not mirrored one by one, or another site writes it; EBUSY: a clone of it is mirrored;
 *   EROFS: it is mirrored by its journal
 */
export async function unmirrorImage(scene: MirrorScene, id: RawString, isForced: boolean): Promise<void> {
  if ((await mirrorModeOf(scene.io)) !== MirrorMode.image) {
    throw new RadosError(Errno.EINVAL, 'the mirroring mode of the pool');
  }
  await endMirroring(scene, id, { isForced });
}

export interface Ending {
  /** Also where another site writes it. */
  readonly isForced?: boolean;
  /** It goes: what is noted in it need not. */
  readonly isGoing?: boolean;
}

/** As `unmirrorImage`, however the pool is mirrored. */
export async function endMirroring(
  scene: MirrorScene,
  id: RawString,
  { isForced = false, isGoing = false }: Ending = {},
): Promise<void> {
  const { io, rados, world } = scene;
  const mirrored = await mirrorImageOf(io, id);
  if (!mirrored) return;
  if (mirrored.mode !== MirrorImageMode.snapshot) throw new RadosError(Errno.EROFS, `image ${id} keeps a journal`);
  await withMirrored(scene, id, async (image) => {
    await requireNoMirroredClones(rados, image);
    const promotion = await promotionOf(io, image.header, mirrored);
    if (promotion !== 'primary' && !isForced) throw new RadosError(Errno.EINVAL, `image ${id} is not primary`);
    await setMirrorImage(io, id, { ...mirrored, state: MirrorImageState.disabling });
    if (!isGoing) await forgetResync(io, image);
    if (promotion !== 'primary') await makePrimary(image, mirrored, world);
    await removeMirrorSnapshots(image);
  });
  await changeIfThere(
    io,
    MIRRORING,
    change('mirror_image_remove', (to) => to.rawString(id)),
  );
  await tellOfMirrorImage(io, STATE_DISABLED, id, mirrored.globalId);
}

/** MIRROR_IMAGE_STATE_DISABLED: no image is stored with it. */
const STATE_DISABLED = 2;

async function requireNoMirroredClones(rados: Rados, { io, header }: WritableImage): Promise<void> {
  for (const { pool, namespace, id } of await listChildren(rados, io, header)) {
    const clone = await mirrorImageOf((await rados.ioctx(pool)).with({ nspace: namespace }), id);
    if (clone) throw new RadosError(Errno.EBUSY, `clone ${id} is mirrored`);
  }
}

/** Where a wish to begin with the copy anew is kept. */
async function resyncKey(io: IoCtx): Promise<RawString> {
  return `.rbd_mirror.${await mirrorUuidOf(io)}`;
}

async function forgetResync(io: IoCtx, image: WritableImage): Promise<void> {
  try {
    await removeImageMetadata(image, await resyncKey(io));
  } catch (error) {
    if (!(error instanceof RadosError && error.code === Errno.ENOENT)) throw error;
  }
}

/** @throws RadosError EINVAL: it is not mirrored; EROFS: it is mirrored by its journal */
async function requireMirrored(io: IoCtx, id: RawString): Promise<MirrorImage> {
  const mirrored = await mirrorImageOf(io, id);
  if (mirrored?.state !== MirrorImageState.enabled) throw new RadosError(Errno.EINVAL, `image ${id} is not mirrored`);
  return mirrored;
}

function requireNoJournal({ mode }: MirrorImage): void {
  if (mode !== MirrorImageMode.snapshot) throw new RadosError(Errno.EROFS, 'journals are not kept by this client');
}

/**
 * It is written here from then on.
 *
 * @throws RadosError EINVAL: it is not mirrored, or is written here; EBUSY: it is written elsewhere, and `isForced` does not say that it may
 *   be taken from there
 */
export async function promoteImage(scene: MirrorScene, id: RawString, isForced: boolean): Promise<void> {
  await requireNoGroup(scene, id);
  const mirrored = await requireMirrored(scene.io, id);
  requireNoJournal(mirrored);
  await withMirrored(scene, id, async (image) => {
    const promotion = await promotionOf(scene.io, image.header, mirrored);
    if (promotion === 'primary') throw new RadosError(Errno.EINVAL, `image ${id} is primary`);
    if (promotion === 'non-primary' && !isForced) throw new RadosError(Errno.EBUSY, `image ${id} is primary elsewhere`);
    await makePrimary(image, mirrored, scene.world);
  });
}

async function makePrimary(image: WritableImage, { globalId }: MirrorImage, world: ImageWorld): Promise<void> {
  await createPrimarySnapshot(image, globalId, { mayLackPeers: true, isForced: true }, world);
  await image.changeHeader(({ io, header }) => io.operate(headerObject(header.id), setNonPrimary(false)));
}

function setNonPrimary(isSet: boolean) {
  return change('set_features', (to) => {
    to.u64big(isSet ? Feature.nonPrimary : 0n);
    to.u64big(Feature.nonPrimary);
  });
}

/** Nobody writes it until a site is asked to. @throws RadosError EINVAL: it is not mirrored, or is not written here */
export async function demoteImage(scene: MirrorScene, id: RawString): Promise<void> {
  const { io, world } = scene;
  await requireNoGroup(scene, id);
  const mirrored = await requireMirrored(io, id);
  requireNoJournal(mirrored);
  await withMirrored(scene, id, async (image) => {
    if ((await promotionOf(io, image.header, mirrored)) !== 'primary') {
      throw new RadosError(Errno.EINVAL, `image ${id} is not primary`);
    }
    // Nobody writes to it meanwhile.
    await image.underLock(async () => {
      await image.changeHeader(({ header }) => io.operate(headerObject(header.id), setNonPrimary(true)));
      await createPrimarySnapshot(image, mirrored.globalId, { mayLackPeers: true, isDemoted: true }, world);
    });
  });
}

/** The daemon is to begin anew with the copy that is here. @throws RadosError EINVAL: it is not mirrored, or is written here */
export async function resyncImage(scene: MirrorScene, id: RawString): Promise<void> {
  const { io } = scene;
  await requireNoGroup(scene, id);
  const mirrored = await requireMirrored(io, id);
  await withMirrored(scene, id, async (image) => {
    if ((await promotionOf(io, image.header, mirrored)) === 'primary') {
      throw new RadosError(Errno.EINVAL, `image ${id} is primary`);
    }
    requireNoJournal(mirrored);
    const wish = new TextEncoder().encode('{"resync_requested": true}');
    await setImageMetadata(image, await resyncKey(io), wish);
  });
}

/**
 * One more for the mirrors to copy.
 *
 * @returns its number
 * @throws RadosError EINVAL: it is not mirrored by snapshots or not written here, or there are no mirrors
 */
export async function snapshotForMirrors(scene: MirrorScene, id: RawString): Promise<bigint> {
  const mirrored = await requireMirrored(scene.io, id);
  if (mirrored.mode !== MirrorImageMode.snapshot) throw new RadosError(Errno.EINVAL, `image ${id} keeps a journal`);
  return await withMirrored(scene, id, (image) => createPrimarySnapshot(image, mirrored.globalId, {}, scene.world));
}
