/**
 * What the OSDs of a PG do with one another's logs when it goes active: the primary takes in the authoritative one, decides
 * for each member whether it catches up by the log or is backfilled, and each member brings its own log in line.
 */
import { compareVersions, type OsdId } from '@spirula/encoding';
import { type HObject, MIN_HOBJECT } from '@spirula/maps';
import { type Lease, NO_COUNTS, type PgInfo, type PgLogMessage, type PgLogPart } from '@spirula/messages';
import type { Transaction, TransactionOp } from '@spirula/objectstore';
import { Missing } from './missing.ts';
import { isFirst } from './object-id.ts';
import type { PgCore } from './pg-core.ts';
import { emptyInfo, isConsistentInfo, isEmpty, isIncomplete, sameVersion } from './pg-info.ts';
import { completeUpTo, mergeLog, missNewEntries, rewindDivergentLog } from './pg-log-merge.ts';

/** A log as a peer may send it: in order, and fitting its info. */
export function isValidLog({ info, log }: PgLogMessage): boolean {
  let last = log.tail;
  for (const { version } of log.entries) {
    if (compareVersions(version, last) <= 0) return false;
    last = version;
  }
  return isConsistentInfo(info) && compareVersions(last, log.head) <= 0 && sameVersion(info.lastUpdate, log.head);
}

function remover({ cid }: PgCore, transaction: TransactionOp[]) {
  return (oid: HObject) => void transaction.push({ op: 'remove', cid, oid });
}

/** Merges a log, where the two overlap; returns what that does to the store. */
function merge(pg: PgCore, { info, log }: PgLogMessage): Transaction | undefined {
  if (compareVersions(pg.log.head, log.tail) < 0 || compareVersions(log.head, pg.log.tail) < 0) return undefined;
  const transaction: TransactionOp[] = [];
  const { osd_pg_log_dups_tracked: dupsTracked } = pg.host.world.config;
  const merged = mergeLog(pg.log, pg.missing, pg.info, { info, log }, dupsTracked, remover(pg, transaction));
  pg.setInfo({ ...merged, ...sharedFields(info) });
  return transaction;
}

/** What whoever is authoritative says for all. */
export function sharedFields({ counts, countsInvalid, purgedSnaps }: PgInfo) {
  return { counts, countsInvalid, purgedSnaps };
}

/**
 * Primary: takes in the authoritative log (PeeringState::proc_master_log).
 *
 * @returns what that does to the store; undefined when the logs do not overlap
 */
export function mergeAuthoritativeLog(pg: PgCore, message: PgLogMessage): Transaction | undefined {
  const { info } = message;
  const transaction = merge(pg, message);
  if (!transaction) return undefined;
  pg.setInfo({
    ...pg.info,
    lastEpochStarted: Math.max(pg.info.lastEpochStarted, info.lastEpochStarted),
    lastIntervalStarted: Math.max(pg.info.lastIntervalStarted, info.lastIntervalStarted),
  });
  return transaction;
}

/** Primary: tells a member what it lacks, and notes what the member will be then (PeeringState::activate). */
export function activateReplica(pg: PgCore, osd: OsdId, lease: Lease): void {
  const { pgid, epoch } = pg;
  const known = pg.peerInfo.get(osd) ?? emptyInfo(pgid);
  const isNewThere = known.history.epochCreated === 0;
  let peer = known;
  let log: PgLogPart | undefined;
  let info = pg.info;
  const peerMissing = pg.peerMissing.get(osd) ?? new Missing();
  const isTarget = pg.backfillTargets.includes(osd);
  if (sameVersion(peer.lastUpdate, pg.info.lastUpdate) && !(isTarget && !isIncomplete(peer))) {
    if (!isEmpty(peer) && !isNewThere) {
      pg.send(osd, { type: 'pg_info', pgid, epoch, info, lease, leaseAck: undefined });
    } else log = { head: pg.log.head, tail: pg.log.head, entries: [], dups: [] };
  } else if (
    compareVersions(pg.log.tail, peer.lastUpdate) > 0 ||
    isFirst(peer.lastBackfill) ||
    (isTarget && !isIncomplete(peer))
  ) {
    // Backfill from the start, with some recent log so that requests sent again are recognized.
    log = pg.log.copyNewest(pg.host.world.config.osd_min_pg_log_entries);
    peer = {
      ...pg.info,
      lastComplete: pg.info.lastUpdate,
      lastBackfill: MIN_HOBJECT,
      logTail: log.tail,
      counts: NO_COUNTS,
    };
    info = peer;
    peerMissing.clear();
  } else {
    log = pg.log.copyAfter(peer.lastUpdate);
  }
  if (log) {
    pg.send(osd, {
      type: 'pg_log',
      pgid,
      epoch,
      queryEpoch: epoch,
      info,
      log,
      missing: [],
      pastIntervals: isNewThere ? pg.pastIntervals : [],
      lease,
    });
    if (!isFirst(peer.lastBackfill)) {
      const after = known.lastUpdate;
      const added = log.entries.filter((entry) => compareVersions(entry.version, after) > 0);
      missNewEntries(peer, peerMissing, added, () => {});
    }
  }
  peer = { ...peer, lastUpdate: pg.info.lastUpdate, lastEpochStarted: pg.info.lastEpochStarted };
  pg.peerMissing.set(osd, peerMissing);
  pg.peerInfo.set(osd, { ...peer, lastComplete: completeUpTo(peer, peerMissing), history: pg.info.history });
}

/**
 * Replica: the primary's log brings it up, or starts its backfill (Stray::react(MLogRec)).
 *
 * @returns what that does to the store; undefined when the logs do not fit
 */
export function takeActivationLog(pg: PgCore, message: PgLogMessage): Transaction | undefined {
  const { info, log } = message;
  if (isFirst(info.lastBackfill)) {
    const { history } = pg.info;
    pg.missing.clear();
    pg.log.claim(log);
    pg.setInfo({ ...info, pgid: pg.pgid, history });
    return [];
  }
  const transaction = merge(pg, message);
  return sameVersion(pg.info.lastUpdate, info.lastUpdate) ? transaction : undefined;
}

/** Replica: the primary has nothing newer; what is newer here is divergent (Stray::react(MInfoRec)). */
export function takeActivationInfo(pg: PgCore, info: PgInfo): Transaction | undefined {
  const { lastUpdate } = info;
  const transaction: TransactionOp[] = [];
  if (compareVersions(pg.info.lastUpdate, lastUpdate) > 0 && compareVersions(lastUpdate, pg.log.tail) >= 0) {
    pg.setInfo(rewindDivergentLog(pg.log, pg.missing, pg.info, lastUpdate, remover(pg, transaction)));
  }
  if (!sameVersion(pg.info.lastUpdate, lastUpdate)) return undefined;
  pg.setInfo({ ...pg.info, ...sharedFields(info) });
  return transaction;
}
