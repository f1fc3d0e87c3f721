import type { Bytes } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RecordingFiles } from '../../../test/src/recording-files.ts';
import { FileBlock } from './file-block.ts';

const BLOCK = 4096;
const BLOCKS = 24;

async function settleMicrotasks(): Promise<void> {
  for (let i = 0; i < 12; i++) await Promise.resolve();
}

async function open(files: RecordingFiles, flushed: number[]): Promise<FileBlock> {
  let block: FileBlock | undefined;
  const config = {
    files,
    dir: '',
    name: 'block',
    size: BLOCKS * BLOCK,
    onFlushed: (token: number) => flushed.push(token),
    onFailure: (error: unknown) => {
      throw error;
    },
  };
  void FileBlock.open(config).then((opened) => {
    block = opened;
  });
  while (block === undefined) {
    files.step();
    await settleMicrotasks();
  }
  return block;
}

/** The first byte of every sector tells which write it is of. */
function sectors(bytes: Bytes): number[] {
  return Array.from({ length: bytes.length / 512 }, (_, i) => bytes[i * 512]!);
}

const write = fc.record({
  step: fc.constant('write' as const),
  block: fc.nat(BLOCKS - 1),
  // Small ones are written at once, those of 16 blocks and more by another thread.
  count: fc.constantFrom(1, 2, 16, 20),
});
const steps = fc.array(fc.oneof(write, fc.constantFrom({ step: 'flush' as const }, { step: 'step' as const })), {
  minLength: 5,
  maxLength: 40,
});

test('reads see every write at once; after a power cut each sector is as flushed, or as one of the later writes left it', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.array(fc.boolean(), { minLength: 3, maxLength: 9 }), async (script, luck) => {
      const files = new RecordingFiles();
      const flushed: number[] = [];
      const block = await open(files, flushed);
      /** By sector: what it may be after a power cut, the newest last. */
      const possible = sectors(new Uint8Array(BLOCKS * BLOCK)).map((value) => [value]);
      /** By flush, 1 on: the newest value of each sector when it was asked for. */
      const asked: number[][] = [[]];
      let value = 0;
      for (const step of script) {
        if (step.step === 'write') {
          value += 1;
          const count = Math.min(step.count, BLOCKS - step.block);
          block.write(step.block * BLOCK, new Uint8Array(count * BLOCK).fill(value));
          for (let i = step.block * 8; i < (step.block + count) * 8; i++) possible[i]!.push(value);
          const expected = possible.map((values) => values.at(-1)!);
          expect(sectors(block.read(0, BLOCKS * BLOCK)).join()).toBe(expected.join());
        } else if (step.step === 'flush') {
          block.flush(asked.length);
          asked.push(possible.map((values) => values.at(-1)!));
        } else {
          files.step();
          await settleMicrotasks();
        }
      }
      let at = 0;
      const left = await open(
        files.afterCrash(() => luck[at++ % luck.length]!),
        [],
      );
      const durable = asked[flushed.at(-1) ?? 0]!;
      expect(flushed).toEqual(flushed.map((_, i) => i + 1));
      const found = sectors(left.read(0, BLOCKS * BLOCK));
      const wrong = found.filter(
        (byte, i) => !possible[i]!.slice(possible[i]!.indexOf(durable[i] ?? 0)).includes(byte),
      );
      expect(wrong).toEqual([]);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 60) },
  );
});
