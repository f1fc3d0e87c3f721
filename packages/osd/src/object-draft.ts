/**
 * One object while a request runs on it. Nothing reaches the store; `changes` is what will. As in Ceph, whose reads go to the
 * store (PrimaryLogPG::do_read, getattr_maybe_cache), the ops of a request see each other's work in part only: whether the
 * object exists, its size, and that its omap was cleared are as the ops before left them; data, xattrs and omap entries
 * are as they were stored before the request.
 */
import { type Bytes, EMPTY, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { ObjectChange } from '@spirula/messages';
import {
  BLOCK_BYTES,
  type Cid,
  type Extents,
  extent,
  type ObjectStat,
  type ObjectStore,
  UnreadableObject,
  unionOfExtents,
} from '@spirula/objectstore';
import { invariant } from '@spirula/world';

/** A store's view of one object. */
export interface ObjectReader {
  stat(): ObjectStat | undefined;
  /** @throws UnreadableObject */
  read(offset: number, length: number): Bytes;
  /** Where there are data; the rest are holes. */
  extents(offset: number, length: number): Extents;
  getAttr(name: RawString): Bytes | undefined;
  getAttrs(): ReadonlyMap<RawString, Bytes>;
  omapHeader(): Bytes;
  omapGet(keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes>;
  /** Entries in key order from `start` inclusive, at most `max`. */
  omapList(start: RawString, max: number): ReadonlyMap<RawString, Bytes>;
}

/** An object that is there, whichever request runs. */
export interface StoredObject {
  readonly oid: HObject;
  readonly size: number;
  readonly reader: ObjectReader;
}

export function objectReader(store: ObjectStore, cid: Cid, oid: HObject): ObjectReader {
  return {
    stat: () => store.stat(cid, oid),
    read: (offset, length) => {
      try {
        return store.read(cid, oid, offset, length);
      } catch (error) {
        throw error instanceof UnreadableObject ? new UnreadableObject(error.message, oid) : error;
      }
    },
    extents: (offset, length) => store.extents(cid, oid, offset, length),
    getAttr: (name) => store.getAttr(cid, oid, name),
    getAttrs: () => store.getAttrs(cid, oid),
    omapHeader: () => store.omapHeader(cid, oid),
    omapGet: (keys) => store.omapGet(cid, oid, keys),
    omapList: (start, max) => store.omapList(cid, oid, start, max),
  };
}

export class ObjectDraft {
  readonly oid: HObject;
  readonly #base: ObjectReader;
  /** What the changes are made to: what is stored, or the clone that was rolled back to. */
  #changed: ObjectReader;
  readonly #changes: ObjectChange[] = [];
  #exists: boolean;
  #size: number;
  /** Whether there was an object before the request: without one there are no xattrs to look at, as in Ceph's store. */
  readonly isStored: boolean;
  /** What is stored will be gone: the object was removed. */
  #baseGone: boolean;
  readonly #modified: Extents[] = [];
  /** Nothing of the stored data counts any more. */
  #isRewritten = false;
  /** Nor of the omap, until something is set there anew. */
  #hasOmap: boolean;
  /** Entries that the request set. */
  readonly #omapSet = new Map<RawString, Bytes>();

  /** @param size as the object's info says; undefined: it does not exist */
  constructor(oid: HObject, base: ObjectReader, size: number | undefined) {
    this.oid = oid;
    this.#base = base;
    this.#changed = base;
    this.isStored = size !== undefined;
    this.#exists = this.isStored;
    this.#size = size ?? 0;
    this.#baseGone = !this.isStored;
    this.#hasOmap = this.isStored;
  }

  get exists(): boolean {
    return this.#exists;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes that are not what they were, as far as clones may have shared them (modified_ranges). */
  get modified(): Extents {
    return this.#modified.reduce(unionOfExtents, []);
  }

  /** In the order they were made. */
  get changes(): readonly ObjectChange[] {
    return this.#changes;
  }

  /**
   * What is stored there, within the size that the object has now; undefined: nothing is stored of it.
   *
   * @throws UnreadableObject
   */
  read(offset: number, length: number): Bytes | undefined {
    if (!this.isStored) return undefined;
    const end = Math.min(offset + length, this.#size);
    return end <= offset ? EMPTY : this.#base.read(offset, end - offset);
  }

  /** Where data are stored (fiemap). */
  extents(offset: number, length: number): Extents {
    return this.isStored ? this.#base.extents(offset, length) : [];
  }

  /**
   * Before bytes in [start, end) change: what stays of the blocks at their edges must be readable. The store would keep a
   * block that is not as unreadable as it is, what is written into it included, and that may be the only copy.
   *
   * @throws UnreadableObject
   */
  probeEdges(start: number, end: number): void {
    if (this.#baseGone || this.#isRewritten) return;
    if (start % BLOCK_BYTES !== 0) this.#probe(start);
    if (end % BLOCK_BYTES !== 0 && end < this.#size) this.#probe(end);
  }

  #probe(offset: number): void {
    if (offset < Math.ceil(this.#size / BLOCK_BYTES) * BLOCK_BYTES) {
      this.#changed.read(Math.floor(offset / BLOCK_BYTES) * BLOCK_BYTES, 1);
    }
  }

  getAttr(name: RawString): Bytes | undefined {
    return this.isStored ? this.#base.getAttr(name) : undefined;
  }

  /** In the order of their names. */
  getAttrs(): ReadonlyMap<RawString, Bytes> {
    return this.isStored ? new Map([...this.#base.getAttrs()].sort(([a], [b]) => (a < b ? -1 : 1))) : new Map();
  }

  omapHeader(): Bytes {
    return this.#omap?.omapHeader() ?? EMPTY;
  }

  omapGet(keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes> {
    return this.#omap?.omapGet(keys) ?? new Map();
  }

  /** Entries in key order from `start` inclusive, at most `max`. */
  omapList(start: RawString, max: number): ReadonlyMap<RawString, Bytes> {
    return this.#omap?.omapList(start, max) ?? new Map();
  }

  /** Whether there is any omap to be cleared. */
  get hasOmap(): boolean {
    if (!this.#hasOmap) return false;
    const isSetHere = this.#changes.some(({ op }) => op === 'omapSet' || op === 'omapSetHeader' || op === 'clone');
    return isSetHere || this.#base.omapHeader().length > 0 || this.#base.omapList('', 1).size > 0;
  }

  get #omap(): ObjectReader | undefined {
    return this.#hasOmap && this.isStored ? this.#base : undefined;
  }

  /** Makes the object exist, and counts as a change even when it did. */
  create(): void {
    this.#exists = true;
    this.#changes.push({ op: 'touch', oid: this.oid });
  }

  write(offset: number, data: Bytes): void {
    if (offset === 0 && data.length >= this.#size) this.#isRewritten = true;
    this.#exists = true;
    this.#changes.push({ op: 'write', oid: this.oid, offset, data });
    this.#modified.push(extent(offset, data.length));
    this.#size = Math.max(this.#size, offset + data.length);
  }

  /** Within the object's size. */
  zero(offset: number, length: number): void {
    invariant(offset + length <= this.#size, 'zeroing does not extend an object');
    this.#changes.push({ op: 'zero', oid: this.oid, offset, length });
    this.#modified.push(extent(offset, length));
  }

  truncate(size: number): void {
    this.#exists = true;
    this.#changes.push({ op: 'truncate', oid: this.oid, size });
    if (size < this.#size) this.#modified.push(extent(size, this.#size - size));
    this.#size = size;
  }

  remove(): void {
    this.#changes.push({ op: 'remove', oid: this.oid });
    this.#modified.push(extent(0, this.#size));
    this.#exists = false;
    this.#size = 0;
    this.#baseGone = true;
    this.#hasOmap = false;
    this.#omapSet.clear();
  }

  /** Becomes what a clone of it is; `modified` says which bytes of it that changes. */
  rollBack(clone: StoredObject, modified: Extents): void {
    this.#changes.push({ op: 'clone', oid: clone.oid, to: this.oid });
    this.#modified.push(modified);
    this.#changed = clone.reader;
    this.#baseGone = false;
    this.#isRewritten = false;
    this.#exists = true;
    this.#size = clone.size;
    this.#hasOmap = true;
  }

  setAttr(name: RawString, value: Bytes): void {
    this.#exists = true;
    this.#changes.push({ op: 'setAttrs', oid: this.oid, attrs: new Map([[name, value]]) });
  }

  rmAttr(name: RawString): void {
    this.#changes.push({ op: 'rmAttr', oid: this.oid, name });
  }

  omapSet(entries: ReadonlyMap<RawString, Bytes>): void {
    this.#exists = true;
    this.#changes.push({ op: 'omapSet', oid: this.oid, entries });
    for (const [key, value] of entries) this.#omapSet.set(key, value);
    this.#hasOmap = true;
  }

  omapRmKeys(keys: readonly RawString[]): void {
    this.#changes.push({ op: 'omapRmKeys', oid: this.oid, keys });
    for (const key of keys) this.#omapSet.delete(key);
  }

  /** Stored keys in [first, last): those that the request has set and that are not stored stay, as BlueStore has it. */
  omapRmRange(first: RawString, last: RawString): void {
    this.#changes.push({ op: 'omapRmRange', oid: this.oid, first, last });
    const within = [...this.#omapSet].filter(([key]) => key >= first && key < last);
    if (within.length === 0) return;
    const stored = this.#baseGone ? new Map() : this.#base.omapGet(within.map(([key]) => key));
    for (const [key] of within) if (stored.has(key)) this.#omapSet.delete(key);
    const fresh = new Map(within.filter(([key]) => !stored.has(key)));
    if (fresh.size > 0) this.#changes.push({ op: 'omapSet', oid: this.oid, entries: fresh });
  }

  omapClear(): void {
    this.#changes.push({ op: 'omapClear', oid: this.oid });
    this.#omapSet.clear();
    this.#hasOmap = false;
  }

  omapSetHeader(header: Bytes): void {
    this.#exists = true;
    this.#changes.push({ op: 'omapSetHeader', oid: this.oid, header });
    this.#hasOmap = true;
  }
}
