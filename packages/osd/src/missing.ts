import type { Bytes, EVersion, RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { type MissingItem, missingItemRecord, type PgLogEntry } from '@spirula/messages';
import { invariant } from '@spirula/world';
import { type ObjectKey, objectKey } from './object-id.ts';
import { NO_VERSION, sameVersion } from './pg-info.ts';

/** Keys and values to write and keys to remove. */
export interface OmapChanges {
  readonly put: Map<RawString, Bytes>;
  /** To write as well; the store has none of these keys. */
  readonly fresh: Map<RawString, Bytes>;
  readonly rm: Set<RawString>;
}

/** Whether the object of a log entry was not there before. */
export function makesObject({ kind, priorVersion }: PgLogEntry): boolean {
  return kind === 'clone' || priorVersion.version === 0;
}

/** Sorts as versions do. */
export function versionKey({ epoch, version }: EVersion): RawString {
  if (lastEpoch.epoch !== epoch) lastEpoch = { epoch, text: `${String(epoch).padStart(10, '0')}.` };
  return lastEpoch.text + String(version).padStart(20, '0');
}

/** The epoch asked for last, as text: nearly always the next one too. */
let lastEpoch = { epoch: -1, text: '' };

/**
 * Objects whose newest version, by the log, is not in the store (pg_missing_t). Owned by one PG; remembers which items
 * changed since `takeChanges`, so that the store follows.
 */
export class Missing {
  readonly #items = new Map<ObjectKey, MissingItem>();
  readonly #dirty = new Set<ObjectKey>();
  /** Under which key the store has an item. No two objects need the same version, so that is the key. */
  readonly #stored = new Map<ObjectKey, RawString>();

  static of(items: Iterable<MissingItem>): Missing {
    const missing = new Missing();
    for (const item of items) missing.#items.set(objectKey(item.oid), item);
    return missing;
  }

  get size(): number {
    return this.#items.size;
  }

  items(): MissingItem[] {
    return [...this.#items.values()];
  }

  get(oid: HObject): MissingItem | undefined {
    return this.#items.get(objectKey(oid));
  }

  has(oid: HObject): boolean {
    return this.#items.size > 0 && this.#items.has(objectKey(oid));
  }

  add(oid: HObject, need: EVersion, have: EVersion): void {
    const key = objectKey(oid);
    this.#items.set(key, { oid, need, have });
    this.#dirty.add(key);
  }

  rm(oid: HObject): void {
    const key = objectKey(oid);
    if (this.#items.delete(key)) this.#dirty.add(key);
  }

  clear(): void {
    for (const key of this.#items.keys()) this.#dirty.add(key);
    this.#items.clear();
  }

  /** The next entry of the log writes `oid`; the store does not follow (pg_missing_set::add_next_event). */
  addNextEvent(entry: PgLogEntry): void {
    invariant(entry.kind !== 'delete' && entry.kind !== 'error', 'what an entry does not write is not missing');
    const item = this.get(entry.oid);
    if (makesObject(entry)) this.add(entry.oid, entry.version, NO_VERSION);
    else this.add(entry.oid, entry.version, item ? item.have : entry.priorVersion);
  }

  /** Whether the store has none of the object's versions that count. */
  forgetHave(oid: HObject): void {
    const item = this.get(oid);
    if (item) this.add(oid, item.need, NO_VERSION);
  }

  /** `oid` is needed in an older version: the newer was divergent. */
  reviseNeed(oid: HObject, need: EVersion): void {
    const item = this.get(oid);
    invariant(item !== undefined, 'only what is missing can be needed in another version');
    this.add(oid, need, item.have);
  }

  /** Version `version` of `oid` has arrived. Returns whether it was the one needed. */
  got(oid: HObject, version: EVersion): boolean {
    const item = this.get(oid);
    if (!item || !sameVersion(item.need, version)) return false;
    this.rm(oid);
    return true;
  }

  /** What changed since the last call, as omap entries under `prefix`. */
  takeChanges(prefix: RawString, changes: OmapChanges): void {
    for (const key of this.#dirty) {
      const item = this.#items.get(key);
      const before = this.#stored.get(key);
      const now = item && prefix + versionKey(item.need);
      if (before !== undefined && before !== now) changes.rm.add(before);
      if (item && now) {
        changes.put.set(now, missingItemRecord.encode(item));
        this.#stored.set(key, now);
      } else this.#stored.delete(key);
    }
    this.#dirty.clear();
  }

  /** Puts back an item read from the store. */
  load(stored: RawString, bytes: Bytes): void {
    const item = missingItemRecord.decode(bytes);
    const key = objectKey(item.oid);
    this.#items.set(key, item);
    this.#stored.set(key, stored);
  }
}
