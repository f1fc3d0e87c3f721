/**
 * Bringing a replica's log in line with the authoritative one (PGLog::merge_log, rewind_divergent_log,
 * proc_replica_log). Entries that only this replica has are divergent: nobody was ever told they happened. The objects
 * they wrote are removed and fetched again, in the version before.
 */
import { compareVersions, type EVersion } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { PgInfo, PgLogEntry, PgLogPart } from '@spirula/messages';
import { invariant } from '@spirula/world';
import { type Missing, makesObject } from './missing.ts';
import { objectKey } from './object-id.ts';
import { hasBackfilled, maxVersion, NO_VERSION, sameVersion } from './pg-info.ts';
import type { PgLog } from './pg-log.ts';

/** A log as far as divergence is judged by it. */
interface ReferenceLog {
  entryOf(oid: HObject): PgLogEntry | undefined;
}

/** Removes an object from the store along with the merge; does nothing for a peer's log, which the peer itself rewinds. */
export type RemoveObject = (oid: HObject) => void;

/** `lastComplete` as the missing set has it (see `Missing`). */
export function completeUpTo(info: PgInfo, missing: Missing): EVersion {
  if (missing.size === 0) return info.lastUpdate;
  let least = info.lastUpdate;
  for (const { need } of missing.items()) if (compareVersions(need, least) < 0) least = need;
  // Versions are consecutive, so nothing lies between this and the oldest one needed.
  return { epoch: least.epoch, version: Math.max(0, least.version - 1) };
}

/** Takes note that `entries` follow in the log, of which the store has nothing (append_log_entries_update_missing). */
export function missNewEntries(
  info: PgInfo,
  missing: Missing,
  entries: readonly PgLogEntry[],
  removeObject: RemoveObject,
): void {
  for (const entry of entries) {
    if (entry.kind === 'error' || !hasBackfilled(info, entry.oid)) continue;
    if (entry.kind === 'delete') {
      missing.rm(entry.oid);
      removeObject(entry.oid);
    } else missing.addNextEvent(entry);
  }
}

/**
 * Takes `incoming`, authoritative, into `log`. Both overlap, or the own log is the beginning of it.
 *
 * @returns the info with the versions that follow from the merge
 */
export function mergeLog(
  log: PgLog,
  missing: Missing,
  info: PgInfo,
  incoming: { readonly info: PgInfo; readonly log: PgLogPart },
  dupsTracked: number,
  removeObject: RemoveObject,
): PgInfo {
  const olog = incoming.log;
  invariant(compareVersions(log.head, olog.tail) >= 0, 'the authoritative log reaches back to this one');
  invariant(compareVersions(olog.head, log.tail) >= 0, 'this log reaches back to the authoritative one');
  let merged = info;
  const originalTail = log.tail;

  if (compareVersions(olog.tail, log.tail) < 0) {
    // Older history; the missing set does not depend on it.
    log.extendTail(
      olog.tail,
      olog.entries.filter((entry) => compareVersions(entry.version, originalTail) <= 0),
    );
    merged = { ...merged, logTail: olog.tail };
  }
  if (compareVersions(olog.head, log.head) < 0) {
    merged = rewindDivergentLog(log, missing, merged, olog.head, removeObject);
  } else if (compareVersions(olog.head, log.head) > 0) {
    let lowerBound = maxVersion(olog.tail, originalTail);
    for (const entry of olog.entries) {
      if (compareVersions(entry.version, log.head) > 0) break;
      lowerBound = maxVersion(lowerBound, entry.version);
    }
    const divergent = log.rewind(lowerBound);
    const added = olog.entries.filter((entry) => compareVersions(entry.version, lowerBound) > 0);
    for (const entry of added) log.append(entry);
    missNewEntries(merged, missing, added, removeObject);
    dropDivergentEntries(divergent, log, merged, missing, removeObject);
    invariant(sameVersion(log.head, olog.head), 'a merged log ends where the authoritative one does');
    merged = { ...merged, lastUpdate: olog.head, lastUserVersion: incoming.info.lastUserVersion };
  }
  log.mergeDups(olog.dups, dupsTracked);
  return withComplete(merged, missing);
}

/** Drops everything newer than `head`, which is authoritative (PGLog::rewind_divergent_log). */
export function rewindDivergentLog(
  log: PgLog,
  missing: Missing,
  info: PgInfo,
  head: EVersion,
  removeObject: RemoveObject,
): PgInfo {
  const divergent = log.rewind(head);
  dropDivergentEntries(divergent, log, info, missing, removeObject);
  return withComplete({ ...info, lastUpdate: head }, missing);
}

function withComplete(info: PgInfo, missing: Missing): PgInfo {
  return { ...info, lastComplete: completeUpTo(info, missing), countsInvalid: true };
}

/**
 * What a peer's info and missing set will be once it has dropped its divergent entries, judged by the authoritative
 * `log` (PGLog::proc_replica_log).
 */
export function judgeReplicaLog(
  log: PgLog,
  peer: { readonly info: PgInfo; readonly log: PgLogPart },
  peerMissing: Missing,
): PgInfo {
  const olog = peer.log;
  // Not even overlapping: the peer will be backfilled, its missing set does not matter.
  if (compareVersions(olog.head, log.tail) < 0 || sameVersion(olog.head, log.head)) return peer.info;
  let newestShared: EVersion | undefined;
  for (let i = log.entries.length - 1; i >= 0; i--) {
    if (compareVersions(log.entries[i]!.version, olog.head) > 0) continue;
    newestShared = log.entries[i]!.version;
    break;
  }
  const limit = maxVersion(olog.tail, log.tail);
  const head = newestShared && compareVersions(newestShared, limit) > 0 ? newestShared : limit;
  const divergent = olog.entries.filter((entry) => compareVersions(entry.version, head) > 0);
  // Judged by the peer's own log as it will be: what follows it is sent on activation and counted then.
  const remaining = new Map<string, PgLogEntry>();
  for (const entry of olog.entries) {
    if (entry.kind !== 'error' && compareVersions(entry.version, head) <= 0) remaining.set(objectKey(entry.oid), entry);
  }
  const rewound: ReferenceLog = { entryOf: (oid) => remaining.get(objectKey(oid)) };
  dropDivergentEntries(divergent, rewound, peer.info, peerMissing, () => {});
  const lastUpdate = compareVersions(head, peer.info.lastUpdate) < 0 ? head : peer.info.lastUpdate;
  const info = { ...peer.info, lastUpdate };
  return { ...info, lastComplete: completeUpTo(info, peerMissing) };
}

function dropDivergentEntries(
  divergent: readonly PgLogEntry[],
  log: ReferenceLog,
  info: PgInfo,
  missing: Missing,
  removeObject: RemoveObject,
): void {
  const byObject = new Map<string, PgLogEntry[]>();
  for (const entry of divergent) {
    if (entry.kind === 'error') continue;
    const key = objectKey(entry.oid);
    const entries = byObject.get(key);
    if (entries) entries.push(entry);
    else byObject.set(key, [entry]);
  }
  for (const entries of byObject.values()) dropDivergentObject(entries, log, info, missing, removeObject);
}

/** One object's divergent entries, oldest first (PGLog::_merge_object_divergent_entries). */
function dropDivergentObject(
  entries: readonly PgLogEntry[],
  log: ReferenceLog,
  info: PgInfo,
  missing: Missing,
  removeObject: RemoveObject,
): void {
  const first = entries[0]!;
  const { oid, priorVersion } = first;
  if (!hasBackfilled(info, oid)) return;
  const newest = log.entryOf(oid);
  if (newest && compareVersions(newest.version, first.version) >= 0) {
    // Written again by the authoritative log: whatever is here is not a version of it.
    missing.forgetHave(oid);
    removeObject(oid);
    return;
  }
  if (makesObject(first)) {
    missing.rm(oid);
    removeObject(oid);
    return;
  }
  const item = missing.get(oid);
  if (item) {
    if (sameVersion(item.have, priorVersion)) missing.rm(oid);
    else missing.reviseNeed(oid, priorVersion);
    return;
  }
  removeObject(oid);
  missing.add(oid, priorVersion, NO_VERSION);
}
