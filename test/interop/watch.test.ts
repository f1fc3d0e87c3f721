/** Debian's unmodified `rados` and our client watch one object of our cluster, and hear of each other's notifies. */
import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { type RunningCluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { rados } from '../../packages/cli/src/rados.ts';
import { missingTools } from './real-ceph.ts';
import { runTool } from './run-tool.ts';

const missing = missingTools(['ceph', 'rados']);
const OBJECT = 'watched';
const PATIENCE = { timeout: 20_000 };
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

describe.skipIf(missing.length > 0)(`who watches an object (skipped without: ${missing.join(' ')})`, () => {
  let cluster: RunningCluster;
  let client: Awaited<ReturnType<RunningCluster['connect']>>;
  let watching: ChildProcess;
  let shown = '';
  const heard: string[] = [];

  const theirs = (...args: string[]) => runTool('rados', ['-c', cluster.cephConf, '-p', cluster.pool, ...args]);
  const ours = async (...args: string[]) => {
    let stdout = '';
    let stderr = '';
    const env = {
      stdout: (text: string | Uint8Array) => void (stdout += Buffer.from(text).toString()),
      stderr: (text: string) => void (stderr += text),
      dir: tmpdir(),
    };
    return { status: await rados(['-c', cluster.cephConf, '-p', cluster.pool, ...args], env), stdout, stderr };
  };
  const pool = () => client.pool(cluster.pool);

  beforeAll(async () => {
    cluster = await startCluster({ osds: 3, store: 'memory' });
    client = await cluster.connect();
    await (await pool()).writeFull(OBJECT, encode('content'));
    // Unbuffered: it shows what it is told when it is told.
    watching = spawn('stdbuf', ['-o0', 'rados', '-c', cluster.cephConf, '-p', cluster.pool, 'watch', OBJECT]);
    watching.stdout!.on('data', (text: Buffer) => void (shown += text.toString()));
    await vi.waitFor(() => expect(shown).toContain('press enter to exit'), PATIENCE);
    await (await pool()).watch(OBJECT, {
      onNotify: (data) => {
        heard.push(decode(data));
        return encode('ours');
      },
    });
  }, 60_000);
  afterAll(async () => {
    watching?.kill('SIGKILL');
    await client?.close();
    await cluster?.stop();
  });

  test.each(['theirs', 'ours'])('all hear what %s notifies, and their answers come back', async (whose) => {
    const result = await (whose === 'theirs' ? theirs : ours)('notify', OBJECT, `by ${whose}`);

    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.stdout).toMatch(/^reply client\.\d+ cookie \d+ : \d+ bytes$/m);
    expect(result.stdout).toContain('|ours|');
    expect(result.stdout).toContain(`|....by ${whose}`);
    expect(heard.at(-1)).toContain(`by ${whose}`);
    await expect.poll(() => shown, PATIENCE).toContain(`|....by ${whose}`);
  });

  test('both list the same watchers', async () => {
    const listed = await theirs('listwatchers', OBJECT);

    expect(listed.stdout).toMatch(/^(watcher=127\.0\.0\.1:0\/\d+ client\.\d+ cookie=\d+\n){2}$/);
    expect(await ours('listwatchers', OBJECT)).toEqual(listed);
  });

  test.each([
    ['notify', 'none', 'x'],
    ['watch', 'none'],
    ['listwatchers', 'none'],
  ])('both complain alike of %s on what is not there', async (...args) => {
    expect(await ours(...args)).toEqual(await theirs(...args));
  });

  test('they still watch when another OSD leads', async () => {
    const mapped = await runTool('ceph', ['-c', cluster.cephConf, 'osd', 'map', cluster.pool, OBJECT, '-f', 'json']);
    await cluster.kill(`osd.${(JSON.parse(mapped.stdout) as { acting_primary: number }).acting_primary}`);
    const { answers, silent } = await (await pool()).notify(OBJECT, encode('after'), 30);

    expect(answers.map(decode).sort()).toEqual(['after', 'ours']);
    expect(silent).toBe(0);
    expect(heard.at(-1)).toBe('after');
  }, 90_000);

  test('they are told when the object goes', async () => {
    const broken: Error[] = [];
    await (await pool()).watch(OBJECT, { onNotify: () => undefined, onBroken: (error) => broken.push(error) });
    await theirs('rm', OBJECT);

    await expect.poll(() => broken, PATIENCE).toMatchObject([{ code: -107 }]);
    await expect
      .poll(() => shown, PATIENCE)
      .toMatch(/ERROR cookie \d+ err \(107\) Transport endpoint is not connected/);
  }, 30_000);
});
