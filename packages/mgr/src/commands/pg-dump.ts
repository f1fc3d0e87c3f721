/** `ceph pg dump`: the whole PG map, or parts of it, as tables or JSON (PGMap::dump, mon/PGMap.cc). */

import { formatPgId, formatVersion, type PoolId } from '@spirula/encoding';
import { column, formatBytes, formatStamp, formatTable } from '@spirula/formatter';
import { type ObjectStatSum, type OsdStat, type PoolStat, ZERO_SUM } from '@spirula/messages';
import { shownState } from '../digest.ts';
import { formatOsds } from '../health-checks.ts';
import { addSum, type PgRecord } from '../pg-map.ts';
import { dumpOsdStat, dumpPg, dumpPgBrief, dumpPoolStat } from '../stat-dump.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  formatJson,
  listArgument,
  succeed,
  wantsJson,
} from './command.ts';

const KIB = 1024;
/** The stamp of a scrub that never was. */
export const NEVER = formatStamp({ sec: 0, nsec: 0 });
export const OMAP_NOTE =
  '\n* NOTE: Omap statistics are gathered during deep scrub and may be inaccurate soon afterwards depending on ' +
  'utilization. See http://docs.ceph.com/en/latest/dev/placement-group/#omap-statistics for further details.\n';

const SUM_HEADINGS = [
  'OBJECTS',
  'MISSING_ON_PRIMARY',
  'DEGRADED',
  'MISPLACED',
  'UNFOUND',
  'BYTES',
  'OMAP_BYTES*',
  'OMAP_KEYS*',
];
const LOG_HEADINGS = ['LOG', 'DISK_LOG'];
export const right = (heading: string) => column(heading, 'right');

function sumCells(sum: ObjectStatSum): number[] {
  return [
    sum.objects,
    sum.objectsMissingOnPrimary,
    sum.objectsDegraded,
    sum.objectsMisplaced,
    sum.objectsUnfound,
    sum.bytes,
    sum.omapBytes,
    sum.omapKeys,
  ];
}

function addedPools(pools: ReadonlyMap<PoolId, PoolStat>): PoolStat {
  const all = { sum: { ...ZERO_SUM }, logSize: 0, ondiskLogSize: 0, up: 0, acting: 0, allocated: 0, numOsds: 0 };
  for (const stat of pools.values()) {
    addSum(all.sum, stat.sum);
    for (const key of ['logSize', 'ondiskLogSize', 'up', 'acting', 'allocated'] as const) all[key] += stat[key];
  }
  return all;
}

function addedOsds(stats: readonly OsdStat[]): OsdStat {
  const sum = (key: 'kb' | 'kbUsed' | 'kbUsedData' | 'kbUsedOmap' | 'kbUsedMeta' | 'kbAvail' | 'numPgs') =>
    stats.reduce((total, stat) => total + stat[key], 0);
  return {
    kb: sum('kb'),
    kbUsed: sum('kbUsed'),
    kbUsedData: sum('kbUsedData'),
    kbUsedOmap: sum('kbUsedOmap'),
    kbUsedMeta: sum('kbUsedMeta'),
    kbAvail: sum('kbAvail'),
    hbPeers: [],
    numPgs: sum('numPgs'),
    upFrom: 0,
    seq: 0,
    commitLatencyMs: 0,
    applyLatencyMs: 0,
    slowOps: { count: 0, oldestSeconds: 0 },
    pings: [],
  };
}

export function pgDump(args: CommandArgs, context: CommandContext): CommandOutcome {
  const asked = listArgument(args, 'dumpcontents');
  const what = new Set(asked.length === 0 ? ['all'] : asked);
  const status = `dumped ${[...what].sort().join(',')}`;
  if (wantsJson(args)) return succeed(formatJson(args, dumpJson(what, context)), status);
  return succeed(dumpText(what, context), status);
}

function dumpJson(what: ReadonlySet<string>, context: CommandContext): object {
  const { pgMap, map, now } = context;
  const pools = pgMap.poolStats(map);
  const pgs = () => pgMap.pgs().map(dumpPg);
  const poolStats = () =>
    [...pools].map(([id, stat]) => ({ poolid: id, num_pg: map.pools.get(id)?.pgNum ?? 0, ...dumpPoolStat(stat) }));
  const osdStats = () => [...pgMap.osdStats].map(([id, stat]) => ({ osd: id, ...dumpOsdStat(stat, 1) }));
  const delta = { ...dumpPoolStat(addedPools(new Map())), stamp_delta: '0.000000' };
  if (what.has('all') || what.has('summary') || what.has('sum')) {
    const osds = [...pgMap.osdStats.values()];
    const basic = {
      version: pgMap.version,
      stamp: formatStamp(now),
      last_osdmap_epoch: 0,
      last_pg_scan: 0,
      pg_stats_sum: dumpPoolStat(addedPools(pools)),
      osd_stats_sum: dumpOsdStat(addedOsds(osds), osds.length),
      pg_stats_delta: delta,
    };
    const rest = what.has('all')
      ? { pg_stats: pgs(), pool_stats: poolStats(), osd_stats: osdStats(), pool_statfs: [] }
      : {};
    return { pg_ready: true, pg_map: { ...basic, ...rest } };
  }
  return {
    pg_ready: true,
    ...(what.has('pools') && { pool_stats: poolStats() }),
    ...(what.has('osds') && { osd_stats: osdStats(), pool_statfs: [] }),
    ...(what.has('pgs') && { pg_stats: pgs() }),
    ...(what.has('pgs_brief') && { pg_stats: pgMap.pgs().map(dumpPgBrief) }),
    ...(what.has('delta') && { delta: { pg_stats_delta: delta } }),
  };
}

function dumpText(what: ReadonlySet<string>, context: CommandContext): string {
  const { pgMap, map, now } = context;
  const head = `version ${pgMap.version}\nstamp ${formatStamp(now)}\nlast_osdmap_epoch 0\nlast_pg_scan 0\n`;
  const pools = pgMap.poolStats(map);
  if (what.has('all')) {
    return `${head}${pgTable(pgMap.pgs())}${poolTable(pools, false)}${sumTable(pools)}${osdTable(context)}${OMAP_NOTE}`;
  }
  if (what.has('summary') || what.has('sum'))
    return `${head}${sumTable(pools, true)}${osdTable(context, true)}${OMAP_NOTE}`;
  if (what.has('delta')) {
    return `${formatTable(['', ...SUM_HEADINGS, ...LOG_HEADINGS].map(right), [['delta', ...sumCells(ZERO_SUM), 0, 0]])}${OMAP_NOTE}`;
  }
  let text = '';
  if (what.has('pgs')) text += pgTable(pgMap.pgs());
  if (what.has('pgs_brief')) text += briefTable(pgMap.pgs());
  if (what.has('pools')) text += poolTable(pools, true);
  if (what.has('osds')) text += osdTable(context);
  return what.has('pgs') || what.has('pools') ? text + OMAP_NOTE : text;
}

function poolTable(pools: ReadonlyMap<PoolId, PoolStat>, headed: boolean): string {
  const headings = ['POOLID', ...SUM_HEADINGS, ...LOG_HEADINGS].map((heading) => (headed ? heading : ''));
  const rows = [...pools].map(([id, stat]) => [id, ...sumCells(stat.sum), stat.logSize, stat.ondiskLogSize]);
  return formatTable(
    headings.map((heading, i) => (i === 0 ? column(heading, 'left') : right(heading))),
    rows.reverse(),
  );
}

function sumTable(pools: ReadonlyMap<PoolId, PoolStat>, headed = false): string {
  const { sum, logSize, ondiskLogSize } = addedPools(pools);
  const headings = ['PG_STAT', ...SUM_HEADINGS, ...LOG_HEADINGS].map((heading) => (headed ? heading : ''));
  return formatTable(
    headings.map((heading, i) => (i === 0 ? column(heading, 'left') : right(heading))),
    [['sum', ...sumCells(sum), logSize, ondiskLogSize]],
  );
}

function osdTable({ pgMap }: CommandContext, sumOnly = false): string {
  const bytes = ({ kb, kbUsed, kbAvail }: OsdStat) =>
    [kbUsed, kbAvail, kbUsed, kb].map((each) => formatBytes(each * KIB));
  const total = ['sum', ...bytes(addedOsds([...pgMap.osdStats.values()]))];
  const columns = [column('OSD_STAT', 'left'), ...['USED', 'AVAIL', 'USED_RAW', 'TOTAL'].map(right)];
  if (sumOnly) return formatTable(columns, [total]);
  const acting = pgMap.pgsPerOsd();
  const primaries = new Map<number, number>();
  for (const { stat } of pgMap.pgs()) primaries.set(stat.actingPrimary, (primaries.get(stat.actingPrimary) ?? 0) + 1);
  const rows = [...pgMap.osdStats]
    .sort(([a], [b]) => b - a)
    .map(([id, stat]) => [id, ...bytes(stat), formatOsds(stat.hbPeers), acting.get(id) ?? 0, primaries.get(id) ?? 0]);
  return formatTable([...columns, ...['HB_PEERS', 'PG_SUM', 'PRIMARY_PG_SUM'].map(right)], [...rows, total]);
}

export function briefTable(records: readonly PgRecord[]): string {
  return formatTable(
    [column('PG_STAT', 'left'), ...['STATE', 'UP', 'UP_PRIMARY', 'ACTING', 'ACTING_PRIMARY'].map(right)],
    [...records]
      .reverse()
      .map((record) => [
        formatPgId(record.stat.pgid),
        shownState(record),
        formatOsds(record.stat.up),
        record.stat.upPrimary,
        formatOsds(record.stat.acting),
        record.stat.actingPrimary,
      ]),
  );
}

function pgTable(records: readonly PgRecord[]): string {
  const more = [
    ...['STATE', 'STATE_STAMP', 'VERSION', 'REPORTED', 'UP', 'UP_PRIMARY', 'ACTING', 'ACTING_PRIMARY'],
    ...['LAST_SCRUB', 'SCRUB_STAMP', 'LAST_DEEP_SCRUB', 'DEEP_SCRUB_STAMP', 'SNAPTRIMQ_LEN'],
  ];
  return formatTable(
    [column('PG_STAT', 'left'), ...[...SUM_HEADINGS, ...LOG_HEADINGS, ...more].map(right)],
    [...records].reverse().map((record) => {
      const { stat } = record;
      return [
        formatPgId(stat.pgid),
        ...sumCells(stat.sum),
        stat.logSize,
        stat.logSize,
        shownState(record),
        formatStamp(stat.lastChange),
        formatVersion(stat.version),
        `${stat.reportedEpoch}:${stat.reportedSeq}`,
        formatOsds(stat.up),
        stat.upPrimary,
        formatOsds(stat.acting),
        stat.actingPrimary,
        "0'0",
        NEVER,
        "0'0",
        NEVER,
        0,
      ];
    }),
  );
}
