/** What OSDs should hold of a pool, by their weights. */
import { type CrushMap, devicesBelow, deviceWeights, RuleOp } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, osdExists, type Pool } from '@spirula/maps';

const ONE = 0x10000;

/**
 * Of each OSD below what the pool's rule takes, the part of the weight there that is its own: CRUSH weight times reweight. An OSD
 * that no set can hold twice has at most one copy of each PG.
 */
export function sharesOf(map: OsdMap, pool: Pool): Map<OsdId, number> {
  const all = deviceWeights(map.crush);
  const weights = new Map<OsdId, number>();
  for (const root of rootsTaken(map.crush, pool)) {
    for (const osd of root < 0 ? devicesBelow(map.crush, root) : [root]) {
      if (!osdExists(map, osd)) continue;
      weights.set(osd, ((all.get(osd) ?? 0) * map.osdWeight[osd]!) / ONE);
    }
  }
  return capped(weights, 1 / Math.max(1, pool.size));
}

/** Parts of 1, none larger than `most`: what is above goes to the others. */
function capped(weights: ReadonlyMap<OsdId, number>, most: number): Map<OsdId, number> {
  const shares = new Map<OsdId, number>();
  let left = 1;
  let open = [...weights].filter(([, weight]) => weight > 0);
  for (;;) {
    const total = open.reduce((sum, [, weight]) => sum + weight, 0);
    if (total === 0) return shares;
    const over = open.filter(([, weight]) => (weight / total) * left > most);
    if (over.length === 0 || over.length === open.length) {
      for (const [osd, weight] of open) shares.set(osd, Math.min(most, (weight / total) * left));
      return shares;
    }
    for (const [osd] of over) shares.set(osd, most);
    left -= most * over.length;
    const full = new Set(over.map(([osd]) => osd));
    open = open.filter(([osd]) => !full.has(osd));
  }
}

function rootsTaken(crush: CrushMap, pool: Pool): readonly number[] {
  const rule = crush.rules.find((each) => each?.ruleset === pool.crushRule);
  return rule?.steps.filter(({ op }) => op === RuleOp.take).map(({ arg1 }) => arg1) ?? [];
}
