import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readFaultFile, readFaultTexts } from './s3-faults.ts';
import { UserError } from './user-error.ts';

const dir = mkdtempSync(join(tmpdir(), 'spirula-fault-file-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function fileOf(text: string): string {
  const path = join(dir, 'faults.yaml');
  writeFileSync(path, text);
  return path;
}

test('a file has rules with fields and rules as text', () => {
  const path = fileOf('- operation: [GetObject, HeadObject]\n  error: 503\n- latency=uniform:10:20,bucket=b\n');

  expect(readFaultFile(path)).toEqual([
    { operation: ['GetObject', 'HeadObject'], error: 503 },
    { latency: 'uniform:10:20', bucket: 'b' },
  ]);
});

test.each([
  ['error: 503', 'give a list of rules'],
  ['- error: 503\n- error: 1', 'faults.yaml, rule 2: error: give one of 429, 500, 503.'],
  ['- { bucket: 123, error: 503 }', 'rule 1: bucket: give a text'],
  ['- { error: 503', 'faults.yaml: '],
  ['- operation: DropTable\n  error: 503', 'operation: there is no DropTable'],
])('the file %j is refused: %s', (text, problem) => {
  const read = () => readFaultFile(fileOf(text));

  expect(read).toThrow(UserError);
  expect(read).toThrow(problem);
});

test('a file that is not there is told', () => {
  expect(() => readFaultFile(join(dir, 'none.yaml'))).toThrow('none.yaml: there is no such file.');
});

test('a rule on the command line that is wrong is told with its flag', () => {
  expect(() => readFaultTexts(['error=503', 'error=1'])).toThrow("--s3-fault 'error=1': error: give one of");
});
