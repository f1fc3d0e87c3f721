import type { Epoch, OsdId, PgId, RawString } from '@spirula/encoding';
import {
  mapPg,
  type OsdMap,
  OsdMapFlag,
  objectHash,
  type PgKey,
  type PgPlacement,
  type Pool,
  PoolFlag,
  pgKey,
  stableMod,
} from '@spirula/maps';
import { type ObjectLocator, OsdFlag } from '@spirula/messages';

/** Where a request must go under one map, and what of that map it depends on. */
export interface OpTarget {
  readonly pgid: PgId;
  /** Full 32-bit hash. */
  readonly hash: number;
  /** -1: no OSD serves the PG now. */
  readonly osd: OsdId;
  /** Two maps with the same text put the PG into the same interval (PastIntervals::is_new_interval, osd/osd_types.cc). */
  readonly interval: string;
  readonly lastForceResend: Epoch;
}

/** One map with the placements already computed under it. */
export class PlacedMap {
  readonly map: OsdMap;
  readonly #placements = new Map<PgKey, PgPlacement>();

  constructor(map: OsdMap) {
    this.map = map;
  }

  place(pg: PgId): PgPlacement {
    const key = pgKey(pg);
    let placement = this.#placements.get(key);
    if (!placement) {
      placement = mapPg(this.map, pg);
      this.#placements.set(key, placement);
    }
    return placement;
  }
}

/**
 * Where a request on `oid` goes; undefined when the map has no such pool (Objecter::_calc_target, osdc/Objecter.cc).
 */
export function computeTarget(placed: PlacedMap, oid: RawString, locator: ObjectLocator): OpTarget | undefined {
  const pool = placed.map.pools.get(locator.pool);
  if (!pool) return undefined;
  const hash =
    locator.hash >= 0n
      ? Number(BigInt.asUintN(32, locator.hash))
      : objectHash(pool, { nspace: locator.nspace, key: locator.key, name: oid });
  const pgid = { pool: locator.pool, seed: stableMod(hash, pool.pgNum) };
  const placement = placed.place(pgid);
  return {
    pgid,
    hash,
    osd: placement.actingPrimary,
    interval: describeInterval(placed.map, pool, pgid, placement),
    lastForceResend: pool.lastForceResend,
  };
}

function describeInterval(map: OsdMap, pool: Pool, pgid: PgId, placement: PgPlacement): string {
  return [
    pgid.seed,
    placement.actingPrimary,
    placement.acting.join(','),
    placement.upPrimary,
    placement.up.join(','),
    pool.size,
    pool.minSize,
    pool.pgNum,
    pool.pgNumPending,
    map.flags & OsdMapFlag.sortbitwise,
    map.flags & OsdMapFlag.recoveryDeletes,
  ].join(' ');
}

/** Whether flags of the map or of the pool hold a request back (Objecter::target_should_be_paused). */
export function isPaused(map: OsdMap, pool: Pool, flags: number): boolean {
  if ((flags & OsdFlag.read) !== 0 && (map.flags & OsdMapFlag.pauserd) !== 0) return true;
  if ((flags & OsdFlag.write) === 0) return false;
  if ((map.flags & OsdMapFlag.pausewr) !== 0) return true;
  const ignoresFull = (flags & (OsdFlag.fullTry | OsdFlag.fullForce)) !== 0;
  const full = (map.flags & OsdMapFlag.full) !== 0 || (pool.flags & PoolFlag.full) !== 0n;
  return full && !ignoresFull;
}
