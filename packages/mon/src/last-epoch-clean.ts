import type { Epoch, PgId, PoolId } from '@spirula/encoding';
import type { OsdMap } from '@spirula/maps';

/**
 * Since when each PG is clean, as primaries report (LastEpochClean, mon/OSDMonitor.h). Maps are kept from the least of
 * them on, whoever is down meanwhile: what a PG reported last stands until its next primary reports.
 */
export class LastEpochClean {
  readonly #pools = new Map<PoolId, Map<number, Epoch>>();

  /** `epoch`: the least over all of these PGs. */
  report(map: OsdMap, pgs: readonly PgId[], epoch: Epoch): void {
    for (const { pool, seed } of pgs) {
      if (seed >= (map.pools.get(pool)?.pgNum ?? 0)) continue;
      const known = this.#pools.get(pool) ?? new Map<number, Epoch>();
      known.set(seed, Math.max(epoch, known.get(seed) ?? 0));
      this.#pools.set(pool, known);
    }
  }

  clear(): void {
    this.#pools.clear();
  }

  /** The first epoch that some PG may need; 0 while one has not been heard of. */
  lowerBound(map: OsdMap): Epoch {
    for (const pool of [...this.#pools.keys()]) if (!map.pools.has(pool)) this.#pools.delete(pool);
    let least = map.epoch;
    for (const [id, pool] of map.pools) {
      const known = this.#pools.get(id);
      for (let seed = 0; seed < pool.pgNum; seed++) {
        const epoch = known?.get(seed);
        if (epoch === undefined) return 0;
        least = Math.min(least, epoch);
      }
    }
    return least;
  }
}
