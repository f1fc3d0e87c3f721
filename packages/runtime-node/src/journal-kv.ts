import { type Bytes, Encoder } from '@spirula/encoding';
import { type Batch, invariant, type KeyValue, KvOverlay, type KvRange, type Log, type Token } from '@spirula/world';
import type { Checkpoint } from './checkpoint.ts';
import type { FileLayer, LayerFile } from './file-layer.ts';
import { appendRecord, readRecords } from './journal-record.ts';
import { StorageProblem } from './storage-problem.ts';

/** Bytes in memory beyond which they are applied to the checkpoint. */
const APPLY_BYTES = 8 << 20;
/** Bytes in memory beyond which the journal waits for the checkpoint: nothing commits meanwhile. */
const MAX_UNAPPLIED_BYTES = 64 << 20;
const MAX_KEY_BYTES = 1024;
const SEGMENT_NAME = /^journal-(\d{16})$/;

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

interface Group {
  readonly encoder: Encoder;
  readonly tokens: Token[];
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
 * A frozen overlay holds whole groups that are durable in the journal, and a new journal file begins with it. Recovery
 * replays what is above `appliedSeq`; a torn record at the very end is cut off.
 */
export class JournalKv implements KeyValue {
  readonly #config: JournalKvConfig;
  readonly #applyBytes: number;
  #active = new KvOverlay('covers-a-table');
  #frozen: KvOverlay | undefined;
  #group: Group | undefined;
  #lastSeq: number;
  #file: LayerFile;
  #fileName: string;
  #fileBytes = 0;
  /** Oldest first. */
  #segments: Segment[];
  #writing: Promise<void> | undefined;
  #applying: Promise<void> | undefined;
  #stopped = false;

  private constructor(config: JournalKvConfig, recovered: Recovered, file: LayerFile, fileName: string) {
    this.#config = config;
    this.#applyBytes = config.applyBytes ?? APPLY_BYTES;
    this.#active = recovered.overlay;
    this.#lastSeq = recovered.lastSeq;
    this.#segments = recovered.segments;
    this.#file = file;
    this.#fileName = fileName;
  }

  /** Replays the journal. @throws StorageProblem when it is damaged before its end. */
  static async open(config: JournalKvConfig): Promise<JournalKv> {
    await config.files.makeDir(config.dir);
    const recovered = await recover(config);
    const fileName = segmentName(recovered.nextSegment);
    const file = await config.files.open(config.dir, fileName, 'durable');
    await config.files.syncDir(config.dir);
    return new JournalKv(config, recovered, file, fileName);
  }

  get(key: Bytes): Bytes | undefined {
    const answer = this.#active.get(key) ?? this.#frozen?.get(key) ?? this.#config.checkpoint.get(key);
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
    this.#group ??= { encoder: new Encoder(32 << 10), tokens: [] };
    appendRecord(this.#group.encoder, this.#lastSeq, batch, this.#config.crc32c);
    this.#group.tokens.push(token);
    this.#active.apply(batch);
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
        if (this.#group !== undefined) this.#startWriting();
      });
  }

  async #writeGroups(): Promise<void> {
    while (this.#group !== undefined && !this.#stopped) {
      // Back-pressure: memory is bounded, commits wait.
      if (this.unappliedBytes > MAX_UNAPPLIED_BYTES) await this.#applying;
      const group = this.#group;
      this.#group = undefined;
      const freezes = this.#frozen === undefined && this.#active.appliedBytes >= this.#applyBytes;
      const lastSeq = this.#lastSeq;
      if (freezes) {
        this.#frozen = this.#active;
        this.#active = new KvOverlay('covers-a-table');
      }
      const bytes = group.encoder.finish();
      await this.#file.write(this.#fileBytes, bytes);
      this.#fileBytes += bytes.length;
      if (freezes) await this.#beginApplying(lastSeq);
      for (const token of group.tokens) if (!this.#stopped) this.#config.onCommitted(token);
    }
  }

  /** All up to `lastSeq` is frozen, and durable in journal files that end here. */
  async #beginApplying(lastSeq: number): Promise<void> {
    const { dir, files, checkpoint } = this.#config;
    const closing = this.#file;
    this.#segments.push({ name: this.#fileName, lastSeq });
    this.#fileName = segmentName(segmentNumber(this.#fileName) + 1);
    this.#file = await files.open(dir, this.#fileName, 'durable');
    this.#fileBytes = 0;
    await files.syncDir(dir);
    await closing.close();
    invariant(this.#frozen !== undefined && this.#applying === undefined, 'one overlay is applied at a time');
    this.#applying = checkpoint
      .apply(this.#frozen, lastSeq)
      .then(() => {
        this.#frozen = undefined;
        return this.#deleteApplied();
      })
      .catch((error) => this.#fail(error))
      .finally(() => {
        this.#applying = undefined;
      });
  }

  async #deleteApplied(): Promise<void> {
    const { dir, files, checkpoint } = this.#config;
    while (this.#segments.length > 0 && this.#segments[0]!.lastSeq <= checkpoint.appliedSeq) {
      await files.remove(dir, this.#segments.shift()!.name);
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

/** Reads all journal files; cuts a torn record off the last that has any. */
async function recover({ dir, files, checkpoint, crc32c, log }: JournalKvConfig): Promise<Recovered> {
  const overlay = new KvOverlay('covers-a-table');
  const segments: Segment[] = [];
  let lastSeq = checkpoint.appliedSeq;
  let nextSegment = 1;
  /** A file that ends in something that is no record. */
  let torn: string | undefined;
  for (const name of (await files.list(dir)).filter((each) => SEGMENT_NAME.test(each))) {
    nextSegment = segmentNumber(name) + 1;
    const file = await files.open(dir, name, 'durable');
    try {
      const { records, end } = readRecords(file.read(0, file.size()), crc32c);
      if (torn !== undefined && records.length > 0) {
        throw new StorageProblem(
          `${dir}/${torn}: the journal is damaged before its end. Remove this daemon's folder; the cluster restores its data.`,
        );
      }
      for (const { seq, batch } of records) {
        if (seq <= checkpoint.appliedSeq) continue;
        if (seq !== lastSeq + 1) {
          throw new StorageProblem(
            `${dir}/${name}: batch ${lastSeq + 1} is missing. Remove this daemon's folder; the cluster restores its data.`,
          );
        }
        overlay.apply(batch);
        lastSeq = seq;
      }
      if (end < file.size()) {
        torn = name;
        log.info('a torn record at the end of the journal is cut off', {
          file: name,
          at: end,
          bytes: file.size() - end,
        });
        await file.truncate(end);
        await file.sync();
      }
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
