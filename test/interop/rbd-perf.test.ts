/** How busy images are, as a manager of Ceph and ours tell it, and as Debian's `rbd` and ours show it, in a real cluster and in ours. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ImageCluster, must, RBD_TOOLS, startOurs, startTheirs } from './rbd-clusters.ts';
import { type RbdPair, rbdPair } from './rbd-pair.ts';
import { missingTools } from './real-ceph.ts';
import { runTool, type ToolResult } from './run-tool.ts';

const PYTHON = '/usr/bin/python3';
const missing = missingTools([...RBD_TOOLS, PYTHON, 'script']);
const MINUTE = 60_000;
/** Rates are known when there have been two looks at an image. */
const WAITING = 'rbd: waiting for initial image stats\n\n';
const REAL_PORT_BASE = 29_000;

const pathOf = (program: string) => new URL(`rbd-support/${program}`, import.meta.url).pathname;

interface ShownImage {
  readonly pool: string;
  readonly pool_namespace: string;
  readonly image: string;
  readonly write_ops: number;
  readonly read_ops: number;
  readonly write_bytes: number;
  readonly read_bytes: number;
  readonly write_latency: number;
  readonly read_latency: number;
}

describe.skipIf(missing.length > 0)(`how busy images are (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'rbd-perf-'));
  const clusters: ImageCluster[] = [];
  const loads: ChildProcess[] = [];
  /** Debian's and our tool on a real cluster, then on ours. */
  const tools: RbdPair[] = [];

  beforeAll(async () => {
    clusters.push(...(await Promise.all([startTheirs(REAL_PORT_BASE)(), startOurs()()])));
    tools.push(...clusters.map((cluster) => rbdPair(cluster, dir)));
  }, 2 * MINUTE);
  afterAll(async () => {
    await Promise.all(loads.map((load) => endOf(load)));
    await Promise.all(clusters.map((cluster) => cluster.stop()));
    rmSync(dir, { recursive: true, force: true });
  }, MINUTE);

  /** Of one tool after the other, in both clusters at once. */
  const each = async (...words: readonly string[]): Promise<readonly ToolResult[]> => {
    const results = await Promise.all(
      tools.map(async ({ theirs, ours }) => [await theirs(...words), await ours(...words)]),
    );
    return results.flat();
  };

  test('requests count as in Ceph, and commands are answered alike', { timeout: 2 * MINUTE }, async () => {
    const [theirs, ours] = await Promise.all(
      clusters.map(async ({ conf }) => {
        const running = runTool(PYTHON, ['-B', pathOf('perf_images.py'), conf], { timeoutSeconds: 100 });
        return (await must(running, 'perf_images.py')).stdout.trimEnd().split('\n');
      }),
    );

    expect(theirs!.length).toBeGreaterThan(45);
    expect(ours).toEqual(theirs);
  });

  test('both tools show images at work in both clusters, with figures of their size', {
    timeout: 3 * MINUTE,
  }, async () => {
    await Promise.all(clusters.map(({ conf }) => startLoad(conf)));

    for (const [spec, names] of [
      [['load'], ['load//disk']],
      [['load/ns'], ['load/ns/inner']],
      [[], ['load//disk', 'load/ns/inner']],
    ] as const) {
      for (const { status, stdout, stderr } of await each('perf', 'image', 'iostat', ...spec, '--format', 'json')) {
        expect([status, stderr.replace(WAITING, '')]).toEqual([0, '']);
        const images = JSON.parse(stdout) as readonly ShownImage[];
        const shown = images.map(({ pool, pool_namespace, image }) => `${pool}/${pool_namespace}/${image}`);
        expect(shown.sort()).toEqual(names);
        for (const image of images) expectPlausible(image);
      }
    }
  });

  test('what is shown in words is laid out alike', { timeout: 2 * MINUTE }, async () => {
    const line = ['perf', 'image', 'iostat', '--iterations', '1', '--sort-by', 'read-bytes'];
    for (const { status, stdout } of await each(...line)) {
      const [headings, ...rows] = stdout.split('\n');
      expect(status).toBe(0);
      expect(headings).toMatch(/^NAME {6,}WR {2,}RD {2,}WR_BYTES {2,}RD_BYTES {2,}WR_LAT {2,}RD_LAT $/);
      expect(rows.slice(2)).toEqual(['', '']);
      const figures = / +\d+\/s +\d+\/s +[\d.]+ KiB\/s +[\d.]+ KiB\/s +[\d.]+ [mu]s +[\d.]+ [mu]s $/;
      for (const row of rows.slice(0, 2)) expect(row).toMatch(figures);
      expect(
        rows
          .slice(0, 2)
          .map((row) => row.split(' ')[0])
          .sort(),
      ).toEqual(['load/disk', 'load/ns/inner']);
      expect(new Set(rows.slice(0, 2).map((row) => row.length))).toEqual(new Set([headings!.length]));
    }
  });

  test('what is asked wrong is refused alike', { timeout: MINUTE }, async () => {
    for (const line of [
      'none',
      'none/ns',
      'a/b/c',
      'load --iterations 0',
      'load --iterations x',
      'load --iterations 2 --format json',
      'load --sort-by write_ops',
      'load --sort-by bogus',
      'load ns',
      'load@x',
      'load --namespace a/b',
      'load --namespace a@b',
      '--pool a/b',
    ]) {
      const [expected, ...others] = await each('perf', 'image', 'iostat', ...line.split(' '));
      expect(expected!.status, line).not.toBe(0);
      expect(others, line).toEqual([expected, expected, expected]);
    }
  });

  test('on a screen both tools show the same', { timeout: MINUTE }, async () => {
    const spirula = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
    for (const { conf } of clusters) {
      for (const tool of [
        `rbd -c ${conf} --log-to-stderr=false --err-to-stderr=false`,
        `node ${spirula} rbd -c ${conf}`,
      ]) {
        const screen = await onScreen(`${tool} perf image iotop load`);
        for (const heading of [
          '>WRITES OPS',
          'READS OPS',
          'WRITE BYTES',
          'READ BYTES',
          'WRITE LAT',
          'READ LAT',
          'IMAGE',
        ])
          expect(screen, tool).toContain(heading);
        expect(screen, tool).toMatch(/ \d+\/s +\d+\/s +[\d.]+ KiB\/s +[\d.]+ KiB\/s +[\d.]+ [mu]s +[\d.]+ [mu]s disk/);
        expect(screen, tool).toContain('>READS OPS');
      }
    }
  });

  function endOf(load: ChildProcess): Promise<unknown> {
    const end = new Promise((resolve) => load.once('exit', resolve));
    load.stdin?.end();
    return end;
  }

  /** Two images are read and written from then on. */
  async function startLoad(conf: string): Promise<void> {
    const load = spawn(PYTHON, ['-B', pathOf('perf_load.py'), conf], { stdio: ['pipe', 'pipe', 'inherit'] });
    loads.push(load);
    await new Promise((resolve, reject) => {
      load.stdout.once('data', resolve);
      load.once('exit', (status) => reject(new Error(`perf_load.py: ${status}`)));
    });
  }
});

/** Each write is of 4096 bytes, each read of 1024; there are up to fifty of both in a second. */
function expectPlausible(image: ShownImage): void {
  expect(image.write_bytes / image.write_ops).toBe(4096);
  expect(image.read_bytes / image.read_ops).toBe(1024);
  for (const operations of [image.write_ops, image.read_ops]) {
    expect(operations).toBeGreaterThan(1);
    expect(operations).toBeLessThan(55);
  }
  for (const latency of [image.write_latency, image.read_latency]) {
    expect(latency).toBeGreaterThan(1000);
    expect(latency).toBeLessThan(1e9);
  }
}

const ESC = String.fromCharCode(27);
/** Jumps of the cursor, and other control sequences. */
const CURSOR = new RegExp(`${ESC}\\[[\\d;]*[CGHd]`, 'g');
const CONTROL = new RegExp(`${ESC}\\[[?\\d;]*[a-zA-Z]`, 'g');

/** What a program writes to a terminal, of which the cursor's jumps are blanks; it is told to sort by the next column, and to end. */
function onScreen(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, TERM: 'xterm', COLUMNS: '120', LINES: '24' };
    const child = spawn('script', ['-qec', `stty cols 120 rows 24; ${command}`, '/dev/null'], { stdio: 'pipe', env });
    let screen = '';
    // It may end before it has heard all.
    child.stdin.on('error', () => undefined);
    const text = () => screen.replace(CURSOR, ' ').replace(CONTROL, '');
    child.stdout.setEncoding('utf8').on('data', (piece: string) => {
      screen += piece;
      if (text().includes('>READS OPS')) child.stdin.write('q');
      else if (/\d\/s.*disk/s.test(text())) child.stdin.write('>');
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), 40_000);
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      resolve(text());
    });
  });
}
