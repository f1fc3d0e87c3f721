import { mapPg, type OsdMap, type OsdMapIncremental, osdUp, pgOfKey } from '@spirula/maps';

/**
 * Adds to `inc`, which leads to `next`, the removal of temporary acting sets and primaries that no longer mean anything: of
 * PGs that are gone, of OSDs that are all down, and of those that say what CRUSH says by itself. Returns whether it did
 * (OSDMap::clean_temps).
 */
export function cleanTemps(next: OsdMap, inc: OsdMapIncremental): boolean {
  let removed = false;
  for (const [key, acting] of next.pgTemp) {
    const pgid = pgOfKey(key);
    const pool = next.pools.get(pgid.pool);
    const meaningful =
      pool !== undefined &&
      pgid.seed < pool.pgNum &&
      acting.length <= pool.size &&
      acting.some((osd) => osdUp(next, osd)) &&
      !sameOsds(acting, mapPg(next, pgid).up);
    if (meaningful) continue;
    inc.newPgTemp.set(key, []);
    removed = true;
  }
  for (const [key, primary] of next.primaryTemp) {
    const pgid = pgOfKey(key);
    const pool = next.pools.get(pgid.pool);
    const exists = pool !== undefined && pgid.seed < pool.pgNum;
    if (exists && osdUp(next, primary) && mapPg(next, pgid).upPrimary !== primary) continue;
    inc.newPrimaryTemp.set(key, -1);
    removed = true;
  }
  return removed;
}

export function sameOsds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((osd, i) => osd === b[i]);
}
