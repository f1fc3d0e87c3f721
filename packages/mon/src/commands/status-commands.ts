/** `ceph status` (Monitor::get_cluster_status, mon/Monitor.cc). */
import { formatUuid } from '@spirula/encoding';
import {
  clientIoPhrase,
  comparePgStates,
  dumpClientIo,
  dumpRecovery,
  dumpRecoveryRate,
  formatBytes,
  formatCount,
  formatSpan,
  formatStamp,
  type IoRates,
  recoveryPhrases,
  recoveryRatePhrase,
} from '@spirula/formatter';
import { OPERATOR_FLAGS } from '@spirula/maps';
import type { PgMapDigest } from '@spirula/messages';
import { dumpHealth, healthPhrases, leftByWall } from '../health/health-text.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  command,
  type MonCommandEntry,
  output,
} from './command.ts';
import { FS_MAP_EPOCH } from './fs-map.ts';
import { countOsds, osdSummary } from './osd-summary.ts';
import { quorumNames } from './quorum-summary.ts';

export const statusCommands: readonly MonCommandEntry[] = [command(['status'], 'show how the cluster is', 'r', status)];

function ratesOf(digest: PgMapDigest): IoRates {
  return {
    readBytes: digest.readBytesPerSecond,
    writeBytes: digest.writeBytesPerSecond,
    reads: digest.readOpsPerSecond,
    writes: digest.writeOpsPerSecond,
    recoveredBytes: digest.recoveryBytesPerSecond,
    recoveredObjects: digest.recoveryObjectsPerSecond,
  };
}

function statesOf(digest: PgMapDigest): [state: string, count: number][] {
  return [...digest.pgsByState].sort(([a, an], [b, bn]) => bn - an || comparePgStates(a, b));
}

function pgSummaryJson(context: CommandContext) {
  const { digest } = context.mgrStat;
  const pools = context.osd.map.pools.size;
  if (digest === undefined) {
    return {
      pgs_by_state: [],
      num_pgs: 0,
      num_pools: pools,
      num_objects: 0,
      data_bytes: 0,
      bytes_used: 0,
      bytes_avail: 0,
      bytes_total: 0,
    };
  }
  return {
    pgs_by_state: statesOf(digest).map(([state_name, count]) => ({ state_name, count })),
    num_pgs: digest.numPgs,
    num_pools: pools,
    num_objects: digest.total.objects,
    data_bytes: digest.total.bytes,
    bytes_used: digest.kbUsed * 1024,
    bytes_avail: digest.kbAvail * 1024,
    bytes_total: digest.kb * 1024,
    ...(digest.numPgUnknown > 0 ? { unknown_pgs_ratio: digest.numPgUnknown / digest.numPgs } : {}),
    ...(digest.numPgs - digest.numPgUnknown > digest.numPgActive
      ? { inactive_pgs_ratio: (digest.numPgs - digest.numPgUnknown - digest.numPgActive) / digest.numPgs }
      : {}),
    ...dumpRecovery(digest.total),
    ...dumpRecoveryRate(ratesOf(digest)),
    ...dumpClientIo(ratesOf(digest)),
  };
}

function status(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { quorum, monmap, mgr, osd } = context;
  const report = context.health();
  const json = {
    fsid: formatUuid(monmap.fsid),
    health: dumpHealth(report, false),
    election_epoch: quorum.epoch,
    quorum: quorum.ranks,
    quorum_names: quorumNames(context),
    quorum_age: quorum.ageSeconds,
    monmap: { epoch: monmap.epoch, min_mon_release_name: 'pacific', num_mons: monmap.ranks.length },
    osdmap: osdSummary(context),
    pgmap: pgSummaryJson(context),
    fsmap: { epoch: FS_MAP_EPOCH, by_rank: [], 'up:standby': 0 },
    mgrmap: {
      available: mgr.map.available,
      num_standbys: mgr.map.standbys.size,
      modules: mgr.map.modules,
      services: Object.fromEntries(mgr.map.services),
    },
    servicemap: { epoch: 1, modified: formatStamp(osd.map.created), services: {} },
    progress_events: {},
  };
  return output(args, json, statusText(context), '\n');
}

function statusText(context: CommandContext): string {
  const { monmap, quorum, osd, mgrStat } = context;
  const health = context.health();
  const phrases = healthPhrases(health, leftByWall(context.wall())).map((phrase) => `            ${phrase}\n`);
  const names = quorumNames(context);
  const out = monmap.ranks.filter((name) => !names.includes(name));
  const counts = countOsds(context);
  const since = (stamp: number) => formatSpan(context.wallSeconds() - stamp);
  const flags = OPERATOR_FLAGS.filter(([, bit]) => (osd.map.flags & bit) !== 0).map(([name]) => name);
  const remapped = osd.map.pgTemp.size > 0 ? `; ${osd.map.pgTemp.size} remapped pgs` : '';
  return [
    '  cluster:\n',
    `    id:     ${formatUuid(monmap.fsid)}\n`,
    `    health: ${health.status}\n`,
    ...phrases,
    ' \n',
    '  services:\n',
    `    mon: ${monmap.ranks.length} daemons, quorum ${names.join(',')} (age ${formatSpan(quorum.ageSeconds)})`,
    out.length > 0 ? `, out of quorum: ${out.join(', ')}\n` : '\n',
    `    mgr: ${mgrText(context)}\n`,
    `    osd: ${counts.exist} osds: ${counts.up} up (since ${since(osd.map.lastUpChange.sec)}), ${counts.in} in (since ${since(osd.map.lastInChange.sec)})${remapped}\n`,
    flags.length > 0 ? `         flags ${flags.join(',')}\n` : '',
    ' \n',
    dataText(context, mgrStat.digest),
  ].join('');
}

function mgrText({ mgr: { map }, wallSeconds }: CommandContext): string {
  if (map.activeGid === 0n) return 'no daemons active';
  const age = `since ${formatSpan(wallSeconds() - map.activeChange.sec)}`;
  const standbys = [...map.standbys.values()].map((standby) => standby.name);
  const active = `${map.activeName}(active${map.available ? '' : ', starting'}, ${age})`;
  return standbys.length > 0 ? `${active}, standbys: ${standbys.join(', ')}` : active;
}

function dataText(context: CommandContext, digest: PgMapDigest | undefined): string {
  const pools = context.osd.map.pools.size;
  if (digest === undefined) {
    return `  data:\n    pools:   ${pools} pools, 0 pgs\n    objects: 0 objects, 0 B\n    usage:   0 B used, 0 B / 0 B avail\n    pgs:     \n \n`;
  }
  const lines = [
    '  data:\n',
    `    pools:   ${pools} pools, ${digest.numPgs} pgs\n`,
    `    objects: ${formatCount(digest.total.objects)} objects, ${formatBytes(digest.total.bytes)}\n`,
    `    usage:   ${formatBytes(digest.kbUsed * 1024)} used, ${formatBytes(digest.kbAvail * 1024)} / ${formatBytes(digest.kb * 1024)} avail\n`,
    pgLines(digest),
    ' \n',
  ];
  const client = clientIoPhrase(ratesOf(digest));
  const recovery = recoveryRatePhrase(ratesOf(digest));
  if (client !== '' || recovery !== '') {
    lines.push('  io:\n');
    if (client !== '') lines.push(`    client:   ${client}\n`);
    if (recovery !== '') lines.push(`    recovery: ${recovery}\n`);
    lines.push(' \n');
  }
  return lines.join('');
}

function pgLines(digest: PgMapDigest): string {
  const percent = (part: number) => `${((100 * part) / digest.numPgs).toFixed(3)}%`;
  const notes: string[] = [];
  if (digest.numPgUnknown > 0) notes.push(`${percent(digest.numPgUnknown)} pgs unknown`);
  const inactive = digest.numPgs - digest.numPgUnknown - digest.numPgActive;
  if (inactive > 0) notes.push(`${percent(inactive)} pgs not active`);
  notes.push(...recoveryPhrases(digest.total));
  const states = statesOf(digest);
  const width = Math.max(0, ...states.map(([, count]) => String(count).length));
  const lines = [...notes, ...states.map(([state, count]) => `${String(count).padEnd(width)} ${state}`)];
  return lines.length === 0
    ? '    pgs:     \n'
    : lines.map((line, i) => `${i === 0 ? '    pgs:     ' : '             '}${line}\n`).join('');
}
