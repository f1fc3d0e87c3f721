/** How mirrored images fare, as the daemons tell (librbd/mirror/GetStatusRequest.cc). */
import { MirrorPeerDirection, type MirrorSiteStatus } from '@spirula/cls';
import { type Decoder, decodeUTime, type RawString } from '@spirula/encoding';
import type { IoCtx } from '@spirula/rados';
import { askIfThere, classCall } from './class-calls.ts';
import { mirrorPeers } from './mirror-pool.ts';
import { MIRRORING } from './names.ts';

/** The uuid that this site goes by in statuses. */
export const HERE: RawString = '';
const UNKNOWN = 0;
const STATES = ['unknown', 'error', 'syncing', 'starting_replay', 'replaying', 'stopping_replay', 'stopped'];

/** @param state MIRROR_IMAGE_STATUS_STATE_* */
export function mirrorStateName(state: number): string {
  return STATES[state] ?? `unknown (${state})`;
}

/** This site's first, where it receives; who should have told and has not is unknown. @throws RadosError */
export async function mirrorStatuses(io: IoCtx, globalId: RawString): Promise<readonly MirrorSiteStatus[]> {
  const get = classCall('mirror_image_status_get', decodeStatuses, (to) => to.rawString(globalId));
  const told = (await askIfThere(io, MIRRORING, get)) ?? [];
  const peers = await mirrorPeers(io.with({ nspace: '' }));
  const isOnlySent = peers.length > 0 && peers.every(({ direction }) => direction === MirrorPeerDirection.tx);
  const expected = peers
    .filter(({ direction, mirrorUuid }) => direction !== MirrorPeerDirection.rx && mirrorUuid !== '')
    .map(({ mirrorUuid }) => mirrorUuid);
  const shown = told.filter(({ mirrorUuid }) => !(isOnlySent && mirrorUuid === HERE));
  const missing = [...(isOnlySent ? [] : [HERE]), ...expected]
    .filter((uuid) => !shown.some(({ mirrorUuid }) => mirrorUuid === uuid))
    .map((mirrorUuid) => ({ ...NOT_TOLD, mirrorUuid }));
  return [...shown, ...missing];
}

const NOT_TOLD = { state: UNKNOWN, description: 'status not found', lastUpdate: { sec: 0, nsec: 0 }, isUp: false };

function decodeStatuses(from: Decoder): readonly MirrorSiteStatus[] {
  return from.struct('status', 2, () => {
    const here = decodeStatus(from, HERE);
    const isHereTold = from.bool('local status');
    const others = from.list('sites', 18, () => decodeStatus(from, from.rawString('mirror uuid')));
    return isHereTold ? [here, ...others] : others;
  });
}

function decodeStatus(from: Decoder, mirrorUuid: RawString): MirrorSiteStatus {
  return {
    mirrorUuid,
    state: from.u8('state'),
    description: from.rawString('description'),
    lastUpdate: decodeUTime(from, 'last update'),
    isUp: from.bool('up'),
  };
}
