/** The class of docs/object-classes.md, as it stands there, on OSDs; and locks by our command line. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type RunningCluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { missingTools } from '../interop/real-ceph.ts';
import { runTool } from '../interop/run-tool.ts';
import { visits } from './visits-class.ts';

const START_TIMEOUT_MS = 120_000;
const spirulaPath = fileURLToPath(new URL('../../packages/cli/bin/spirula.mjs', import.meta.url));
const bytes = (text: string) => new TextEncoder().encode(text);

let cluster: RunningCluster;

beforeAll(async () => {
  cluster = await startCluster({ mons: 1, osds: 3, store: 'memory', classes: [visits] });
}, START_TIMEOUT_MS);

afterAll(() => cluster?.stop());

test('the page shows the class that is tested here', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

  expect(read('../../docs/object-classes.md')).toContain(
    read('./visits-class.ts').replace("'@spirula/cli'", "'spirula'"),
  );
});

test('a class of one’s own runs on OSDs, fails with its errno, and survives an OSD', async () => {
  const connection = await cluster.connect();
  const pool = await connection.pool(cluster.pool);
  const come = () => pool.exec('guests', 'visits', 'come', bytes('ada'));
  const count = async () => new TextDecoder().decode(await pool.exec('guests', 'visits', 'count', bytes('ada')));

  await Promise.all([come(), come()]);
  expect(await count()).toBe('2');
  await cluster.kill('osd.0');
  await come();
  await expect(come()).rejects.toMatchObject({ code: -122 });
  await expect(pool.exec('guests', 'visits', 'come')).rejects.toMatchObject({ code: -22 });
  await expect(pool.exec('guests', 'nobodys', 'come')).rejects.toMatchObject({ code: -1 });
  expect(await count()).toBe('3');
  await cluster.start('osd.0');
  await connection.close();
}, 60_000);

interface LockInfo {
  readonly lockers: readonly { readonly name: string; readonly addr: string }[];
}

const ours = (...args: string[]) =>
  runTool(process.execPath, [spirulaPath, 'rados', '-c', cluster.cephConf, '-p', cluster.pool, 'lock', ...args], {
    timeoutSeconds: 60,
  });

test('locks are taken, shown and broken from the command line', async () => {
  expect(await ours('get', 'door', 'key', '--lock-cookie', 'c')).toMatchObject({ status: 0, stdout: '' });
  expect(await ours('get', 'door', 'key')).toMatchObject({
    status: 1,
    stderr: 'ERROR: failed locking: (16) Device or resource busy\nerror 16: (16) Device or resource busy\n',
  });
  expect((await ours('list', 'door')).stdout).toBe('{"objname":"door","locks":[{"name":"key"}]}');
  const { lockers } = JSON.parse((await ours('info', 'door', 'key')).stdout) as LockInfo;
  expect(lockers).toMatchObject([{ cookie: 'c', description: '', expiration: '0.000000' }]);
  expect(lockers[0]!.addr).toMatch(/^127\.0\.0\.1:0\/\d+$/);
  expect(await ours('break', 'door', 'key', lockers[0]!.name, '--lock-cookie', 'c')).toMatchObject({ status: 0 });
  expect((await ours('info', 'door', 'key')).stdout).toBe('{"name":"key","type":"exclusive","tag":"","lockers":[]}');
  expect(await ours('break', 'door', 'key', 'nobody')).toMatchObject({
    status: 1,
    stderr: 'ERROR: failed to parse locker name (nobody)\nerror 22: (22) Invalid argument\n',
  });
}, 120_000);

test.skipIf(missingTools(['rados']).length > 0)(
  "Ceph's rados shows a lock as ours does (skipped without it)",
  async () => {
    await ours('get', 'gate', 'key', '--lock-type', 'shared', '--lock-tag', 't', '--lock-duration', '1000');
    const args = ['-p', cluster.pool, 'lock', 'info', 'gate', 'key', '--format', 'json-pretty'];
    const theirs = await runTool('rados', ['-c', cluster.cephConf, ...args], { timeoutSeconds: 60 });

    expect(theirs.stdout).toBe((await ours('info', 'gate', 'key', '--format', 'json-pretty')).stdout);
  },
  60_000,
);
