import { join } from 'node:path';
import { type Bytes, compareBytes } from '@spirula/encoding';
import type { KvOverlay, KvRange } from '@spirula/world';
import { open, type RootDatabase } from 'lmdb';

type Entry = readonly [key: Bytes, value: Bytes];

/** The table behind a journal: what has been applied and need not be replayed. */
export interface Checkpoint {
  /** Number of the last batch it holds, durably. */
  readonly appliedSeq: number;
  get(key: Bytes): Bytes | undefined;
  /** Lazily, without heeding the limit. */
  range(range: KvRange): Iterable<Entry>;
  /**
   * Takes over the net effect of the batches up to `seq`; done when all of it is durable. A crash before that may leave any
   * first part of it, with the old `appliedSeq`: applying it once more mends that.
   */
  apply(batches: KvOverlay, seq: number): Promise<void>;
  close(): Promise<void>;
}

/** Changes handed to LMDB in one go: about a millisecond. */
const CHUNK_CHANGES = 256;
const SEQ_KEY = Buffer.from('seq');

/** A checkpoint in LMDB. The caller sees to it that there is one opener. */
export class LmdbCheckpoint implements Checkpoint {
  readonly #root: RootDatabase<Buffer, Buffer>;
  readonly #entries: ReturnType<RootDatabase<Buffer, Buffer>['openDB']>;
  readonly #meta: ReturnType<RootDatabase<Buffer, Buffer>['openDB']>;
  #appliedSeq: number;

  constructor(dir: string) {
    const binary = { keyEncoding: 'binary', encoding: 'binary' } as const;
    this.#root = open({ path: join(dir, 'checkpoint'), noMemInit: true, noSubdir: false, maxDbs: 4, ...binary });
    this.#entries = this.#root.openDB({ name: 'entries', ...binary });
    this.#meta = this.#root.openDB({ name: 'meta', ...binary });
    const seq = this.#meta.get(SEQ_KEY) as Buffer | undefined;
    this.#appliedSeq = seq === undefined ? 0 : Number(seq.readBigUInt64LE());
  }

  get appliedSeq(): number {
    return this.#appliedSeq;
  }

  get(key: Bytes): Bytes | undefined {
    return this.#entries.get(asBuffer(key)) as Bytes | undefined;
  }

  *range({ start, end, reverse }: KvRange): Generator<Entry> {
    if (compareBytes(start, end) >= 0) return;
    const bounds = reverse
      ? { start: asBuffer(end), end: asBuffer(start), reverse, exclusiveStart: true, inclusiveEnd: true }
      : { start: asBuffer(start), end: asBuffer(end) };
    for (const { key, value } of this.#entries.getRange(bounds)) yield [key as Bytes, value as Bytes];
  }

  async apply(batches: KvOverlay, seq: number): Promise<void> {
    // Changes of one turn share a promise.
    const changes = new Set<Promise<boolean>>();
    for (const [start, end] of batches.deletedRanges()) await this.#removeRange(start, end, changes);
    let count = 0;
    for (const [key, value] of batches.entries()) {
      const done =
        value === undefined ? this.#entries.remove(asBuffer(key)) : this.#entries.put(asBuffer(key), asBuffer(value));
      changes.add(done);
      count += 1;
      if (count % CHUNK_CHANGES === 0) await nextTurn();
    }
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(seq));
    // LMDB takes changes in order: when this one is there, all are.
    changes.add(this.#meta.put(SEQ_KEY, bytes));
    await Promise.all(changes);
    await this.#root.flushed;
    this.#root.resetReadTxn();
    this.#appliedSeq = seq;
  }

  close(): Promise<void> {
    return this.#root.close();
  }

  async #removeRange(start: Bytes, end: Bytes, changes: Set<Promise<boolean>>): Promise<void> {
    let from: Bytes = start;
    for (;;) {
      const keys = [...this.#entries.getKeys({ start: asBuffer(from), end: asBuffer(end), limit: CHUNK_CHANGES })];
      for (const key of keys) changes.add(this.#entries.remove(key));
      if (keys.length < CHUNK_CHANGES) return;
      from = Buffer.concat([keys.at(-1) as Bytes, Buffer.from([0])]);
      await nextTurn();
    }
  }
}

function asBuffer(bytes: Bytes): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
