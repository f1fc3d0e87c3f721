/** What the manager knows as Prometheus text, under the names of Ceph's own exporter (pybind/mgr/prometheus/module.py). */

import { deviceClassOf } from '@spirula/crush';
import { formatAddrVec, type PoolId } from '@spirula/encoding';
import { pgStates } from '@spirula/formatter';
import { type MgrMap, type MonMap, OsdMapFlag, osdIn, osdUp } from '@spirula/maps';
import { ZERO_SUM } from '@spirula/messages';
import type { CommandContext } from './commands/command.ts';
import { computeDigest, shownState } from './digest.ts';

const KIB = 1024;

/** What the monitors say; `health` is HEALTH_OK, HEALTH_WARN or HEALTH_ERR. */
export interface ClusterStatus {
  readonly health: string | undefined;
  readonly quorum: readonly string[];
}

export interface MetricsSource {
  readonly context: CommandContext;
  readonly status: ClusterStatus;
  readonly monMap: MonMap | undefined;
  readonly mgrMap: MgrMap | undefined;
}

type Labels = Readonly<Record<string, string | number>>;
type Kind = 'gauge' | 'counter' | 'untyped';

const HEALTH_VALUES: Readonly<Record<string, number>> = { HEALTH_OK: 0, HEALTH_WARN: 1, HEALTH_ERR: 2 };
/** States every pool has a line for, even when no PG is in them. */
const PG_STATES = [
  ...['active', 'clean', 'down', 'scrubbing', 'degraded', 'inconsistent', 'peering', 'repair', 'recovering'],
  ...['forced_recovery', 'backfill_wait', 'incomplete', 'stale', 'remapped', 'deep', 'backfilling', 'forced_backfill'],
  ...['backfill_toofull', 'recovery_wait', 'recovery_toofull', 'undersized', 'activating', 'peered', 'snaptrim'],
  ...['snaptrim_wait', 'snaptrim_error', 'creating', 'unknown', 'premerge', 'recovery_unfound', 'backfill_unfound'],
];
const OSD_FLAGS = {
  noup: OsdMapFlag.noup,
  nodown: OsdMapFlag.nodown,
  noout: OsdMapFlag.noout,
  noin: OsdMapFlag.noin,
  nobackfill: OsdMapFlag.nobackfill,
  norebalance: OsdMapFlag.norebalance,
  norecover: OsdMapFlag.norecover,
  noscrub: OsdMapFlag.noscrub,
  'nodeep-scrub': OsdMapFlag.nodeepScrub,
};

class Exposition {
  readonly #metrics = new Map<string, { readonly kind: Kind; readonly help: string; readonly lines: string[] }>();

  add(name: string, kind: Kind, help: string, value: number, labels: Labels = {}): void {
    const metric = this.#metrics.get(name) ?? { kind, help, lines: [] };
    this.#metrics.set(name, metric);
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escapeLabel(String(text))}"`);
    metric.lines.push(`ceph_${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`);
  }

  format(): string {
    let text = '';
    for (const [name, { kind, help, lines }] of this.#metrics) {
      text += `# HELP ceph_${name} ${help}\n# TYPE ceph_${name} ${kind}\n${lines.join('\n')}\n`;
    }
    return text;
  }
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

/** The whole page, in the text format of Prometheus. */
export function formatMetrics(source: MetricsSource): string {
  const page = new Exposition();
  addDaemons(page, source);
  addOsds(page, source.context);
  addPgs(page, source.context);
  addPools(page, source.context);
  addCluster(page, source.context);
  return page.format();
}

function addDaemons(page: Exposition, { status, monMap, mgrMap }: MetricsSource): void {
  if (status.health !== undefined) {
    const value = HEALTH_VALUES[status.health] ?? 2;
    page.add('health_status', 'untyped', 'Health of the cluster: 0 OK, 1 warning, 2 error', value);
  }
  for (const name of monMap?.ranks ?? []) {
    const labels = { ceph_daemon: `mon.${name}` };
    const inQuorum = status.quorum.includes(name) ? 1 : 0;
    page.add('mon_quorum_status', 'gauge', 'Whether the monitor is in the quorum', inQuorum, labels);
  }
  for (const [rank, name] of (monMap?.ranks ?? []).entries()) {
    const publicAddr = formatAddrVec(monMap?.mons.get(name)?.addrs ?? []);
    const labels = { ceph_daemon: `mon.${name}`, public_addr: publicAddr, rank };
    page.add('mon_metadata', 'untyped', 'Monitor metadata', 1, labels);
  }
  if (mgrMap) {
    page.add('mgr_status', 'gauge', 'Whether the manager is active', 1, { ceph_daemon: `mgr.${mgrMap.activeName}` });
    for (const { name } of mgrMap.standbys.values()) {
      page.add('mgr_status', 'gauge', 'Whether the manager is active', 0, { ceph_daemon: `mgr.${name}` });
    }
  }
}

function addOsds(page: Exposition, { map, pgMap }: CommandContext): void {
  for (let osd = 0; osd < map.maxOsd; osd++) {
    if ((map.osdState[osd]! & 1) === 0) continue;
    const labels = { ceph_daemon: `osd.${osd}` };
    page.add('osd_up', 'untyped', 'Whether the OSD is up', osdUp(map, osd) ? 1 : 0, labels);
    page.add('osd_in', 'untyped', 'Whether the OSD is in', osdIn(map, osd) ? 1 : 0, labels);
    page.add('osd_weight', 'untyped', 'Reweight of the OSD, 0 to 1', (map.osdWeight[osd] ?? 0) / 0x10000, labels);
    const metadata = {
      ...labels,
      cluster_addr: formatAddrVec(map.clusterAddrs[osd] ?? []),
      device_class: deviceClassOf(map.crush, osd) ?? '',
      public_addr: formatAddrVec(map.clientAddrs[osd] ?? []),
    };
    page.add('osd_metadata', 'untyped', 'OSD metadata', 1, metadata);
    const stat = pgMap.osdStats.get(osd);
    if (!stat) continue;
    page.add('osd_apply_latency_ms', 'gauge', 'Time to apply, milliseconds', stat.applyLatencyMs, labels);
    page.add('osd_commit_latency_ms', 'gauge', 'Time to commit, milliseconds', stat.commitLatencyMs, labels);
    page.add('osd_stat_bytes', 'gauge', 'Size of the OSD', stat.kb * KIB, labels);
    page.add('osd_stat_bytes_used', 'gauge', 'Bytes used on the OSD', stat.kbUsed * KIB, labels);
  }
  for (const [flag, bit] of Object.entries(OSD_FLAGS)) {
    const name = `osd_flag_${flag.replace('-', '_')}`;
    page.add(name, 'untyped', `Whether the flag ${flag} is set`, (map.flags & bit) === 0 ? 0 : 1);
  }
}

function addPgs(page: Exposition, { map, pgMap }: CommandContext): void {
  const counts = new Map<PoolId, Map<string, number>>();
  const count = (pool: PoolId, state: string) => {
    const states = counts.get(pool) ?? new Map<string, number>();
    counts.set(pool, states.set(state, (states.get(state) ?? 0) + 1));
  };
  for (const record of pgMap.pgs()) {
    const { pool } = record.stat.pgid;
    count(pool, 'total');
    const states = pgStates(shownState(record));
    for (const state of states.length > 0 ? states : ['unknown']) count(pool, state);
  }
  for (const state of ['total', ...PG_STATES]) {
    for (const pool of map.pools.keys()) {
      const help = state === 'total' ? 'PGs of the pool' : `PGs of the pool that are ${state}`;
      page.add(`pg_${state}`, 'gauge', help, counts.get(pool)?.get(state) ?? 0, { pool_id: pool });
    }
  }
}

function addPools(page: Exposition, { map, pgMap }: CommandContext): void {
  const stats = pgMap.poolStats(map);
  for (const [id, pool] of map.pools) {
    const labels = { pool_id: id };
    const stat = stats.get(id);
    const sum = stat?.sum ?? ZERO_SUM;
    const copies = sum.objects > 0 ? sum.objectCopies / sum.objects : pool.size;
    const gauge = (name: string, help: string, value: number) => page.add(`pool_${name}`, 'gauge', help, value, labels);
    const counter = (name: string, help: string, value: number) =>
      page.add(`pool_${name}`, 'counter', help, value, labels);
    const name = map.poolNames.get(id) ?? '';
    const metadata = { ...labels, name, type: pool.type === 3 ? 'erasure' : 'replicated' };
    page.add('pool_metadata', 'untyped', 'Pool metadata', 1, metadata);
    gauge('stored', 'Bytes of data in the pool', sum.bytes);
    gauge('stored_raw', 'Bytes of data in the pool, all copies', Math.round(sum.bytes * copies));
    gauge('bytes_used', 'Bytes the pool takes on the stores', stat?.allocated ?? 0);
    gauge('objects', 'Objects in the pool', sum.objects);
    gauge('dirty', 'Dirty objects in the pool', sum.objects);
    gauge('quota_bytes', 'Quota of the pool, bytes', pool.quotaMaxBytes);
    gauge('quota_objects', 'Quota of the pool, objects', pool.quotaMaxObjects);
    counter('rd', 'Reads', sum.reads);
    counter('rd_bytes', 'Bytes read', sum.readBytes);
    counter('wr', 'Writes', sum.writes);
    counter('wr_bytes', 'Bytes written', sum.writeBytes);
    gauge('objects_degraded', 'Copies missing', sum.objectsDegraded);
  }
}

function addCluster(page: Exposition, context: CommandContext): void {
  const digest = computeDigest(context.pgMap, context.map, context.io.rates());
  const gauge = (name: string, help: string, value: number) => page.add(name, 'gauge', help, value);
  gauge('cluster_total_bytes', 'Size of the cluster', digest.kb * KIB);
  gauge('cluster_total_used_bytes', 'Bytes used', digest.kbUsed * KIB);
  gauge('cluster_total_used_raw_bytes', 'Bytes used, all copies', digest.kbUsed * KIB);
  gauge('num_objects_degraded', 'Copies missing', digest.total.objectsDegraded);
  gauge('num_objects_misplaced', 'Copies where they do not belong', digest.total.objectsMisplaced);
  gauge('num_objects_unfound', 'Objects that cannot be found', digest.total.objectsUnfound);
}
