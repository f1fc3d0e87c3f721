/** What operators rightly do while clients work, and take back: data move, flags hold things, pools are full for a while. */
import { formatPgId } from '@spirula/encoding';
import { mapPg } from '@spirula/maps';
import type { SeededRandom } from '@spirula/sim-world';
import type { OsdPlace, SimCluster } from '../cluster.ts';
import type { Fault } from './fault.ts';
import type { OperatorsDoing } from './mistakes.ts';

/** A command that is taken back, or more than a command. */
type Upkeep = OperatorsDoing | { readonly fault: Fault };

type DrawUpkeep = (cluster: SimCluster, osd: OsdPlace, random: SeededRandom) => Upkeep | undefined;

/** Of the whole cluster. Where OSDs cannot be marked down, or clients may not write, nothing goes on until it is over. */
const FLAGS = [
  'noout',
  'nodown',
  'noup',
  'noin',
  'norecover',
  'nobackfill',
  'norebalance',
  'nosnaptrim',
  'pause',
] as const;
const OSD_FLAGS = ['noout', 'nodown', 'noup', 'noin'] as const;
/** Options that OSDs and monitors take while they run, and values that are not their defaults. */
const OPTIONS = [
  { who: 'osd', name: 'osd_max_backfills', values: [2, 5] },
  { who: 'osd', name: 'osd_recovery_max_active', values: [1, 10] },
  { who: 'osd', name: 'osd_recovery_sleep', values: [0.01, 0.2] },
  { who: 'osd', name: 'osd_snap_trim_sleep', values: [0.01, 3] },
  { who: 'osd', name: 'osd_max_trimming_pgs', values: [1, 8] },
  { who: 'osd', name: 'osd_min_pg_log_entries', values: [2, 500] },
  { who: 'osd', name: 'osd_pg_log_dups_tracked', values: [10, 9000] },
  { who: 'mon', name: 'mon_osd_down_out_interval', values: [5, 1000] },
  { who: 'mon', name: 'mon_osd_min_down_reporters', values: [1, 3] },
] as const;

const clusterFlag: DrawUpkeep = (_, __, random) => {
  const key = random.pick(FLAGS);
  return { command: { prefix: 'osd set', key }, undo: { prefix: 'osd unset', key } };
};

const osdFlags: DrawUpkeep = (_, { id }, random) => {
  const args = { flags: random.pick(OSD_FLAGS), who: [String(id)] };
  return { command: { prefix: 'osd set-group', ...args }, undo: { prefix: 'osd unset-group', ...args } };
};

const option: DrawUpkeep = (_, { id }, random) => {
  const { who: type, name, values } = random.pick(OPTIONS);
  const who = type === 'osd' && random.oneIn(2) ? `osd.${id}` : type;
  const value = String(random.pick(values));
  return { command: { prefix: 'config set', who, name, value }, undo: { prefix: 'config rm', who, name } };
};

/** One that is reached already: the pool is full as soon as the monitors notice, until it is lifted. */
const quota: DrawUpkeep = (cluster, _, random) => {
  const pool = poolName(cluster);
  if (pool === undefined) return undefined;
  const args = { prefix: 'osd pool set-quota', pool, field: random.pick(['max_objects', 'max_bytes'] as const) };
  return { command: { ...args, val: '1' }, undo: { ...args, val: '0' } };
};

const upmapItems: DrawUpkeep = (cluster, { id }, random) => {
  const pg = drawPg(cluster, random);
  if (pg === undefined || pg.up.length === 0 || pg.up.includes(id)) return undefined;
  const { pgid } = pg;
  const moved = { prefix: 'osd pg-upmap-items', pgid, id: [String(random.pick(pg.up)), String(id)] };
  return { command: moved, undo: { prefix: 'osd rm-pg-upmap-items', pgid } };
};

/** The PG is served by others until it is theirs again, which it soon is by itself. */
const pgTemp: DrawUpkeep = (cluster, { id }, random) => {
  const pg = drawPg(cluster, random);
  const size = cluster.osdMap?.pools.get(cluster.pool)?.size ?? 0;
  if (pg === undefined || pg.up.length < size) return undefined;
  const { pgid } = pg;
  const others = pg.up.filter((osd) => osd !== id).slice(0, size - 1);
  const ids = random.oneIn(2) ? [id, ...others] : [...others, id];
  return {
    command: { prefix: 'osd pg-temp', pgid, id: ids.map(String) },
    undo: { prefix: 'osd pg-temp', pgid, id: [] },
  };
};

/** Of the pool; a pool of self-managed snapshots has none. */
const poolSnapshot: DrawUpkeep = (cluster, _, random) => {
  const pool = poolName(cluster);
  const isSelfManaged = cluster.spec.workloads.some(
    (work) => work.kind === 'snapshots' && work.mode === 'self-managed',
  );
  if (pool === undefined || isSelfManaged) return undefined;
  const args = { pool, snap: `upkeep-${random.below(1_000_000)}` };
  return { command: { prefix: 'osd pool mksnap', ...args }, undo: { prefix: 'osd pool rmsnap', ...args } };
};

/** Never the last one that is to stay. */
const removeMon: DrawUpkeep = ({ mons, monOperator }, _, random) => {
  const wanted = mons.filter((place) => monOperator.isWanted(place));
  const founders = wanted.filter(({ isFounder }) => isFounder);
  if (wanted.length < 2 || founders.length === 0) return undefined;
  return { fault: { fault: 'remove-mon', daemons: [random.pick(founders).process.name] } };
};

const addMon: DrawUpkeep = ({ mons, monOperator }, _, random) => {
  const spares = mons.filter((place) => !place.isFounder && !monOperator.isWanted(place));
  return spares.length === 0 ? undefined : { fault: { fault: 'add-mon', daemons: [random.pick(spares).process.name] } };
};

/** Left as it is then. Each makes a map and an election, as in Ceph: who insisted on taking it back would keep monitors busy. */
const monRank: DrawUpkeep = ({ monMap: { ranks } }, _, random) => ({
  command: { prefix: 'mon set-rank', name: random.pick(ranks), rank: random.below(ranks.length) },
});

export const UPKEEP: readonly DrawUpkeep[] = [
  clusterFlag,
  clusterFlag,
  osdFlags,
  option,
  option,
  quota,
  upmapItems,
  upmapItems,
  pgTemp,
  poolSnapshot,
  removeMon,
  addMon,
  addMon,
  monRank,
];

function poolName({ osdMap, pool }: SimCluster): string | undefined {
  return osdMap?.poolNames.get(pool);
}

function drawPg({ osdMap, pool }: SimCluster, random: SeededRandom) {
  const pgNum = osdMap?.pools.get(pool)?.pgNum;
  if (osdMap === undefined || pgNum === undefined) return undefined;
  const pgid = { pool, seed: random.below(pgNum) };
  return { pgid: formatPgId(pgid), up: mapPg(osdMap, pgid).up };
}
