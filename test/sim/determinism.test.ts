/** One history for a seed, whatever ran before in the same process, and in whatever order. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CORPUS = [2, 7, 11, 13];
const VIRTUAL_SECONDS = 15;
/** Runs the seeds that it is given, in their order, and prints a digest for each. */
const PROGRAM = `
import { runScenario } from './sim/scenarios/src/index.ts';
async function run() {
  for (const seed of process.argv.slice(2).map(Number)) {
    const { digest } = await runScenario({ scenario: 'standard', seed, virtualSeconds: ${VIRTUAL_SECONDS} });
    console.log(seed + ' ' + digest);
  }
}
void run();`;

let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'spirula-determinism-'));
  await build({
    stdin: { contents: PROGRAM, resolveDir: ROOT, loader: 'ts' },
    absWorkingDir: ROOT,
    outfile: join(dir, 'program.cjs'),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
  });
});

afterAll(() => rmSync(dir, { recursive: true }));

/** Digests by seed, of a process of its own. */
function digests(seeds: readonly number[], env: NodeJS.ProcessEnv, ...flags: string[]): Promise<Map<number, string>> {
  return new Promise((resolve, reject) => {
    const args = [...flags, join(dir, 'program.cjs'), ...seeds.map(String)];
    execFile(process.execPath, args, { env: { ...process.env, ...env } }, (error, stdout) => {
      if (error) return reject(error);
      const lines = stdout.trim().split('\n');
      resolve(new Map(lines.map((line) => [Number(line.split(' ')[0]), line.split(' ')[1]!])));
    });
  });
}

test('a seed has one history in every process, behind other seeds or first, and elsewhere in the world', async () => {
  const first = await digests(CORPUS, { TZ: 'UTC', LANG: 'C' });
  const second = await digests(CORPUS.toReversed(), { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8' }, '--max-lazy');

  expect(first.size).toBe(CORPUS.length);
  for (const [seed, digest] of first) expect(second.get(seed), `seed ${seed}`).toBe(digest);
  // Otherwise the digest would say nothing.
  expect(new Set(first.values()).size).toBe(CORPUS.length);
}, 300_000);
