/** `spirula radosgw-admin` on a real Ceph cluster with a real gateway: what it tells is what radosgw-admin tells there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { radosgwAdmin } from '../../packages/cli/src/radosgw-admin.ts';
import { bytesOf, expectMoves, expectTellTheSame, fill, type Run, runAdmin } from './administration/commands.ts';
import { missingTools, type RealCeph, startRealCeph } from './real-ceph.ts';
import { runOwn } from './run-own.ts';
import { runTool } from './run-tool.ts';
import { s3Of } from './s3-of.ts';

const missing = missingTools(['ceph-mon', 'ceph-osd', 'ceph-mgr', 'radosgw', 'radosgw-admin']);
const PORT_BASE = 20_900;
const PORT = 26_083;
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const MIB = 1 << 20;

describe.skipIf(missing.length > 0)(`on a real cluster (skipped without: ${missing.join(' ')})`, () => {
  const dir = mkdtempSync(join(tmpdir(), 'radosgw-'));
  let ceph: RealCeph;
  let gateway: ChildProcess;
  const s3 = (name: string) => s3Of(`http://127.0.0.1:${PORT}`, { accessKey: `${name}key`, secret: 's' });
  const admin: Run = (...args) => runAdmin('-c', ceph.confPath, ...args);
  const own: Run = (...args) => runOwn(radosgwAdmin, ['-c', ceph.confPath, ...args]);

  beforeAll(async () => {
    ceph = await startRealCeph({ osds: 1, portBase: PORT_BASE, store: 'memstore', auth: 'cephx' });
    const options = ['-c', ceph.confPath, '-n', 'client.admin', '--rgw-data', dir, '--run-dir', dir];
    const frontend = ['--rgw-frontends', `beast endpoint=127.0.0.1:${PORT}`, '--log-file', join(dir, 'log'), '-f'];
    gateway = spawn('radosgw', [...options, ...frontend], { stdio: 'ignore' });
    await vi.waitFor(() => fetch(`http://127.0.0.1:${PORT}`), { timeout: 120_000, interval: 500 });
    for (const name of ['ada', 'eve']) {
      const key = ['--access-key', `${name}key`, '--secret-key', 's'];
      await admin('user', 'create', '--uid', name, '--display-name', name, ...key);
    }
    await fill(s3('ada'));
  }, 300_000);
  afterAll(async () => {
    gateway?.kill('SIGKILL');
    await ceph?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('commands tell what those of radosgw-admin tell', async () => {
    await expectTellTheSame(own, admin);
  }, 1_800_000);

  test('what a copy shares with a removed object stays when garbage is collected', async () => {
    expect(await own('object', 'rm', '--bucket', 'told', '--object', 'large')).toMatchObject({ status: 0 });
    expect(await own('gc', 'process', '--include-all')).toMatchObject({ status: 0 });

    expect(JSON.parse((await admin('gc', 'list', '--include-all')).stdout)).toEqual([]);
    const whole = async () => (await bytesOf(s3('ada'), 'told', 'copy')).equals(Buffer.alloc(9 * MIB, 'x'));
    expect(await whole()).toBe(true);
    expect(await own('object', 'rewrite', '--bucket', 'told', '--object', 'copy')).toMatchObject({ status: 0 });
    expect(await whole()).toBe(true);
  }, 400_000);

  test('the queue of garbage that radosgw keeps is processed, and data go with their last object', async () => {
    expect(await admin('object', 'rm', '--bucket', 'told', '--object', 'copy')).toMatchObject({ status: 0 });
    // What was there before it was rewritten, and this: one is ours, one is radosgw's.
    expect(JSON.parse((await own('gc', 'list', '--include-all')).stdout)).toHaveLength(2);
    const stripes = async () =>
      (await runTool('rados', ['-c', ceph.confPath, '-p', 'default.rgw.buckets.data', 'ls'])).stdout
        .split('\n')
        .filter((name) => name.includes('__shadow_.'));
    expect(await stripes()).not.toEqual([]);

    expect(await own('gc', 'process', '--include-all')).toMatchObject({ status: 0 });
    expect(JSON.parse((await admin('gc', 'list', '--include-all')).stdout)).toEqual([]);
    expect(await stripes()).toEqual([]);
  }, 400_000);

  test('entries that are given back are what they were', async () => {
    const entry = await admin('bi', 'get', '--bucket', 'told', '--object', 'small');
    const put = async (args: string[], text: string) =>
      runTool(process.execPath, [SPIRULA, 'radosgw-admin', '-c', ceph.confPath, ...args], {
        input: Buffer.from(text, 'latin1'),
        timeoutSeconds: 200,
      });
    expect(await own('object', 'unlink', '--bucket', 'told', '--object', 'small')).toMatchObject({ status: 0 });
    expect(await admin('bi', 'get', '--bucket', 'told', '--object', 'small')).toMatchObject({ status: 2 });
    expect(await put(['bi', 'put', '--bucket', 'told'], entry.stdout)).toMatchObject({ status: 0 });
    expect(await admin('bi', 'get', '--bucket', 'told', '--object', 'small')).toEqual(entry);

    const user = (await admin('metadata', 'get', 'user:eve')).stdout;
    const changed = user.replace('"display_name": "eve"', '"display_name": "Eve Two"');
    expect(await put(['metadata', 'put', 'user:eve'], changed)).toMatchObject({ status: 0 });
    expect(JSON.parse((await admin('user', 'info', '--uid', 'eve')).stdout)).toMatchObject({ display_name: 'Eve Two' });
    expect(await put(['metadata', 'put', 'user:eve'], '{"data":{}}')).toMatchObject({ status: 22 });
    expect(await put(['metadata', 'put', 'user:eve'], 'nonsense')).toMatchObject({ status: 22 });
  }, 400_000);

  test('users and buckets are another’s afterwards', async () => {
    await expectMoves(own, admin, s3('ada'));
  }, 600_000);
});
