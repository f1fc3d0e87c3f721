import { type Bytes, bytesFromRaw, type RawString, rawFromBytes } from '@spirula/encoding';
import { OrderedTable } from './ordered-table.ts';
import type { Batch, KvOp, KvRange } from './world.ts';

type Entry = readonly [key: Bytes, value: Bytes];

/** What an overlay says of a key: its value, that it is deleted, or (undefined) that the table below knows. */
export type OverlayAnswer = Bytes | 'deleted' | undefined;

/**
 * Batches laid over a table that does not have them yet: reads through it see both. Without a table below it is a
 * key-value store in memory.
 */
export class KvOverlay {
  /** Newer than every deleted range that contains its key; undefined: deleted. */
  #entries = new OrderedTable<Bytes | undefined>();
  #deletedRanges: { readonly start: RawString; readonly end: RawString }[] = [];
  /** Whether a table lies below, so that deletions must be remembered. */
  readonly #covers: boolean;
  #bytes = 0;

  constructor(covers: 'covers-a-table' | 'stands-alone') {
    this.#covers = covers === 'covers-a-table';
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0 && this.#deletedRanges.length === 0;
  }

  /** Bytes of keys and values applied since the last `clear`, those since overwritten included. */
  get appliedBytes(): number {
    return this.#bytes;
  }

  apply(batch: Batch): void {
    for (const op of batch) this.applyOp(op);
  }

  applyOp(op: KvOp): void {
    switch (op.op) {
      case 'put':
        this.put(rawFromBytes(op.key), op.value);
        break;
      case 'del':
        this.del(rawFromBytes(op.key));
        break;
      case 'delRange': {
        const start = rawFromBytes(op.start);
        const end = rawFromBytes(op.end);
        this.#entries.deleteRange(start, end);
        if (this.#covers && start < end) this.#coverRange(start, end);
        this.#bytes += op.start.length + op.end.length;
        break;
      }
    }
  }

  /** As `applyOp`, for who has the key as a raw string. */
  put(key: RawString, value: Bytes): void {
    this.#entries.set(key, this.#covers ? value : ownBytes(value));
    this.#bytes += key.length + value.length;
  }

  del(key: RawString): void {
    if (this.#covers) this.#entries.set(key, undefined);
    else this.#entries.delete(key);
    this.#bytes += key.length;
  }

  clear(): void {
    this.#entries.clear();
    this.#deletedRanges = [];
    this.#bytes = 0;
  }

  get(key: Bytes): OverlayAnswer {
    return this.isEmpty ? undefined : this.getRaw(rawFromBytes(key));
  }

  getRaw(key: RawString): OverlayAnswer {
    const value = this.#entries.get(key);
    if (value !== undefined) return value;
    if (this.#entries.has(key)) return 'deleted';
    for (const { start, end } of this.#deletedRanges) if (key >= start && key < end) return 'deleted';
    return undefined;
  }

  /** The entries of a range, given those of the table below in it, in the range's direction and without a limit. */
  range(range: KvRange, below: Iterable<Entry> = []): Entry[] {
    const found: Entry[] = [];
    if (range.limit === 0) return found;
    for (const entry of this.merge(range, below)) {
      found.push(entry);
      if (found.length === range.limit) break;
    }
    return found;
  }

  /** As `range`, one by one and without heeding its limit. Neither table may change meanwhile. */
  *merge(range: KvRange, below: Iterable<Entry>): Generator<Entry> {
    const start = rawFromBytes(range.start);
    const end = rawFromBytes(range.end);
    const own = range.reverse ? this.#entries.keysReverse(start, end) : this.#entries.keys(start, end);
    let next = own.next();
    for (const entry of below) {
      const key = rawFromBytes(entry[0]);
      while (!next.done && (range.reverse ? next.value >= key : next.value <= key)) {
        const value = this.#entries.get(next.value);
        if (value !== undefined) yield [bytesFromRaw(next.value), value];
        next = own.next();
      }
      if (this.getRaw(key) === undefined) yield entry;
    }
    while (!next.done) {
      const value = this.#entries.get(next.value);
      if (value !== undefined) yield [bytesFromRaw(next.value), value];
      next = own.next();
    }
  }

  /** Another overlay that says the same. */
  copy(): KvOverlay {
    const copy = new KvOverlay(this.#covers ? 'covers-a-table' : 'stands-alone');
    copy.#entries = this.#entries.copy();
    copy.#deletedRanges = this.#deletedRanges.slice();
    copy.#bytes = this.#bytes;
    return copy;
  }

  /**
   * The net effect, for a table that takes it over. First come the deleted ranges, then single keys, each once: a key
   * with its value, or undefined where it is deleted.
   */
  *deletedRanges(): Generator<readonly [start: Bytes, end: Bytes]> {
    for (const { start, end } of this.#deletedRanges) yield [bytesFromRaw(start), bytesFromRaw(end)];
  }

  *entries(): Generator<readonly [key: Bytes, value: Bytes | undefined]> {
    for (const key of this.#entries.keys('', END)) yield [bytesFromRaw(key), this.#entries.get(key)];
  }

  /** Adds a deleted range, joined with those it touches: queues that are emptied from the front leave one. */
  #coverRange(start: RawString, end: RawString): void {
    const apart = [];
    for (const range of this.#deletedRanges) {
      if (range.end < start || range.start > end) {
        apart.push(range);
        continue;
      }
      if (range.start < start) start = range.start;
      if (range.end > end) end = range.end;
    }
    apart.push({ start, end });
    this.#deletedRanges = apart;
  }
}

/** What is kept for long must not keep alive a larger buffer that it is only a part of. */
function ownBytes(bytes: Bytes): Bytes {
  return bytes.buffer.byteLength > 2 * bytes.length ? bytes.slice() : bytes;
}

/** Above every key: keys are bytes, so no char code exceeds 255. */
const END: RawString = '\u0100';
