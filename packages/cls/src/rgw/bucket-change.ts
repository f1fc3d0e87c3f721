/**
 * How the index of a bucket follows its objects: a change is announced, made in the data pool, and completed or given up.
 * What a gateway that died has left announced is settled by the next listing that meets it.
 *
 *            prepare                    complete: the last pending change of an object that does not exist removes its entry
 *   (none) ----------> pending ------> exists <-----> exists, pending
 */
import { Errno, type UTime } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import {
  type CompleteInput,
  type PrepareInput,
  SUGGEST_LOG_OP,
  SuggestedOp,
  type Suggestion,
  type UpdateStatsInput,
} from './bucket-codec.ts';
import {
  type IndexObject,
  logChange,
  readEntry,
  readHeader,
  readValue,
  writeEntry,
  writeHeader,
} from './bucket-index.ts';
import {
  type DirEntry,
  decodeDirEntry,
  EntryFlag,
  ModifyOp,
  NO_ENTRY,
  type PendingChange,
  PendingState,
  withPending,
} from './dir-entry.ts';
import { accountEntry, addStats, type DirHeader, NO_STATS, setStats } from './dir-header.ts';
import { entryKey } from './index-key.ts';
import type { ObjectKey } from './object-key.ts';

const DEFAULT_TAG_TIMEOUT_SEC = 120n;
const NSEC_PER_SEC = 1_000_000_000n;
const U64_BITS = 64;

/** EINVAL: it is there already. */
export function initIndex(object: MethodContext): void {
  if (object.omapHeader().length > 0) throw new ClassError(Errno.EINVAL);
  writeHeader(object, readHeader(object));
}

export function setTagTimeout(object: MethodContext, tagTimeout: bigint): void {
  writeHeader(object, { ...readHeader(object), tagTimeout });
}

export function updateStats(object: MethodContext, input: UpdateStatsInput): void {
  const header = readHeader(object);
  const change = input.absolute ? setStats : addStats;
  let { stats } = header;
  for (const [category, sums] of input.stats) stats = change(stats, category, sums);
  writeHeader(object, { ...header, stats });
}

/** EINVAL: no tag. */
export function prepare(object: IndexObject, { op, key, tag, locator }: PrepareInput): void {
  if (tag === '') throw new ClassError(Errno.EINVAL);
  const { at, entry = { ...NO_ENTRY, key, locator } } = readEntry(object, key);
  const change = { tag, state: PendingState.pendingModify, timestamp: object.now(), op };
  writeEntry(object, at, { ...entry, pending: withPending(entry.pending, change) });
}

/** EINVAL: it was not prepared. */
export function complete(object: IndexObject, input: CompleteInput): void {
  const { key, tag, version, meta, locator } = input;
  let header = readHeader(object);
  const { at, entry: found } = readEntry(object, key);
  const before = found ?? { ...NO_ENTRY, key, version, meta, locator };
  const entry: DirEntry = {
    ...before,
    version,
    indexVersion: header.version,
    flags: before.flags & EntryFlag.version,
    pending: tag === '' ? before.pending : withoutTag(before.pending, tag),
  };
  const isLogging = input.logOp && !header.syncStopped;
  const op = isOverwritten(before, input) ? ModifyOp.cancel : input.op;
  const uncounted = entry.exists ? accountEntry(header.stats, entry.meta, -1n) : header.stats;
  let mtime = meta.mtime;
  let isLogged = isLogging;
  switch (op) {
    case ModifyOp.cancel:
      isLogged = false;
      // The last pending change of an object that somebody removed meanwhile.
      if (tag !== '' && !entry.exists && entry.pending.length === 0) object.omapRemove([at]);
      else if (tag !== '') writeEntry(object, at, entry);
      break;
    case ModifyOp.delete:
      header = { ...header, stats: uncounted };
      if (!found) isLogged = false;
      else if (entry.pending.length === 0) object.omapRemove([at]);
      else writeEntry(object, at, { ...entry, meta, exists: false });
      break;
    case ModifyOp.add:
      writeEntry(object, at, { ...entry, key, meta, tag, exists: true });
      header = { ...header, stats: accountEntry(uncounted, meta, 1n) };
      break;
    default:
      mtime = entry.meta.mtime;
  }
  if (isLogged) {
    const { bilogFlags: flags, zonesTrace } = input;
    const change = { key, op, tag, version, flags, zonesTrace, timestamp: mtime, state: PendingState.complete };
    header = logChange(object, header, change);
  }
  for (const removed of input.removeKeys) header = removeOther(object, header, removed, isLogging);
  writeHeader(object, header);
}

/** Overtaken by a later change of the object. */
function isOverwritten(entry: DirEntry, { version }: CompleteInput): boolean {
  return version.pool === entry.version.pool && version.epoch !== 0n && version.epoch <= entry.version.epoch;
}

function withoutTag(pending: readonly PendingChange[], tag: string): readonly PendingChange[] {
  const at = pending.findIndex((change) => change.tag === tag);
  if (at < 0) throw new ClassError(Errno.EINVAL);
  return pending.toSpliced(at, 1);
}

/** One that is not there is passed over. */
function removeOther(object: IndexObject, given: DirHeader, key: ObjectKey, isLogging: boolean): DirHeader {
  const { at, entry } = readEntryIf(object, key);
  if (!entry) return given;
  let header = given;
  if (entry.exists) header = { ...header, stats: accountEntry(header.stats, entry.meta, -1n) };
  if (isLogging) {
    // Two entries of the log may not have one key.
    header = { ...header, version: header.version + 1n };
    const { meta, version } = entry;
    const change = { key, version, tag: '', flags: 0, zonesTrace: [], op: ModifyOp.delete };
    header = logChange(object, header, { ...change, timestamp: meta.mtime, state: PendingState.complete });
  }
  object.omapRemove([at]);
  return header;
}

/** One that does not parse counts as none. */
function readEntryIf(object: IndexObject, key: ObjectKey): ReturnType<typeof readEntry> {
  try {
    return readEntry(object, key);
  } catch (error) {
    if (error instanceof ClassError) return { at: '', entry: undefined };
    throw error;
  }
}

/** Settles entries of which no change is pending (any more). EINVAL: one does not parse. */
export function suggestChanges(object: MethodContext, suggestions: readonly Suggestion[]): void {
  let header = readHeader(object);
  let isChanged = false;
  for (const suggestion of suggestions) {
    const at = entryKey(suggestion.entry.key);
    const stored = readSuggested(object, at);
    // A change was completed after the listing that this comes from.
    if (!stored || suggestion.entry.indexVersion < stored.indexVersion) continue;
    if (stored.pending.some(({ timestamp }) => !isAbandoned(object.now(), timestamp, header))) continue;
    header = settle(object, header, at, stored, suggestion);
    isChanged ||= stored.exists || (suggestion.op & ~SUGGEST_LOG_OP) === SuggestedOp.update;
  }
  if (isChanged) writeHeader(object, header);
}

function readSuggested(object: MethodContext, at: string): DirEntry | undefined {
  try {
    return readValue(object, at, decodeDirEntry);
  } catch (error) {
    throw error instanceof ClassError ? new ClassError(Errno.EINVAL) : error;
  }
}

function isAbandoned(now: UTime, timestamp: UTime, { tagTimeout }: DirHeader): boolean {
  const timeout = tagTimeout === 0n ? DEFAULT_TAG_TIMEOUT_SEC : tagTimeout;
  return nanoseconds(now) > BigInt.asUintN(U64_BITS, nanoseconds(timestamp) + timeout * NSEC_PER_SEC);
}

function nanoseconds({ sec, nsec }: UTime): bigint {
  return BigInt(sec) * NSEC_PER_SEC + BigInt(nsec);
}

function settle(
  object: MethodContext,
  given: DirHeader,
  at: string,
  stored: DirEntry,
  { op, entry }: Suggestion,
): DirHeader {
  let header = given;
  const log = (op & SUGGEST_LOG_OP) !== 0 && !header.syncStopped;
  const change = { flags: 0, zonesTrace: [], state: PendingState.complete };
  if (stored.exists) header = { ...header, stats: accountEntry(header.stats, stored.meta, -1n) };
  header = { ...header, stats: addStats(header.stats, entry.meta.category, NO_STATS) };
  switch (op & ~SUGGEST_LOG_OP) {
    case SuggestedOp.remove: {
      object.omapRemove([at]);
      if (!log || !stored.exists) return header;
      const { key, tag, version, meta } = stored;
      return logChange(object, header, { ...change, key, tag, version, op: ModifyOp.delete, timestamp: meta.mtime });
    }
    case SuggestedOp.update: {
      header = { ...header, stats: accountEntry(header.stats, entry.meta, 1n) };
      writeEntry(object, at, { ...entry, indexVersion: header.version });
      if (!log) return header;
      const { key, tag, version, meta } = entry;
      return logChange(object, header, { ...change, key, tag, version, op: ModifyOp.add, timestamp: meta.mtime });
    }
    default:
      return header;
  }
}
