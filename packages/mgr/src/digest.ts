import type { IoRates } from '@spirula/formatter';
import { hasPgState, staleState, UNKNOWN } from '@spirula/formatter';
import type { OsdMap } from '@spirula/maps';
import type { PgMapDigest } from '@spirula/messages';
import type { PgMap, PgRecord } from './pg-map.ts';

/** The state a PG is shown in. */
export function shownState({ stat, stale }: PgRecord): string {
  return stale ? staleState(stat.state) : stat.state;
}

/** What the monitors need of the PG map for `ceph -s`, `df` and health (PGMapDigest, mon/PGMap.h). */
export function computeDigest(pgMap: PgMap, map: OsdMap, rates: IoRates): PgMapDigest {
  const records = pgMap.pgs();
  const pgsByState = new Map<string, number>();
  for (const record of records) {
    const state = shownState(record);
    pgsByState.set(state, (pgsByState.get(state) ?? 0) + 1);
  }
  const osds = [...pgMap.osdStats.values()];
  const sumOf = (field: 'kb' | 'kbUsed' | 'kbAvail') => osds.reduce((sum, stat) => sum + stat[field], 0);
  return {
    numPgs: records.length,
    numPgActive: records.filter(({ stat }) => hasPgState(stat.state, 'active')).length,
    numPgUnknown: records.filter(({ stat }) => stat.state === UNKNOWN).length,
    pgsByState,
    pools: pgMap.poolStats(map),
    pgsPerPool: new Map([...map.pools].map(([pool, { pgNum }]) => [pool, pgNum])),
    // A copy: the message must not change with the next report.
    osdStats: new Map(pgMap.osdStats),
    pgsPerOsd: pgMap.pgsPerOsd(),
    total: pgMap.total(),
    kb: sumOf('kb'),
    kbUsed: sumOf('kbUsed'),
    kbAvail: sumOf('kbAvail'),
    readBytesPerSecond: rates.readBytes,
    writeBytesPerSecond: rates.writeBytes,
    readOpsPerSecond: rates.reads,
    writeOpsPerSecond: rates.writes,
    recoveryBytesPerSecond: rates.recoveredBytes,
    recoveryObjectsPerSecond: rates.recoveredObjects,
    stalePgs: records.filter(({ stale }) => stale).map(({ stat }) => stat.pgid),
    purgedSnaps: pgMap.purgedSnaps(),
  };
}
