/**
 * From an object to the OSDs that serve it (OSDMap::object_locator_to_pg, pg_to_up_acting_osds, osd/OSDMap.cc).
 *
 *   name --hash--> PG --pps--> CRUSH: raw --pg_upmap--> --down and missing removed--> up --pg_temp--> acting
 */
import {
  type BatchMapper,
  batchMapper,
  CRUSH_ITEM_NONE,
  CrushMapper,
  findRule,
  hash32x2,
  type Mappings,
} from '@spirula/crush';
import type { OsdId, PgId, RawString } from '@spirula/encoding';
import { type OsdMap, osdExists, osdUp, pgKey } from './osdmap.ts';
import { type Pool, PoolFlag, PoolType } from './pool.ts';
import { rememberedPlacement, rememberPlacements } from './raw-placements.ts';
import { strHashLinux, strHashRjenkins } from './str-hash.ts';

/** Where a PG belongs and who serves it. A hole in an erasure-coded set is CRUSH_ITEM_NONE. */
export interface PgPlacement {
  readonly up: readonly OsdId[];
  /** -1: none. */
  readonly upPrimary: OsdId;
  readonly acting: readonly OsdId[];
  readonly actingPrimary: OsdId;
}

/** An object's place apart from its pool (object_locator_t): what is hashed is the key when there is one. */
export interface ObjectPlace {
  readonly nspace: RawString;
  readonly key: RawString;
  readonly name: RawString;
}

const DEFAULT_AFFINITY = 0x10000;
/** Between namespace and name in what is hashed. */
const NAMESPACE_SEPARATOR = '\x1f';
const HASH_LINUX = 1;

/** 32-bit placement hash of an object in `pool` (pg_pool_t::hash_key). */
export function objectHash(pool: Pool, { nspace, key, name }: ObjectPlace): number {
  const hashed = key === '' ? name : key;
  const text = nspace === '' ? hashed : nspace + NAMESPACE_SEPARATOR + hashed;
  return pool.objectHash === HASH_LINUX ? strHashLinux(text) : strHashRjenkins(text);
}

/** `x` modulo `b` such that growing b towards the next power of two splits slots one by one (ceph_stable_mod). */
export function stableMod(x: number, b: number): number {
  const mask = maskOf(b);
  const masked = (x & mask) >>> 0;
  return masked < b ? masked : (x & (mask >>> 1)) >>> 0;
}

/** The least 2^n - 1 that is at least b - 1 (pg_num_mask). */
function maskOf(b: number): number {
  return b <= 1 ? 0 : 2 ** (32 - Math.clz32(b - 1)) - 1;
}

/** The PG that holds objects of this hash (raw_pg_to_pg). */
export function pgOfHash(map: OsdMap, poolId: number, hash: number): PgId | undefined {
  const pool = map.pools.get(poolId);
  return pool === undefined ? undefined : { pool: poolId, seed: stableMod(hash, pool.pgNum) };
}

/** The PG of an object; undefined when the pool is not in the map. */
export function objectToPg(map: OsdMap, poolId: number, place: ObjectPlace): PgId | undefined {
  const pool = map.pools.get(poolId);
  return pool === undefined ? undefined : pgOfHash(map, poolId, objectHash(pool, place));
}

/** CRUSH's input for a PG (raw_pg_to_pps): with hashpspool, pools do not lie on top of one another. */
export function placementSeed(pool: Pool, pg: PgId): number {
  const seed = stableMod(pg.seed, pool.pgpNum);
  return (pool.flags & PoolFlag.hashpspool) !== 0n ? hash32x2(seed, pg.pool) : (seed + pg.pool) >>> 0;
}

/** Mappers hold the memory of one CRUSH map and weight-set; the map's own lifetime bounds theirs. */
class Mappers<Mapper> {
  readonly #known = new WeakMap<OsdMap['crush'], Map<number, Mapper>>();
  readonly #make: (crush: OsdMap['crush'], chooseArgs: number) => Mapper;

  constructor(make: (crush: OsdMap['crush'], chooseArgs: number) => Mapper) {
    this.#make = make;
  }

  of(map: OsdMap, poolId: number): Mapper {
    const { crush } = map;
    let bySet = this.#known.get(crush);
    if (bySet === undefined) {
      bySet = new Map();
      this.#known.set(crush, bySet);
    }
    // Pools without a weight-set of their own share one mapper.
    const set = chooseArgsOf(map, poolId);
    let mapper = bySet.get(set);
    if (mapper === undefined) {
      mapper = this.#make(crush, set);
      bySet.set(set, mapper);
    }
    return mapper;
  }
}

const mappers = new Mappers((crush, chooseArgs) => new CrushMapper(crush, chooseArgs));
const batchMappers = new Mappers<BatchMapper>(batchMapper);

/** What CRUSH chooses for all PGs of a pool; what is asked of one of them afterwards costs little. Undefined: it has no rule. */
export function chooseForPool(map: OsdMap, poolId: number): Mappings | undefined {
  const pool = map.pools.get(poolId);
  const rule = pool ? findRule(map.crush, pool.crushRule, pool.type, pool.size) : -1;
  if (pool === undefined || rule < 0) return undefined;
  const inputs = Int32Array.from({ length: pool.pgNum }, (_, seed) => placementSeed(pool, { pool: poolId, seed }));
  const chosen = batchMappers.of(map, poolId).map(rule, inputs, pool.size, map.osdWeight);
  rememberPlacements(map, poolId, chosen);
  return chosen;
}

/** What CRUSH chooses for a PG, without OSDs that do not exist (_pg_to_raw_osds). */
export function mapPgRaw(map: OsdMap, pg: PgId): OsdId[] {
  const pool = map.pools.get(pg.pool);
  if (pool === undefined) return [];
  const rule = findRule(map.crush, pool.crushRule, pool.type, pool.size);
  if (rule < 0) return [];
  const raw = rememberedPlacement(map, pg.pool, pg.seed, () =>
    mappers.of(map, pg.pool).doRule(rule, placementSeed(pool, pg), pool.size, map.osdWeight),
  );
  return withoutOsds(pool, raw, (osd) => !osdExists(map, osd));
}

/** Removes OSDs: a replicated set closes up, an erasure-coded one keeps a hole. */
export function withoutOsds(pool: Pool, osds: readonly OsdId[], removed: (osd: OsdId) => boolean): OsdId[] {
  if (pool.type === PoolType.replicated) return osds.filter((osd) => !removed(osd));
  return osds.map((osd) => (osd === CRUSH_ITEM_NONE || removed(osd) ? CRUSH_ITEM_NONE : osd));
}

function firstOf(osds: readonly OsdId[]): OsdId {
  return osds.find((osd) => osd !== CRUSH_ITEM_NONE) ?? -1;
}

/** Whether the map has a set of weights for this pool alone, or one for all (-1). */
export function chooseArgsOf({ crush }: OsdMap, poolId: number): number {
  return crush.chooseArgs.has(poolId) ? poolId : -1;
}

/** Explicit exceptions to CRUSH (_apply_upmap): ignored as soon as one of their targets is out. */
export function applyUpmap(map: OsdMap, pool: Pool, pg: PgId, raw: OsdId[]): OsdId[] {
  const key = pgKey({ pool: pg.pool, seed: stableMod(pg.seed, pool.pgNum) });
  const isOut = (osd: OsdId) => osd !== CRUSH_ITEM_NONE && osd >= 0 && osd < map.maxOsd && map.osdWeight[osd] === 0;
  let mapped = raw;
  const whole = map.pgUpmap.get(key);
  if (whole !== undefined) {
    if (whole.some(isOut)) return raw;
    mapped = [...whole];
  }
  for (const [from, to] of map.pgUpmapItems.get(key) ?? []) {
    if (mapped.includes(to)) continue;
    const at = mapped.indexOf(from);
    if (at < 0 || isOut(to)) continue;
    mapped = mapped.with(at, to);
  }
  return mapped;
}

/** Where a PG belongs when every OSD is up: what CRUSH chooses and upmaps replace (pg_to_raw_upmap). */
export function mapPgUpmap(map: OsdMap, pg: PgId): OsdId[] {
  const pool = map.pools.get(pg.pool);
  return pool === undefined ? [] : applyUpmap(map, pool, pg, mapPgRaw(map, pg));
}

/**
 * Primary affinity (_apply_primary_affinity): an OSD refuses to lead with a probability; who first does not, leads. In a
 * replicated set it moves to the front.
 */
function applyPrimaryAffinity(map: OsdMap, pool: Pool, seed: number, osds: OsdId[], primary: OsdId): [OsdId[], OsdId] {
  const { primaryAffinity } = map;
  const affinity = (osd: OsdId) => primaryAffinity[osd] ?? DEFAULT_AFFINITY;
  if (primaryAffinity.length === 0) return [osds, primary];
  if (!osds.some((osd) => osd !== CRUSH_ITEM_NONE && affinity(osd) !== DEFAULT_AFFINITY)) return [osds, primary];
  let chosen = -1;
  for (let i = 0; i < osds.length; i++) {
    const osd = osds[i]!;
    if (osd === CRUSH_ITEM_NONE) continue;
    const willing = affinity(osd);
    if (willing < DEFAULT_AFFINITY && hash32x2(seed, osd) >>> 16 >= willing) {
      // Keeps the first who refused: somebody must lead.
      if (chosen < 0) chosen = i;
      continue;
    }
    chosen = i;
    break;
  }
  if (chosen < 0) return [osds, primary];
  const leader = osds[chosen]!;
  if (pool.type !== PoolType.replicated || chosen === 0) return [osds, leader];
  return [[leader, ...osds.slice(0, chosen), ...osds.slice(chosen + 1)], leader];
}

/** Where a PG belongs and who serves it. A PG of an unknown pool, or beyond its pg_num, is nowhere. */
export function mapPg(map: OsdMap, pg: PgId): PgPlacement {
  const pool = map.pools.get(pg.pool);
  if (pool === undefined || pg.seed >= pool.pgNum) return NOWHERE;
  return mapAnyPg(map, pg);
}

const NOWHERE: PgPlacement = { up: [], upPrimary: -1, acting: [], actingPrimary: -1 };

/** As `mapPg`; of a seed beyond pg_num, where objects of that hash are (pg_to_up_acting_osds with raw_pg_to_pg). */
export function mapAnyPg(map: OsdMap, pg: PgId): PgPlacement {
  const pool = map.pools.get(pg.pool);
  if (pool === undefined) return NOWHERE;
  const raw = applyUpmap(map, pool, pg, mapPgRaw(map, pg));
  const alive = withoutOsds(pool, raw, (osd) => !osdUp(map, osd));
  const [up, upPrimary] = applyPrimaryAffinity(map, pool, placementSeed(pool, pg), alive, firstOf(alive));
  const key = pgKey({ pool: pg.pool, seed: stableMod(pg.seed, pool.pgNum) });
  const temp = withoutOsds(pool, map.pgTemp.get(key) ?? [], (osd) => !osdUp(map, osd));
  // An erasure-coded PG whose temporary OSDs are all down is served by nobody, not by its up set.
  const acting = temp.length > 0 ? temp : up;
  const tempPrimary = map.primaryTemp.get(key) ?? -1;
  const actingPrimary = tempPrimary >= 0 ? tempPrimary : acting === up ? upPrimary : firstOf(acting);
  return { up, upPrimary, acting, actingPrimary };
}
