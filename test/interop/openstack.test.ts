/**
 * `spirula openstack init` on our cluster and on a real one, and then what Glance's store, Cinder's driver and its backups ask of
 * images, as the users that it makes and with no other rights: both come to the same.
 */
import { appendFileSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCluster } from '@spirula/cli';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { must, RBD_TOOLS } from './rbd-clusters.ts';
import { missingTools, startRealCeph } from './real-ceph.ts';
import { PYTHON, runTool } from './run-tool.ts';

const missing = missingTools([...RBD_TOOLS, 'ceph-authtool', PYTHON]);
const SPIRULA = new URL('../../packages/cli/bin/spirula.mjs', import.meta.url).pathname;
const PROGRAM = new URL('openstack/run.py', import.meta.url).pathname;
const MINUTE = 60_000;

interface Told {
  readonly secret_uuid: string;
  readonly fsid: string;
  readonly pools: readonly { readonly name: string; readonly created: boolean }[];
  readonly users: readonly { readonly name: string; readonly keyring: string; readonly created: boolean }[];
  readonly ceph_conf_additions: string;
  readonly 'cinder.conf': string;
}

interface Prepared {
  readonly conf: string;
  readonly first: Told;
  readonly second: Told;
  /** What the cluster says of what was made. */
  readonly state: unknown;
  /** A line a step. */
  readonly steps: readonly string[];
}

async function init(conf: string): Promise<Told> {
  const { stdout } = await must(
    runTool(process.execPath, [SPIRULA, 'openstack', 'init', '-c', conf, '--json']),
    'init',
  );
  return JSON.parse(stdout) as Told;
}

async function prepare(conf: string): Promise<Prepared> {
  const folder = mkdtempSync(join(tmpdir(), 'openstack-'));
  const first = await init(conf);
  const second = await init(conf);
  appendFileSync(conf, first.ceph_conf_additions);
  const state = await stateOf(conf);
  const { stdout } = await must(runTool(PYTHON, ['-B', PROGRAM, conf, folder], { timeoutSeconds: 60 }), 'the services');
  rmSync(folder, { recursive: true, force: true });
  return { conf, first, second, state, steps: stdout.trimEnd().split('\n') };
}

async function stateOf(conf: string): Promise<unknown> {
  const ask = async (...words: string[]) =>
    JSON.parse((await must(runTool('ceph', ['-c', conf, ...words, '-f', 'json']), words.join(' '))).stdout);
  const pools = ['volumes', 'images', 'vms', 'backups'];
  const users = ['cinder', 'glance', 'cinder-backup'];
  return {
    applications: await Promise.all(pools.map((pool) => ask('osd', 'pool', 'application', 'get', pool))),
    caps: await Promise.all(users.map(async (id) => (await ask('auth', 'get', `client.${id}`))[0].caps)),
    // A pool is told from others by what `rbd pool init` leaves in it.
    info: await Promise.all(
      pools.map(async (pool) => (await runTool('rados', ['-c', conf, '-p', pool, 'get', 'rbd_info', '-'])).stdout),
    ),
    snapshots: await Promise.all(
      pools.map(
        async (pool) =>
          (await ask('osd', 'pool', 'ls', 'detail')).find((each: { pool_name: string }) => each.pool_name === pool)
            .flags_names,
      ),
    ),
  };
}

describe.skipIf(missing.length > 0)(`OpenStack (skipped without: ${missing.join(' ')})`, () => {
  let ours: Prepared;
  let theirs: Prepared;
  let stop: () => Promise<unknown> = async () => {};

  beforeAll(async () => {
    const [real, cluster] = await Promise.all([
      startRealCeph({ osds: 3, portBase: 25_150, store: 'memstore', auth: 'cephx' }),
      startCluster({ mons: 1, osds: 3, store: 'memory', auth: 'cephx' }),
    ]);
    stop = () => Promise.all([real.stop(), cluster.stop()]);
    [theirs, ours] = await Promise.all([prepare(real.confPath), prepare(cluster.cephConf)]);
  }, 2 * MINUTE);
  afterAll(() => stop(), MINUTE);

  test('pools and users are made once', () => {
    for (const { first, second } of [ours, theirs]) {
      expect([...first.pools, ...first.users].every(({ created }) => created)).toBe(true);
      expect([...second.pools, ...second.users].some(({ created }) => created)).toBe(false);
      expect(first.pools.map(({ name }) => name)).toEqual(['volumes', 'images', 'vms', 'backups']);
    }
  });

  test('keys are for their owner to read, and ceph.conf leads to them', async () => {
    for (const { first, conf } of [ours, theirs]) {
      for (const { keyring } of first.users) expect(statSync(keyring).mode & 0o777).toBe(0o600);
      expect((await runTool('rbd', ['-c', conf, '--id', 'glance', '-p', 'images', 'ls'])).status).toBe(0);
    }
    expect(ours.first.ceph_conf_additions).toBe('');
    expect(theirs.first.ceph_conf_additions).toContain('[client.cinder-backup]\nkeyring = ');
  });

  test('the configurations name the conf and the secret', () => {
    expect(ours.first['cinder.conf']).toContain(`rbd_ceph_conf = ${ours.conf}\n`);
    expect(ours.first['cinder.conf']).toContain(`rbd_secret_uuid = ${ours.first.fsid}\n`);
  });

  test('the clusters are the same afterwards', () => {
    expect(ours.state).toEqual(theirs.state);
  });

  test('each step of the services comes to the same', () => {
    expect(theirs.steps.length).toBeGreaterThan(200);
    expect(ours.steps).toEqual(theirs.steps);
    const forbidden = ours.steps
      .map((line) => JSON.parse(line) as { readonly step: string; readonly error?: string })
      .filter(({ error }) => error?.startsWith('PermissionError'))
      .map(({ step }) => step);
    expect(forbidden).toEqual(expect.arrayContaining(['glance makes a volume', 'cinder makes an image']));
  });

  test('a pool of another application, and a user of other rights, are refused', async () => {
    const { conf } = ours;
    const ceph = (...words: string[]) => must(runTool('ceph', ['-c', conf, ...words]), words.join(' '));
    const caps = ['mon', 'allow r', 'osd', 'profile rbd pool=images', 'mgr', 'profile rbd pool=images'];
    await ceph('auth', 'caps', 'client.glance', ...caps);
    const refused = await runTool(process.execPath, [SPIRULA, 'openstack', 'init', '-c', conf]);
    expect(refused).toMatchObject({ status: 1, stderr: 'key for client.glance exists but cap mon does not match\n' });
    await ceph('osd', 'pool', 'application', 'disable', 'vms', 'rbd', '--yes-i-really-mean-it');
    await ceph('osd', 'pool', 'application', 'enable', 'vms', 'cephfs');
    const other = await runTool(process.execPath, [SPIRULA, 'openstack', 'init', '-c', conf]);
    expect(other.stderr).toContain("Are you SURE? Pool 'vms' already has an enabled application");
    expect(other.status).toBe(1);
  });
});
