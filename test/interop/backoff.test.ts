/** Debian's unmodified `rados`, and ours, on PGs that cannot serve: they wait, and go on when the PGs do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningCluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rados } from '../../packages/cli/src/rados.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const missing = missingTools(['ceph', 'rados']);
const OBJECTS = ['one', 'two', 'three', 'four'];

describe.skipIf(missing.length > 0)(
  `clients of a cluster below min_size (skipped without: ${missing.join(' ')})`,
  () => {
    let cluster: RunningCluster;
    let dir: string;

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'spirula-backoff-'));
      cluster = await startCluster({ osds: 3, store: 'memory' });
    });
    afterAll(async () => {
      await cluster?.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    const theirs = (...args: string[]) => runTool('rados', ['-c', cluster.cephConf, '-p', cluster.pool, ...args]);
    const ours = async (...args: string[]) => {
      let stdout = '';
      const env = {
        stdout: (text: string | Uint8Array) => void (stdout += Buffer.from(text).toString()),
        stderr: () => {},
        dir,
      };
      return { status: await rados(['-c', cluster.cephConf, '-p', cluster.pool, ...args], env), stdout };
    };
    const pgStates = async () => (await runTool('ceph', ['-c', cluster.cephConf, 'pg', 'stat'])).stdout;

    test.each([
      ['their', theirs],
      ['our', ours],
    ] as const)(
      '%s writes and reads wait, and are carried out once',
      async (whose, run) => {
        const path = join(dir, 'content');
        writeFileSync(path, `by ${whose} rados\n`);
        await run('put', `${whose}-before`, path);
        for (const osd of ['osd.1', 'osd.2']) await cluster.kill(osd);
        await expect.poll(pgStates, { timeout: 20_000 }).toMatch(/undersized\+(degraded\+)?peered/);

        let done = 0;
        const requests = [
          ...OBJECTS.map((name) => run('append', `${whose}-${name}`, path)),
          run('get', `${whose}-before`, '-'),
        ].map((request) => request.finally(() => done++));
        await new Promise((resolve) => setTimeout(resolve, 2000));
        expect(done).toBe(0);
        for (const osd of ['osd.1', 'osd.2']) await cluster.start(osd);
        const results = await Promise.all(requests);

        expect(results.map(({ status }) => status)).toEqual(requests.map(() => 0));
        expect(results.at(-1)!.stdout).toBe(`by ${whose} rados\n`);
        for (const name of OBJECTS) {
          expect((await theirs('get', `${whose}-${name}`, '-')).stdout).toBe(`by ${whose} rados\n`);
        }
      },
      60_000,
    );
  },
);
