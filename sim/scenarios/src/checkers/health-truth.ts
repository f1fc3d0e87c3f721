/**
 * Whether health says what is true, once a cluster is settled: what the leader would tell is compared with what runs and what
 * primaries say, seen from outside.
 *
 *   wrong and not told of; told of and not so; told of with another count
 */
import { OsdMapFlag, OsdState, osdExists, osdIn } from '@spirula/maps';
import type { HealthCheck } from '@spirula/messages';
import type { SimCluster } from '../cluster.ts';
import { findUncleanPgs } from './unclean-pgs.ts';

/** What is so, by codes: how often, or `some` where that is not looked at; `maybe`: it need not be told of. */
export type Truth = ReadonlyMap<string, number | 'some' | 'maybe'>;

/** What is not as it should be, whatever became of the cluster: clocks and networks differ, and averages last for a while. */
const ALWAYS_MAYBE = ['MON_CLOCK_SKEW', 'OSD_SLOW_PING_TIME_FRONT', 'OSD_SLOW_PING_TIME_BACK'];

const HOLDING_FLAGS = [
  ...['pauserd', 'pausewr', 'noup', 'nodown', 'noin', 'noout', 'nobackfill', 'norebalance', 'norecover', 'noscrub'],
  ...['nodeepScrub', 'notieragent', 'nosnaptrim'],
] as const;

/** What a state of a PG that is not clean must be told of as, and what it may be: stuck only after a time. */
const OF_STATES: Readonly<Record<string, { readonly must?: readonly string[]; readonly may?: readonly string[] }>> = {
  down: { must: ['PG_AVAILABILITY'] },
  incomplete: { must: ['PG_AVAILABILITY'] },
  // Whatever it was before is told of it on.
  stale: { must: ['PG_AVAILABILITY'], may: ['PG_DEGRADED', 'PG_DAMAGED', 'OBJECT_UNFOUND'] },
  peering: { may: ['PG_AVAILABILITY'] },
  peered: { may: ['PG_AVAILABILITY'] },
  activating: { may: ['PG_AVAILABILITY'] },
  degraded: { must: ['PG_DEGRADED'] },
  undersized: { may: ['PG_DEGRADED'] },
  recovery_unfound: { must: ['PG_DAMAGED', 'OBJECT_UNFOUND'] },
  backfill_unfound: { must: ['PG_DAMAGED', 'OBJECT_UNFOUND'] },
  snaptrim_error: { must: ['PG_DAMAGED'] },
};

/** Where what is told differs from what is so; empty when it is exactly that. */
export function findUntruths(
  truth: Truth,
  told: ReadonlyMap<string, Pick<HealthCheck, 'count' | 'summary'>>,
): string[] {
  const silent = [...truth].flatMap(([code, count]) =>
    count === 'maybe' || told.has(code) ? [] : [`health does not tell of ${code}, which is so`],
  );
  const wrong = [...told].flatMap(([code, { count, summary }]) => {
    const actual = truth.get(code);
    if (actual === undefined) return [`health tells of ${code} (${summary}), which is not so`];
    return typeof actual === 'number' && actual !== count
      ? [`health tells of ${code} (${summary}) ${count} times, and it is so ${actual} times`]
      : [];
  });
  return [...silent, ...wrong];
}

/** The same of a whole cluster that is at rest. Without a leader there is nothing to say. */
export function findUntrueHealth(cluster: SimCluster): string[] {
  const leader = cluster.mons
    .filter(({ process }) => process.state === 'running')
    .map(({ daemon }) => daemon!.inspect())
    .find(({ role }) => role === 'leader');
  return leader === undefined ? [] : findUntruths(truthOf(cluster), leader.health().checks);
}

function truthOf(cluster: SimCluster): Truth {
  const truth = new Map<string, number | 'some' | 'maybe'>(ALWAYS_MAYBE.map((code) => [code, 'maybe']));
  addMons(truth, cluster);
  addManagers(truth, cluster);
  addOsds(truth, cluster);
  // Of PGs the monitors know what a manager says, and without one what the last said.
  if (cluster.mgrs.length > 0) addPgs(truth, cluster);
  else
    for (const { must = [], may = [] } of Object.values(OF_STATES))
      for (const code of [...must, ...may]) maybe(truth, code);
  return truth;
}

type Collected = Map<string, number | 'some' | 'maybe'>;

function maybe(truth: Collected, code: string): void {
  if (!truth.has(code)) truth.set(code, 'maybe');
}

function addMons(truth: Collected, cluster: SimCluster): void {
  const down = cluster.monMembers.filter(({ process }) => process.state !== 'running').length;
  if (down > 0) truth.set('MON_DOWN', down);
}

function addManagers(truth: Collected, { mgrs, osds }: SimCluster): void {
  if (mgrs.some(({ state }) => state === 'running')) return;
  if (mgrs.length > 0 && osds.length > 0) truth.set('MGR_DOWN', 'some');
  // Monitors warn of a manager that never was as well.
  else truth.set('MGR_DOWN', 'maybe');
}

function addOsds(truth: Collected, cluster: SimCluster): void {
  const map = cluster.osdMap;
  if (map === undefined) return;
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
  const missed = osds.filter(
    (osd) =>
      osdIn(map, osd) && (map.osdState[osd]! & OsdState.new) === 0 && cluster.osds[osd]?.process.state !== 'running',
  );
  if (missed.length > 0) {
    // Which of them make up a host, or a rack, is not looked at.
    for (const type of map.crush.typeNames.values()) truth.set(`OSD_${type.toUpperCase()}_DOWN`, 'maybe');
    truth.set('OSD_DOWN', missed.length);
  }
  const { osd_pool_default_size: wanted } = cluster.mons[0]!.process.spec.config;
  // By the manager.
  if (osds.length < wanted && cluster.mgrs.length > 0) truth.set('TOO_FEW_OSDS', wanted - osds.length);
  if (HOLDING_FLAGS.some((name) => (map.flags & OsdMapFlag[name]) !== 0)) truth.set('OSDMAP_FLAGS', 'some');
  const held = OsdState.noup | OsdState.nodown | OsdState.noin | OsdState.noout;
  const flagged = osds.filter((osd) => (map.osdState[osd]! & held) !== 0);
  if (flagged.length > 0) truth.set('OSD_FLAGS', 'some');
  const pools = [...map.pools.values()];
  const single = pools.filter(({ size }) => size === 1).length;
  if (single > 0) truth.set('POOL_NO_REDUNDANCY', single);
  // Whether it holds anything is not looked at.
  if (pools.some(({ applicationMetadata }) => applicationMetadata.size === 0)) maybe(truth, 'POOL_APP_NOT_ENABLED');
  if (cluster.mons[0]!.process.spec.config.mon_osd_down_out_interval === 0) {
    truth.set('OSD_NO_DOWN_OUT_INTERVAL', cluster.monMembers.length);
  }
}

function addPgs(truth: Collected, cluster: SimCluster): void {
  const unclean = findUncleanPgs(cluster);
  for (const { state } of unclean) {
    // A state that nobody tells.
    const names = state === undefined ? ['peering'] : state.split('+');
    for (const { must = [], may = [] } of names.flatMap((name) => OF_STATES[name] ?? [])) {
      for (const code of must) truth.set(code, 'some');
      for (const code of may) maybe(truth, code);
    }
  }
  // Who waits for a PG that cannot serve waits for long.
  if (unclean.length > 0) maybe(truth, 'SLOW_OPS');
}
