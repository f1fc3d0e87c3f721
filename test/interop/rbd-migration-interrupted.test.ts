/**
 * Our `rbd` dies before writes of a migration: it ends what was begun, or takes it back, by either name, and nothing is lost or left.
 *
 *     STEP=1 npx vitest run test/interop/rbd-migration-interrupted.test.ts      before each write, not every third
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageCluster, must, RBD_TOOLS, startOurs } from './rbd-clusters.ts';
import { runAndDie } from './rbd-dying.ts';
import { type RbdPair, rbdPair } from './rbd-pair.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, 'rados']);
/** Who dies is missed after so long. */
const WATCH_SECONDS = 1;
const MAX_WRITES = 120;
const STEP = Number(process.env['STEP'] ?? 3);
const TIMEOUT_MS = 600_000;
const [DONE, NOT_THERE, NOT_MIGRATING] = [0, 2, 22];
/** Two objects, in a snapshot as well. */
const CONTENT = Buffer.from(Array.from({ length: 32_768 }, (_, i) => 1 + ((i * 7) % 250)));

interface Interrupted {
  /** OLD and NEW are where the image comes from and goes to. */
  readonly before: readonly string[];
  readonly line: string;
  /** Of several spellings each in turn. */
  readonly after: readonly (readonly [lines: readonly string[], ...statuses: number[]])[];
  /** Where the image is then. */
  readonly image: 'OLD' | 'NEW';
}

const PREPARE = 'migration prepare OLD NEW --object-size 16K';
const EXECUTE = 'migration execute NEW --no-progress';

const CASES: Readonly<Record<string, Interrupted>> = {
  'a preparation, which is taken back': {
    before: [],
    line: PREPARE,
    after: [[['migration abort OLD --no-progress'], DONE, NOT_MIGRATING]],
    image: 'OLD',
  },
  'the copying of objects, which goes on': {
    before: [PREPARE],
    line: EXECUTE,
    after: [
      [[EXECUTE], DONE, NOT_MIGRATING],
      [['migration commit NEW --no-progress'], DONE],
    ],
    image: 'NEW',
  },
  'a commit, which is ended': {
    before: [PREPARE, EXECUTE],
    line: 'migration commit NEW --no-progress',
    after: [
      [['migration commit NEW --no-progress', 'migration commit OLD --no-progress'], DONE, NOT_THERE, NOT_MIGRATING],
    ],
    image: 'NEW',
  },
  'an abort, which is ended': {
    before: [PREPARE],
    line: 'migration abort NEW --no-progress',
    after: [
      [['migration abort OLD --no-progress', 'migration abort NEW --no-progress'], DONE, NOT_THERE, NOT_MIGRATING],
    ],
    image: 'OLD',
  },
};

describe.skipIf(missing.length > 0)(`our rbd dies as images migrate (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-migration-interrupted-'));
  const file = join(dir, 'content');
  let cluster: ImageCluster;
  let rbd: RbdPair;

  beforeAll(async () => {
    writeFileSync(file, CONTENT);
    cluster = await startOurs()();
    rbd = rbdPair(cluster, dir);
    const option = ['config', 'set', 'osd', 'osd_client_watch_timeout', String(WATCH_SECONDS)];
    await must(runTool('ceph', ['-c', cluster.conf, ...option]), 'watch timeout');
    for (const i of Object.keys(CASES).keys()) {
      for (const pool of [`from${i}`, `to${i}`]) {
        await must(runTool('ceph', ['-c', cluster.conf, 'osd', 'pool', 'create', pool, '4']), pool);
        await must(rbd.ours('pool', 'init', pool), pool);
      }
    }
  }, 60_000);
  afterAll(async () => {
    await cluster?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 30_000);

  const cases = Object.entries(CASES).map(([name, each], i) => [name, each, `from${i}`, `to${i}`] as const);
  test.each(cases)('%s', { timeout: TIMEOUT_MS }, async (_, { before, line, after, image }, from, to) => {
    const words = (text: string) => text.replaceAll('OLD', `${from}/old`).replaceAll('NEW', `${to}/new`).split(' ');
    const run = (text: string) => rbd.ours(...words(text));
    for (let write = 1, isDead = true; isDead; write += STEP) {
      expect(write).toBeLessThan(MAX_WRITES);
      await must(run(`import ${file} OLD --object-size 16K --no-progress`), 'import');
      await must(run('snap create OLD@s --no-progress'), 'snap create');
      for (const each of before) await must(run(each), each);
      isDead = await runAndDie(cluster.conf, words(line), write);
      if (isDead) await missed();
      const told = `${line}, dead before write ${write}`;
      for (const [spellings, ...statuses] of after) {
        const each = spellings[write % spellings.length]!;
        const { status, stderr } = await run(each);
        expect(statuses, `${told}: ${each}: ${stderr}`).toContain(status);
      }
      for (const name of [image, `${image}@s`]) {
        const { stdout } = await must(rbd.theirs(...words(`export ${name} - --no-progress`)), `${told}: ${name}`);
        expect(Buffer.from(stdout, 'latin1').equals(CONTENT), `${told}: ${name}`).toBe(true);
      }
      await must(run(`snap purge ${image} --no-progress`), `${told}: snap purge`);
      await must(run(`rm ${image} --no-progress`), `${told}: rm`);
      for (const pool of [from, to]) {
        expect(await objects(pool), told).toEqual([]);
        expect((await rbd.ours('trash', 'ls', '--all', pool)).stdout, told).toBe('');
      }
    }
  });

  /** Its watch ends. */
  async function missed(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1.3 * WATCH_SECONDS * 1000));
  }

  /** Those of images. */
  async function objects(pool: string): Promise<readonly string[]> {
    const { stdout } = await must(runTool('rados', ['-c', cluster.conf, '-p', pool, 'ls']), 'ls');
    return stdout.split('\n').filter((name) => /^rbd_(data|header|id|object_map)\./.test(name));
  }
});
