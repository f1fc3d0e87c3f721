/** Upmaps that mean nothing any more (OSDMap::check_pg_upmaps, clean_pg_upmaps, osd/OSDMap.cc). */
import { CRUSH_ITEM_NONE, findRule, RuleConstraints } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, type PgKey, pgOfKey } from './osdmap.ts';
import type { OsdMapIncremental } from './osdmap-incremental.ts';
import { mapPgRaw, mapPgUpmap } from './pg-mapping.ts';
import type { Pool } from './pool.ts';

export type UpmapItems = readonly (readonly [from: OsdId, to: OsdId])[];

/** What is to become of a PG's upmaps: nothing is left of them, or these items. */
type Verdict = 'cancel' | 'keep' | UpmapItems;

/**
 * Adds to `inc`, which leads to the next epoch, the removal of upmaps that break their pool's rule, lead to OSDs that are out or
 * change nothing; of items, only those that do go. Returns whether there are such.
 */
export function cleanPgUpmaps(map: OsdMap, inc: OsdMapIncremental): boolean {
  const judge = new UpmapJudge(map);
  let found = false;
  for (const key of new Set([...map.pgUpmap.keys(), ...map.pgUpmapItems.keys()])) {
    const verdict = judge.judge(key);
    if (verdict === 'keep') continue;
    found = true;
    if (verdict !== 'cancel') {
      inc.newPgUpmapItems.set(
        key,
        verdict.map(([from, to]) => [from, to]),
      );
      continue;
    }
    inc.newPgUpmap.delete(key);
    inc.newPgUpmapItems.delete(key);
    if (map.pgUpmap.has(key)) inc.oldPgUpmap.add(key);
    if (map.pgUpmapItems.has(key)) inc.oldPgUpmapItems.add(key);
  }
  return found;
}

/** The rule that places a pool's PGs; undefined when there is none. */
export function constraintsOf(map: OsdMap, pool: Pool): RuleConstraints | undefined {
  const rule = findRule(map.crush, pool.crushRule, pool.type, pool.size);
  return rule < 0 ? undefined : new RuleConstraints(map.crush, rule, pool.size);
}

class UpmapJudge {
  readonly #map: OsdMap;
  /** By pool: its rule, and the devices that it may choose. */
  readonly #rules = new Map<
    number,
    { constraints: RuleConstraints; weights: ReadonlyMap<OsdId, number> } | undefined
  >();

  constructor(map: OsdMap) {
    this.#map = map;
  }

  judge(key: PgKey): Verdict {
    const pg = pgOfKey(key);
    const pool = this.#map.pools.get(pg.pool);
    if (pool === undefined || isMerging(pool, pg.seed)) return 'cancel';
    const rule = this.#ruleOf(pg.pool, pool);
    const mapped = mapPgUpmap(this.#map, pg);
    if (rule === undefined || !rule.constraints.allows(mapped)) return 'cancel';
    if (mapped.some((osd) => !this.#takes(rule.weights, osd))) return 'cancel';
    const raw = mapPgRaw(this.#map, pg);
    const whole = this.#map.pgUpmap.get(key);
    if (whole !== undefined && (whole.length !== pool.size || `${whole}` === `${raw}`)) return 'cancel';
    return this.#judgeItems(this.#map.pgUpmapItems.get(key), raw);
  }

  #ruleOf(id: number, pool: Pool) {
    if (!this.#rules.has(id)) {
      const constraints = constraintsOf(this.#map, pool);
      this.#rules.set(id, constraints && { constraints, weights: constraints.weights() });
    }
    return this.#rules.get(id);
  }

  #takes(weights: ReadonlyMap<OsdId, number>, osd: OsdId): boolean {
    return (weights.get(osd) ?? 0) > 0 && (this.#map.osdWeight[osd] ?? 0) > 0;
  }

  #judgeItems(items: UpmapItems | undefined, raw: readonly OsdId[]): Verdict {
    if (items === undefined) return 'keep';
    const isOut = (osd: OsdId) => osd !== CRUSH_ITEM_NONE && this.#map.osdWeight[osd] === 0;
    const kept = items.filter(([from, to]) => raw.includes(from) && !isOut(to));
    if (kept.length === 0) return 'cancel';
    return kept.length === items.length ? 'keep' : kept;
  }
}

/** Whether a PG is gone, or about to be merged into another or with one (pg_pool_t::is_pending_merge). */
function isMerging({ pgNum, pgNumPending }: Pool, seed: number): boolean {
  if (seed >= pgNumPending) return true;
  for (let merging = pgNumPending; merging < pgNum; merging++) {
    const parent = merging - 2 ** (31 - Math.clz32(merging));
    if (parent === seed) return true;
  }
  return false;
}
