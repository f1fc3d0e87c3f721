/** Commands that an OSD answers itself, by `tell` and over its admin socket (OSD::asok_command). */
import {
  type AdminCommand,
  adminCommand,
  lastingCommand,
  listOf,
  type PerfLogger,
  refuse,
  say,
  sayDocuments,
  textOf,
} from '@spirula/admin-socket';
import { Errno, formatUuid, type OsdId, type PgId, parsePgId, type Uuid } from '@spirula/encoding';
import type { CommandDescription, LogLevel, OsdStat } from '@spirula/messages';
import type { OpTracker } from './op-tracker.ts';
import { type OsdPlaces, placeCommands } from './socket-commands.ts';
import type { StoreBench } from './store-bench.ts';

/** What there is to say of a PG; undefined when it is not here, `not primary` when another OSD leads it. */
type PgQuerying = (pgid: PgId) => object | 'not primary' | undefined;

export interface OsdView extends OsdPlaces {
  readonly whoami: OsdId;
  readonly fsid: Uuid;
  readonly uuid: Uuid;
  readonly ops: OpTracker;
  readonly state: string;
  readonly oldestMap: number;
  readonly newestMap: number;
  readonly numPgs: number;
  readonly numPrimaryPgs: number;
  readonly stat: OsdStat;
  readonly queryPg: PgQuerying;
  readonly bench: StoreBench;
  /** Reports to the manager now. @returns the number of the report */
  reportNow(): number;
  /** Writes a line to the cluster log. */
  say(level: LogLevel, text: string): void;
}

const OFF =
  'op_tracker tracking is not enabled now, so no ops are tracked currently, even those get stuck. Please enable ' +
  '"osd_enable_op_tracker", and the tracker will start to track new ops received afterwards.';

/** The words that levels go by here (string_to_clog_type), in whatever case. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  ...{ debug: 'debug', dbg: 'debug', info: 'info', inf: 'info', warning: 'warn', warn: 'warn', wrn: 'warn' },
  ...{ error: 'error', err: 'error', security: 'sec', sec: 'sec' },
};

const BENCH: CommandDescription['sig'] = [
  'bench',
  ...['count', 'size', 'object_size', 'object_num'].map((name) => ({ name, type: 'CephInt', req: 'false' })),
];

/** 16.2 describes its levels in a way that lets `ceph` send one alone; others take them all. */
function clusterLogCommand(osd: OsdView): AdminCommand {
  const signature: CommandDescription['sig'] = [
    'cluster_log',
    { name: 'level', type: 'CephChoices', strings: 'error' },
    { name: 'message', type: 'CephString', n: 'N' },
  ];
  return adminCommand(
    signature,
    'write a line to the cluster log',
    (args) => {
      const text = listOf(args, 'message').join(' ');
      if (listOf(args, 'message').length === 0) return refuse(Errno.EINVAL, 'ignoring empty log message');
      const name = textOf(args, 'level') ?? '';
      const level = Object.hasOwn(LEVELS, name.toLowerCase()) ? LEVELS[name.toLowerCase()] : undefined;
      if (level === undefined) return refuse(Errno.EINVAL, `unknown level '${name}'`);
      osd.say(level, text);
      return { code: 0, status: '' };
    },
    'rw',
  );
}

/** @param isTracking whether requests are watched */
export function osdCommands(osd: OsdView, isTracking: () => boolean): readonly AdminCommand[] {
  const { ops } = osd;
  const ofOps = (prefix: string, help: string, root: string, dump: () => object) =>
    adminCommand([prefix], help, () =>
      isTracking()
        ? sayDocuments({ json: dump(), root, items: { ops: 'op', Ops: 'op', events: 'event' } })
        : refuse(Errno.EINVAL, OFF),
    );
  const query = (args: Parameters<AdminCommand['run']>[0]) => {
    const pgid = textOf(args, 'pgid');
    if (pgid === undefined) return refuse(Errno.EINVAL, 'no pgid specified');
    const parsed = parsePgId(pgid);
    if (parsed === undefined) return refuse(Errno.EINVAL, `couldn't parse pgid '${pgid}'`);
    const found = osd.queryPg(parsed);
    if (found === undefined) return refuse(Errno.ENOENT, `i don't have pgid ${pgid}`);
    return found === 'not primary' ? refuse(Errno.EAGAIN, `not primary for pgid ${pgid}`) : say(found);
  };
  return [
    adminCommand(['status'], 'show how this OSD is', () =>
      say({
        cluster_fsid: formatUuid(osd.fsid),
        osd_fsid: formatUuid(osd.uuid),
        whoami: osd.whoami,
        state: osd.state,
        oldest_map: osd.oldestMap,
        cluster_osdmap_trim_lower_bound: osd.oldestMap,
        newest_map: osd.newestMap,
        num_pgs: osd.numPgs,
      }),
    ),
    adminCommand(['query'], 'show what the primary of a placement group knows of it', query),
    adminCommand(
      ['pg', { name: 'pgid', type: 'CephPgid' }, { name: 'cmd', type: 'CephChoices', strings: 'query' }],
      'show what the primary of a placement group knows of it',
      query,
    ),
    clusterLogCommand(osd),
    lastingCommand(
      BENCH,
      'write so many bytes in blocks of a size to the store, and tell how fast that was',
      (args, done) => osd.bench.begin(args, done),
    ),
    adminCommand(['flush_pg_stats'], 'report to the manager now, and tell the number of the report', () =>
      sayDocuments({ json: osd.reportNow(), root: 'stat_seq' }),
    ),
    ...placeCommands(osd),
    ofOps('dump_ops_in_flight', 'show the requests under way', 'ops_in_flight', () => ops.dumpUnderWay()),
    ofOps('ops', 'show the requests under way', 'ops_in_flight', () => ops.dumpUnderWay()),
    ofOps('dump_blocked_ops', 'show the requests that are slow', 'ops_in_flight', () => ops.dumpBlocked()),
    ofOps('dump_historic_ops', 'show the last requests', 'op_history', () => ops.dumpHistory('arrival')),
    ofOps('dump_historic_ops_by_duration', 'show the last requests, slowest first', 'op_history', () =>
      ops.dumpHistory('duration'),
    ),
    ofOps('dump_historic_slow_ops', 'show the last requests that were slow', 'OpHistory_slow_ops', () =>
      ops.dumpSlowHistory(),
    ),
  ];
}

/** What an OSD counts under Ceph's names (osd_perf_counters.cc). */
export function osdCounters(osd: OsdView): PerfLogger {
  const { ops } = osd;
  const kb = 1024;
  return {
    op_wip: { kind: 'gauge', description: 'requests under way', priority: 5, read: () => ops.count },
    op: {
      kind: 'counter',
      description: 'requests of clients',
      nick: 'ops',
      priority: 10,
      read: () => ops.totals.count,
    },
    op_in_bytes: {
      kind: 'counter',
      description: 'bytes that clients sent',
      nick: 'wr',
      priority: 8,
      units: 'bytes',
      read: () => ops.totals.inBytes,
    },
    op_latency: {
      kind: 'latency',
      description: 'time from the arrival of a request to its end',
      nick: 'l',
      priority: 9,
      read: () => ({ count: ops.totals.count, seconds: ops.totals.seconds }),
    },
    op_r: { kind: 'counter', description: 'requests that read', read: () => ops.totals.reads },
    op_w: { kind: 'counter', description: 'requests that write', read: () => ops.totals.writes },
    numpg: { kind: 'gauge', description: 'placement groups', nick: 'pgs', priority: 5, read: () => osd.numPgs },
    numpg_primary: { kind: 'gauge', description: 'placement groups led here', read: () => osd.numPrimaryPgs },
    heartbeat_to_peers: {
      kind: 'gauge',
      description: 'OSDs that are pinged',
      read: () => osd.stat.hbPeers.length,
    },
    stat_bytes: { kind: 'gauge', description: 'size', units: 'bytes', read: () => osd.stat.kb * kb },
    stat_bytes_used: { kind: 'gauge', description: 'used', units: 'bytes', read: () => osd.stat.kbUsed * kb },
    stat_bytes_avail: { kind: 'gauge', description: 'free', units: 'bytes', read: () => osd.stat.kbAvail * kb },
  };
}
