/** Commands about the cluster as a whole: status, health, monitors, manager, log, configuration. */
import { deviceClassOf } from '@spirula/crush';
import { Errno, formatAddr, formatAddrVec, formatUuid } from '@spirula/encoding';
import {
  clientIoPhrase,
  column,
  comparePgStates,
  dumpClientIo,
  dumpRecovery,
  dumpRecoveryRate,
  formatBytes,
  formatCount,
  formatSpan,
  formatStamp,
  formatTable,
  type IoRates,
  recoveryPhrases,
  recoveryRatePhrase,
} from '@spirula/formatter';
import { dumpMgrMap, dumpMonMap, osdExists, osdIn, osdUp, printMonMap } from '@spirula/maps';
import type { OsdStat, PgMapDigest } from '@spirula/messages';
import { SECOND } from '@spirula/world';
import { dumpHealth, OPERATOR_FLAGS, printHealth } from '../health.ts';
import { describeSkew, isTooFar } from '../time-check.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  number,
  output,
  refuse,
  succeed,
  text,
  unchanged,
} from './command.ts';

/** What this release stands for: programs parse the number. */
export const VERSION = 'ceph version 16.2.15 (spirula) pacific (stable)';
const QUORUM_FEATURES = [
  'kraken',
  'luminous',
  'mimic',
  'osdmap-prune',
  'nautilus',
  'octopus',
  'pacific',
  'elector-pinging',
];
const CLIENT_FEATURES = '4540138314316775423';
const PRIORITIES = ['[DBG]', '[INF]', '[SEC]', '[WRN]', '[ERR]'];

export const clusterCommands: readonly MonCommandEntry[] = [
  command(['status'], 'show how the cluster is', 'r', status),
  command(
    ['health', { name: 'detail', type: 'CephChoices', strings: 'detail', req: 'false' }],
    'show what is not well',
    'r',
    health,
  ),
  command(['fsid'], 'show the id of the cluster', 'r', (args, { monmap }) => {
    const fsid = formatUuid(monmap.fsid);
    return output(args, { fsid }, `${fsid}\n`);
  }),
  command(
    ['mon', 'dump', { name: 'epoch', type: 'CephInt', range: '0', req: 'false' }],
    'show the monitor map',
    'r',
    monDump,
  ),
  command(['mon', 'stat'], 'show the monitors in one line', 'r', monStat),
  command(['quorum_status'], 'show who is in quorum', 'r', (args, context) => {
    const json = { ...quorumJson(context), monmap: dumpMonMap(context.monmap) };
    return output(args, json, `${JSON.stringify(json)}\n`, '\n');
  }),
  command(['mon', 'versions'], 'count the versions of the monitors', 'r', (args, context) =>
    jsonAlways(args, { [VERSION]: context.quorum.ranks.length }),
  ),
  command(['versions'], 'count the versions of all daemons', 'r', versions),
  command(
    ['mgr', 'dump', { name: 'epoch', type: 'CephInt', range: '0', req: 'false' }],
    'show the manager map',
    'r',
    (args, { mgr }) => jsonAlways(args, dumpMgrMap(mgr.map)),
  ),
  command(['mgr', 'stat'], 'show the active manager in short', 'r', (args, { mgr: { map } }) =>
    jsonAlways(args, {
      epoch: map.epoch,
      available: map.available,
      active_name: map.activeName,
      num_standby: map.standbys.size,
    }),
  ),
  command(['mgr', 'services'], 'show where the manager serves', 'r', (args, { mgr: { map } }) =>
    jsonAlways(args, Object.fromEntries(map.services)),
  ),
  command(['mgr', 'fail', { name: 'who', type: 'CephString', req: 'false' }], 'let a standby take over', 'rw', mgrFail),
  command(
    [
      'log',
      'last',
      { name: 'num', type: 'CephInt', range: '1', req: 'false' },
      { name: 'level', type: 'CephChoices', strings: 'debug|info|sec|warn|error', req: 'false' },
      { name: 'channel', type: 'CephChoices', strings: '*|cluster|audit|cephadm', req: 'false' },
    ],
    'show the last lines of the cluster log',
    'r',
    logLast,
  ),
  command(['log', { name: 'logtext', type: 'CephString', n: 'N' }], 'write a line to the cluster log', 'rw', logLine),
  command(['config', 'dump'], 'show every option that is set', 'r', configDump),
  command(
    ['config', 'get', { name: 'who', type: 'CephString' }, { name: 'key', type: 'CephString', req: 'false' }],
    'show the options that hold for a daemon or client',
    'r',
    configGet,
  ),
  command(
    [
      'config',
      'set',
      { name: 'who', type: 'CephString' },
      { name: 'name', type: 'CephString' },
      { name: 'value', type: 'CephString' },
      { name: 'force', type: 'CephBool', req: 'false' },
    ],
    'set an option for a daemon, a type of daemon or all',
    'rw',
    (args, { configs }) => {
      configs.set(text(args, 'who') ?? '', text(args, 'name') ?? '', text(args, 'value') ?? '');
      return changed('');
    },
  ),
  command(
    ['config', 'rm', { name: 'who', type: 'CephString' }, { name: 'name', type: 'CephString' }],
    'no longer set an option',
    'rw',
    (args, { configs }) => {
      configs.set(text(args, 'who') ?? '', text(args, 'name') ?? '', undefined);
      return changed('');
    },
  ),
  command(['time-sync-status'], "show how far the monitors' clocks are apart", 'r', timeSyncStatus),
  command(
    ['df', { name: 'detail', type: 'CephChoices', strings: 'detail', req: 'false' }],
    'show how full the cluster is',
    'r',
    df,
  ),
];

/** As Monitor::get_cluster_status and `time-sync-status` have it: seconds, by name. */
function timeSyncStatus(args: CommandArgs, { config, monmap, quorum, timeCheck }: CommandContext): CommandOutcome {
  const { round, readings } = timeCheck;
  const clocks = [...readings].map(([rank, reading]) => {
    const isOff = isTooFar(reading, config);
    const seen = { skew: reading.skewUs / SECOND, latency: reading.latencyUs / SECOND };
    const verdict = isOff ? { health: 'HEALTH_WARN', details: describeSkew(reading, config) } : { health: 'HEALTH_OK' };
    return [monmap.ranks[rank]!, { ...seen, ...verdict }] as const;
  });
  return jsonAlways(args, {
    ...(clocks.length > 0 && { time_skew_status: Object.fromEntries(clocks) }),
    timechecks: { epoch: quorum.epoch, round, round_status: round % 2 === 1 ? 'on-going' : 'finished' },
  });
}

function quorumNames({ quorum, monmap }: CommandContext): string[] {
  return quorum.ranks.map((rank) => monmap.ranks[rank]!);
}

function quorumJson(context: CommandContext) {
  const { quorum, monmap } = context;
  return {
    election_epoch: quorum.epoch,
    quorum: quorum.ranks,
    quorum_names: quorumNames(context),
    quorum_leader_name: monmap.ranks[quorum.leader] ?? '',
    quorum_age: quorum.ageSeconds,
    features: { quorum_con: CLIENT_FEATURES, quorum_mon: QUORUM_FEATURES },
  };
}

function health(args: CommandArgs, context: CommandContext): CommandOutcome {
  const detail = text(args, 'detail') === 'detail';
  const report = context.health();
  return output(args, dumpHealth(report, detail), printHealth(report, detail));
}

interface OsdCounts {
  readonly exist: number;
  readonly up: number;
  readonly in: number;
}

function countOsds({ osd: { map } }: CommandContext): OsdCounts {
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  return {
    exist: osds.length,
    up: osds.filter((osd) => osdUp(map, osd)).length,
    in: osds.filter((osd) => osdIn(map, osd)).length,
  };
}

/** The fields that `status`, `osd stat` and their text share. */
export function osdSummary(context: CommandContext) {
  const { map } = context.osd;
  const counts = countOsds(context);
  return {
    epoch: map.epoch,
    num_osds: counts.exist,
    num_up_osds: counts.up,
    osd_up_since: map.lastUpChange.sec,
    num_in_osds: counts.in,
    osd_in_since: map.lastInChange.sec,
    num_remapped_pgs: map.pgTemp.size,
  };
}

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
    fsmap: { epoch: 1, by_rank: [], 'up:standby': 0 },
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
  const report = context.health();
  const summaries = [...report.checks.values()].map((check) => `            ${check.summary}\n`).join('');
  const names = quorumNames(context);
  const out = monmap.ranks.filter((name) => !names.includes(name));
  const counts = countOsds(context);
  const since = (stamp: number) => formatSpan(context.wallSeconds() - stamp);
  const flags = OPERATOR_FLAGS.filter(([, bit]) => (osd.map.flags & bit) !== 0).map(([name]) => name);
  const remapped = osd.map.pgTemp.size > 0 ? `; ${osd.map.pgTemp.size} remapped pgs` : '';
  return [
    '  cluster:\n',
    `    id:     ${formatUuid(monmap.fsid)}\n`,
    `    health: ${report.status}\n`,
    summaries,
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

function monDump(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { monmap, quorum } = context;
  const epoch = number(args, 'epoch');
  if (epoch !== undefined && epoch !== 0 && epoch !== monmap.epoch) {
    return refuse(Errno.ENOENT, `there is no map for epoch ${epoch}`);
  }
  return {
    ...output(args, { ...dumpMonMap(monmap), quorum: quorum.ranks }, printMonMap(monmap), '\n'),
    status: `dumped monmap epoch ${monmap.epoch}`,
  };
}

function monStat(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { monmap, quorum } = context;
  const mons = monmap.ranks.map((name) => `${name}=${formatAddrVec(monmap.mons.get(name)!.addrs)}`).join(',');
  const names = quorumNames(context).join(',');
  const leader = monmap.ranks[quorum.leader] ?? '';
  const line =
    `e${monmap.epoch}: ${monmap.ranks.length} mons at {${mons}} removed_ranks: {}, election epoch ${quorum.epoch}, ` +
    `leader ${quorum.leader} ${leader}, quorum ${quorum.ranks.join(',')} ${names}\n`;
  const json = {
    epoch: monmap.epoch,
    min_mon_release_name: 'pacific',
    num_mons: monmap.ranks.length,
    leader,
    quorum: quorum.ranks.map((rank) => ({ rank, name: monmap.ranks[rank] })),
  };
  return output(args, json, line, '\n');
}

function versions(args: CommandArgs, context: CommandContext): CommandOutcome {
  const mons = context.quorum.ranks.length;
  const mgrs = (context.mgr.map.activeGid === 0n ? 0 : 1) + context.mgr.map.standbys.size;
  const osds = countOsds(context).up;
  const group = (count: number) => (count > 0 ? { [VERSION]: count } : {});
  return jsonAlways(args, {
    mon: group(mons),
    mgr: group(mgrs),
    osd: group(osds),
    mds: {},
    overall: group(mons + mgrs + osds),
  });
}

function mgrFail(args: CommandArgs, { mgr }: CommandContext): CommandOutcome {
  const who = text(args, 'who');
  const { map } = mgr;
  if (map.activeGid === 0n) return unchanged('Currently no active mgr');
  if (who !== undefined && who !== map.activeName && who !== String(map.activeGid)) {
    return unchanged(`Daemon not found '${who}', already failed?`);
  }
  mgr.fail();
  return changed('');
}

function logLast(args: CommandArgs, context: CommandContext): CommandOutcome {
  const least = ['debug', 'info', 'sec', 'warn', 'error'].indexOf(text(args, 'level') ?? 'info');
  const entries = context.log
    .last(500)
    .filter((entry) => entry.priority >= least)
    .slice(-(number(args, 'num') ?? 20));
  const rankOf = (id: string) => context.monmap.ranks.indexOf(id);
  const who = (entry: (typeof entries)[number]) => `${entry.name.type}.${entry.name.id}`;
  const rank = (entry: (typeof entries)[number]) =>
    entry.name.type === 'mon' ? `mon.${rankOf(entry.name.id)}` : who(entry);
  const lines = entries.map(
    (entry) =>
      `${formatStamp(entry.stamp)} ${who(entry)} (${rank(entry)}) ${entry.seq} : ${entry.channel} ${PRIORITIES[entry.priority]} ${entry.text}\n`,
  );
  const json = entries.map((entry) => ({
    name: who(entry),
    rank: rank(entry),
    addrs: {
      addrvec: (context.monmap.mons.get(entry.name.id)?.addrs ?? []).map((addr) => ({
        type: 'v2',
        addr: formatAddr(addr)
          .replace(/^v2:/, '')
          .replace(/\/\d+$/, ''),
        nonce: addr.nonce,
      })),
    },
    stamp: formatStamp(entry.stamp),
    seq: entry.seq,
    channel: entry.channel,
    priority: PRIORITIES[entry.priority],
    message: entry.text,
  }));
  return output(args, json, lines.join(''));
}

function logLine(args: CommandArgs, context: CommandContext): CommandOutcome {
  const words = args['logtext'];
  const line = Array.isArray(words) ? words.join(' ') : String(words ?? '');
  if (line === '') return invalid('no text to log');
  const stamp = { sec: context.wallSeconds(), nsec: 0 };
  context.log.append([
    { name: { type: 'client', id: 'admin' }, stamp, seq: 0, priority: 1, text: line, channel: 'cluster' },
  ]);
  return changed('');
}

function configDump(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const entries = configs.entries;
  const json = entries.map(({ section, name, value }) => ({
    section,
    name,
    value,
    level: 'advanced',
    can_update_at_runtime: true,
    mask: '',
    location_type: '',
    location_value: '',
  }));
  const columns = ['WHO', 'MASK', 'LEVEL', 'OPTION', 'VALUE', 'RO'].map((heading) => column(heading, 'left'));
  const indent = (section: string) => (section === 'global' ? section : `  ${section}`);
  const rows = entries.map(({ section, name, value }) => [indent(section), '', 'advanced', name, value, '']);
  return output(args, json, formatTable(columns, rows));
}

function configGet(args: CommandArgs, { configs }: CommandContext): CommandOutcome {
  const who = text(args, 'who') ?? '';
  const [type = '', ...rest] = who.split('.');
  const values = configs.valuesFor(type, rest.join('.'));
  const key = text(args, 'key');
  if (key === undefined) return jsonAlways(args, Object.fromEntries(values));
  const value = values.get(key);
  return value === undefined ? refuse(Errno.ENOENT, `option ${key} is not set for ${who}`) : succeed(`${value}\n`);
}

interface RawUsage {
  /** Bytes. */
  readonly total: number;
  readonly used: number;
  readonly available: number;
  readonly ratio: number;
}

function rawUsage(stats: readonly OsdStat[]): RawUsage {
  const sum = (field: 'kb' | 'kbUsed' | 'kbAvail') => 1024 * stats.reduce((total, stat) => total + stat[field], 0);
  const total = sum('kb');
  const used = sum('kbUsed');
  return { total, used, available: sum('kbAvail'), ratio: total > 0 ? used / total : 0 };
}

function dumpRawUsage({ total, used, available, ratio }: RawUsage) {
  return {
    total_bytes: total,
    total_avail_bytes: available,
    total_used_bytes: used,
    total_used_raw_bytes: used,
    total_used_raw_ratio: ratio,
  };
}

function df(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { digest } = context.mgrStat;
  const { map } = context.osd;
  const detail = text(args, 'detail') === 'detail';
  const osdStats = [...(digest?.osdStats ?? [])];
  const whole = rawUsage(osdStats.map(([, stat]) => stat));
  const { available } = whole;
  const byClass = [...map.crush.classNames.values()].sort().map((name) => {
    const ofClass = osdStats.filter(([osd]) => deviceClassOf(map.crush, osd) === name);
    return [name, rawUsage(ofClass.map(([, stat]) => stat))] as const;
  });
  const pools = [...map.pools].map(([id, pool]) => {
    const stat = digest?.pools.get(id);
    const stored = stat?.sum.bytes ?? 0;
    const bytesUsed = stat === undefined ? 0 : stat.allocated;
    const omap = stat?.sum.omapBytes ?? 0;
    const maxAvail = Math.floor((available * map.fullRatio) / pool.size);
    const objects = stat?.sum.objects ?? 0;
    const percent = bytesUsed + maxAvail * pool.size > 0 ? bytesUsed / (bytesUsed + maxAvail * pool.size) : 0;
    return { id, name: map.poolNames.get(id) ?? '', pool, stat, stored, bytesUsed, omap, maxAvail, objects, percent };
  });
  const json = {
    stats: {
      ...dumpRawUsage(whole),
      num_osds: countOsds(context).exist,
      num_per_pool_osds: digest?.osdStats.size ?? 0,
      num_per_pool_omap_osds: digest?.osdStats.size ?? 0,
    },
    stats_by_class: Object.fromEntries(byClass.map(([name, usage]) => [name, dumpRawUsage(usage)])),
    pools: pools.map(({ id, name, pool, stat, stored, bytesUsed, omap, maxAvail, objects, percent }) => ({
      name,
      id,
      stats: {
        stored,
        ...(detail ? { stored_data: stored - omap, stored_omap: omap } : {}),
        objects,
        kb_used: Math.ceil(bytesUsed / 1024),
        bytes_used: bytesUsed,
        ...(detail ? { data_bytes_used: bytesUsed - omap * pool.size, omap_bytes_used: omap * pool.size } : {}),
        percent_used: percent,
        max_avail: maxAvail,
        ...(detail
          ? {
              quota_objects: pool.quotaMaxObjects,
              quota_bytes: pool.quotaMaxBytes,
              dirty: 0,
              rd: stat?.sum.reads ?? 0,
              rd_bytes: stat?.sum.readBytes ?? 0,
              wr: stat?.sum.writes ?? 0,
              wr_bytes: stat?.sum.writeBytes ?? 0,
              compress_bytes_used: 0,
              compress_under_bytes: 0,
              stored_raw: stored * pool.size,
              avail_raw: maxAvail * pool.size,
            }
          : {}),
      },
    })),
  };
  const percent = (value: number) => (value * 100 < 0.001 ? '0' : (value * 100).toFixed(2));
  const raw = formatTable(
    ['CLASS', 'SIZE', 'AVAIL', 'USED', 'RAW USED', '%RAW USED'].map((each, i) =>
      column(each, i === 0 ? 'left' : 'right', i === 0 ? 'left' : 'right'),
    ),
    [...byClass, ['TOTAL', whole] as const].map(([name, usage]) => {
      const used = formatBytes(usage.used);
      return [name, formatBytes(usage.total), formatBytes(usage.available), used, used, percent(usage.ratio)];
    }),
  );
  const headings = detail
    ? [
        'POOL',
        'ID',
        'PGS',
        'STORED',
        '(DATA)',
        '(OMAP)',
        'OBJECTS',
        'USED',
        '(DATA)',
        '(OMAP)',
        '%USED',
        'MAX AVAIL',
        'QUOTA OBJECTS',
        'QUOTA BYTES',
        'DIRTY',
        'USED COMPR',
        'UNDER COMPR',
      ]
    : ['POOL', 'ID', 'PGS', 'STORED', 'OBJECTS', 'USED', '%USED', 'MAX AVAIL'];
  const rows = pools.map(({ id, name, pool, stored, bytesUsed, omap, maxAvail, objects, percent: share }) =>
    detail
      ? [
          name,
          id,
          pool.pgNum,
          formatBytes(stored),
          formatBytes(stored - omap),
          formatBytes(omap),
          formatCount(objects),
          formatBytes(bytesUsed),
          formatBytes(bytesUsed - omap * pool.size),
          formatBytes(omap * pool.size),
          percent(share),
          formatBytes(maxAvail),
          pool.quotaMaxObjects === 0 ? 'N/A' : formatCount(pool.quotaMaxObjects),
          pool.quotaMaxBytes === 0 ? 'N/A' : formatBytes(pool.quotaMaxBytes),
          'N/A',
          '0 B',
          '0 B',
        ]
      : [
          name,
          id,
          pool.pgNum,
          formatBytes(stored),
          formatCount(objects),
          formatBytes(bytesUsed),
          percent(share),
          formatBytes(maxAvail),
        ],
  );
  const table = formatTable(
    headings.map((each, i) => column(each, i === 0 ? 'left' : 'right', i === 0 ? 'left' : 'right')),
    rows,
  );
  return output(args, json, `--- RAW STORAGE ---\n${raw} \n--- POOLS ---\n${table}`, '\n');
}
