/** Whose log is authoritative, and who is to serve the PG (PeeringState::find_best_info, calc_replicated_acting). */
import { compareVersions, type OsdId } from '@spirula/encoding';
import type { PgInfo } from '@spirula/messages';
import { hasMissing, isIncomplete, minVersion } from './pg-info.ts';

/** Of everyone who answered, self included. */
export type PeerInfos = ReadonlyMap<OsdId, PgInfo>;

/**
 * The OSD whose log is authoritative: of those that took part in the latest activation known, complete and not too far
 * behind, the one with the newest last_update; then the longest log; then nothing missing; then `self`; then the lowest
 * number. Undefined when there is none.
 *
 * @param eligible only these may be chosen (all, when undefined)
 */
export function findBestInfo(
  peers: PeerInfos,
  self: OsdId,
  eligible: ((osd: OsdId) => boolean) | undefined,
): OsdId | undefined {
  let lastStarted = 0;
  for (const info of peers.values()) {
    // What is known to have been active counts even when no holder of it is complete: then nothing may be chosen.
    lastStarted = Math.max(lastStarted, info.history.lastEpochStarted);
    if (!isIncomplete(info)) lastStarted = Math.max(lastStarted, info.lastEpochStarted);
  }
  const started = [...peers.values()].filter((info) => info.lastEpochStarted >= lastStarted);
  if (started.length === 0) return undefined;
  // Whoever was active then had at least this much: a log that ends earlier cannot be the authoritative one.
  const leastAcceptable = started.map((info) => info.lastUpdate).reduce(minVersion);

  let best: OsdId | undefined;
  for (const osd of [...peers.keys()].sort((a, b) => a - b)) {
    const info = peers.get(osd)!;
    if (eligible && !eligible(osd)) continue;
    if (compareVersions(info.lastUpdate, leastAcceptable) < 0) continue;
    if (info.lastEpochStarted < lastStarted || isIncomplete(info)) continue;
    if (best === undefined || isBetter(peers.get(osd)!, peers.get(best)!, osd === self)) best = osd;
  }
  return best;
}

function isBetter(candidate: PgInfo, best: PgInfo, isSelf: boolean): boolean {
  const newer = compareVersions(candidate.lastUpdate, best.lastUpdate);
  if (newer !== 0) return newer > 0;
  const longer = compareVersions(best.logTail, candidate.logTail);
  if (longer !== 0) return longer > 0;
  const [candidateMisses, bestMisses] = [hasMissing(candidate), hasMissing(best)];
  if (candidateMisses !== bestMisses) return bestMisses;
  return isSelf;
}

export interface ActingChoice {
  /** The acting set to be had, primary first. */
  readonly want: readonly OsdId[];
  /** Members of the up set that have to be backfilled. */
  readonly backfill: readonly OsdId[];
}

/**
 * The acting set that serves best: the up set as far as its members' logs reach back to the authoritative one's, filled
 * up with current acting members and strays that do; the rest of the up set is backfilled meanwhile.
 *
 * @param authority the OSD `findBestInfo` chose
 */
export function calcReplicatedActing(
  peers: PeerInfos,
  authority: OsdId,
  up: readonly OsdId[],
  upPrimary: OsdId,
  acting: readonly OsdId[],
  size: number,
): ActingChoice {
  const best = peers.get(authority)!;
  const upInfo = peers.get(upPrimary);
  const upPrimaryFits =
    upInfo !== undefined && !isIncomplete(upInfo) && compareVersions(upInfo.lastUpdate, best.logTail) >= 0;
  const primary = upPrimaryFits ? upPrimary : authority;
  const oldestEntry = minVersion(peers.get(primary)!.logTail, best.logTail);
  const isContiguous = (osd: OsdId): boolean => {
    const info = peers.get(osd);
    return info !== undefined && !isIncomplete(info) && compareVersions(info.lastUpdate, oldestEntry) >= 0;
  };

  const want = [primary];
  const backfill: OsdId[] = [];
  for (const osd of up) {
    if (osd === primary) continue;
    if (isContiguous(osd)) want.push(osd);
    else backfill.push(osd);
  }
  const byLastUpdate = (osds: readonly OsdId[]) =>
    osds
      .filter((osd) => !up.includes(osd) && !want.includes(osd) && isContiguous(osd))
      .sort((a, b) => compareVersions(peers.get(b)!.lastUpdate, peers.get(a)!.lastUpdate) || a - b);
  for (const candidates of [
    byLastUpdate(acting),
    byLastUpdate([...peers.keys()].filter((osd) => !acting.includes(osd))),
  ]) {
    for (const osd of candidates) if (want.length < size && !want.includes(osd)) want.push(osd);
  }
  return { want: want.slice(0, size), backfill };
}
