import { type Bytes, bytesFromRaw, type RawString, rawFromBytes } from '@spirula/encoding';
import { type Batch, type KeyValue, type KvOp, KvOverlay } from '@spirula/world';
import { afterPrefix, cutOf, fitsWhole, isCut } from './key-space.ts';

/** Entries read from the key-value store at once while a range is walked. */
const CHUNK_ENTRIES = 256;

/**
 * The key-value store as transactions see it: with the batch that is being built, and with batches that are complete but
 * wait for a flush of the device before they may be submitted.
 */
export class StagedKv {
  readonly #kv: KeyValue;
  readonly #overlay = new KvOverlay('covers-a-table');
  #batch: KvOp[] = [];
  /** Ops of the batch that the overlay does not have yet: nearly always nobody asks before the batch is submitted. */
  #unread: { readonly key: RawString; readonly value: Bytes | undefined }[] = [];

  constructor(kv: KeyValue) {
    this.#kv = kv;
  }

  get(key: RawString): Bytes | undefined {
    if (this.#unread.length > 0) this.#catchUp();
    const answer = this.#overlay.isEmpty ? undefined : this.#overlay.getRaw(key);
    if (answer === undefined) return this.#kv.get(bytesFromRaw(key));
    return answer === 'deleted' ? undefined : answer;
  }

  /** Entries with keys in [start, end), ascending, read a chunk at a time: what is deleted behind the walk does not matter. */
  *scan(start: RawString, end: RawString): Generator<readonly [key: RawString, value: Bytes]> {
    for (;;) {
      const chunk = this.#chunk(start, end);
      for (const [key, value] of chunk) yield [rawFromBytes(key), value];
      if (chunk.length < CHUNK_ENTRIES) return;
      start = rawFromBytes(chunk.at(-1)![0]) + '\u0000';
    }
  }

  /**
   * As `scan`, over keys of which long ones are stored cut: yields them whole, in order. `wholeKey` finds the whole key in
   * the value of a cut one.
   */
  *scanWhole(
    start: RawString,
    end: RawString,
    wholeKey: (value: Bytes) => RawString,
  ): Generator<readonly [whole: RawString, value: Bytes, stored: RawString]> {
    let group: [whole: RawString, value: Bytes, stored: RawString][] = [];
    const takeGroup = () => {
      const sorted = group.filter(([whole]) => whole >= start && whole < end).sort(([a], [b]) => (a < b ? -1 : 1));
      group = [];
      return sorted;
    };
    const scanEnd = fitsWhole(end) ? end : afterPrefix(cutOf(end));
    for (const [key, value] of this.scan(cutOf(start), scanEnd)) {
      if (group.length > 0 && cutOf(key) !== cutOf(group[0]![0])) yield* takeGroup();
      if (isCut(key)) group.push([wholeKey(value), value, key]);
      else if (key >= start && key < end) yield [key, value, key];
    }
    yield* takeGroup();
  }

  put(key: RawString, value: Bytes): void {
    this.#batch.push({ op: 'put', key: bytesFromRaw(key), value });
    this.#unread.push({ key, value });
  }

  del(key: RawString): void {
    this.#batch.push({ op: 'del', key: bytesFromRaw(key) });
    this.#unread.push({ key, value: undefined });
  }

  delRange(start: RawString, end: RawString): void {
    this.#catchUp();
    const op: KvOp = { op: 'delRange', start: bytesFromRaw(start), end: bytesFromRaw(end) };
    this.#batch.push(op);
    this.#overlay.applyOp(op);
  }

  /** A key that is written but not read again in this run. */
  putUnread(key: RawString, value: Bytes): void {
    this.#batch.push({ op: 'put', key: bytesFromRaw(key), value });
  }

  /** Ends the batch that is being built. What it says stays visible until `settle`. */
  takeBatch(): Batch {
    const batch = this.#batch;
    this.#batch = [];
    return batch;
  }

  /** All but `held` has been submitted: the key-value store answers for it now. */
  settle(held: Iterable<Batch>): void {
    this.#unread = [];
    this.#overlay.clear();
    for (const batch of held) this.#overlay.apply(batch);
  }

  #catchUp(): void {
    for (const { key, value } of this.#unread) {
      if (value === undefined) this.#overlay.del(key);
      else this.#overlay.put(key, value);
    }
    this.#unread = [];
  }

  #chunk(start: RawString, end: RawString): readonly (readonly [Bytes, Bytes])[] {
    this.#catchUp();
    const range = { start: bytesFromRaw(start), end: bytesFromRaw(end), limit: CHUNK_ENTRIES };
    if (this.#overlay.isEmpty) return [...this.#kv.range(range)];
    return this.#overlay.range(range, this.#below(range));
  }

  /** Entries of the key-value store, lazily: the overlay may hide any number of them. */
  *#below(range: { readonly start: Bytes; readonly end: Bytes }): Generator<readonly [Bytes, Bytes]> {
    let start = range.start;
    for (;;) {
      let count = 0;
      let last = start;
      for (const entry of this.#kv.range({ start, end: range.end, limit: CHUNK_ENTRIES })) {
        yield entry;
        last = entry[0];
        count += 1;
      }
      if (count < CHUNK_ENTRIES) return;
      const next = new Uint8Array(last.length + 1);
      next.set(last);
      start = next;
    }
  }
}
