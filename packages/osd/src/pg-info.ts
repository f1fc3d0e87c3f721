import { compareVersions, type Epoch, type EVersion, type PgId } from '@spirula/encoding';
import { compareHObjects, type HObject, MAX_HOBJECT } from '@spirula/maps';
import { NO_COUNTS, type PgHistory, type PgInfo } from '@spirula/messages';
import { invariant } from '@spirula/world';

export const NO_VERSION: EVersion = { epoch: 0, version: 0 };

export const NO_HISTORY: PgHistory = {
  epochCreated: 0,
  lastEpochStarted: 0,
  lastIntervalStarted: 0,
  lastEpochClean: 0,
  lastIntervalClean: 0,
  sameUpSince: 0,
  sameIntervalSince: 0,
  samePrimarySince: 0,
};

/** The info of a PG of which nothing is here. */
export function emptyInfo(pgid: PgId, history: PgHistory = NO_HISTORY): PgInfo {
  return {
    pgid,
    lastUpdate: NO_VERSION,
    lastComplete: NO_VERSION,
    lastEpochStarted: 0,
    lastIntervalStarted: 0,
    lastUserVersion: 0,
    logTail: NO_VERSION,
    lastBackfill: MAX_HOBJECT,
    counts: NO_COUNTS,
    countsInvalid: false,
    purgedSnaps: [],
    history,
  };
}

/** No write has ever reached this replica. */
export function isEmpty(info: PgInfo): boolean {
  return info.lastUpdate.version === 0;
}

/** Backfill has not finished here: objects may be absent without the log knowing. */
export function isIncomplete(info: PgInfo): boolean {
  return !info.lastBackfill.max;
}

/** Some objects are missing here that the log knows of. */
export function hasMissing(info: PgInfo): boolean {
  return !sameVersion(info.lastComplete, info.lastUpdate);
}

/** Whether backfill has come as far as `oid`, so that the replica's log speaks for it. */
export function hasBackfilled(info: PgInfo, oid: HObject): boolean {
  return info.lastBackfill.max || compareHObjects(oid, info.lastBackfill) <= 0;
}

export function minVersion(a: EVersion, b: EVersion): EVersion {
  return compareVersions(a, b) <= 0 ? a : b;
}

export function maxVersion(a: EVersion, b: EVersion): EVersion {
  return compareVersions(a, b) >= 0 ? a : b;
}

export function sameVersion(a: EVersion, b: EVersion): boolean {
  return a.version === b.version && a.epoch === b.epoch;
}

/**
 * What two replicas know together (pg_history_t::merge): how far the PG has come. Since when up, acting and primary are
 * the same is each one's own, by its own map.
 */
export function mergeHistory(own: PgHistory, other: PgHistory): PgHistory {
  const max = (a: Epoch, b: Epoch) => Math.max(a, b);
  const started = other.lastEpochStarted > own.lastEpochStarted ? other : own;
  const clean = other.lastEpochClean > own.lastEpochClean ? other : own;
  return {
    ...own,
    epochCreated: max(own.epochCreated, other.epochCreated),
    lastEpochStarted: started.lastEpochStarted,
    lastIntervalStarted: max(started.lastIntervalStarted, own.lastIntervalStarted),
    lastEpochClean: clean.lastEpochClean,
    lastIntervalClean: max(clean.lastIntervalClean, own.lastIntervalClean),
  };
}

/** What holds of every info, whatever a peer sends. */
export function isConsistentInfo(info: PgInfo): boolean {
  return (
    compareVersions(info.logTail, info.lastUpdate) <= 0 && compareVersions(info.lastComplete, info.lastUpdate) <= 0
  );
}

export function checkInfo(info: PgInfo): void {
  invariant(compareVersions(info.logTail, info.lastUpdate) <= 0, 'the log does not begin after its end');
  invariant(compareVersions(info.lastComplete, info.lastUpdate) <= 0, 'nothing is complete that was not written');
}
