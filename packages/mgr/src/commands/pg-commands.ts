/** `ceph pg …` (mgr/DaemonServer.cc, mon/PGMap.cc: process_pg_map_command). */

import { Errno, formatPgId, formatVersion } from '@spirula/encoding';
import {
  allPgStates,
  clientIoShortPhrase,
  column,
  comparePgStates,
  dumpClientIo,
  dumpRecovery,
  dumpRecoveryRate,
  formatBytes,
  formatSpan,
  formatTable,
  hasPgState,
  isPgState,
  recoveryPhrases,
  recoveryRatePhrase,
  secondsOf,
  UNKNOWN,
} from '@spirula/formatter';
import { osdExists } from '@spirula/maps';
import { computeDigest, shownState } from '../digest.ts';
import { formatOsds } from '../health-checks.ts';
import type { PgRecord } from '../pg-map.ts';
import { dumpPg } from '../stat-dump.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  describe,
  formatJson,
  invalid,
  listArgument,
  type MgrCommandEntry,
  parseOsd,
  refuse,
  succeed,
  wantsJson,
} from './command.ts';
import { briefTable, NEVER, OMAP_NOTE, pgDump, right } from './pg-dump.ts';

const KIB = 1024;
const states = { name: 'states', type: 'CephString', n: 'N', req: 'false' };
const pool = { name: 'pool', type: 'CephInt', req: 'false' };
const osd = { name: 'osd', type: 'CephOsdName' };
const contents = (strings: string) => ({ name: 'dumpcontents', type: 'CephChoices', strings, n: 'N', req: 'false' });

export const pgCommands: readonly MgrCommandEntry[] = [
  describe(['pg', 'stat'], 'count placement groups by state', pgStat),
  describe(
    ['pg', 'dump', contents('all|summary|sum|delta|pools|osds|pgs|pgs_brief')],
    'print the table of placement groups, or parts of it',
    pgDump,
  ),
  describe(
    ['pg', 'dump_json', contents('all|summary|sum|pools|osds|pgs')],
    'pg dump, always as JSON',
    (args, context) => pgDump({ format: 'json', ...args }, context),
  ),
  describe(['pg', 'dump_pools_json'], 'print the statistics of pools as JSON', (args, context) =>
    pgDump({ format: 'json', ...args, dumpcontents: ['pools'] }, context),
  ),
  describe(['pg', 'ls', pool, states], 'list placement groups by pool and state', (args, context) =>
    pgLs(args, context, () => true),
  ),
  describe(
    ['pg', 'ls-by-pool', { name: 'poolstr', type: 'CephString' }, states],
    'list the placement groups of a pool',
    pgLsByPool,
  ),
  describe(['pg', 'ls-by-primary', osd, pool, states], 'list the placement groups an OSD leads', (args, context) =>
    pgLsByOsd(args, context, ({ stat }, id) => stat.actingPrimary === id),
  ),
  describe(['pg', 'ls-by-osd', osd, pool, states], 'list the placement groups on an OSD', (args, context) =>
    pgLsByOsd(args, context, ({ stat }, id) => stat.acting.includes(id) || stat.up.includes(id)),
  ),
  describe(
    [
      'pg',
      'dump_stuck',
      {
        name: 'stuckops',
        type: 'CephChoices',
        strings: 'inactive|unclean|stale|undersized|degraded',
        n: 'N',
        req: 'false',
      },
      { name: 'threshold', type: 'CephInt', req: 'false' },
    ],
    'list placement groups that have been in a bad state for long',
    pgDumpStuck,
  ),
  describe(
    ['pg', 'debug', { name: 'debugop', type: 'CephChoices', strings: 'unfound_objects_exist|degraded_pgs_exist' }],
    'tell whether any object is unfound or any placement group degraded',
    pgDebug,
  ),
];

function pgStat(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { pgMap, map, io } = context;
  const rates = io.rates();
  const digest = computeDigest(pgMap, map, rates);
  const byState = [...digest.pgsByState].sort(([a], [b]) => comparePgStates(a, b));
  const [used, avail, total] = [digest.kbUsed, digest.kbAvail, digest.kb].map((kb) => kb * KIB) as [
    number,
    number,
    number,
  ];
  if (wantsJson(args)) {
    const io_sec = rates.reads + rates.writes >= 1 ? { io_sec: Math.floor(rates.reads + rates.writes) } : {};
    const { read_op_per_sec, write_op_per_sec, ...bytes } = dumpClientIo(rates);
    return succeed(
      formatJson(args, {
        pg_ready: true,
        pg_summary: {
          num_pg_by_state: byState.map(([name, num]) => ({ name, num })),
          num_pgs: digest.numPgs,
          num_bytes: digest.total.bytes,
          total_bytes: total,
          total_avail_bytes: avail,
          total_used_bytes: used,
          total_used_raw_bytes: used,
          ...bytes,
          ...io_sec,
          ...dumpRecovery(digest.total),
          ...dumpRecoveryRate(rates),
        },
      }),
    );
  }
  const counts = byState.map(([state, count]) => `${count} ${state}`).join(', ');
  const parts = [
    `${digest.numPgs} pgs: ${counts}`,
    `${formatBytes(digest.total.bytes)} data, ${formatBytes(used)} used, ${formatBytes(avail)} / ${formatBytes(total)} avail`,
  ];
  const clientIo = clientIoShortPhrase(rates);
  if (clientIo !== '') parts.push(clientIo);
  parts.push(...recoveryPhrases(digest.total));
  const recovery = recoveryRatePhrase(rates);
  if (recovery !== '') parts.push(`${recovery} recovering`);
  return succeed(`${parts.join('; ')}\n`);
}

// ---- pg ls

function pgLs(args: CommandArgs, context: CommandContext, wanted: (record: PgRecord) => boolean): CommandOutcome {
  const { pgMap, now } = context;
  const poolId = args['pool'];
  const asked = listArgument(args, 'states').filter((state) => state !== 'all');
  const unknown = asked.flatMap((state) => state.split('+')).find((state) => state !== UNKNOWN && !isPgState(state));
  if (unknown !== undefined)
    return invalid(`'${unknown}' is not a valid pg state, available choices: ${allPgStates()}`);
  if (poolId !== undefined && Number(poolId) >= 0 && !context.map.pools.has(Number(poolId))) {
    return refuse(Errno.ENOENT, `pool ${String(poolId)} does not exist`);
  }
  const inPool = ({ stat }: PgRecord) =>
    poolId === undefined || Number(poolId) < 0 || stat.pgid.pool === Number(poolId);
  const inState = (record: PgRecord) =>
    asked.length === 0 ||
    asked.some((state) =>
      state === UNKNOWN
        ? record.stat.state === UNKNOWN
        : state.split('+').every((name) => hasPgState(shownState(record), name)),
    );
  const records = pgMap.pgs().filter((record) => wanted(record) && inPool(record) && inState(record));
  if (wantsJson(args)) return succeed(formatJson(args, { pg_ready: true, pg_stats: records.map(dumpPg) }));
  if (records.length === 0) return succeed('');
  return succeed(lsTable(records, secondsOf(now)) + OMAP_NOTE);
}

function lsTable(records: readonly PgRecord[], now: number): string {
  const headings = [
    ...['OBJECTS', 'DEGRADED', 'MISPLACED', 'UNFOUND', 'BYTES', 'OMAP_BYTES*', 'OMAP_KEYS*', 'LOG', 'STATE', 'SINCE'],
    ...['VERSION', 'REPORTED', 'UP', 'ACTING', 'SCRUB_STAMP', 'DEEP_SCRUB_STAMP'],
  ];
  return formatTable(
    [column('PG', 'left'), ...headings.map(right)],
    records.map((record) => {
      const { stat } = record;
      return [
        formatPgId(stat.pgid),
        stat.sum.objects,
        stat.sum.objectsDegraded,
        stat.sum.objectsMisplaced,
        stat.sum.objectsUnfound,
        stat.sum.bytes,
        stat.sum.omapBytes,
        stat.sum.omapKeys,
        stat.logSize,
        shownState(record),
        formatSpan(now - secondsOf(stat.lastChange)),
        formatVersion(stat.version),
        `${stat.reportedEpoch}:${stat.reportedSeq}`,
        `${formatOsds(stat.up)}p${stat.upPrimary}`,
        `${formatOsds(stat.acting)}p${stat.actingPrimary}`,
        NEVER,
        NEVER,
      ];
    }),
  );
}

function pgLsByPool(args: CommandArgs, context: CommandContext): CommandOutcome {
  const name = String(args['poolstr']);
  const id = [...context.map.poolNames].find(([, each]) => each === name)?.[0];
  if (id === undefined) return refuse(Errno.ENOENT, `pool ${name} does not exist`);
  return pgLs({ ...args, pool: id }, context, () => true);
}

function pgLsByOsd(
  args: CommandArgs,
  context: CommandContext,
  wanted: (record: PgRecord, id: number) => boolean,
): CommandOutcome {
  const id = parseOsd(args['osd']);
  if (id === undefined) return invalid(`${String(args['osd'])} is not a valid OSD`);
  if (!osdExists(context.map, id)) return refuse(Errno.ENOENT, `osd ${id} does not exist`);
  return pgLs(args, context, (record) => wanted(record, id));
}

// ---- pg dump_stuck, pg debug

/** Since when a PG has not been what it should be, or undefined when it is that. */
function stuckSince(record: PgRecord, kind: string): number | undefined {
  const { stat, stale } = record;
  const lacks = (name: string) => !hasPgState(stat.state, name);
  switch (kind) {
    case 'inactive':
      return lacks('active') ? secondsOf(stat.lastActive) : undefined;
    case 'unclean':
      return lacks('clean') ? secondsOf(stat.lastClean) : undefined;
    case 'stale':
      return stale ? secondsOf(stat.lastUnstale) : undefined;
    case 'undersized':
      return lacks('undersized') ? undefined : secondsOf(stat.lastFullsized);
    default:
      return lacks('degraded') ? undefined : secondsOf(stat.lastUndegraded);
  }
}

function pgDumpStuck(args: CommandArgs, context: CommandContext): CommandOutcome {
  const asked = listArgument(args, 'stuckops');
  const kinds = asked.length === 0 ? ['unclean'] : asked;
  const threshold = args['threshold'] === undefined ? context.config.mon_pg_stuck_threshold : Number(args['threshold']);
  const cutoff = secondsOf(context.now) - threshold;
  const stuck = context.pgMap
    .pgs()
    .filter((record) => kinds.some((kind) => (stuckSince(record, kind) ?? Number.POSITIVE_INFINITY) < cutoff));
  if (wantsJson(args)) {
    return succeed(formatJson(args, { pg_ready: true, stuck_pg_stats: stuck.map(dumpPg) }), 'ok');
  }
  return succeed(stuck.length === 0 ? '' : briefTable(stuck), 'ok');
}

function pgDebug(args: CommandArgs, { pgMap }: CommandContext): CommandOutcome {
  const total = pgMap.total();
  const found = args['debugop'] === 'unfound_objects_exist' ? total.objectsUnfound > 0 : total.objectsDegraded > 0;
  return succeed(found ? 'TRUE' : 'FALSE');
}
