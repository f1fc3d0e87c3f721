/** Whose weights are to change so that OSDs are used evenly, and what it would do (mon/PGMap.cc, reweight::by_utilization). */
import { itemWeight } from '@spirula/crush';
import { Errno, formatFloat, type OsdId, type PoolId } from '@spirula/encoding';
import { applyIncremental, emptyIncremental, type OsdMap, osdExists } from '@spirula/maps';
import type { Config } from '@spirula/world';
import type { PgMap } from '../pg-map.ts';
import { summarizeMapping } from './mapping-stats.ts';

/** Weight of an OSD that is wholly in: 16.16 fixed point. */
const IN = 0x1_0000;
const KIB = 1024;
const TOO_LOW =
  'You must give a percentage higher than 100. The reweighting threshold will be calculated as <average-utilization> ' +
  'times <input-percentage>. For example, an argument of 200 would reweight OSDs which are twice as utilized as the ' +
  'average OSD.\n';

export interface ReweightRequest {
  readonly map: OsdMap;
  readonly pgMap: PgMap;
  readonly config: Config;
  /** Per cent of the mean above which an OSD is overloaded; more than 100. */
  readonly overload: number;
  /** Most that a weight changes: 1 is a whole OSD. */
  readonly maxChange: number;
  readonly maxOsds: number;
  /** Count placement groups, of these pools only when they are given; else bytes. */
  readonly byPg: boolean;
  readonly pools: readonly PoolId[] | undefined;
  readonly mayIncrease: boolean;
}

export interface Reweight {
  /** OSD -> weight, 16.16 fixed point. */
  readonly weights: ReadonlyMap<OsdId, number>;
  readonly text: string;
  readonly json: object;
}

interface Refusal {
  readonly code: number;
  readonly status: string;
}

interface Utilization {
  readonly average: number;
  /** OSD -> how much it is used: the like of `average`. */
  readonly osds: readonly (readonly [OsdId, number])[];
}

export function reweight(request: ReweightRequest): Reweight | Refusal {
  const { map, overload, maxChange, maxOsds } = request;
  if (overload <= 100) return { code: Errno.EINVAL, status: TOO_LOW };
  const utilization = request.byPg ? byPgs(request) : byBytes(request);
  if ('code' in utilization) return utilization;
  const threshold = (utilization.average * overload) / 100;
  const changes = findChanges(request, utilization, threshold);
  const weights = new Map(changes.map(({ osd, to }) => [osd, to]));
  const after = applyIncremental(map, {
    ...emptyIncremental(map.fsid, map.epoch + 1),
    newWeight: new Map(weights),
  });
  const summary = summarizeMapping(map, after, request.pools);
  const lines = [
    `oload ${overload}`,
    `max_change ${formatFloat(maxChange)}`,
    `max_change_osds ${maxOsds}`,
    `average_utilization ${utilization.average.toFixed(4)}`,
    `overload_utilization ${threshold.toFixed(4)}`,
    ...changes.map(({ osd, from, to }) => `osd.${osd} weight ${(from / IN).toFixed(4)} -> ${(to / IN).toFixed(4)}`),
  ];
  return {
    weights,
    text: `${summary.text}\n${lines.map((line) => `${line}\n`).join('')}`,
    json: {
      overload_min: overload,
      max_change: maxChange,
      max_change_osds: maxOsds,
      average_utilization: utilization.average,
      overload_utilization: threshold,
      // 16.2 names those that become lower only.
      reweights: changes
        .filter(({ isOverloaded }) => isOverloaded)
        .map(({ osd, from, to }) => ({ osd, weight: from / IN, new_weight: to / IN })),
      ...summary.json,
    },
  };
}

function byPgs({ map, pgMap, pools, config }: ReweightRequest): Utilization | Refusal {
  const counts = new Map<OsdId, number>();
  let [weightSum, copies] = [0, 0];
  const weightOf = (osd: OsdId) => itemWeight(map.crush, osd) / IN;
  for (const { stat } of pgMap.pgs()) {
    if (pools !== undefined && !pools.includes(stat.pgid.pool)) continue;
    for (const osd of stat.acting) {
      if (!osdExists(map, osd) || weightOf(osd) <= 0) continue;
      if (!counts.has(osd)) weightSum += weightOf(osd);
      counts.set(osd, (counts.get(osd) ?? 0) + 1);
      copies += 1;
    }
  }
  if (counts.size === 0 || Math.floor(copies / counts.size) < config.mon_reweight_min_pgs_per_osd) {
    const status = `Refusing to reweight: we only have ${copies} PGs across ${counts.size} osds!\n`;
    return { code: Errno.EDOM, status };
  }
  const osds = [...pgMap.osdStats.keys()]
    .filter((osd) => counts.has(osd))
    .map((osd) => [osd, counts.get(osd)! / weightOf(osd)] as const);
  return { average: copies / weightSum, osds };
}

function byBytes({ pgMap, config }: ReweightRequest): Utilization | Refusal {
  const stats = [...pgMap.osdStats];
  const sumOf = (field: 'kb' | 'kbUsed') => stats.reduce((sum, [, stat]) => sum + stat[field], 0);
  const least = config.mon_reweight_min_bytes_per_osd * Math.max(1, stats.length);
  const [kb, used] = [sumOf('kb'), sumOf('kbUsed')];
  if (kb * KIB < least) {
    return { code: Errno.EDOM, status: `Refusing to reweight: we only have ${kb} kb across all osds!\n` };
  }
  if (used * KIB < least) {
    return { code: Errno.EDOM, status: `Refusing to reweight: we only have ${used} kb used across all osds!\n` };
  }
  return { average: used / kb, osds: stats.map(([osd, stat]) => [osd, stat.kbUsed / stat.kb]) };
}

interface Change {
  readonly osd: OsdId;
  readonly from: number;
  readonly to: number;
  readonly isOverloaded: boolean;
}

/** Those that are farthest from the mean first: down when they are overloaded, up when they are below the mean. */
function findChanges(request: ReweightRequest, { average, osds }: Utilization, threshold: number): Change[] {
  const { map, maxOsds, mayIncrease } = request;
  const maxChange = Math.floor(request.maxChange * IN);
  const changes: Change[] = [];
  const sorted = osds
    .map(([osd, used]) => [osd, Math.fround(used)] as const)
    .sort(([, a], [, b]) => Math.abs(b - average) - Math.abs(a - average));
  for (const [osd, used] of sorted) {
    if (changes.length >= maxOsds) break;
    const from = map.osdWeight[osd] ?? 0;
    if (from === 0) continue;
    const wanted = Math.floor((average / used) * from);
    if (used >= threshold) {
      changes.push({
        osd,
        from,
        to: from > maxChange ? Math.max(wanted, from - maxChange) : wanted,
        isOverloaded: true,
      });
    } else if (mayIncrease && used <= average) {
      const to = Math.min(wanted, from + maxChange, IN);
      if (to > from) changes.push({ osd, from, to, isOverloaded: false });
    }
  }
  return changes;
}
