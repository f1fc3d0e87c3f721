import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bytes, fromUtf8, utf8 } from '@spirula/encoding';
import { type Batch, KvOverlay, type KvRange } from '@spirula/world';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { RecordingFiles } from '../../../test/src/recording-files.ts';
import { type Checkpoint, LmdbCheckpoint } from './checkpoint.ts';
import { crc32c } from './crc.ts';
import { nodeFiles } from './file-layer.ts';
import { JournalKv } from './journal-kv.ts';
import { StorageProblem } from './storage-problem.ts';

const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };

/** A checkpoint that a power cut may leave half applied. */
class MemoryCheckpoint implements Checkpoint {
  appliedSeq = 0;
  #table = new KvOverlay('stands-alone');
  #step: () => Promise<void>;

  constructor(step: () => Promise<void>, from?: MemoryCheckpoint) {
    this.#step = step;
    if (from === undefined) return;
    this.appliedSeq = from.appliedSeq;
    for (const [key, value] of from.#table.entries()) this.#table.applyOp({ op: 'put', key, value: value! });
  }

  get(key: Bytes): Bytes | undefined {
    const answer = this.#table.get(key);
    return answer === 'deleted' ? undefined : answer;
  }

  range(range: KvRange): Iterable<readonly [Bytes, Bytes]> {
    return this.#table.range({ start: range.start, end: range.end, reverse: range.reverse ?? false });
  }

  async apply(batches: KvOverlay, seq: number): Promise<void> {
    for (const [start, end] of batches.deletedRanges()) {
      await this.#step();
      this.#table.applyOp({ op: 'delRange', start, end });
    }
    for (const [key, value] of batches.entries()) {
      await this.#step();
      this.#table.applyOp(value === undefined ? { op: 'del', key } : { op: 'put', key, value });
    }
    await this.#step();
    this.appliedSeq = seq;
  }

  async close(): Promise<void> {}
}

function numbered(i: number): Batch {
  // Every batch changes many keys, so that half of one would show.
  const put = (name: string) => ({ op: 'put', key: utf8(name), value: utf8(`${i}`.padEnd(300, 'x')) }) as const;
  return [
    { op: 'delRange', start: utf8('r'), end: utf8('s') },
    put('a'),
    put(`r${i % 5}`),
    { op: 'del', key: utf8(`t${(i + 1) % 3}`) },
    put(`t${i % 3}`),
    put('z'),
  ];
}

function contents(kv: { range(range: KvRange): Iterable<readonly [Bytes, Bytes]> }): string {
  return [...kv.range({ start: utf8('a'), end: utf8('~') })]
    .map(([key, value]) => `${fromUtf8(key)}=${fromUtf8(value).replaceAll('x', '')}`)
    .join(' ');
}

/** What the store holds after the first `count` batches. */
function expected(count: number): string {
  const table = new KvOverlay('stands-alone');
  for (let i = 1; i <= count; i++) table.apply(numbered(i));
  return contents(table);
}

async function settleMicrotasks(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}

test('after a power cut at any point: the first batches, all that were reported committed among them', async () => {
  const script = fc.array(fc.constantFrom('submit', 'submit', 'step', 'step', 'step', 'crash'), {
    minLength: 10,
    maxLength: 120,
  });
  const luck = fc.array(fc.boolean(), { minLength: 5, maxLength: 11 });
  await fc.assert(
    fc.asyncProperty(script, luck, async (steps, sectors) => {
      let files = new RecordingFiles();
      let waiting: (() => void)[] = [];
      const turn = () => new Promise<void>((resolve) => void waiting.push(resolve));
      let checkpoint = new MemoryCheckpoint(turn);
      let committed = 0;
      let submitted = 0;
      const open = async () => {
        const opening = JournalKv.open({
          dir: '',
          files,
          checkpoint,
          log,
          crc32c,
          onCommitted: (token) => {
            expect(token).toBe(committed + 1);
            committed = token;
          },
          onFailure: (error) => {
            throw error;
          },
          applyBytes: 3000,
        });
        let done = false;
        void opening
          .finally(() => {
            done = true;
          })
          .catch(quiet);
        while (!done) {
          files.step();
          await settleMicrotasks();
        }
        return await opening;
      };
      let kv = await open();
      for (const step of steps) {
        if (step === 'submit') {
          submitted += 1;
          kv.submit(numbered(submitted), submitted);
          expect(contents(kv)).toBe(expected(submitted));
        } else if (step === 'step') {
          if (waiting.length > 0 && sectors[waiting.length % sectors.length]) waiting.shift()!();
          else files.step();
          await settleMicrotasks();
        } else {
          let sector = 0;
          files = files.afterCrash(() => sectors[sector++ % sectors.length]!);
          waiting = [];
          checkpoint = new MemoryCheckpoint(turn, checkpoint);
          kv = await open();
          const found = contents(kv);
          const survivors = Array.from({ length: submitted + 1 }, (_, i) => i).filter((i) => expected(i) === found);
          expect(survivors.at(-1) ?? -1).toBeGreaterThanOrEqual(committed);
          committed = survivors.at(-1)!;
          submitted = committed;
        }
      }
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60) },
  );
});

const dirs: string[] = [];
afterEach(() => {
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
});

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'spirula-journal-'));
  dirs.push(dir);
  return dir;
}

describe('on disk, with LMDB behind', () => {
  async function open(dir: string, applyBytes: number, committed: number[]): Promise<JournalKv> {
    return await JournalKv.open({
      dir,
      files: nodeFiles,
      checkpoint: await LmdbCheckpoint.open(dir),
      log,
      crc32c,
      onCommitted: (token) => committed.push(token),
      onFailure: (error) => {
        throw error;
      },
      applyBytes,
    });
  }

  test('reads agree before, while and after batches are applied, and after opening again', async () => {
    const dir = tempDir();
    const committed: number[] = [];
    let kv = await open(dir, 20_000, committed);
    for (let i = 1; i <= 400; i++) {
      kv.submit(numbered(i), i);
      if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      if (i % 20 === 0) {
        expect(contents(kv)).toBe(expected(i));
        expect(fromUtf8([...kv.range({ start: utf8('r'), end: utf8('u'), reverse: true, limit: 1 })][0]![0])).toMatch(
          /^t/,
        );
      }
      if (i % 100 === 0) {
        await kv.close();
        kv = await open(dir, 20_000, committed);
        expect(contents(kv)).toBe(expected(i));
      }
    }
    await kv.close();

    expect(committed).toEqual(Array.from({ length: 400 }, (_, i) => i + 1));
    // What is applied is gone from the journal.
    expect((await nodeFiles.list(dir)).filter((name) => name.startsWith('journal')).length).toBeLessThan(8);
  });

  test('a journal damaged before its end is refused in words', async () => {
    const dir = tempDir();
    let kv = await open(dir, 1 << 20, []);
    kv.submit(numbered(1), 1);
    await kv.close();
    kv = await open(dir, 1 << 20, []);
    kv.submit(numbered(2), 2);
    await kv.close();
    const [first] = (await nodeFiles.list(dir)).filter((name) => name.startsWith('journal'));
    const file = await nodeFiles.open(dir, first!, 'buffered');
    file.writeNow(30, utf8('rot'));
    await file.close();

    const checkpoint = await LmdbCheckpoint.open(dir);
    const opening = JournalKv.open({
      dir,
      files: nodeFiles,
      checkpoint,
      log,
      crc32c,
      onCommitted: quiet,
      onFailure: quiet,
    });
    await expect(opening).rejects.toThrow(StorageProblem);
    await checkpoint.close();
  });
});
