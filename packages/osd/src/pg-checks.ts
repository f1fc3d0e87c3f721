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

/** Checks one PG, event after event. */
export class PgChecks {
  readonly #pg: PgCore;
  /** What had been written of the PG when its newest object was looked at. */
  #writesSeen = -1;

  constructor(pg: PgCore) {
    this.#pg = pg;
  }

  /** Throws InvariantViolation. */
  check(): void {
    const pg = this.#pg;
    checkLog(pg);
    checkMissing(pg);
    if (this.#writesSeen === pg.writes) return;
    checkNewestObject(pg);
    this.#writesSeen = pg.writes;
  }
}

function checkLog({ info, log }: PgCore): void {
  log.check();
  invariant(
    sameVersion(log.entries.at(-1)?.version ?? log.tail, info.lastUpdate),
    'the newest log entry is last_update',
  );
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
  if (entry === undefined || entry.kind === 'error' || missing.has(entry.oid) || !hasBackfilled(info, entry.oid))
    return;
  const stored = readObjectInfo(host.store, cid, entry.oid);
  if (entry.kind === 'delete') invariant(stored === undefined, 'an object that the log deletes is not there');
  else {
    invariant(stored !== undefined, 'an object that the log writes is there');
    invariant(sameVersion(stored.version, entry.version), 'an object is there in the version that the log has');
  }
}
