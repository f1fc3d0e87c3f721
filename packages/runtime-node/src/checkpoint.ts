import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Bytes, compareBytes } from '@spirula/encoding';
import type { KvOverlay, KvRange } from '@spirula/world';
import type { RootDatabase } from 'lmdb';

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

type Database = ReturnType<RootDatabase<Buffer, Buffer>['openDB']>;

interface Environment {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly entries: Database;
  readonly meta: Database;
}

/**
 * A checkpoint in LMDB. The caller sees to it that there is one opener. Until something is applied there is none: most
 * daemons never write so much.
 */
export class LmdbCheckpoint implements Checkpoint {
  readonly #path: string;
  #environment: Environment | undefined;
  #appliedSeq = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  static async open(dir: string): Promise<LmdbCheckpoint> {
    const checkpoint = new LmdbCheckpoint(join(dir, 'checkpoint'));
    if (!existsSync(checkpoint.#path)) return checkpoint;
    const { meta } = await checkpoint.#open();
    const seq = meta.get(SEQ_KEY) as Buffer | undefined;
    checkpoint.#appliedSeq = seq === undefined ? 0 : Number(seq.readBigUInt64LE());
    return checkpoint;
  }

  async #open(): Promise<Environment> {
    const { open } = await import('lmdb');
    const binary = { keyEncoding: 'binary', encoding: 'binary' } as const;
    const root: RootDatabase<Buffer, Buffer> = open({
      path: this.#path,
      noMemInit: true,
      noSubdir: false,
      maxDbs: 4,
      ...binary,
    });
    const entries = root.openDB({ name: 'entries', ...binary });
    const meta = root.openDB({ name: 'meta', ...binary });
    this.#environment = { root, entries, meta };
    return this.#environment;
  }

  get appliedSeq(): number {
    return this.#appliedSeq;
  }

  get(key: Bytes): Bytes | undefined {
    return this.#environment?.entries.get(asBuffer(key)) as Bytes | undefined;
  }

  *range({ start, end, reverse }: KvRange): Generator<Entry> {
    const entries = this.#environment?.entries;
    if (entries === undefined || compareBytes(start, end) >= 0) return;
    const bounds = reverse
      ? { start: asBuffer(end), end: asBuffer(start), reverse, exclusiveStart: true, inclusiveEnd: true }
      : { start: asBuffer(start), end: asBuffer(end) };
    for (const { key, value } of entries.getRange(bounds)) yield [key as Bytes, value as Bytes];
  }

  async apply(batches: KvOverlay, seq: number): Promise<void> {
    const { root, entries, meta } = this.#environment ?? (await this.#open());
    // Changes of one turn share a promise.
    const changes = new Set<Promise<boolean>>();
    for (const [start, end] of batches.deletedRanges()) await removeRange(entries, start, end, changes);
    let count = 0;
    for (const [key, value] of batches.entries()) {
      const done = value === undefined ? entries.remove(asBuffer(key)) : entries.put(asBuffer(key), asBuffer(value));
      changes.add(done);
      count += 1;
      if (count % CHUNK_CHANGES === 0) await nextTurn();
    }
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(seq));
    // LMDB takes changes in order: when this one is there, all are.
    changes.add(meta.put(SEQ_KEY, bytes));
    await Promise.all(changes);
    await root.flushed;
    root.resetReadTxn();
    this.#appliedSeq = seq;
  }

  async close(): Promise<void> {
    await this.#environment?.root.close();
  }
}

async function removeRange(entries: Database, start: Bytes, end: Bytes, changes: Set<Promise<boolean>>): Promise<void> {
  let from: Bytes = start;
  for (;;) {
    const keys = [...entries.getKeys({ start: asBuffer(from), end: asBuffer(end), limit: CHUNK_CHANGES })];
    for (const key of keys) changes.add(entries.remove(key));
    if (keys.length < CHUNK_CHANGES) return;
    from = Buffer.concat([keys.at(-1) as Bytes, Buffer.from([0])]);
    await nextTurn();
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
