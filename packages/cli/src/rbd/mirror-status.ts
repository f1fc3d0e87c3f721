/** How a mirrored image fares, in words and as JSON (tools/rbd/action/MirrorImage.cc, MirrorPool.cc). */
import { type MirrorSiteStatus, MirrorSnapshotState } from '@spirula/cls';
import { textFromRaw } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import {
  HERE,
  type ImageHeader,
  mirrorInfo,
  mirrorPeers,
  mirrorSnapshots,
  mirrorStateName,
  mirrorStatuses,
} from '@spirula/rbd';
import { clockText } from './phrases.ts';

export interface ImageStatus {
  readonly name: string;
  readonly dump: object;
  /** Lines below its name. */
  readonly lines: readonly string[];
}

/** Undefined: it is not mirrored. */
export async function imageStatus(io: IoCtx, header: ImageHeader, name: string): Promise<ImageStatus | undefined> {
  const info = await mirrorInfo(io, header);
  if (!info) return undefined;
  const statuses = await mirrorStatuses(io, info.globalId);
  const here = statuses.find(({ mirrorUuid }) => mirrorUuid === HERE);
  const names = new Map((await mirrorPeers(io.with({ nspace: '' }))).map((peer) => [peer.mirrorUuid, peer.siteName]));
  const others = statuses
    .filter((status) => status !== here)
    .map((status) => ({
      site_name: textFromRaw(names.get(status.mirrorUuid) ?? ''),
      mirror_uuids: textFromRaw(status.mirrorUuid),
      ...factsOf(status),
    }));
  const globalId = textFromRaw(info.globalId);
  const facts = here && factsOf(here);
  return {
    name,
    dump: { name, global_id: globalId, ...facts, ...(others.length > 0 && { peer_sites: others }) },
    lines: [
      `  global_id:   ${globalId}`,
      ...(facts
        ? [
            `  state:       ${facts.state}`,
            `  description: ${facts.description}`,
            `  last_update: ${facts.last_update}`,
          ]
        : []),
      ...(others.length > 0 ? ['  peer_sites:'] : []),
      ...others.flatMap((site, i) => [
        ...(i > 0 ? [''] : []),
        `    name: ${site.site_name || site.mirror_uuids}`,
        `    state: ${site.state}`,
        `    description: ${site.description}`,
        `    last_update: ${site.last_update}`,
      ]),
    ],
  };
}

function factsOf({ isUp, state, description, lastUpdate }: MirrorSiteStatus) {
  return {
    state: `${isUp ? 'up' : 'down'}+${mirrorStateName(state)}`,
    description: textFromRaw(description),
    last_update: clockText(lastUpdate),
  };
}

/** Those that are for other sites to copy, oldest first. */
export function snapshotsForPeers(header: ImageHeader): Pick<ImageStatus, 'dump' | 'lines'> {
  const snapshots = mirrorSnapshots({ header })
    .filter(({ namespace }) => FROM_HERE.includes(namespace.state))
    .reverse()
    .map(({ id, name, namespace }) => ({
      id,
      name: textFromRaw(name),
      demoted: namespace.state === MirrorSnapshotState.primaryDemoted,
      mirror_peer_uuids: namespace.peerUuids.map((uuid) => textFromRaw(uuid)),
    }));
  if (snapshots.length === 0) return { dump: {}, lines: [] };
  const lines = snapshots.map(({ id, name, demoted, mirror_peer_uuids }) => {
    const state = `${demoted ? 'demoted ' : ''}peer_uuids:[${mirror_peer_uuids.join(',')}]`;
    return `    ${id} ${name} (${state})`;
  });
  return { dump: { snapshots }, lines: ['  snapshots:', ...lines] };
}

const FROM_HERE: readonly number[] = [MirrorSnapshotState.primary, MirrorSnapshotState.primaryDemoted];

export function statusText({ name, lines }: ImageStatus): string {
  return [`${name}:`, ...lines, ''].join('\n');
}
