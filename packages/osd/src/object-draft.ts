/**
 * One object while a request runs on it: what the store holds, seen through the changes the request's ops made so far.
 * Nothing reaches the store; `changes` is what will.
 */
import { type Bytes, EMPTY, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { ObjectChange } from '@spirula/messages';
import { BLOCK_BYTES, type Cid, type ObjectStat, type ObjectStore } from '@spirula/objectstore';
import { invariant } from '@spirula/world';
import { OmapDraft } from './omap-draft.ts';

/** A store's view of one object. */
export interface ObjectReader {
  stat(): ObjectStat | undefined;
  /** @throws UnreadableObject */
  read(offset: number, length: number): Bytes;
  getAttr(name: RawString): Bytes | undefined;
  getAttrs(): ReadonlyMap<RawString, Bytes>;
  omapHeader(): Bytes;
  omapGet(keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes>;
  /** Entries in key order from `start` inclusive, at most `max`. */
  omapList(start: RawString, max: number): ReadonlyMap<RawString, Bytes>;
}

export function objectReader(store: ObjectStore, cid: Cid, oid: HObject): ObjectReader {
  return {
    stat: () => store.stat(cid, oid),
    read: (offset, length) => store.read(cid, oid, offset, length),
    getAttr: (name) => store.getAttr(cid, oid, name),
    getAttrs: () => store.getAttrs(cid, oid),
    omapHeader: () => store.omapHeader(cid, oid),
    omapGet: (keys) => store.omapGet(cid, oid, keys),
    omapList: (start, max) => store.omapList(cid, oid, start, max),
  };
}

type DataEdit =
  | { readonly kind: 'write'; readonly offset: number; readonly data: Bytes }
  | { readonly kind: 'zero'; readonly offset: number; readonly length: number }
  | { readonly kind: 'truncate'; readonly size: number };

export class ObjectDraft {
  readonly oid: HObject;
  readonly #base: ObjectReader;
  readonly #changes: ObjectChange[] = [];
  #exists: boolean;
  #size: number;
  /** The stored data, xattrs and omap no longer count: the object was removed. */
  #baseGone: boolean;
  #edits: DataEdit[] = [];
  /** Nothing of the stored data counts any more. */
  #isRewritten = false;
  #attrs = new Map<RawString, Bytes | undefined>();
  #omap: OmapDraft;

  /** @param size as the object's info says; undefined: it does not exist */
  constructor(oid: HObject, base: ObjectReader, size: number | undefined) {
    this.oid = oid;
    this.#base = base;
    this.#exists = size !== undefined;
    this.#size = size ?? 0;
    this.#baseGone = !this.#exists;
    this.#omap = new OmapDraft(this.#exists ? base : undefined);
  }

  get exists(): boolean {
    return this.#exists;
  }

  get size(): number {
    return this.#size;
  }

  /** In the order they were made. */
  get changes(): readonly ObjectChange[] {
    return this.#changes;
  }

  /** @throws UnreadableObject */
  read(offset: number, length: number): Bytes {
    const end = Math.min(offset + length, this.#size);
    if (end <= offset) return EMPTY;
    if (this.#edits.length === 0) return this.#baseGone ? EMPTY : this.#base.read(offset, end - offset);
    const window = new Uint8Array(end - offset);
    if (!this.#baseGone) window.set(this.#base.read(offset, end - offset));
    for (const edit of this.#edits) applyEdit(window, offset, edit);
    return window;
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
      this.#base.read(Math.floor(offset / BLOCK_BYTES) * BLOCK_BYTES, 1);
    }
  }

  getAttr(name: RawString): Bytes | undefined {
    if (this.#attrs.has(name)) return this.#attrs.get(name);
    return this.#baseGone ? undefined : this.#base.getAttr(name);
  }

  /** In the order of their names. */
  getAttrs(): ReadonlyMap<RawString, Bytes> {
    const all = new Map(this.#baseGone ? [] : this.#base.getAttrs());
    for (const [name, value] of this.#attrs) {
      if (value === undefined) all.delete(name);
      else all.set(name, value);
    }
    return new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get omap(): Pick<OmapDraft, 'get' | 'header' | 'list'> {
    return this.#omap;
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
    this.#edits.push({ kind: 'write', offset, data });
    this.#size = Math.max(this.#size, offset + data.length);
  }

  /** Within the object's size. */
  zero(offset: number, length: number): void {
    invariant(offset + length <= this.#size, 'zeroing does not extend an object');
    this.#changes.push({ op: 'zero', oid: this.oid, offset, length });
    this.#edits.push({ kind: 'zero', offset, length });
  }

  truncate(size: number): void {
    this.#exists = true;
    this.#changes.push({ op: 'truncate', oid: this.oid, size });
    this.#edits.push({ kind: 'truncate', size });
    this.#size = size;
  }

  remove(): void {
    this.#changes.push({ op: 'remove', oid: this.oid });
    this.#exists = false;
    this.#size = 0;
    this.#baseGone = true;
    this.#edits = [];
    this.#attrs = new Map();
    this.#omap = new OmapDraft(undefined);
  }

  setAttr(name: RawString, value: Bytes): void {
    this.#exists = true;
    this.#changes.push({ op: 'setAttrs', oid: this.oid, attrs: new Map([[name, value]]) });
    this.#attrs.set(name, value);
  }

  rmAttr(name: RawString): void {
    this.#changes.push({ op: 'rmAttr', oid: this.oid, name });
    this.#attrs.set(name, undefined);
  }

  omapSet(entries: ReadonlyMap<RawString, Bytes>): void {
    this.#exists = true;
    this.#changes.push({ op: 'omapSet', oid: this.oid, entries });
    this.#omap.set(entries);
  }

  omapRmKeys(keys: readonly RawString[]): void {
    this.#changes.push({ op: 'omapRmKeys', oid: this.oid, keys });
    this.#omap.rmKeys(keys);
  }

  /** Keys in [first, last). */
  omapRmRange(first: RawString, last: RawString): void {
    this.#changes.push({ op: 'omapRmRange', oid: this.oid, first, last });
    this.#omap.rmRange(first, last);
  }

  omapClear(): void {
    this.#changes.push({ op: 'omapClear', oid: this.oid });
    this.#omap = new OmapDraft(undefined);
  }

  omapSetHeader(header: Bytes): void {
    this.#exists = true;
    this.#changes.push({ op: 'omapSetHeader', oid: this.oid, header });
    this.#omap.setHeader(header);
  }
}

/** Changes the part of an object that begins at `at`. */
function applyEdit(window: Uint8Array, at: number, edit: DataEdit): void {
  const end = at + window.length;
  switch (edit.kind) {
    case 'write': {
      const first = Math.max(at, edit.offset);
      const last = Math.min(end, edit.offset + edit.data.length);
      if (first < last) window.set(edit.data.subarray(first - edit.offset, last - edit.offset), first - at);
      return;
    }
    case 'zero':
      if (edit.offset < end && edit.offset + edit.length > at) {
        window.fill(0, Math.max(0, edit.offset - at), edit.offset + edit.length - at);
      }
      return;
    case 'truncate':
      if (edit.size < end) window.fill(0, Math.max(0, edit.size - at));
  }
}
