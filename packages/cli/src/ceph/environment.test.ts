import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openConf } from './environment.ts';

const { HOME } = process.env;
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'spirula-home-'));
  mkdirSync(join(home, '.ceph'));
  process.env['HOME'] = home;
});

afterEach(() => {
  process.env['HOME'] = HOME;
  rmSync(home, { recursive: true });
});

const open = (cluster: string) => openConf({ dir: home }, new Map([['cluster', cluster]]));

test('a cluster’s name says where its conf is, and is what $cluster in it stands for', async () => {
  writeFileSync(join(home, '.ceph', 'other.conf'), '[global]\nkeyring = /keys/$cluster.$name.keyring\n');

  const { conf, path } = await open('other');
  expect(path).toBe(join(home, '.ceph', 'other.conf'));
  expect(conf.get('keyring')).toBe('/keys/other.client.admin.keyring');
});

test('a cluster without a conf, or whose name is none, is said to be so', async () => {
  await expect(open('nobody')).rejects.toThrow('There is no conf of cluster nobody');
  await expect(open('../etc/passwd')).rejects.toThrow('is no name of a cluster');
});
