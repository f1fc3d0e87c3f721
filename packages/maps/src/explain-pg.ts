/** Where a PG is and why, stage by stage: what `mapPg` does, written out. */
import { CRUSH_ITEM_NONE, type ExplainedMapping, explainMapping, findRule } from '@spirula/crush';
import type { OsdId, PgId } from '@spirula/encoding';
import { type OsdMap, osdExists, osdUp, pgKey } from './osdmap.ts';
import {
  applyUpmap,
  chooseArgsOf,
  mapPg,
  type PgPlacement,
  placementSeed,
  stableMod,
  withoutOsds,
} from './pg-mapping.ts';
import { type Pool, PoolFlag } from './pool.ts';

export interface ExplainedPg extends PgPlacement {
  readonly pg: PgId;
  readonly pool: Pool;
  /** The seed of the PG, by pgp_num. */
  readonly placementPg: number;
  /** CRUSH's input, and whether the pool's id is hashed into it (hashpspool) or added. */
  readonly input: number;
  readonly isHashed: boolean;
  /** -1: the pool's rule is not in the map. */
  readonly rule: number;
  /** The set of weights that took the place of the buckets' own; undefined: none. */
  readonly weightSet: number | undefined;
  readonly crush: ExplainedMapping;
  /** Of those chosen by CRUSH, OSDs that do not exist. */
  readonly missing: readonly OsdId[];
  readonly raw: readonly OsdId[];
  readonly upmap: readonly OsdId[] | undefined;
  readonly upmapItems: readonly (readonly [from: OsdId, to: OsdId])[] | undefined;
  readonly afterUpmap: readonly OsdId[];
  /** Of those, OSDs that are down. */
  readonly down: readonly OsdId[];
  /** Affinities of OSDs in it that are less willing to lead than others, 16.16. */
  readonly affinities: ReadonlyMap<OsdId, number>;
  readonly pgTemp: readonly OsdId[] | undefined;
  readonly primaryTemp: OsdId | undefined;
}

const DEFAULT_AFFINITY = 0x10000;

/** Undefined: the pool is not in the map, or has no such PG. */
export function explainPg(map: OsdMap, pg: PgId): ExplainedPg | undefined {
  const pool = map.pools.get(pg.pool);
  if (pool === undefined || pg.seed < 0 || pg.seed >= pool.pgNum) return undefined;
  const rule = findRule(map.crush, pool.crushRule, pool.type, pool.size);
  const input = placementSeed(pool, pg);
  const set = chooseArgsOf(map, pg.pool);
  const crush = explainMapping(map.crush, rule, input, pool.size, map.osdWeight, set);
  const isThere = (osd: OsdId) => osd !== CRUSH_ITEM_NONE;
  const missing = crush.result.filter((osd) => isThere(osd) && !osdExists(map, osd));
  const raw = withoutOsds(pool, crush.result, (osd) => !osdExists(map, osd));
  const afterUpmap = applyUpmap(map, pool, pg, raw);
  const key = pgKey(pg);
  const affinities = afterUpmap
    .map((osd) => [osd, map.primaryAffinity[osd] ?? DEFAULT_AFFINITY] as const)
    .filter(([osd, affinity]) => isThere(osd) && affinity !== DEFAULT_AFFINITY);
  const primaryTemp = map.primaryTemp.get(key);
  return {
    ...mapPg(map, pg),
    ...{ pg, pool, input, rule, crush, missing, raw, afterUpmap },
    placementPg: stableMod(pg.seed, pool.pgpNum),
    isHashed: (pool.flags & PoolFlag.hashpspool) !== 0n,
    weightSet: map.crush.chooseArgs.has(set) ? set : undefined,
    upmap: map.pgUpmap.get(key),
    upmapItems: map.pgUpmapItems.get(key),
    down: afterUpmap.filter((osd) => isThere(osd) && !osdUp(map, osd)),
    affinities: new Map(affinities),
    pgTemp: map.pgTemp.get(key),
    primaryTemp: primaryTemp === undefined || primaryTemp < 0 ? undefined : primaryTemp,
  };
}
