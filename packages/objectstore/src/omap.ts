import { type Bytes, EMPTY, type RawString } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import { afterPrefix, fitsWhole, omapHeaderKey, omapPrefix, storedKey } from './key-space.ts';
import { decodeCutOmapValue, encodeOmapValue } from './onode.ts';
import type { StagedKv } from './staged-kv.ts';

/** Omaps of objects, by nid: each entry is one of the key-value store. */
export class Omap {
  readonly #kv: StagedKv;
  readonly #crypto: Pick<Crypto, 'hash'>;
  #storedBytes = 0;

  constructor(kv: StagedKv, crypto: Pick<Crypto, 'hash'>) {
    this.#kv = kv;
    this.#crypto = crypto;
  }

  /** Bytes of all entries, keys and values, as stored. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** Counts an entry found at mount. */
  count(key: RawString, value: Bytes): void {
    this.#storedBytes += key.length + value.length;
  }

  header(nid: number): Bytes {
    return this.#kv.get(omapHeaderKey(nid)) ?? EMPTY;
  }

  setHeader(nid: number, header: Bytes): void {
    this.#kv.put(omapHeaderKey(nid), header);
  }

  get(nid: number, keys: Iterable<RawString>): Map<RawString, Bytes> {
    const found = new Map<RawString, Bytes>();
    const prefix = omapPrefix(nid);
    for (const key of keys) {
      const stored = this.#kv.get(storedKey(prefix + key, this.#crypto));
      if (stored !== undefined) found.set(key, fitsWhole(prefix + key) ? stored : decodeCutOmapValue(stored)[1]);
    }
    return found;
  }

  list(nid: number, start: RawString, max: number): Map<RawString, Bytes> {
    const found = new Map<RawString, Bytes>();
    if (max <= 0) return found;
    const prefix = omapPrefix(nid);
    for (const [whole, value] of this.#scan(nid, prefix + start, afterPrefix(prefix))) {
      found.set(whole.slice(prefix.length), fitsWhole(whole) ? value : decodeCutOmapValue(value)[1]);
      if (found.size >= max) break;
    }
    return found;
  }

  /** @param fresh none of the keys is there */
  set(nid: number, entries: ReadonlyMap<RawString, Bytes>, fresh: boolean): void {
    const prefix = omapPrefix(nid);
    for (const [key, value] of entries) {
      const stored = storedKey(prefix + key, this.#crypto);
      if (!fresh) this.#uncount(stored);
      const storedValue = encodeOmapValue(key, !fitsWhole(prefix + key), value);
      this.count(stored, storedValue);
      this.#kv.put(stored, storedValue);
    }
  }

  removeKeys(nid: number, keys: readonly RawString[]): void {
    const prefix = omapPrefix(nid);
    for (const key of keys) {
      const stored = storedKey(prefix + key, this.#crypto);
      if (this.#uncount(stored)) this.#kv.del(stored);
    }
  }

  removeRange(nid: number, first: RawString, last: RawString): void {
    const start = omapPrefix(nid) + first;
    const end = omapPrefix(nid) + last;
    const stored: RawString[] = [];
    for (const [, value, key] of this.#scan(nid, start, end)) {
      this.#storedBytes -= key.length + value.length;
      stored.push(key);
    }
    if (stored.length === 0) return;
    if (fitsWhole(start) && fitsWhole(end)) this.#kv.delRange(start, end);
    else for (const key of stored) this.#kv.del(key);
  }

  /** Removes all entries and the header. */
  clear(nid: number): void {
    const prefix = omapPrefix(nid);
    for (const [key, value] of this.#kv.scan(prefix, afterPrefix(prefix)))
      this.#storedBytes -= key.length + value.length;
    this.#kv.delRange(prefix, afterPrefix(prefix));
    this.#kv.del(omapHeaderKey(nid));
  }

  copy(from: number, to: number): void {
    const header = this.#kv.get(omapHeaderKey(from));
    if (header !== undefined) this.#kv.put(omapHeaderKey(to), header);
    const prefix = omapPrefix(from);
    for (const [whole, value] of this.#scan(from, prefix, afterPrefix(prefix))) {
      const stored = storedKey(omapPrefix(to) + whole.slice(prefix.length), this.#crypto);
      this.count(stored, value);
      this.#kv.put(stored, value);
    }
  }

  #scan(nid: number, start: RawString, end: RawString) {
    const prefix = omapPrefix(nid);
    return this.#kv.scanWhole(start, end, (value) => prefix + decodeCutOmapValue(value)[0]);
  }

  /** Takes the bytes of an entry off the count; false when there is none. */
  #uncount(stored: RawString): boolean {
    const value = this.#kv.get(stored);
    if (value === undefined) return false;
    this.#storedBytes -= stored.length + value.length;
    return true;
  }
}
