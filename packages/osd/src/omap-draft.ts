import { type Bytes, EMPTY, type RawString } from '@spirula/encoding';

/** Entries are read from the store by so many at least. */
const CHUNK = 64;

/** A store's view of an object's omap. */
export interface OmapReader {
  omapHeader(): Bytes;
  omapGet(keys: Iterable<RawString>): ReadonlyMap<RawString, Bytes>;
  omapList(start: RawString, max: number): ReadonlyMap<RawString, Bytes>;
}

/** An object's omap seen through changes that have not reached the store. */
export class OmapDraft {
  readonly #base: OmapReader | undefined;
  readonly #ranges: (readonly [first: RawString, last: RawString])[] = [];
  /** Undefined: removed. */
  readonly #keys = new Map<RawString, Bytes | undefined>();
  #header: Bytes | undefined;

  /** @param base undefined: nothing is stored, or it was cleared */
  constructor(base: OmapReader | undefined) {
    this.#base = base;
  }

  header(): Bytes {
    return this.#header ?? this.#base?.omapHeader() ?? EMPTY;
  }

  get(keys: readonly RawString[]): ReadonlyMap<RawString, Bytes> {
    const stored = this.#base?.omapGet(keys.filter((key) => this.#showsBase(key)));
    const found = new Map<RawString, Bytes>();
    for (const key of keys) {
      const value = this.#keys.get(key) ?? stored?.get(key);
      if (value !== undefined) found.set(key, value);
    }
    return found;
  }

  /** Entries in key order from `start` inclusive, at most `max`. */
  list(start: RawString, max: number): ReadonlyMap<RawString, Bytes> {
    if (this.#keys.size === 0 && this.#ranges.length === 0) return this.#base?.omapList(start, max) ?? new Map();
    const own = [...this.#keys].filter((entry): entry is [RawString, Bytes] => entry[0] >= start && !!entry[1]);
    const entries = [...own, ...this.#storedFrom(start, max)].sort(([a], [b]) => (a < b ? -1 : 1));
    return new Map(entries.slice(0, max));
  }

  set(entries: ReadonlyMap<RawString, Bytes>): void {
    for (const [key, value] of entries) this.#keys.set(key, value);
  }

  rmKeys(keys: readonly RawString[]): void {
    for (const key of keys) this.#keys.set(key, undefined);
  }

  rmRange(first: RawString, last: RawString): void {
    for (const key of this.#keys.keys()) if (key >= first && key < last) this.#keys.set(key, undefined);
    this.#ranges.push([first, last]);
  }

  setHeader(header: Bytes): void {
    this.#header = header;
  }

  #showsBase(key: RawString): boolean {
    return !this.#keys.has(key) && !this.#ranges.some(([first, last]) => key >= first && key < last);
  }

  /** Stored entries that no change hides, at most `max`. */
  #storedFrom(start: RawString, max: number): (readonly [RawString, Bytes])[] {
    const shown: (readonly [RawString, Bytes])[] = [];
    const chunk = Math.max(CHUNK, max);
    let from = start;
    while (this.#base && shown.length < max) {
      const page = this.#base.omapList(from, chunk);
      let last = from;
      for (const [key, value] of page) {
        if (this.#showsBase(key) && shown.length < max) shown.push([key, value]);
        last = key;
      }
      if (page.size < chunk) break;
      from = `${last}\0`;
    }
    return shown;
  }
}
