/** Our `ceph` and `rados` against a real Ceph cluster: the same answers as Ceph's own tools give. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ceph } from '../../packages/cli/src/ceph.ts';
import { rados } from '../../packages/cli/src/rados.ts';
import { missingTools, type RealCeph, startRealCeph } from '../interop/real-ceph.ts';
import { runTool, type ToolResult } from '../interop/run-tool.ts';

const missing = missingTools(['ceph-mon', 'ceph-osd', 'ceph-mgr', 'ceph', 'rados', 'monmaptool']);

describe.skipIf(missing.length > 0)(
  `a real cluster (skipped when not installed: ${missing.join(' ') || 'none'})`,
  () => {
    let cluster: RealCeph;
    let dir: string;

    beforeAll(async () => {
      dir = mkdtempSync(join(tmpdir(), 'spirula-real-'));
      cluster = await startRealCeph({ osds: 3, portBase: 26_000, store: 'memstore', auth: 'cephx' });
      await theirs('ceph', 'osd pool create data 8');
      await theirs('ceph', 'osd pool application enable data rados');
    }, 120_000);
    afterAll(async () => {
      await cluster?.stop();
      rmSync(dir, { recursive: true, force: true });
    });

    async function ours(tool: 'ceph' | 'rados', args: readonly string[]): Promise<ToolResult> {
      let stdout = '';
      let stderr = '';
      const env = {
        stdout: (text: string | Uint8Array) => {
          stdout +=
            typeof text === 'string' ? Buffer.from(text).toString('latin1') : Buffer.from(text).toString('latin1');
        },
        stderr: (text: string) => {
          stderr += text;
        },
        dir,
      };
      const run = tool === 'ceph' ? ceph : rados;
      const status = await run(['-c', cluster.confPath, ...args], env);
      return { status, stdout, stderr };
    }

    function theirs(tool: string, line: string): Promise<ToolResult> {
      return runTool(tool, ['-c', cluster.confPath, ...line.split(' ')]);
    }

    test('lets nobody in who has another key, and says so as Ceph does', async () => {
      const key = ['--key', 'AQBApwxrTSoDCBAA432mm1NtyjJnNj0hienv5w=='];

      expect(await ours('ceph', [...key, 'health'])).toEqual({
        status: 13,
        stdout: '',
        stderr: '[errno 13] RADOS permission denied (error connecting to the cluster)\n',
      });
    });

    const questions = [
      ...[
        'health',
        'osd tree',
        'osd dump',
        'osd pool ls detail',
        'osd df',
        'osd df tree -f json',
        'mon dump',
        'mgr stat',
      ],
      ...[
        'versions',
        'config dump',
        'osd map data foo',
        'pg dump pgs_brief',
        'pg ls-by-osd osd.0 -f json',
        'pg map 1.0',
      ],
      ...['osd pool get data size', 'osd pool stats data', 'osd ok-to-stop 0', 'fsid', '--format=json-pretty osd stat'],
      ...[
        'osd pool get data nope',
        'osd pool stats nope',
        'pg map x',
        'osd',
        'osd set foo',
        'osd reweight 0 2',
        'pg ls foo',
      ],
      ...['osd out osd.99', 'osd pool create', 'nonsense', 'osd pool rm data'],
    ];

    test('ceph gives the same output, complaints and status', async () => {
      for (const question of questions) {
        // The cluster may change between the two: then both are asked again.
        const ask = async () => {
          const [real, own] = await Promise.all([theirs('ceph', question), ours('ceph', question.split(' '))]);
          return { question, own, real, same: isDeepStrictEqual(own, real) };
        };
        await expect.poll(ask, { timeout: 15_000 }).toMatchObject({ same: true });
      }
    }, 120_000);

    test('commands that change something do so', async () => {
      expect(await ours('ceph', ['osd', 'reweight', 'osd.0', '1'])).toMatchObject({ status: 0 });
      expect(await ours('ceph', ['osd', 'pool', 'create', 'p2', '4'])).toMatchObject({ stderr: "pool 'p2' created\n" });
      expect((await theirs('rados', 'lspools')).stdout).toContain('p2\n');
    });

    test('what one rados writes the other reads, as it was', async () => {
      const path = join(dir, 'five-megabytes');
      writeFileSync(path, Buffer.alloc(5_000_000, 'spirula '));
      const pool = ['-p', 'data'];

      expect(await ours('rados', [...pool, 'put', 'obj', path])).toEqual({ status: 0, stdout: '', stderr: '' });
      await theirs('rados', `-p data get obj ${join(dir, 'theirs')}`);
      expect(readFileSync(join(dir, 'theirs')).equals(readFileSync(path))).toBe(true);
      await theirs('rados', `-p data put obj2 ${path}`);
      await ours('rados', [...pool, 'get', 'obj2', join(dir, 'ours')]);

      expect(readFileSync(join(dir, 'ours')).equals(readFileSync(path))).toBe(true);
    });

    test('rados shows the same of objects, xattrs, omap and namespaces', async () => {
      const run = (line: string) => ours('rados', `-p data ${line}`.split(' '));
      await run(`-N other put there ${join(dir, 'ours')}`);
      for (const line of [
        'setxattr obj a v',
        'setomapval obj k value',
        'setomapval obj ключ знач',
        'setomapheader obj h',
      ]) {
        expect(await run(line)).toEqual({ status: 0, stdout: '', stderr: '' });
      }
      const shown = [
        ...['ls', '--all ls', 'ls -f json', '-N other ls', 'stat obj', 'stat nope', 'get nope -', 'listxattr obj'],
        ...['getxattr obj a', 'getxattr obj b', 'listomapkeys obj', 'listomapvals obj', 'getomapval obj k'],
        ...['getomapval obj nope', 'getomapheader obj', 'rm nope', 'create obj', 'foo'],
      ];
      for (const line of shown) expect(await run(line), line).toEqual(await theirs('rados', `-p data ${line}`));
      expect(await ours('rados', ['-p', 'nope', 'ls'])).toEqual(await theirs('rados', '-p nope ls'));
    }, 60_000);

    test('what an OSD asks our rados to hold back goes through when the PG serves again', async () => {
      const path = join(dir, 'held');
      writeFileSync(path, 'held back');
      for (const line of ['osd pool set data min_size 3', 'osd set noup', 'osd down 2']) await theirs('ceph', line);
      const states = async () => (await theirs('ceph', 'pg stat')).stdout;
      await expect.poll(states, { timeout: 30_000 }).toMatch(/peered/);
      let done = 0;
      const puts = [0, 1, 2, 3].map((i) =>
        ours('rados', ['-p', 'data', 'put', `held-${i}`, path]).finally(() => {
          done += 1;
        }),
      );
      await new Promise((resolve) => setTimeout(resolve, 1500));
      expect(done).toBe(0);
      await theirs('ceph', 'osd unset noup');

      expect((await Promise.all(puts)).map(({ status }) => status)).toEqual([0, 0, 0, 0]);
      await theirs('ceph', 'osd pool set data min_size 2');
    }, 90_000);

    test('rados bench -f json names what the other names', async () => {
      const line = '-p data bench 1 write -b 4096 -t 4 -f json --no-cleanup';
      const results = [await ours('rados', line.split(' ')), await theirs('rados', line)];
      const [here, there] = results.map(({ stdout }) => JSON.parse(stdout.slice(stdout.indexOf('{'))));
      await ours('rados', '-p data cleanup'.split(' '));

      expect(Object.keys(here).sort()).toEqual(Object.keys(there).sort());
      expect(Object.keys(here.datas[0])).toEqual(Object.keys(there.datas[0]));
      expect(Number(here.total_writes_made)).toBeGreaterThan(0);
    });

    test('each rados reads and removes what the other has benchmarked', async () => {
      await theirs('rados', '-p data bench 1 write -b 4096 -t 4 --no-cleanup');
      expect(await ours('rados', '-p data bench 1 seq -t 4'.split(' '))).toMatchObject({ status: 0, stderr: '' });
      expect((await ours('rados', ['-p', 'data', 'cleanup'])).stdout).toMatch(/^Removed \d+ objects\n$/);
      await ours('rados', '-p data bench 1 write -b 4096 -t 4 --no-cleanup'.split(' '));
      expect(await theirs('rados', '-p data bench 1 seq -t 4')).toMatchObject({ status: 0, stderr: '' });

      expect((await theirs('rados', '-p data cleanup')).stdout).toMatch(/^Removed \d+ objects\n$/);
    }, 60_000);
  },
);
