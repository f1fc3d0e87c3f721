import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newClusterFile, readClusterFile } from './cluster-file.ts';
import { createKeys, daemonKey, monKeyring } from './cluster-keys.ts';
import { cephConf } from './profile.ts';
import { serveCluster } from './serve.ts';

const SHAPE = {
  mons: 1,
  mgrs: 2,
  osds: 2,
  store: 'disk',
  auth: 'cephx',
  bind: '127.0.0.1',
  portBase: 24900,
  monPorts: [],
  rgws: 0,
  rgwPorts: [],
} as const;
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'spirula-cluster-keys-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('every daemon and client.admin has a key, which nobody but its owner may read', () => {
  const cluster = newClusterFile(SHAPE);
  createKeys(dir, cluster);
  const folder = join(dir, 'keyrings');
  const names = readdirSync(folder).sort();

  expect(names).toEqual(['client.admin', 'mgr.x', 'mgr.y', 'mon', 'osd.0', 'osd.1'].map((name) => `${name}.keyring`));
  for (const name of names) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect([...monKeyring(dir, cluster).keys()]).toEqual(['mon.', 'client.admin', 'mgr.x', 'mgr.y', 'osd.0', 'osd.1']);
  expect(daemonKey(dir, 'osd.1').secret).not.toEqual(daemonKey(dir, 'osd.0').secret);
});

test('ceph.conf names the keyrings from the root on', () => {
  const conf = cephConf('/srv/cluster', newClusterFile(SHAPE));

  expect(conf).toContain('keyring = /srv/cluster/keyrings/$name.keyring\n');
  expect(conf).toContain('auth_client_required = cephx\n');
});

test('a cluster made before there were keys goes on without', () => {
  const { auth: _, ...before } = newClusterFile({ ...SHAPE, auth: 'none' });
  writeFileSync(join(dir, 'cluster.json'), JSON.stringify(before));
  const conf = cephConf(dir, readClusterFile(dir)!);

  expect(conf).toContain('auth_client_required = none\n');
  expect(conf).not.toContain('keyring =');
});

test.each([
  [
    'without authentication',
    { auth: 'none', bind: '192.0.2.1' },
    'without authentication only 127.0.0.1 is listened on',
  ],
  ['at an address of nobody', { bind: '192.0.2.1' }, '--bind 192.0.2.1: this machine has no such address.'],
  ['at any address', { bind: '0.0.0.0' }, 'give an IPv4 address of this machine'],
] as const)('a cluster does not listen beyond loopback %s', async (_, options, problem) => {
  await expect(serveCluster({ dir, processes: false, portBase: 24900, ...options })).rejects.toThrow(problem);
});
