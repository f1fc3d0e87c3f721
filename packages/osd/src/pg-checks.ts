/**
 * What must hold of a PG's log and missing set after every event (PGLog::check, pg_missing_t, PeeringState asserts).
 *
 *   log_tail < first entry < ... < last entry = last_update, their numbers without gaps
 *   missing: have < need <= last_update, need is the newest entry of its object, or trimmed; last_complete < every need
 */
import { compareVersions } from '@spirula/encoding';
import { invariant } from '@spirula/world';
import { readObjectInfo } from './object-part.ts';
import type { PgCore } from './pg-core.ts';
import { hasBackfilled, sameVersion } from './pg-info.ts';

/** Entries looked at, of the newest: the older have been looked at before. */
const ENTRIES = 32;

/** Throws InvariantViolation. */
export function checkPg(pg: PgCore): void {
  checkLog(pg);
  checkMissing(pg);
  checkNewestObject(pg);
}

function checkLog({ info, log }: PgCore): void {
  const { entries } = log;
  const from = Math.max(0, entries.length - ENTRIES);
  let before = from === 0 ? log.tail : entries[from - 1]!.version;
  for (let i = from; i < entries.length; i++) {
    const { version, priorVersion } = entries[i]!;
    invariant(version.version === before.version + 1, 'versions of a log are numbered without gaps');
    invariant(version.epoch >= before.epoch, 'epochs of a log do not descend');
    invariant(compareVersions(priorVersion, version) < 0, 'a log entry follows the version that it replaces');
    before = version;
  }
  invariant(sameVersion(before, info.lastUpdate), 'the newest log entry is last_update');
}

function checkMissing({ info, log, missing }: PgCore): void {
  if (missing.size === 0) return;
  for (const { oid, need, have } of missing.items()) {
    invariant(compareVersions(have, need) < 0, 'what is missing is needed in a newer version than is there');
    invariant(compareVersions(need, info.lastUpdate) <= 0, 'nothing is needed that was not written');
    invariant(compareVersions(info.lastComplete, need) < 0, 'nothing up to last_complete is missing');
    invariant(hasBackfilled(info, oid), 'what backfill has not come to is not counted as missing');
    const entry = log.entryOf(oid);
    if (entry === undefined)
      invariant(compareVersions(need, log.tail) <= 0, 'what is missing is in the log, or trimmed');
    else invariant(sameVersion(entry.version, need), 'what is missing is needed in the version that the log has');
  }
}

/** The store follows the log at once, even if not durably. */
function checkNewestObject({ host, cid, info, log, missing }: PgCore): void {
  const entry = log.entries.at(-1);
  if (entry === undefined || missing.has(entry.oid) || !hasBackfilled(info, entry.oid)) return;
  const stored = readObjectInfo(host.store, cid, entry.oid);
  if (entry.kind === 'delete') invariant(stored === undefined, 'an object that the log deletes is not there');
  else {
    invariant(stored !== undefined, 'an object that the log writes is there');
    invariant(sameVersion(stored.version, entry.version), 'an object is there in the version that the log has');
  }
}
