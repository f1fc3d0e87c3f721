import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { TraceEntry } from '@spirula/sim-world';
import { afterAll, expect, test } from 'vitest';
import { readTrace } from './trace-reader.ts';
import { TraceWriter } from './trace-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'spirula-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));

const header = { kind: 'header', version: 1, scenario: 's', seed: 1, config: {}, daemons: ['osd.0'] } as const;
const timer = { kind: 'timer', at: 5, event: 1, daemon: 'osd.0', name: 'tick' } as const;

async function readAll(path: string): Promise<TraceEntry[]> {
  const all: TraceEntry[] = [];
  for await (const entries of readTrace(path)) all.push(...entries);
  return all;
}

function fileOf(...lines: unknown[]): string {
  const path = join(folder, 'given.jsonl');
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''));
  return path;
}

test.each(['plain.jsonl', 'zipped.jsonl.gz'])('what was written is read back (%s)', async (name) => {
  const path = join(folder, name);
  const writer = new TraceWriter(path);
  writer.record(header);
  // More than is gathered before it is written, with what takes more than a byte.
  const many = Array.from({ length: 20_000 }, (_, at) => ({ ...timer, at, name: `tick “${at}”` }));
  for (const entry of many) writer.record(entry);
  writer.end('0123', ['bad']);
  writer.close();

  const end = { kind: 'end', at: 19_999, event: 1, digest: '0123', problems: ['bad'] };
  expect(await readAll(path)).toEqual([header, ...many, end]);
  expect(readFileSync(path).subarray(0, 2).toString('hex') === '1f8b').toBe(name.endsWith('.gz'));
});

test.each([
  ['no header', [timer], 'line 1: this is no trace: it does not begin with a header'],
  ['another version', [{ ...header, version: 9 }], 'line 1: the format is version 9; this program reads 1'],
  ['a cut line', [header, timer, '{"kind":"ti'], 'line 3: this is not JSON'],
  ['no object', [header, '7'], 'line 2: an entry is a JSON object'],
  ['an unknown kind', [header, { ...timer, kind: 'tea' }], 'line 2: there are no entries of kind "tea"'],
  ['a kind that objects have anyway', [header, { ...timer, kind: 'toString' }], 'of kind "toString"'],
  ['no time', [header, { ...timer, at: '5' }], 'line 2: "at" and "event" are whole numbers'],
  [
    'a field that is missing',
    [header, timer, { ...timer, name: undefined }],
    'line 3: "name" of kind timer is a string',
  ],
])('a trace with %s is refused, with its line', async (_, lines, problem) => {
  await expect(readAll(fileOf(...lines))).rejects.toThrow(problem);
});

test('an empty file, a file that is not there, and compressed data that are cut off are told apart', async () => {
  const cut = join(folder, 'cut.gz');
  writeFileSync(cut, gzipSync(`${JSON.stringify(header)}\n`).subarray(0, -12));

  await expect(readAll(fileOf())).rejects.toThrow('is empty');
  await expect(readAll(join(folder, 'none'))).rejects.toThrow('there is no such file');
  await expect(readAll(cut)).rejects.toThrow('damaged or cut off');
});

test('a file that cannot be written is refused before the run', () => {
  expect(() => new TraceWriter(join(folder, 'none', 'trace'))).toThrow('there is no such file or folder');
});
