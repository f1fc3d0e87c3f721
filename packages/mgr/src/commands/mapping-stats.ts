/** How evenly placement groups lie under one OSDMap and another (OSDMap::summarize_mapping_stats). */

import type { OsdId, PoolId } from '@spirula/encoding';
import { formatFloat } from '@spirula/encoding';
import { mapPg, type OsdMap, osdIn, osdUp } from '@spirula/maps';

interface MappingSummary {
  readonly text: string;
  readonly json: object;
}

/** @param pools which to look at; all when undefined. Empty for a cluster without an OSD that is up and in. */
export function summarizeMapping(before: OsdMap, after: OsdMap, pools: readonly PoolId[] | undefined): MappingSummary {
  const [base, next] = [new Map<OsdId, number>(), new Map<OsdId, number>()];
  let [total, moved] = [0, 0];
  for (const [id, pool] of before.pools) {
    if (pools !== undefined && !pools.includes(id)) continue;
    for (let seed = 0; seed < pool.pgNum; seed++) {
      const [up, then] = [mapPg(before, { pool: id, seed }).up, mapPg(after, { pool: id, seed }).up];
      total += pool.size;
      for (const osd of up) base.set(osd, (base.get(osd) ?? 0) + 1);
      for (const osd of then) next.set(osd, (next.get(osd) ?? 0) + 1);
      moved += up.filter((osd) => !then.includes(osd)).length;
    }
  }
  const osds = Array.from({ length: before.maxOsd }, (_, osd) => osd).filter(
    (osd) => osdUp(before, osd) && osdIn(before, osd),
  );
  if (osds.length === 0) return { text: '', json: {} };
  // Single precision, as there: it shows in the digits.
  const average = Math.fround(total / osds.length);
  const deviation = (counts: ReadonlyMap<OsdId, number>) => {
    let sum = 0;
    for (const osd of osds) {
      const off = Math.fround((counts.get(osd) ?? 0) - average);
      sum = Math.fround(sum + Math.fround(off * off));
    }
    return Math.fround(Math.sqrt(Math.fround(sum / osds.length)));
  };
  const [deviationBefore, deviationAfter] = [deviation(base), deviation(next)];
  const expected = Math.fround(Math.sqrt(average * (1 - 1 / osds.length)));
  const countOf = (osd: OsdId) => base.get(osd) ?? 0;
  const least = osds.reduce((a, b) => (countOf(b) < countOf(a) ? b : a));
  const most = osds.reduce((a, b) => (countOf(b) > countOf(a) ? b : a));
  const of = (counts: ReadonlyMap<OsdId, number>, osd: OsdId) => counts.get(osd) ?? 0;
  const ratio = (count: number) => formatFloat(count / average);
  const extreme = (name: string, osd: OsdId) => {
    const [from, to] = [of(base, osd), of(next, osd)];
    return `${name} osd.${osd} with ${from} -> ${to} pgs (${ratio(from)} -> ${ratio(to)} * mean)\n`;
  };
  const percent = formatFloat(total === 0 ? 0 : (moved * 100) / total);
  const text =
    `moved ${moved} / ${total} (${percent}%)\navg ${formatFloat(average)}\n` +
    `stddev ${formatFloat(deviationBefore)} -> ${formatFloat(deviationAfter)} (expected baseline ${formatFloat(expected)})\n` +
    `${extreme('min', least)}${extreme('max', most)}`;
  const utilization = {
    moved_pgs: moved,
    total_pgs: total,
    avg_pgs: average,
    std_dev: deviationBefore,
    expected_baseline_std_dev: expected,
    new_std_dev: deviationAfter,
    min_osd: least,
    min_osd_pgs: of(base, least),
    new_min_osd_pgs: of(next, least),
    max_osd: most,
    max_osd_pgs: of(base, most),
    new_max_osd_pgs: of(next, most),
  };
  return { text, json: { utilization } };
}
