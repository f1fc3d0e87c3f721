/** Where all PGs of a pool belong and who serves them, in arrays of numbers: for maps with hundreds of thousands of PGs. */
import { CRUSH_ITEM_NONE } from '@spirula/crush';
import type { OsdId, PoolId } from '@spirula/encoding';
import { type OsdMap, OsdState, pgOfKey } from './osdmap.ts';
import { chooseForPool, mapPg } from './pg-mapping.ts';

/** Sets of OSDs, one for each PG. */
export interface PgSets {
  /** Places of a set. */
  readonly size: number;
  /** `size` OSDs of each PG, one PG after the other. A hole is CRUSH_ITEM_NONE, as is what is behind the last. */
  readonly osds: Int32Array;
  /** How many each PG has, holes included. */
  readonly counts: Uint16Array;
  /** -1: none. */
  readonly primaries: Int32Array;
}

/** OSDs of one PG, holes included. */
export function pgSet({ size, osds, counts }: PgSets, seed: number): Int32Array {
  return osds.subarray(seed * size, seed * size + counts[seed]!);
}

export interface PoolMapping {
  readonly up: PgSets;
  /** `up` itself where nothing of the pool is temporary. */
  readonly acting: PgSets;
}

const DEFAULT_AFFINITY = 0x10000;
const SERVING = OsdState.exists | OsdState.up;

/** As `mapPg` says of each PG of the pool; a pool that is not in the map has none. */
export function mapPool(map: OsdMap, poolId: PoolId): PoolMapping {
  const pool = map.pools.get(poolId);
  if (pool === undefined) return { up: noSets(0, 0), acting: noSets(0, 0) };
  const { size, pgNum } = pool;
  const temporary = seedsOf(poolId, map.pgTemp, map.primaryTemp);
  const others = seedsOf(poolId, map.pgTemp, map.primaryTemp, map.pgUpmap, map.pgUpmapItems);
  const serves = osdsThatServe(map);
  const up = noSets(widest(size, map.pgUpmap), pgNum);
  const acting = temporary.size > 0 ? noSets(widest(up.size, map.pgTemp), pgNum) : up;
  const chosen = chooseForPool(map, poolId);
  const isPlain = (from: number, count: number) => {
    for (let i = from; i < from + count; i++) if (serves[chosen!.items[i]!] !== 1) return false;
    return true;
  };
  for (let seed = 0; seed < pgNum; seed++) {
    const from = seed * size;
    const count = chosen?.lengths[seed] ?? 0;
    if (others.has(seed) || !isPlain(from, count)) {
      const placement = mapPg(map, { pool: poolId, seed });
      put(up, seed, placement.up, 0, placement.up.length, placement.upPrimary);
      if (acting !== up) put(acting, seed, placement.acting, 0, placement.acting.length, placement.actingPrimary);
    } else if (chosen && count > 0) {
      put(up, seed, chosen.items, from, count, chosen.items[from]!);
      if (acting !== up) put(acting, seed, chosen.items, from, count, chosen.items[from]!);
    }
  }
  return { up, acting };
}

function noSets(size: number, pgNum: number): PgSets {
  return {
    size,
    osds: new Int32Array(size * pgNum).fill(CRUSH_ITEM_NONE),
    counts: new Uint16Array(pgNum),
    primaries: new Int32Array(pgNum).fill(-1),
  };
}

function put(sets: PgSets, seed: number, osds: ArrayLike<OsdId>, from: number, count: number, primary: OsdId): void {
  for (let place = 0; place < count; place++) sets.osds[seed * sets.size + place] = osds[from + place]!;
  sets.counts[seed] = count;
  sets.primaries[seed] = primary;
}

/** PGs of the pool of which tables have something to say. */
function seedsOf(poolId: PoolId, ...tables: readonly ReadonlyMap<number, unknown>[]): ReadonlySet<number> {
  const seeds = new Set<number>();
  for (const table of tables) {
    for (const key of table.keys()) {
      const { pool, seed } = pgOfKey(key);
      if (pool === poolId) seeds.add(seed);
    }
  }
  return seeds;
}

function widest(size: number, sets: ReadonlyMap<number, readonly OsdId[]>): number {
  let most = size;
  for (const osds of sets.values()) most = Math.max(most, osds.length);
  return most;
}

/** 1: up, and as willing to lead as any. */
function osdsThatServe({ maxOsd, osdState, primaryAffinity }: OsdMap): Uint8Array {
  return Uint8Array.from({ length: maxOsd }, (_, osd) => {
    const isUp = (osdState[osd]! & SERVING) === SERVING;
    return isUp && (primaryAffinity[osd] ?? DEFAULT_AFFINITY) === DEFAULT_AFFINITY ? 1 : 0;
  });
}
