import { type Bytes, rawFromBytes } from '@spirula/encoding';
import { type Batch, invariant, type KeyValue, KvOverlay, type KvRange, type Log, type Token } from '@spirula/world';
import type { Checkpoint } from './checkpoint.ts';
import type { FileLayer } from './file-layer.ts';
import { JournalFile } from './journal-file.ts';
import { type BatchReader, RecordWriter, readRecords } from './journal-record.ts';
import { StorageProblem } from './storage-problem.ts';

/** Bytes in memory beyond which they are applied to the checkpoint. */
const APPLY_BYTES = 8 << 20;
/** Bytes in memory beyond which the journal waits for the checkpoint: nothing commits meanwhile. */
const MAX_UNAPPLIED_BYTES = 64 << 20;
const MAX_KEY_BYTES = 1024;
const SEGMENT_NAME = /^journal-(\d{16})$/;
/** Before the name that a file had: its records have been applied, it may be written over. */
const SPARE = 'spare-';

export interface JournalKvConfig {
  readonly dir: string;
  readonly files: FileLayer;
  readonly checkpoint: Checkpoint;
  readonly log: Log;
  crc32c(bytes: Bytes, seed: number): number;
  /** The batch is durable. Never called during `submit`. */
  onCommitted(token: Token): void;
  /** The disk failed: nothing more will be committed. */
  onFailure(error: unknown): void;
  /** Smaller in tests. */
  readonly applyBytes?: number;
}

/** A journal file that is complete. */
interface Segment {
  readonly name: string;
  readonly lastSeq: number;
}

/**
 * A key-value store: a journal in front, a checkpoint behind.
 *
 *     submit --> group --one durable write--> journal file --> committed
 *        |         (all batches submitted while a write is under way form the next group)
 *        +--> active overlay --when large--> frozen overlay --apply--> checkpoint, synced --> journal files deleted
 *
 *     get: active, else frozen, else checkpoint.        checkpoint.appliedSeq <= frozen <= active, as sequence numbers.
 *
 * A frozen overlay holds whole groups that are durable in the journal, and a new journal file begins with it: one whose
 * records have been applied, if there is one. Recovery replays what is above `appliedSeq`; sequence numbers tell records
 * from those of an earlier use of the file. A torn record at the very end is cut off.
 */
export class JournalKv implements KeyValue {
  readonly #config: JournalKvConfig;
  readonly #applyBytes: number;
  #active = new KvOverlay('covers-a-table');
  #frozen: KvOverlay | undefined;
  /** The batches that are written next, and what they are called. */
  readonly #records = new RecordWriter();
  #tokens: Token[] = [];
  #lastSeq: number;
  #file: JournalFile;
  /** Oldest first. */
  #segments: Segment[];
  #spare: string | undefined;
  #writing: Promise<void> | undefined;
  #applying: Promise<void> | undefined;
  #stopped = false;

  readonly #overlayWriter: BatchReader = {
    put: (key, value) => this.#active.put(key, value),
    del: (key) => this.#active.del(key),
    delRange: (op) => this.#active.applyOp(op),
  };

  private constructor(config: JournalKvConfig, recovered: Recovered, file: JournalFile) {
    this.#config = config;
    this.#applyBytes = config.applyBytes ?? APPLY_BYTES;
    this.#active = recovered.overlay;
    this.#lastSeq = recovered.lastSeq;
    this.#segments = recovered.segments;
    this.#file = file;
  }

  /** Replays the journal. @throws StorageProblem when it is damaged before its end. */
  static async open(config: JournalKvConfig): Promise<JournalKv> {
    await config.files.makeDir(config.dir);
    const recovered = await recover(config);
    return new JournalKv(config, recovered, await openSegment(config, recovered.nextSegment, undefined));
  }

  get(key: Bytes): Bytes | undefined {
    const raw = rawFromBytes(key);
    const answer = this.#active.getRaw(raw) ?? this.#frozen?.getRaw(raw) ?? this.#config.checkpoint.get(key);
    return answer === 'deleted' ? undefined : answer;
  }

  range(range: KvRange): Iterable<readonly [Bytes, Bytes]> {
    const below = this.#config.checkpoint.range(range);
    return this.#active.range(range, this.#frozen === undefined ? below : this.#frozen.merge(range, below));
  }

  submit(batch: Batch, token: Token): void {
    for (const op of batch) {
      if (op.op === 'delRange') continue;
      invariant(op.key.length > 0 && op.key.length <= MAX_KEY_BYTES, `keys are 1 to ${MAX_KEY_BYTES} bytes`);
    }
    this.#lastSeq += 1;
    this.#records.append(this.#lastSeq, batch, this.#config.crc32c, this.#overlayWriter);
    this.#tokens.push(token);
    this.#startWriting();
  }

  /** Bytes in memory that are not in the checkpoint. */
  get unappliedBytes(): number {
    return this.#active.appliedBytes + (this.#frozen?.appliedBytes ?? 0);
  }

  /** Writes what was submitted, then closes all files. */
  async close(): Promise<void> {
    while (this.#writing !== undefined && !this.#stopped) await this.#writing;
    await this.#end();
  }

  /** As a crash would: what is not on its way to the disk is gone, and nothing is told any more. */
  async abandon(): Promise<void> {
    this.#stopped = true;
    await this.#writing;
    await this.#end();
  }

  async #end(): Promise<void> {
    this.#stopped = true;
    await this.#applying;
    await this.#file.close();
    await this.#config.checkpoint.close();
  }

  /** Not before this turn's other batches are in the group. */
  #startWriting(): void {
    if (this.#writing !== undefined || this.#stopped) return;
    this.#writing = Promise.resolve()
      .then(() => this.#writeGroups())
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#writing = undefined;
        if (this.#tokens.length > 0) this.#startWriting();
      });
  }

  async #writeGroups(): Promise<void> {
    while (this.#tokens.length > 0 && !this.#stopped) {
      // Back-pressure: memory is bounded, commits wait.
      if (this.unappliedBytes > MAX_UNAPPLIED_BYTES) await this.#applying;
      const parts = this.#records.take();
      const tokens = this.#tokens;
      this.#tokens = [];
      const freezes = this.#frozen === undefined && this.#active.appliedBytes >= this.#applyBytes;
      const lastSeq = this.#lastSeq;
      if (freezes) {
        this.#frozen = this.#active;
        this.#active = new KvOverlay('covers-a-table');
      }
      await this.#file.append(parts);
      if (freezes) await this.#beginApplying(lastSeq);
      for (const token of tokens) if (!this.#stopped) this.#config.onCommitted(token);
    }
  }

  /** All up to `lastSeq` is frozen, and durable in journal files that end here. */
  async #beginApplying(lastSeq: number): Promise<void> {
    const closing = this.#file;
    this.#segments.push({ name: closing.name, lastSeq });
    const spare = this.#spare;
    this.#spare = undefined;
    this.#file = await openSegment(this.#config, segmentNumber(closing.name) + 1, spare);
    await closing.close();
    invariant(this.#frozen !== undefined && this.#applying === undefined, 'one overlay is applied at a time');
    this.#applying = this.#config.checkpoint
      .apply(this.#frozen, lastSeq)
      .then(() => {
        this.#frozen = undefined;
        return this.#clearApplied();
      })
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#applying = undefined;
      });
  }

  /** Files of which all has been applied: one is kept to be used again. */
  async #clearApplied(): Promise<void> {
    const { dir, files, checkpoint } = this.#config;
    while (this.#segments.length > 0 && this.#segments[0]!.lastSeq <= checkpoint.appliedSeq) {
      const { name } = this.#segments.shift()!;
      if (this.#spare !== undefined) {
        await files.remove(dir, name);
        continue;
      }
      await files.rename(dir, name, SPARE + name);
      this.#spare = SPARE + name;
    }
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#config.onFailure(error);
  }
}

interface Recovered {
  readonly overlay: KvOverlay;
  readonly lastSeq: number;
  readonly segments: Segment[];
  readonly nextSegment: number;
}

async function openSegment(config: JournalKvConfig, number: number, spare: string | undefined): Promise<JournalFile> {
  const usualBytes = config.applyBytes ?? APPLY_BYTES;
  return await JournalFile.open(config.files, config.dir, segmentName(number), spare, usualBytes);
}

/** Reads all journal files; cuts what is no record off their ends, and gives up what is spare. */
async function recover({ dir, files, checkpoint, crc32c, log }: JournalKvConfig): Promise<Recovered> {
  const overlay = new KvOverlay('covers-a-table');
  const segments: Segment[] = [];
  let lastSeq = checkpoint.appliedSeq;
  let nextSegment = 1;
  const names = await files.list(dir);
  for (const name of names) if (name.startsWith(SPARE)) await files.remove(dir, name);
  for (const name of names.filter((each) => SEGMENT_NAME.test(each))) {
    nextSegment = segmentNumber(name) + 1;
    const file = await files.open(dir, name, 'durable');
    try {
      const { records, end } = readRecords(file.read(0, file.size()), crc32c);
      for (const { seq, batch } of records) {
        if (seq <= checkpoint.appliedSeq) continue;
        if (seq !== lastSeq + 1) {
          throw new StorageProblem(
            `${dir}/${name}: batch ${lastSeq + 1} is missing, the journal is damaged before its end. Remove this daemon's folder; the cluster restores its data.`,
          );
        }
        overlay.apply(batch);
        lastSeq = seq;
      }
      if (end < file.size()) {
        log.debug('the journal ends before its file does', { file: name, at: end, bytes: file.size() - end });
        await file.truncate(end);
      }
      // A daemon that was killed may have left records that are not on the disk yet.
      await file.sync();
      segments.push({ name, lastSeq: records.at(-1)?.seq ?? 0 });
    } finally {
      await file.close();
    }
  }
  const needed = segments.filter((segment) => segment.lastSeq > checkpoint.appliedSeq);
  for (const segment of segments) if (!needed.includes(segment)) await files.remove(dir, segment.name);
  return { overlay, lastSeq, segments: needed, nextSegment };
}

function segmentName(segment: number): string {
  return `journal-${String(segment).padStart(16, '0')}`;
}

function segmentNumber(name: string): number {
  return Number(SEGMENT_NAME.exec(name)![1]);
}
