/** docs/s3-faults.md, followed to the letter: its files written, its commands run. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTool } from '../interop/run-tool.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const page = readFileSync(join(root, 'docs/s3-faults.md'), 'utf8');
const blocks = [...page.matchAll(/^```(js|sh)\n(.*?)^```$/gms)].map(([, language, text]) => ({
  language,
  text: text!,
}));
const files = blocks.filter(({ language }) => language === 'js');
const [ownTest, commandLine] = blocks.filter(({ language }) => language === 'sh').map(({ text }) => text);
const PATIENCE_SECONDS = 150;

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'spirula-s3-faults-'));
  mkdirSync(join(dir, 'node_modules/.bin'), { recursive: true });
  symlinkSync(root, join(dir, 'node_modules/spirula'));
  const bin = join(root, 'packages/cli/bin/spirula.mjs');
  writeFileSync(join(dir, 'node_modules/.bin/spirula'), `#!/bin/sh\nexec node '${bin}' "$@"\n`);
  chmodSync(join(dir, 'node_modules/.bin/spirula'), 0o755);
  for (const { text } of files) writeFileSync(join(dir, /^\/\/ (\S+)/.exec(text)![1]!), text);
});

afterAll(async () => {
  await run('npx spirula down || true');
  rmSync(dir, { recursive: true, force: true });
});

/** A reader's shell: one that no package manager has started, whose settings npx would comment on. */
const readersShell = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|pnpm)_/i.test(name)));

const run = (script: string) =>
  runTool('sh', ['-e', '-c', `cd '${dir}'\n${script}`], { timeoutSeconds: PATIENCE_SECONDS, env: readersShell });

test('the tests of the guide pass', { timeout: PATIENCE_SECONDS * 1000 }, async () => {
  const { status, stdout } = await run(ownTest!);

  expect(stdout).toContain('# pass 7');
  expect(stdout).toContain('# fail 0');
  expect(status).toBe(0);
});

test('the commands of the guide do what it says', { timeout: PATIENCE_SECONDS * 1000 }, async () => {
  const { status, stdout, stderr } = await run(commandLine!);

  expect([status, stderr]).toEqual([0, '']);
  const [, said] = stdout.split('`spirula down` stops the cluster.\n');
  expect(said!.replace(/"ageSeconds":[\d.]+/g, '"ageSeconds":0').split('\n')).toEqual([
    'rule 2 is set',
    'rule 3 is set',
    '{"rules":[{"id":4,"rule":{"operation":"ListObjectsV2","error":429},"matches":0,"firings":0,"ageSeconds":0}]}',
    '1  matches 0  firings 0  {"operation":"GetObject","error":503,"probability":0.1}',
    '2  matches 0  firings 0  {"latency":"pareto:20:1.5"}',
    '3  matches 0  firings 0  {"bucket":"photos","method":"PUT","reset":100000,"count":3}',
    '4  matches 0  firings 0  {"operation":"ListObjectsV2","error":429}',
    '1 removed',
    '{"removed":3}',
    'The cluster is stopped.',
    '',
  ]);
});
