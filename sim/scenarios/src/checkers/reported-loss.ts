/**
 * Loss that a cluster owns up to. Where data may be lost, each PG must either serve what it was given, or say that it cannot: in
 * its state, and in `ceph health`.
 *
 *     down, incomplete                       PG_AVAILABILITY          nobody knows what was written last
 *     stale                                  PG_AVAILABILITY          nobody has the PG, as the manager sees
 *     recovery_unfound, backfill_unfound     OBJECT_UNFOUND,          objects that are known to have been, and nobody has
 *                                            PG_DAMAGED
 */
import type { RawString } from '@spirula/encoding';
import { formatPgId } from '@spirula/encoding';
import type { SimCluster } from '../cluster.ts';
import { findUncleanPgs } from './unclean-pgs.ts';

/** What `ceph health` has to say for each state. */
const CHECKS: ReadonlyMap<string, readonly string[]> = new Map([
  ['down', ['PG_AVAILABILITY']],
  ['incomplete', ['PG_AVAILABILITY']],
  ['stale', ['PG_AVAILABILITY']],
  ['recovery_unfound', ['OBJECT_UNFOUND', 'PG_DAMAGED']],
  ['backfill_unfound', ['OBJECT_UNFOUND', 'PG_DAMAGED']],
]);

/** Whether a PG's state says that something is lost. */
export function saysLoss(state: string): boolean {
  return state.split('+').some((name) => CHECKS.has(name));
}

/** PGs that report a loss, with their states. */
export function findReportedLosses(cluster: SimCluster): ReadonlyMap<string, string> {
  return new Map(
    findUncleanPgs(cluster).flatMap(({ name, state }) =>
      state !== undefined && saysLoss(state) ? [[name, state] as const] : [],
    ),
  );
}

/** Whether an object belongs to one of these PGs. */
export function isIn(cluster: SimCluster, pgs: ReadonlyMap<string, unknown>, object: RawString): boolean {
  const pgid = cluster.pgOf(object);
  return pgid !== undefined && pgs.has(formatPgId(pgid));
}

/**
 * What PGs say and the cluster's health does not.
 *
 * @param losses states of PGs that report a loss
 * @param checks names of the checks that `ceph health` shows
 */
export function findUnreported(losses: Iterable<string>, checks: readonly string[]): string[] {
  const wanted = new Set([...losses].flatMap((state) => state.split('+').flatMap((name) => CHECKS.get(name) ?? [])));
  return [...wanted].filter((check) => !checks.includes(check)).sort();
}
