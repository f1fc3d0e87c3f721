/**
 * The newest writes of a PG, in order: what peering compares, what recovery follows, and how a request that is sent again
 * is recognized (PGLog::IndexedLog).
 *
 *    tail                                        head
 *     |  entries: tail < version <= head          |
 *     +-------------------------------------------+
 *   dups: what is remembered of trimmed entries, for their reqids
 */
import { type Bytes, compareVersions, type EVersion, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import {
  NO_REQUEST,
  type OpReturn,
  type PgLogDup,
  type PgLogEntry,
  type PgLogPart,
  pgLogDupRecord,
  pgLogEntryRecord,
  type ReqId,
} from '@spirula/messages';
import { invariant } from '@spirula/world';
import { type OmapChanges, versionKey } from './missing.ts';
import { type ObjectKey, objectKey } from './object-id.ts';
import { NO_VERSION, sameVersion } from './pg-info.ts';

/** What is known of a request that has been carried out. */
export interface CompletedRequest {
  readonly version: EVersion;
  readonly userVersion: number;
  readonly result: number;
  readonly opReturns?: readonly OpReturn[];
}

/** The request asked for last: what is looked up is added soon after. */
let lastKeyed: { readonly reqid: ReqId; readonly key: string } | undefined;

function reqidKey(reqid: ReqId): string {
  if (lastKeyed?.reqid !== reqid) {
    lastKeyed = { reqid, key: `${reqid.entityType}.${reqid.entityNum}.${reqid.inc}:${reqid.tid}` };
  }
  return lastKeyed.key;
}

/** What the cluster does by itself, and the clone that a client's write makes, no client asks for again. */
function hasRequest({ reqid }: { readonly reqid: ReqId }): boolean {
  return reqid.entityType !== NO_REQUEST.entityType || reqid.tid !== NO_REQUEST.tid;
}

/** What is remembered of an entry beyond its place in the log. */
function dupOf({ version, userVersion, reqid, result, opReturns }: PgLogEntry): PgLogDup {
  return { version, userVersion, reqid, result, ...(opReturns && { opReturns }) };
}

export class PgLog {
  #head: EVersion = NO_VERSION;
  #tail: EVersion = NO_VERSION;
  #entries: PgLogEntry[] = [];
  #dups: PgLogDup[] = [];
  readonly #byObject = new Map<ObjectKey, PgLogEntry>();
  readonly #byReqid = new Map<string, CompletedRequest>();
  /** Versions whose records in the store do not follow yet. */
  readonly #dirty = new Map<RawString, PgLogEntry | undefined>();
  readonly #dirtyDups = new Map<RawString, PgLogDup | undefined>();
  /** What is newer than these has no record in the store: nothing ever had. */
  #newestStored: RawString = '';
  #newestDupStored: RawString = '';
  /** So many of the oldest entries have been checked against those before them. */
  #checked = 0;

  get head(): EVersion {
    return this.#head;
  }

  get tail(): EVersion {
    return this.#tail;
  }

  get entries(): readonly PgLogEntry[] {
    return this.#entries;
  }

  get dups(): readonly PgLogDup[] {
    return this.#dups;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The newest entry that writes `oid`. */
  entryOf(oid: HObject): PgLogEntry | undefined {
    return this.#byObject.get(objectKey(oid));
  }

  findRequest(reqid: ReqId): CompletedRequest | undefined {
    return this.#byReqid.get(reqidKey(reqid));
  }

  append(entry: PgLogEntry): void {
    invariant(compareVersions(entry.version, this.#head) > 0, 'versions of a log ascend');
    this.#entries.push(entry);
    this.#head = entry.version;
    this.#index(entry);
    this.#dirty.set(versionKey(entry.version), entry);
  }

  /** Puts older history before the log's tail: `entries` end at it. */
  extendTail(tail: EVersion, entries: readonly PgLogEntry[]): void {
    invariant(compareVersions(tail, this.#tail) <= 0, 'a tail is extended to older versions');
    this.#entries = [...entries, ...this.#entries];
    this.#tail = tail;
    this.#checked = 0;
    for (const entry of entries) {
      this.#dirty.set(versionKey(entry.version), entry);
      if (hasRequest(entry)) this.#byReqid.set(reqidKey(entry.reqid), entry);
      if (entry.kind === 'error') continue;
      const key = objectKey(entry.oid);
      const newest = this.#byObject.get(key);
      if (!newest || compareVersions(newest.version, entry.version) < 0) this.#byObject.set(key, entry);
    }
  }

  /** Cuts off what is newer than `head`; returns it, oldest first. */
  rewind(head: EVersion): readonly PgLogEntry[] {
    invariant(compareVersions(head, this.#tail) >= 0, 'nothing trimmed can be divergent');
    let keep = this.#entries.length;
    while (keep > 0 && compareVersions(this.#entries[keep - 1]!.version, head) > 0) keep -= 1;
    const divergent = this.#entries.splice(keep);
    this.#checked = Math.min(this.#checked, keep);
    this.#head = head;
    if (divergent.length > 0) {
      for (const entry of divergent) this.#dirty.set(versionKey(entry.version), undefined);
      this.#reindex();
    }
    return divergent;
  }

  /** Forgets entries up to `version`, keeping `dupsTracked` versions' worth of their reqids. */
  trim(version: EVersion, dupsTracked: number): void {
    if (compareVersions(version, this.#tail) <= 0) return;
    invariant(compareVersions(version, this.#head) <= 0, 'a log is trimmed no further than its head');
    let count = 0;
    while (count < this.#entries.length && compareVersions(this.#entries[count]!.version, version) <= 0) count += 1;
    for (const entry of this.#entries.splice(0, count)) {
      this.#dirty.set(versionKey(entry.version), undefined);
      const key = objectKey(entry.oid);
      if (this.#byObject.get(key) === entry) this.#byObject.delete(key);
      if (!hasRequest(entry)) continue;
      this.#addDup(dupOf(entry));
    }
    this.#tail = version;
    this.#checked = Math.max(0, this.#checked - count);
    this.#trimDups(dupsTracked);
  }

  /** Learns of requests that another log remembers. */
  mergeDups(dups: readonly PgLogDup[], dupsTracked: number): void {
    const known = new Set(this.#dups.map((dup) => versionKey(dup.version)));
    const added = dups.filter(
      (dup) => compareVersions(dup.version, this.#tail) <= 0 && !known.has(versionKey(dup.version)),
    );
    if (added.length === 0) return;
    for (const dup of added) this.#addDup(dup);
    this.#dups.sort((a, b) => compareVersions(a.version, b.version));
    this.#trimDups(dupsTracked);
  }

  /** Replaces everything by another log: this replica starts anew from it. */
  claim(log: PgLogPart): void {
    this.clear();
    this.#tail = log.tail;
    this.#head = log.tail;
    for (const dup of log.dups) this.#addDup(dup);
    for (const entry of log.entries) this.append(entry);
    this.#head = log.head;
  }

  clear(): void {
    for (const entry of this.#entries) this.#dirty.set(versionKey(entry.version), undefined);
    for (const dup of this.#dups) this.#dirtyDups.set(versionKey(dup.version), undefined);
    this.#entries = [];
    this.#dups = [];
    this.#checked = 0;
    this.#byObject.clear();
    this.#byReqid.clear();
    this.#head = NO_VERSION;
    this.#tail = NO_VERSION;
  }

  /**
   * What is newer than `version`; all there is when that has been trimmed. It begins at the newest entry that is not newer,
   * which `version` itself need not be: it may lie beyond the head, or be another log's (PGLog::copy_after). Whoever has
   * that much of the log has its own memory of what was trimmed.
   */
  copyAfter(version: EVersion): PgLogPart {
    if (compareVersions(version, this.#tail) < 0) return this.copy();
    let from = this.#entries.length;
    while (from > 0 && compareVersions(this.#entries[from - 1]!.version, version) > 0) from -= 1;
    const tail = from === 0 ? this.#tail : this.#entries[from - 1]!.version;
    return { head: this.#head, tail, entries: this.#entries.slice(from), dups: [] };
  }

  /** The newest `count` entries. */
  copyNewest(count: number): PgLogPart {
    const from = Math.max(0, this.#entries.length - count);
    const tail = from === 0 ? this.#tail : this.#entries[from - 1]!.version;
    const trimmed = this.#entries.slice(0, from).filter(hasRequest);
    return { head: this.#head, tail, entries: this.#entries.slice(from), dups: [...this.#dups, ...trimmed.map(dupOf)] };
  }

  copy(): PgLogPart {
    return { head: this.#head, tail: this.#tail, entries: [...this.#entries], dups: [...this.#dups] };
  }

  /** What changed since the last call, as omap entries. */
  takeChanges(prefix: RawString, dupPrefix: RawString, changes: OmapChanges): void {
    for (const [key, entry] of this.#dirty) {
      if (!entry) changes.rm.add(prefix + key);
      else if (key > this.#newestStored) {
        this.#newestStored = key;
        changes.fresh.set(prefix + key, pgLogEntryRecord.encode(entry));
      } else changes.put.set(prefix + key, pgLogEntryRecord.encode(entry));
    }
    for (const [key, dup] of this.#dirtyDups) {
      if (!dup) changes.rm.add(dupPrefix + key);
      else if (key > this.#newestDupStored) {
        this.#newestDupStored = key;
        changes.fresh.set(dupPrefix + key, pgLogDupRecord.encode(dup));
      } else changes.put.set(dupPrefix + key, pgLogDupRecord.encode(dup));
    }
    this.#dirty.clear();
    this.#dirtyDups.clear();
  }

  /** Puts the log together again from a store's records, each list in ascending order. */
  load(tail: EVersion, head: EVersion, entries: Iterable<Bytes>, dups: Iterable<Bytes>): void {
    this.#tail = tail;
    this.#head = tail;
    for (const bytes of dups) this.#addDup(pgLogDupRecord.decode(bytes));
    for (const bytes of entries) this.append(pgLogEntryRecord.decode(bytes));
    this.#head = head;
    for (const key of this.#dirty.keys()) this.#newestStored = key;
    for (const key of this.#dirtyDups.keys()) this.#newestDupStored = key;
    this.#dirty.clear();
    this.#dirtyDups.clear();
    this.check();
  }

  /** What must hold of a log (PGLog::check). Looks at entries that are new since the last call. Throws InvariantViolation. */
  check(): void {
    invariant(compareVersions(this.#tail, this.#head) <= 0, 'the log does not begin after its end');
    const entries = this.#entries;
    let before = this.#checked === 0 ? this.#tail : entries[this.#checked - 1]!.version;
    for (let i = this.#checked; i < entries.length; i++) {
      const { version, priorVersion } = entries[i]!;
      invariant(version.version === before.version + 1, 'versions of a log are numbered without gaps');
      invariant(version.epoch >= before.epoch, 'epochs of a log do not descend');
      invariant(compareVersions(priorVersion, version) < 0, 'a log entry follows the version that it replaces');
      before = version;
    }
    this.#checked = entries.length;
    const [first] = entries;
    invariant(!first || first.version.version === this.#tail.version + 1, 'the oldest entry follows the tail');
    invariant(compareVersions(before, this.#head) <= 0, 'no entry is newer than the head');
  }

  /** Whether `version` is in the log, or its head or tail: then the log's holder had it. */
  includes(version: EVersion): boolean {
    if (sameVersion(version, this.#head) || sameVersion(version, this.#tail)) return true;
    return this.#entries.some((entry) => sameVersion(entry.version, version));
  }

  #index(entry: PgLogEntry): void {
    if (entry.kind !== 'error') this.#byObject.set(objectKey(entry.oid), entry);
    if (hasRequest(entry)) this.#byReqid.set(reqidKey(entry.reqid), entry);
  }

  #reindex(): void {
    this.#byObject.clear();
    this.#byReqid.clear();
    for (const dup of this.#dups) this.#byReqid.set(reqidKey(dup.reqid), dup);
    for (const entry of this.#entries) this.#index(entry);
  }

  #addDup(dup: PgLogDup): void {
    this.#dups.push(dup);
    this.#byReqid.set(reqidKey(dup.reqid), dup);
    this.#dirtyDups.set(versionKey(dup.version), dup);
  }

  #trimDups(tracked: number): void {
    const oldest = this.#head.version - tracked;
    let count = 0;
    while (count < this.#dups.length && this.#dups[count]!.version.version <= oldest) count += 1;
    for (const dup of this.#dups.splice(0, count)) {
      this.#dirtyDups.set(versionKey(dup.version), undefined);
      const key = reqidKey(dup.reqid);
      const known = this.#byReqid.get(key);
      if (known && sameVersion(known.version, dup.version)) this.#byReqid.delete(key);
    }
  }
}
