import type { Bytes, RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import type { IndexObject } from './bucket-index.ts';

/**
 * Calls that change one object's omap. Each sees what those before it have changed, and nothing of its own, as if it were a request
 * of its own; the object has all changes at once, by `apply`.
 */
export class OmapOverlay implements IndexObject {
  readonly #object: MethodContext;
  readonly #stored: Map<RawString, Bytes | undefined>;
  /** By the calls that have ended. Undefined: removed. */
  readonly #changed = new Map<RawString, Bytes | undefined>();
  #header: Bytes;
  #isHeaderChanged = false;
  /** By the call that is under way. */
  readonly #changing = new Map<RawString, Bytes | undefined>();
  #nextHeader: Bytes | undefined;

  /** @param keys those that are likely to be asked for: they are read at once */
  constructor(object: MethodContext, keys: Iterable<RawString>) {
    this.#object = object;
    const found = object.omapGetByKeys(keys);
    this.#stored = new Map(Array.from(keys, (key) => [key, found.get(key)]));
    this.#header = object.omapHeader();
  }

  now: IndexObject['now'] = () => this.#object.now();
  subopVersion: IndexObject['subopVersion'] = () => this.#object.subopVersion();

  omapGet(key: RawString): Bytes | undefined {
    if (this.#changed.has(key)) return this.#changed.get(key);
    if (!this.#stored.has(key)) this.#stored.set(key, this.#object.omapGet(key));
    return this.#stored.get(key);
  }

  omapSet(entries: ReadonlyMap<RawString, Bytes>): void {
    for (const [key, value] of entries) this.#changing.set(key, value);
  }

  omapRemove(keys: readonly RawString[]): void {
    for (const key of keys) this.#changing.set(key, undefined);
  }

  omapHeader(): Bytes {
    return this.#header;
  }

  omapSetHeader(header: Bytes): void {
    this.#nextHeader = header;
  }

  /** What follows is another call. */
  endCall(): void {
    for (const [key, value] of this.#changing) this.#changed.set(key, value);
    this.#changing.clear();
    if (this.#nextHeader === undefined) return;
    this.#header = this.#nextHeader;
    this.#isHeaderChanged = true;
    this.#nextHeader = undefined;
  }

  /** Gives the object what ended calls have changed. */
  apply(): void {
    const set = new Map<RawString, Bytes>();
    const removed: RawString[] = [];
    for (const [key, value] of this.#changed) {
      if (value !== undefined) set.set(key, value);
      else removed.push(key);
    }
    if (set.size > 0) this.#object.omapSet(set);
    if (removed.length > 0) this.#object.omapRemove(removed);
    if (this.#isHeaderChanged) this.#object.omapSetHeader(this.#header);
  }
}
