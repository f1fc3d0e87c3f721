import type { PgId } from '@spirula/encoding';
import { mapPg, type OsdMap } from '@spirula/maps';
import type { ObjectStatSum, OsdStat, PgStat, PgStats } from '@spirula/messages';

export const noObjects: ObjectStatSum = {
  bytes: 0,
  objects: 0,
  objectClones: 0,
  whiteouts: 0,
  objectCopies: 0,
  objectsMissingOnPrimary: 0,
  objectsDegraded: 0,
  objectsMisplaced: 0,
  objectsUnfound: 0,
  reads: 0,
  readBytes: 0,
  writes: 0,
  writeBytes: 0,
  objectsRecovered: 0,
  bytesRecovered: 0,
  omapBytes: 0,
  omapKeys: 0,
};

/** The statistics of a real OSD of 1 GiB. */
const osdStat: OsdStat = {
  kb: 1_048_576,
  kbUsed: 297_704,
  kbUsedData: 608,
  kbUsedOmap: 0,
  kbUsedMeta: 297_088,
  kbAvail: 750_872,
  hbPeers: [1, 2],
  numPgs: 16,
  upFrom: 3,
  seq: 3 * 2 ** 32 + 17,
  slowOps: { count: 0, oldestSeconds: 0 },
  pings: [],
  commitLatencyMs: 2,
  applyLatencyMs: 1,
};

/** A PG's report as its primary would make it under `map`. */
function pgStat(map: OsdMap, pgid: PgId, more: Partial<PgStat> = {}): PgStat {
  const { up, upPrimary, acting, actingPrimary } = mapPg(map, pgid);
  const at = { sec: 1_700_000_000, nsec: 0 };
  return {
    pgid,
    state: 'active+clean',
    version: { epoch: 4, version: 2 },
    reportedSeq: 10,
    reportedEpoch: map.epoch,
    up,
    upPrimary,
    acting,
    actingPrimary,
    created: 3,
    lastEpochClean: 4,
    mappingEpoch: 4,
    lastFresh: at,
    lastChange: at,
    lastActive: at,
    lastPeered: at,
    lastClean: at,
    lastUnstale: at,
    lastUndegraded: at,
    lastFullsized: at,
    logStart: { epoch: 0, version: 0 },
    logSize: 2,
    sum: noObjects,
    blockedBy: [],
    snaptrimqLen: 0,
    purgedSnaps: [],
    ...more,
  };
}

/** What an OSD reports: itself and the PGs it leads. */
export function reportOf(map: OsdMap, osd: number, more: Partial<PgStat> = {}): PgStats {
  const pgs: PgStat[] = [];
  for (const [pool, { pgNum }] of map.pools) {
    for (let seed = 0; seed < pgNum; seed++) {
      if (mapPg(map, { pool, seed }).actingPrimary === osd) pgs.push(pgStat(map, { pool, seed }, more));
    }
  }
  return { type: 'pg_stats', osd, epoch: map.epoch, osdStat, pgs, full: true };
}
