/** `--test-map-pgs` and its like: maps all PGs and counts them per OSD. */
import { deviceWeights } from '@spirula/crush';
import { formatFloat, formatPgId, type OsdId, type PgId } from '@spirula/encoding';
import { mapPool, type OsdMap, osdIn, pgSet } from '@spirula/maps';
import { Refusal } from './refusal.ts';
import type { Request } from './request.ts';
import { describeMapping } from './test-mapping.ts';
import type { OsdMapToolIo } from './tool-io.ts';

/** How much is said of each PG: nothing, its acting set, or every stage of its mapping. */
type PgDetail = 'none' | 'acting' | 'all';

const ALL_POOLS = -1;
/** 1 in 16.16. */
const ONE = 0x10000;

/** PGs per OSD. */
interface PgCounts {
  readonly all: number[];
  readonly first: number[];
  readonly primary: number[];
  /** By size of the acting set. */
  readonly bySize: number[];
}

export function testMapPgs(map: OsdMap, request: Request, io: OsdMapToolIo): void {
  const { pool: only, testRandom } = request;
  if (only !== ALL_POOLS && !map.pools.has(only)) throw new Refusal(`There is no pool ${only}`);
  const detail: PgDetail = request.testMapPgsDump ? 'acting' : request.testMapPgsDumpAll ? 'all' : 'none';
  const zeros = () => new Array<number>(map.maxOsd).fill(0);
  const counts: PgCounts = { all: zeros(), first: zeros(), primary: zeros(), bySize: [] };
  for (const [id, pool] of [...map.pools].sort(([a], [b]) => a - b)) {
    if (only !== ALL_POOLS && id !== only) continue;
    const lines = [`pool ${id} pg_num ${pool.pgNum}`];
    const mapped = testRandom ? undefined : mapPool(map, id).acting;
    for (let seed = 0; seed < pool.pgNum; seed++) {
      const acting = mapped ? pgSet(mapped, seed) : atRandom(map, pool.size, io);
      const primary = mapped ? mapped.primaries[seed]! : (acting[0] ?? -1);
      count(counts, acting, primary);
      if (detail !== 'none') lines.push(describe(map, { pool: id, seed }, detail, acting, primary));
    }
    io.stdout(`${lines.join('\n')}\n`);
  }
  io.stdout(`${formatCounts(map, counts).join('\n')}\n`);
}

/** The map with pools of that many PGs, for `--pg_num`: placement goes on by their pgp_num. */
export function withPgNum(map: OsdMap, { pgNum, pool: only }: Request): OsdMap {
  if (pgNum <= 0) return map;
  const pools = [...map.pools].map(([id, pool]) => {
    const isMeant = only === ALL_POOLS || only === id;
    return [id, isMeant ? { ...pool, pgNum, pgNumPending: pgNum } : pool] as const;
  });
  return { ...map, pools: new Map(pools) };
}

function describe(map: OsdMap, pg: PgId, detail: PgDetail, acting: ArrayLike<OsdId>, primary: OsdId): string {
  return detail === 'acting' ? `${formatPgId(pg)}\t[${Array.from(acting)}]\t${primary}` : describeMapping(map, pg);
}

/** `--test-random`: any OSDs, as often as it happens. */
function atRandom(map: OsdMap, size: number, io: OsdMapToolIo): OsdId[] {
  return Array.from({ length: size }, () => io.random(map.maxOsd));
}

function count(counts: PgCounts, acting: ArrayLike<OsdId>, primary: OsdId): void {
  counts.bySize[acting.length] = (counts.bySize[acting.length] ?? 0) + 1;
  const bump = (of: number[], osd: OsdId | undefined) => {
    if (osd !== undefined && osd in of) of[osd]! += 1;
  };
  for (let place = 0; place < acting.length; place++) bump(counts.all, acting[place]);
  bump(counts.first, acting[0]);
  bump(counts.primary, primary);
}

/** The table of OSDs that are in and weigh something, and how evenly the PGs lie on them. */
function formatCounts(map: OsdMap, counts: PgCounts): string[] {
  const weights = deviceWeights(map.crush);
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter(
    (osd) => osdIn(map, osd) && (weights.get(osd) ?? 0) > 0,
  );
  const rows = osds.map((osd) =>
    [
      `osd.${osd}`,
      counts.all[osd]!,
      counts.first[osd]!,
      counts.primary[osd]!,
      formatFloat(Math.fround(weights.get(osd)! / ONE)),
      formatFloat(map.osdWeight[osd]! / ONE),
    ].join('\t'),
  );
  const held = osds.map((osd) => counts.all[osd]!);
  const total = held.reduce((sum, n) => sum + n, 0);
  const average = osds.length === 0 ? 0 : Math.floor(total / osds.length);
  const deviation = Math.sqrt(held.reduce((sum, n) => sum + (average - n) ** 2, 0) / osds.length);
  const expected = Math.sqrt((total / osds.length) * (1 - 1 / osds.length));
  const busy = osds.filter((osd) => counts.all[osd]! > 0);
  const extreme = (name: string, isMore: (a: number, b: number) => boolean) => {
    if (busy.length === 0) return [];
    const found = busy.reduce((best, osd) => (isMore(counts.all[osd]!, counts.all[best]!) ? osd : best));
    return [` ${name} osd.${found} ${counts.all[found]}`];
  };
  const spread = `${ratio(deviation)} (${ratio(deviation / average)}x)`;
  return [
    '#osd\tcount\tfirst\tprimary\tc wt\twt',
    ...rows,
    ` in ${osds.length}`,
    // The parenthesis too many is Ceph's.
    ` avg ${average} stddev ${spread} (expected ${ratio(expected)} ${ratio(expected / average)}x))`,
    ...extreme('min', (a, b) => a < b),
    ...extreme('max', (a, b) => a > b),
    ...counts.bySize.flatMap((n, size) => (n > 0 ? [`size ${size}\t${n}`] : [])),
  ];
}

/** With no OSD or no PG, ratios are what x86 makes of a division by zero. */
function ratio(value: number): string {
  if (Number.isNaN(value)) return '-nan';
  return Number.isFinite(value) ? formatFloat(value) : 'inf';
}
