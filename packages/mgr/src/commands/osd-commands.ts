/** `ceph osd …` as far as the manager serves it (mgr/DaemonServer.cc, mon/PGMap.cc). */

import { Errno, formatPgId, type OsdId } from '@spirula/encoding';
import {
  clientIoPhrase,
  column,
  dumpClientIo,
  dumpRecovery,
  dumpRecoveryRate,
  formatTable,
  hasPgState,
  recoveryPhrases,
  recoveryRatePhrase,
  UNKNOWN,
} from '@spirula/formatter';
import { ZERO_SUM } from '@spirula/messages';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  describe,
  formatJson,
  type MgrCommandEntry,
  refuse,
  succeed,
  wantsJson,
} from './command.ts';
import { findOsds } from './osd-arguments.ts';
import { osdDf } from './osd-df.ts';

export const osdCommands: readonly MgrCommandEntry[] = [
  describe(
    [
      'osd',
      'df',
      { name: 'output_method', type: 'CephChoices', strings: 'plain|tree', req: 'false' },
      { name: 'filter_by', type: 'CephChoices', strings: 'class|name', req: 'false' },
      { name: 'filter', type: 'CephString', req: 'false' },
    ],
    'print how full the OSDs are',
    osdDf,
  ),
  describe(['osd', 'perf'], "print the OSDs' commit and apply latencies", osdPerf),
  describe(['osd', 'blocked-by'], 'count for each OSD the placement groups that wait for it', osdBlockedBy),
  describe(
    ['osd', 'pool', 'stats', { name: 'pool_name', type: 'CephPoolname', req: 'false' }],
    'print what clients and recovery do in pools',
    osdPoolStats,
  ),
  describe(
    ['osd', 'ok-to-stop', { name: 'ids', type: 'CephString', n: 'N' }],
    'tell whether OSDs can be stopped with all data staying available',
    osdOkToStop,
  ),
];

function osdPerf(args: CommandArgs, { pgMap }: CommandContext): CommandOutcome {
  const stats = [...pgMap.osdStats].sort(([a], [b]) => b - a);
  const rows = stats.map(
    ([id, stat]) => [id, Math.round(stat.commitLatencyMs), Math.round(stat.applyLatencyMs)] as const,
  );
  if (wantsJson(args)) {
    const infos = stats.map(([id, stat]) => ({
      id,
      perf_stats: {
        commit_latency_ms: Math.round(stat.commitLatencyMs),
        apply_latency_ms: Math.round(stat.applyLatencyMs),
        commit_latency_ns: Math.round(stat.commitLatencyMs * 1e6),
        apply_latency_ns: Math.round(stat.applyLatencyMs * 1e6),
      },
    }));
    return succeed(formatJson(args, { pg_ready: true, osdstats: { osd_perf_infos: infos } }));
  }
  const columns = ['osd', 'commit_latency(ms)', 'apply_latency(ms)'].map((heading) => column(heading, 'right'));
  return succeed(formatTable(columns, rows));
}

function osdBlockedBy(args: CommandArgs, { pgMap }: CommandContext): CommandOutcome {
  const counts = new Map<OsdId, number>();
  for (const { stat } of pgMap.pgs()) for (const osd of stat.blockedBy) counts.set(osd, (counts.get(osd) ?? 0) + 1);
  const rows = [...counts].sort(([a], [b]) => a - b);
  if (wantsJson(args)) {
    const infos = rows.map(([id, num_blocked]) => ({ id, num_blocked }));
    return succeed(formatJson(args, { pg_ready: true, osd_blocked_by: { osd_blocked_by_infos: infos } }));
  }
  return succeed(formatTable([column('osd', 'right'), column('num_blocked', 'right')], rows));
}

function osdPoolStats(args: CommandArgs, { map, pgMap, io }: CommandContext): CommandOutcome {
  const wanted = args['pool_name'];
  const pools = [...map.poolNames]
    .sort(([a], [b]) => a - b)
    .filter(([, name]) => wanted === undefined || name === wanted);
  if (wanted !== undefined && pools.length === 0) return refuse(Errno.ENOENT, `unrecognized pool '${String(wanted)}'`);
  const stats = pgMap.poolStats(map);
  if (wantsJson(args)) {
    const dump = pools.map(([pool_id, pool_name]) => ({
      pool_name,
      pool_id,
      recovery: dumpRecovery(stats.get(pool_id)?.sum ?? ZERO_SUM),
      recovery_rate: dumpRecoveryRate(io.rates(pool_id)),
      client_io_rate: dumpClientIo(io.rates(pool_id)),
    }));
    return succeed(formatJson(args, dump));
  }
  if (pools.length === 0) return succeed('there are no pools!');
  let text = '';
  for (const [id, name] of pools) {
    const lines = recoveryPhrases(stats.get(id)?.sum ?? ZERO_SUM);
    const recovery = recoveryRatePhrase(io.rates(id));
    if (recovery !== '') lines.push(`recovery io ${recovery}`);
    const client = clientIoPhrase(io.rates(id));
    if (client !== '') lines.push(`client io ${client}`);
    if (lines.length === 0) lines.push('nothing is going on');
    text += `pool ${name} id ${id}\n${lines.map((line) => `  ${line}\n`).join('')}\n`;
  }
  return succeed(text);
}

/** What would become of every PG if the OSDs were gone now (DaemonServer::check_offlines_pgs). */
function osdOkToStop(args: CommandArgs, context: CommandContext): CommandOutcome {
  const osds = findOsds(args, context);
  if ('code' in osds) return osds;
  const degraded: string[] = [];
  const inactive: string[] = [];
  const alreadyInactive: string[] = [];
  const unknown: string[] = [];
  let fine = 0;
  for (const { stat } of context.pgMap.pgs()) {
    const id = formatPgId(stat.pgid);
    if (stat.state === UNKNOWN) {
      unknown.push(id);
      continue;
    }
    const staying = stat.acting.filter((osd) => !osds.includes(osd));
    if (staying.length === stat.acting.length) continue;
    const pool = context.map.pools.get(stat.pgid.pool);
    if (!hasPgState(stat.state, 'active') && !hasPgState(stat.state, 'degraded')) alreadyInactive.push(id);
    else if (!pool || staying.length < pool.minSize) inactive.push(id);
    else {
      fine += 1;
      if (staying.length < pool.size) degraded.push(id);
    }
  }
  const bad = inactive.length + alreadyInactive.length;
  const report = {
    ok_to_stop: bad === 0 && unknown.length === 0,
    osds,
    num_ok_pgs: fine,
    num_not_ok_pgs: bad,
    ...(unknown.length > 0 && { bad_unknown: unknown }),
    ...(alreadyInactive.length > 0 && { bad_already_inactive: alreadyInactive }),
    ...(inactive.length > 0 && { bad_become_inactive: inactive }),
    ...(degraded.length > 0 && { ok_become_degraded: degraded }),
  };
  const output = `${formatJson(args, report).trimEnd()}\n`;
  if (unknown.length > 0) {
    return refuse(Errno.EAGAIN, `${unknown.length} pgs have unknown state; cannot draw any conclusions`, output);
  }
  if (bad > 0) {
    return refuse(Errno.EBUSY, `unsafe to stop osd(s) at this time (${bad} PGs are or would become offline)`, output);
  }
  return succeed(output);
}
