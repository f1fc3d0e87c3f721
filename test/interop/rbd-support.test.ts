/** What the manager does for images, asked of a manager of Ceph and of ours by the same program: both come to the same. */
import { spawn } from 'node:child_process';
import { type RunningCluster, startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must, RBD_TOOLS } from './rbd-clusters.ts';
import { missingTools, startRealCeph } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, 'ceph-authtool', PYTHON]);
const MINUTE = 60_000;

/** A line a step. */
async function run(program: string, conf: string): Promise<readonly string[]> {
  const path = new URL(`rbd-support/${program}`, import.meta.url).pathname;
  const { stdout } = await must(runTool(PYTHON, ['-B', path, conf], { timeoutSeconds: 100 }), program);
  return stdout.trimEnd().split('\n');
}

describe.skipIf(missing.length > 0)(`rbd_support (skipped without: ${missing.join(' ')})`, () => {
  const confs: string[] = [];
  let stop: () => Promise<unknown> = async () => {};

  beforeAll(async () => {
    const [real, cluster] = await Promise.all([
      startRealCeph({ osds: 3, portBase: 25_250, store: 'memstore', auth: 'cephx' }),
      startCluster({ mons: 1, osds: 3, store: 'memory', auth: 'cephx' }),
    ]);
    stop = () => Promise.all([real.stop(), cluster.stop()]);
    confs.push(real.confPath, cluster.cephConf);
  }, 2 * MINUTE);
  afterAll(() => stop(), MINUTE);

  test('tasks are taken, done, tried again and taken back', { timeout: 2 * MINUTE }, async () => {
    const [theirs, ours] = await Promise.all(confs.map((conf) => run('tasks.py', conf)));

    expect(theirs!.length).toBeGreaterThan(45);
    expect(ours).toEqual(theirs);
  });

  test('images migrate by tasks, whichever of their names is given', { timeout: 2 * MINUTE }, async () => {
    const [theirs, ours] = await Promise.all(confs.map((conf) => run('migration_tasks.py', conf)));

    expect(theirs!.length).toBeGreaterThan(60);
    expect(ours).toEqual(theirs);
  });

  test('schedules of the trash are kept and listed', { timeout: 2 * MINUTE }, async () => {
    const [theirs, ours] = await Promise.all(confs.map((conf) => run('schedules.py', conf)));

    expect(theirs!.length).toBeGreaterThan(50);
    expect(ours).toEqual(theirs);
  });

  test('schedules of snapshots for mirrors are kept and listed', { timeout: 2 * MINUTE }, async () => {
    const [theirs, ours] = await Promise.all(confs.map((conf) => run('mirror_schedules.py', conf)));

    expect(theirs!.length).toBeGreaterThan(20);
    expect(ours).toEqual(theirs);
  });
});

describe.skipIf(missing.length > 0)(`managers of images (skipped without: ${missing.join(' ')})`, () => {
  let cluster: RunningCluster;

  beforeAll(async () => {
    cluster = await startCluster({ mons: 1, mgrs: 2, osds: 3, store: 'memory', auth: 'none' });
  }, MINUTE);
  afterAll(() => cluster?.stop(), MINUTE);

  const tool = async (program: 'ceph' | 'rbd', ...words: string[]) =>
    (await must(runTool(program, ['-c', cluster.cephConf, ...words]), words.join(' '))).stdout;
  const tasks = async () => JSON.parse(await tool('ceph', 'rbd', 'task', 'list')) as readonly Task[];
  const activeManager = async () => JSON.parse(await tool('ceph', 'mgr', 'stat')).active_name as string;
  /** The other one is active then, and knows what there is to do. */
  const failOver = async () => {
    const before = await activeManager();
    await tool('ceph', 'mgr', 'fail');
    await until(async () => {
      const list = await runTool('ceph', ['-c', cluster.cephConf, 'rbd', 'task', 'list']);
      return list.status === 0 && (await activeManager()) !== before;
    });
  };

  test('a manager goes on with what another was told, also when it was active before', {
    timeout: MINUTE,
  }, async () => {
    await tool('ceph', 'osd', 'pool', 'create', 'vol', '8');
    await tool('rbd', 'pool', 'init', 'vol');
    await tool('rbd', 'create', 'vol/busy', '--size', '4M');
    const watcher = spawn('rbd', ['-c', cluster.cephConf, 'watch', 'vol/busy'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await until(async () => (await tool('rbd', 'status', 'vol/busy')).includes('watcher='));
    const { id } = JSON.parse(await tool('ceph', 'rbd', 'task', 'add', 'remove', 'vol/busy')) as Task;
    await until(async () => (await tasks())[0]?.retry_message !== undefined);

    await failOver();
    await until(async () => (await tasks())[0]?.retry_message !== undefined);
    expect(await tasks()).toMatchObject([{ id, sequence: 1, refs: { image_name: 'busy' } }]);

    watcher.stdin.end('\n');
    await new Promise((resolve) => watcher.once('exit', resolve));
    await failOver();
    await until(async () => (await tasks()).length === 0);
    expect(await tool('rbd', 'ls', 'vol')).toBe('');

    await tool('rbd', 'create', 'vol/next', '--size', '4M');
    expect(JSON.parse(await tool('ceph', 'rbd', 'task', 'add', 'remove', 'vol/next'))).toMatchObject({ sequence: 2 });
    await until(async () => (await tasks()).length === 0);
    expect(await tool('rbd', 'ls', 'vol')).toBe('');
  });
});

interface Task {
  readonly id: string;
  readonly sequence: number;
  readonly retry_message?: string;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries++) {
    if (tries > 200) throw new Error('it does not happen');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
