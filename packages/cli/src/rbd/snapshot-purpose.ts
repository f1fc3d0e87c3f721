/** What snapshots are for, as `rbd snap ls --all` tells (tools/rbd/action/Snap.cc). */
import { type MirrorSnapshot, MirrorSnapshotState, RbdSnapshotType } from '@spirula/cls';
import { textFromRaw } from '@spirula/encoding';
import type { IoCtx, Rados } from '@spirula/rados';
import { groupSnapshotNames, type HeaderSnapshot } from '@spirula/rbd';

export interface SnapshotPurpose {
  readonly text: string;
  readonly dump: object;
}

/** @param objects of the image */
export async function snapshotPurpose(
  rados: Rados,
  io: IoCtx,
  { namespace }: HeaderSnapshot,
  objects: number,
): Promise<SnapshotPurpose> {
  switch (namespace.type) {
    case RbdSnapshotType.user:
      return { text: 'user', dump: { type: 'user' } };
    case RbdSnapshotType.group: {
      const names = await groupSnapshotNames(rados, io, namespace);
      if (!names) return { text: 'group', dump: { type: 'group' } };
      const [group, snapshot] = [textFromRaw(names.group), textFromRaw(names.snapshot)];
      return {
        text: `group (${names.pool}/${group}@${snapshot})`,
        dump: { type: 'group', pool: names.pool, group, 'group snap': snapshot },
      };
    }
    case RbdSnapshotType.trash: {
      const name = textFromRaw(namespace.originalName);
      return { text: `trash (${name})`, dump: { type: 'trash', original_name: name } };
    }
    case RbdSnapshotType.mirror:
      return mirrorPurpose(namespace, objects);
    default:
      return { text: 'Unknown', dump: { type: 'Unknown' } };
  }
}

const STATES = new Map<number, string>([
  [MirrorSnapshotState.primary, 'primary'],
  [MirrorSnapshotState.primaryDemoted, 'demoted'],
  [MirrorSnapshotState.nonPrimary, 'non-primary'],
  [MirrorSnapshotState.nonPrimaryDemoted, 'demoted'],
]);

function mirrorPurpose(mirror: MirrorSnapshot, objects: number): SnapshotPurpose {
  const state = STATES.get(mirror.state) ?? 'unknown';
  const peers = mirror.peerUuids.map((uuid) => textFromRaw(uuid));
  const isCopy =
    mirror.state === MirrorSnapshotState.nonPrimary || mirror.state === MirrorSnapshotState.nonPrimaryDemoted;
  const primary = textFromRaw(mirror.primaryMirrorUuid);
  const copied = isCopy ? ` ${primary}:${mirror.primarySnapId} ${progressText(mirror, objects)}copied` : '';
  return {
    text: `mirror (${state} peer_uuids:[${peers.join(',')}]${copied})`,
    dump: {
      type: 'mirror',
      state,
      mirror_peer_uuids: peers,
      complete: mirror.isComplete,
      ...(isCopy && {
        primary_mirror_uuid: primary,
        primary_snap_id: mirror.primarySnapId,
        last_copied_object_number: mirror.lastCopiedObject,
      }),
    },
  };
}

function progressText({ isComplete, lastCopiedObject }: MirrorSnapshot, objects: number): string {
  if (isComplete) return '';
  if (objects === 0) return 'not ';
  return `${Math.min(100, Math.floor((100 * Number(lastCopiedObject)) / objects))}% `;
}
