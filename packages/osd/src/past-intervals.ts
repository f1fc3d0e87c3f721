/**
 * Which OSDs may have taken part in writes since the PG was last known to be active everywhere (PastIntervals,
 * osd/osd_types.cc). An interval may have gone read-write only if its primary had its up_thru raised in it.
 */
import type { Epoch, OsdId } from '@spirula/encoding';
import { type OsdMap, osdExists, osdUp, type PgPlacement, type Pool } from '@spirula/maps';
import type { PastInterval } from '@spirula/messages';

/** Stands in an acting set where no OSD is (CRUSH_ITEM_NONE). */
export const NO_OSD: OsdId = 0x7fff_ffff;

/** What an interval is made of. */
export interface IntervalShape {
  readonly placement: PgPlacement;
  readonly pool: Pool;
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((osd, i) => osd === b[i]);
}

/** Whether a PG has to peer again (PastIntervals::is_new_interval). */
export function isNewInterval(before: IntervalShape, after: IntervalShape): boolean {
  const [a, b] = [before.placement, after.placement];
  return (
    a.actingPrimary !== b.actingPrimary ||
    a.upPrimary !== b.upPrimary ||
    !sameList(a.acting, b.acting) ||
    !sameList(a.up, b.up) ||
    before.pool.size !== after.pool.size ||
    before.pool.minSize !== after.pool.minSize ||
    before.pool.pgNum !== after.pool.pgNum ||
    before.pool.lastForceResend !== after.pool.lastForceResend
  );
}

/** The members of an acting or up set. */
export function membersOf(osds: readonly OsdId[]): OsdId[] {
  return osds.filter((osd) => osd !== NO_OSD && osd >= 0);
}

/**
 * The interval that ends with `lastMap` (PastIntervals::check_new_interval).
 *
 * @param first its first epoch
 */
export function closeInterval(
  shape: IntervalShape,
  first: Epoch,
  last: Epoch,
  lastMap: OsdMap,
  lastEpochClean: Epoch,
): PastInterval {
  const { up, upPrimary, acting, actingPrimary } = shape.placement;
  return {
    first,
    last,
    up,
    acting,
    upPrimary,
    primary: actingPrimary,
    maybeWentRw:
      actingPrimary >= 0 &&
      membersOf(acting).length >= shape.pool.minSize &&
      // Without up_thru raised in this interval the primary cannot have gone active; unless it was seen clean.
      ((lastMap.osdInfo[actingPrimary]?.upThru ?? 0) >= first || (lastEpochClean >= first && lastEpochClean <= last)),
  };
}

/** Whom peering must hear of, and who stands in the way (PastIntervals::PriorSet). */
export interface PriorSet {
  /** Up: all these are asked. */
  readonly probe: ReadonlySet<OsdId>;
  /** Members of past intervals that are down now. */
  readonly down: ReadonlySet<OsdId>;
  /** An interval that may have gone read-write has no survivor: one of `blockedBy` must come back or be lost. */
  readonly pgDown: boolean;
  /** With the lost_at each had: a change of it counts. */
  readonly blockedBy: ReadonlyMap<OsdId, Epoch>;
}

export function buildPriorSet(
  map: OsdMap,
  placement: PgPlacement,
  pastIntervals: readonly PastInterval[],
  lastEpochStarted: Epoch,
): PriorSet {
  const probe = new Set<OsdId>([...membersOf(placement.acting), ...membersOf(placement.up)]);
  const down = new Set<OsdId>();
  const blockedBy = new Map<OsdId, Epoch>();
  let pgDown = false;
  for (let i = pastIntervals.length - 1; i >= 0; i--) {
    const interval = pastIntervals[i]!;
    if (interval.last < lastEpochStarted) break;
    if (!interval.maybeWentRw) continue;
    let survivors = 0;
    const candidates: OsdId[] = [];
    for (const osd of membersOf(interval.acting)) {
      if (osdUp(map, osd)) {
        probe.add(osd);
        survivors += 1;
        continue;
      }
      down.add(osd);
      // Lost, or removed from the cluster: whatever it knew counts as gone for good.
      const lostAt = osdExists(map, osd) ? map.osdInfo[osd]!.lostAt : Number.MAX_SAFE_INTEGER;
      if (lostAt > interval.first) survivors += 1;
      else candidates.push(osd);
    }
    if (survivors > 0 || candidates.length === 0) continue;
    pgDown = true;
    for (const osd of candidates) blockedBy.set(osd, map.osdInfo[osd]!.lostAt);
  }
  return { probe, down, pgDown, blockedBy };
}

/** Whether a newer map changes what the prior set was built from (PriorSet::affected_by_map). */
export function isPriorSetAffected(prior: PriorSet, map: OsdMap): boolean {
  for (const osd of prior.probe) if (!osdUp(map, osd)) return true;
  for (const osd of prior.down) if (osdUp(map, osd)) return true;
  for (const [osd, lostAt] of prior.blockedBy) {
    if (!osdExists(map, osd) || map.osdInfo[osd]!.lostAt !== lostAt) return true;
  }
  return false;
}

/**
 * Whether an interval may have gone read-write and none of `witnesses` was in it: what was written then nobody knows.
 *
 * @param witnesses with the epoch each was admitted in: up to then its number was another's, which took its store along
 */
export function hasUnwitnessed(pastIntervals: readonly PastInterval[], witnesses: ReadonlyMap<OsdId, Epoch>): boolean {
  return pastIntervals.some(
    ({ acting, last, maybeWentRw }) =>
      maybeWentRw && !membersOf(acting).some((osd) => (witnesses.get(osd) ?? Number.POSITIVE_INFINITY) <= last),
  );
}
