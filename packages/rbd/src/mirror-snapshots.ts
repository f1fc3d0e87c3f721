/**
 * Snapshots that mirrors copy (librbd/mirror/snapshot/CreatePrimaryRequest.cc, UnlinkPeerRequest.cc).
 *
 *   snapshot, not complete --> what the image was --> complete --> copied by all mirrors, and there is a newer one --> gone
 */
import { type MirrorSnapshot, MirrorSnapshotState, NOSNAP, RbdSnapshotType } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { change } from './class-calls.ts';
import type { HeaderSnapshot } from './image-header.ts';
import { writeImageState } from './mirror-image-state.ts';
import { randomUuid, receivers } from './mirror-pool.ts';
import { headerObject } from './names.ts';
import { removeSnapshotById } from './remove-snapshot.ts';
import { createSnapshot, type SnapshotScene } from './snapshot-changes.ts';
import type { ImageWorld, WritableImage } from './writable-image.ts';

/** Newest first. */
export function mirrorSnapshots({
  header,
}: Pick<SnapshotScene, 'header'>): readonly (HeaderSnapshot & { readonly namespace: MirrorSnapshot })[] {
  return header.snapshots.filter(
    (each): each is HeaderSnapshot & { readonly namespace: MirrorSnapshot } =>
      each.namespace.type === RbdSnapshotType.mirror,
  );
}

export interface PrimarySnapshot {
  /** Another site may be primary next. */
  readonly isDemoted?: boolean;
  /** After one that another site was primary in. */
  readonly isForced?: boolean;
  /** Nobody need be there to copy it. */
  readonly mayLackPeers?: boolean;
  /** So many for one peer at most (rbd_mirroring_max_mirroring_snapshots). */
  readonly max?: number;
}

const DEFAULT_MAX = 5;

/**
 * @returns its number
 * @throws RadosError EINVAL: another site is primary, or nobody is there to copy it
 */
export async function createPrimarySnapshot(
  image: WritableImage,
  globalId: RawString,
  { isDemoted = false, isForced = false, mayLackPeers = false, max = DEFAULT_MAX }: PrimarySnapshot,
  world: Pick<ImageWorld, 'randomBytes'>,
): Promise<bigint> {
  const peers = await receivers(image.io);
  const id = await image.changeHeader(async (scene) => {
    requireMayBePrimary(scene, { isDemoted, isForced });
    if (peers.length === 0 && !mayLackPeers) throw new RadosError(Errno.EINVAL, 'no peers to mirror to');
    const name = `.mirror.primary.${globalId}.${randomUuid(world)}`;
    const state = isDemoted ? MirrorSnapshotState.primaryDemoted : MirrorSnapshotState.primary;
    const snapId = await createSnapshot(scene, name, { ...PRIMARY, state, peerUuids: peers });
    await writeImageState(scene.io, scene.header, snapId);
    const complete = change('mirror_image_snapshot_set_copy_progress', (to) => {
      to.u64big(snapId);
      to.bool(true);
      to.u64(0);
    });
    await scene.io.operate(headerObject(scene.header.id), complete);
    return snapId;
  });
  await unlinkSurplus(image, peers, max);
  return id;
}

const PRIMARY: Omit<MirrorSnapshot, 'state' | 'peerUuids'> = {
  type: RbdSnapshotType.mirror,
  isComplete: false,
  primaryMirrorUuid: '',
  primarySnapId: NOSNAP,
  lastCopiedObject: 0n,
  snapSeqs: new Map(),
};

const DEMOTED: readonly number[] = [MirrorSnapshotState.primaryDemoted, MirrorSnapshotState.nonPrimaryDemoted];

function requireMayBePrimary(
  scene: SnapshotScene,
  { isDemoted, isForced }: { readonly isDemoted: boolean; readonly isForced: boolean },
): void {
  const [newest] = mirrorSnapshots(scene);
  if (!newest) return;
  const { state, isComplete } = newest.namespace;
  const isCopy = state === MirrorSnapshotState.nonPrimary;
  const isRefused = (!isForced && (isCopy || DEMOTED.includes(state))) || (isCopy && (isDemoted || !isComplete));
  if (isRefused) throw new RadosError(Errno.EINVAL, `image ${scene.header.id} is not primary`);
}

/**
 * What no peer has to copy goes; of more than may be, the last but the newest does: what it has the newest has. Where there are no peers
 * nothing goes.
 */
async function unlinkSurplus(image: WritableImage, peers: readonly RawString[], max: number): Promise<void> {
  for (const peer of peers) {
    for (let snapId = surplusFor(image, peer, max); snapId !== undefined; snapId = surplusFor(image, peer, max)) {
      await unlinkPeer(image, snapId, peer);
    }
  }
}

function surplusFor(image: WritableImage, peer: RawString, max: number): bigint | undefined {
  let linked: bigint[] = [];
  for (const { id, namespace } of [...mirrorSnapshots(image)].reverse()) {
    const { state, peerUuids, isComplete } = namespace;
    if (state !== MirrorSnapshotState.primary) {
      linked = [];
      continue;
    }
    if (peerUuids.length > 0 && !peerUuids.includes(peer)) continue;
    if (peerUuids.length === 0 || !isComplete) return id;
    linked.push(id);
    if (linked.length > max) return linked[max - 1];
  }
  return undefined;
}

/** One that nobody needs any more goes, unless it is the newest. @throws RadosError */
export async function unlinkPeer(image: WritableImage, snapId: bigint, peer: RawString): Promise<void> {
  await image.changeHeader(async (scene) => {
    const snapshots = mirrorSnapshots(scene);
    const found = snapshots.find(({ id }) => id === snapId);
    if (!found) return;
    const others = found.namespace.peerUuids.filter((uuid) => uuid !== peer);
    if (others.length === 0 && snapshots[0]!.id !== snapId) {
      await removeSnapshotById(scene, snapId);
      return;
    }
    const unlink = change('mirror_image_snapshot_unlink_peer', (to) => {
      to.u64big(snapId);
      to.rawString(peer);
    });
    const { result } = await scene.io.submit(headerObject(scene.header.id), unlink);
    if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, `snapshot ${snapId}`);
  });
}

/** None is copied any more. @throws RadosError */
export async function removeMirrorSnapshots(image: WritableImage): Promise<void> {
  for (const { id } of [...mirrorSnapshots(image)].reverse()) {
    await image.changeHeader((scene) => removeSnapshotById(scene, id));
  }
}
