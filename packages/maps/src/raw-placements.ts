import type { CrushMap, Mappings } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import type { OsdMap } from './osdmap.ts';
import type { Pool } from './pool.ts';

/** What CRUSH chose for the PGs of a pool, those that were asked for: some bytes a PG. */
class PoolPlacements {
  readonly #pool: Pool;
  /** 0: not known yet; else how many OSDs were chosen, plus 1. */
  readonly #counts: Uint16Array;
  readonly #osds: Int32Array;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#counts = new Uint16Array(pool.pgNum);
    this.#osds = new Int32Array(pool.pgNum * pool.size);
  }

  /** Whether CRUSH is asked the same for every PG of `pool`. */
  isOf(pool: Pool): boolean {
    const mine = this.#pool;
    if (mine === pool) return true;
    return (
      mine.pgNum === pool.pgNum &&
      mine.pgpNum === pool.pgpNum &&
      mine.size === pool.size &&
      mine.type === pool.type &&
      mine.crushRule === pool.crushRule &&
      mine.flags === pool.flags
    );
  }

  /** @param chosen for each PG */
  fill({ items, lengths }: Mappings): void {
    this.#osds.set(items);
    for (const [seed, length] of lengths.entries()) this.#counts[seed] = length + 1;
  }

  of(seed: number, choose: () => OsdId[]): OsdId[] {
    const from = seed * this.#pool.size;
    const count = this.#counts[seed]!;
    if (count > 0) return Array.from(this.#osds.subarray(from, from + count - 1));
    const chosen = choose();
    this.#osds.set(chosen, from);
    this.#counts[seed] = chosen.length + 1;
    return chosen;
  }
}

interface Placements {
  readonly crush: CrushMap;
  readonly byPool: Map<number, PoolPlacements>;
}

/**
 * By the list of weights, which maps share until one changes. CRUSH knows nothing else of a map than these and its own:
 * OSDs that come and go without being out move nothing here.
 */
const known = new WeakMap<OsdMap['osdWeight'], Placements>();

/** What `choose` says of a PG of the map, remembered for as long as a map with the same weights and CRUSH map lives. */
export function rememberedPlacement(map: OsdMap, poolId: number, seed: number, choose: () => OsdId[]): OsdId[] {
  const pool = map.pools.get(poolId)!;
  return seed < pool.pgNum ? placementsOf(map, poolId, pool).of(seed, choose) : choose();
}

/** What was chosen for each PG of a pool of the map is remembered. */
export function rememberPlacements(map: OsdMap, poolId: number, chosen: Mappings): void {
  placementsOf(map, poolId, map.pools.get(poolId)!).fill(chosen);
}

function placementsOf(map: OsdMap, poolId: number, pool: Pool): PoolPlacements {
  let placements = known.get(map.osdWeight);
  if (placements?.crush !== map.crush) {
    placements = { crush: map.crush, byPool: new Map() };
    known.set(map.osdWeight, placements);
  }
  let ofPool = placements.byPool.get(poolId);
  if (!ofPool?.isOf(pool)) {
    ofPool = new PoolPlacements(pool);
    placements.byPool.set(poolId, ofPool);
  }
  return ofPool;
}
