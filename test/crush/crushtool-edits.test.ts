/** Edits of CRUSH maps, each as crushtool made it of the same map. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BucketAlg, decodeCrushMap } from '@spirula/crush';
import { afterAll, expect, test } from 'vitest';
import { goldenBytes, goldenJson, goldenNames, goldenPath, goldenText } from '../golden-data.ts';
import { runOurs } from './run-crushtool.ts';

interface Step {
  readonly step: number;
  readonly args: readonly string[];
  readonly rc: number;
  readonly message: string;
  readonly wrote: boolean;
  /** Whether crushtool writes the same bytes in every run: some node weights of tree buckets it leaves to chance. */
  readonly stable?: boolean;
}

const folder = mkdtempSync(join(tmpdir(), 'spirula-crush-edits-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const edits = goldenNames('crush/edits').flatMap((name) => {
  let before = 0;
  return goldenJson<Step[]>(`crush/edits/${name}/steps.json`).map((step) => {
    const from = before;
    if (step.wrote) before = step.step;
    return { ...step, name, from, words: step.args.join(' ') };
  });
});

const file = (name: string, step: number, kind: string) =>
  `crush/edits/${name}/step${String(step).padStart(2, '0')}.${kind}`;

test.each(edits)('$name, step $step: $words', ({ name, from, step, args, rc, message, wrote, stable }) => {
  const output = join(folder, `${name}-${step}`);

  const { status, stdout, stderr } = runOurs(['-i', goldenPath(file(name, from, 'bin')), ...args, '-o', output]);

  expect(status).toBe(rc);
  expect(stdout + stderr).toBe(message);
  if (!wrote) return;
  const text = goldenText(file(name, step, 'txt'));
  expect(runOurs(['-d', output]).stdout).toBe(text);
  const theirs = goldenBytes(file(name, step, 'bin'));
  // Ceph grows a tree bucket into memory that it does not clear, and some of that may look the same in every run.
  const hasTree = decodeCrushMap(theirs).buckets.some((bucket) => bucket?.alg === BucketAlg.tree);
  if (stable && !hasTree) expect(readFileSync(output).equals(theirs)).toBe(true);
});
