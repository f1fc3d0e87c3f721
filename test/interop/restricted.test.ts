/**
 * Clients with limited capabilities, through unmodified librados: our cluster refuses what Ceph 16.2.15 refused of the same
 * program, with the same errno. The record is made by restricted/driver.py on a cluster of Ceph's with cephx.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startCluster } from '@spirula/cli';
import { beforeAll, describe, expect, test } from 'vitest';
import { missingTools } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

interface Recorded {
  readonly caps: readonly string[];
  /** Operation -> 0, or the errno it failed with. */
  readonly results: Readonly<Record<string, number | string>>;
}

const POOL = 'data';
const missing = missingTools([PYTHON, 'ceph']);
const here = (name: string) => fileURLToPath(new URL(`./restricted/${name}`, import.meta.url));
const recorded = JSON.parse(readFileSync(here('ceph-16.2.15.json'), 'utf8')) as readonly Recorded[];

describe.skipIf(missing.length > 0)(
  `restricted clients (skipped when not installed: ${missing.join(' ') || 'none'})`,
  () => {
    let results: readonly Recorded['results'][];

    beforeAll(async () => {
      const cluster = await startCluster({ mons: 1, osds: 3, store: 'memory' });
      try {
        const conf = ['-c', cluster.cephConf, 'osd', 'pool', 'application'];
        for (const words of [
          ['enable', POOL, 'rbd', '--yes-i-really-mean-it'],
          ['set', POOL, 'rbd', 'group', 'a'],
        ]) {
          const { status, stderr } = await runTool('ceph', [...conf, ...words]);
          expect(status, stderr).toBe(0);
        }
        const input = Buffer.from(JSON.stringify(recorded.map(({ caps }) => ({ caps }))));
        const { stdout, stderr } = await runTool(PYTHON, ['-B', here('driver.py'), cluster.cephConf, POOL], {
          input,
          timeoutSeconds: 200,
        });
        results = stdout
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Recorded['results']);
        expect(results, stderr).toHaveLength(recorded.length);
      } finally {
        await cluster.stop();
      }
    }, 240_000);

    test.each(recorded.map(({ caps }, i) => [caps.join(' | '), i] as const))('%s', (_, i) => {
      expect(results[i]).toEqual(recorded[i]!.results);
    });
  },
);
