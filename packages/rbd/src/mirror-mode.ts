/** Changes of a pool's mirroring that its images take part in (librbd/api/Mirror.cc, mode_set, peer_site_remove). */
import { RbdFeature as Feature, MirrorImageState } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { readHeader } from './image-header.ts';
import { listImages } from './images.ts';
import {
  endMirroring,
  listMirrorImages,
  MirrorImageMode,
  type MirrorScene,
  mirrorImage,
  mirrorImageOf,
} from './mirror-images.ts';
import {
  beginMirroring,
  forgetMirrorPeer,
  forgetPeerAttributes,
  MirrorMode,
  mirrorModeOf,
  mirrorPeers,
  noteMirrorMode,
} from './mirror-pool.ts';
import { mirrorSnapshots, unlinkPeer } from './mirror-snapshots.ts';
import { listNamespaces } from './namespaces.ts';
import { WritableImage } from './writable-image.ts';

/**
 * On its way from one mode to another a pool is mirrored image by image: who dies in between leaves it so.
 *
 * @param next `MirrorMode`
 * @throws RadosError EBUSY: there are peers; EINVAL: images are mirrored one by one; EROFS: as of `endMirroring`
 */
export async function setMirrorMode(scene: MirrorScene, next: number): Promise<void> {
  const { io, world } = scene;
  if (next === MirrorMode.disabled && (await mirrorPeers(io)).length > 0) throw new RadosError(Errno.EBUSY, 'peers');
  const before = await mirrorModeOf(io);
  if (before === next) return;
  if (before === MirrorMode.disabled) await beginMirroring(io, world);
  if (before !== MirrorMode.image) await noteMirrorMode(io, MirrorMode.image);
  if (next === MirrorMode.image) return;
  if (next === MirrorMode.pool) await mirrorAllWithJournals(scene);
  else await endAll(scene, before);
  await noteMirrorMode(io, next);
}

async function mirrorAllWithJournals(scene: MirrorScene): Promise<void> {
  for (const { id } of await listImages(scene.io)) {
    const header = await readHeader(scene.io, id);
    if ((header.features & Feature.journaling) !== 0n) await mirrorImage(scene, header, MirrorImageMode.journal);
  }
}

async function endAll(scene: MirrorScene, before: number): Promise<void> {
  for (const id of await listMirrorImages(scene.io)) {
    if (before !== MirrorMode.image) {
      await endMirroring(scene, id);
      continue;
    }
    const mirrored = await mirrorImageOf(scene.io, id);
    if (mirrored?.state === MirrorImageState.enabled) throw new RadosError(Errno.EINVAL, `image ${id} is mirrored`);
  }
}

/** Nothing is kept for it any more, in any namespace of the pool. @throws RadosError */
export async function removeMirrorPeer({ rados, io, world }: MirrorScene, uuid: RawString): Promise<void> {
  await forgetPeerAttributes(rados, io, uuid);
  await forgetMirrorPeer(io, uuid);
  for (const nspace of [...(await listNamespaces(io)), '']) {
    const within = io.with({ nspace });
    for (const id of await listMirrorImages(within)) {
      if ((await mirrorImageOf(within, id))?.mode !== MirrorImageMode.snapshot) continue;
      const image = await WritableImage.openId(rados, within, id, world, { mayBeOfOthers: true });
      try {
        for (const snapshot of [...mirrorSnapshots(image)].reverse()) {
          if (snapshot.namespace.peerUuids.includes(uuid)) await unlinkPeer(image, snapshot.id, uuid);
        }
      } finally {
        await image.close();
      }
    }
  }
}
