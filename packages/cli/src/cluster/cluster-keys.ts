import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type CapsService,
  type CryptoKey,
  type EntityAuth,
  formatKeyring,
  generateKey,
  type Keyring,
  MalformedKeyring,
  parseKeyring,
} from '@spirula/auth';
import { nodeCrypto } from '@spirula/runtime-node';
import type { ClusterFile } from './cluster-file.ts';
import { makeFolder } from './folder-lock.ts';
import { explainSystemError, UserError } from './user-error.ts';

const ADMIN = 'client.admin';
/** The monitors' common name, and their keyring's. */
const MON = 'mon.';
/** Nobody but the owner reads a key. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** As Ceph's deployments give them. */
const CAPS: Readonly<Record<'client' | 'osd' | 'mgr' | 'mon' | 'rgw', readonly (readonly [CapsService, string])[]>> = {
  client: [
    ['mds', 'allow *'],
    ['mgr', 'allow *'],
    ['mon', 'allow *'],
    ['osd', 'allow *'],
  ],
  osd: [
    ['mgr', 'allow profile osd'],
    ['mon', 'allow profile osd'],
    ['osd', 'allow *'],
  ],
  mgr: [
    ['mds', 'allow *'],
    ['mon', 'allow profile mgr'],
    ['osd', 'allow *'],
  ],
  mon: [['mon', 'allow *']],
  rgw: [
    ['mgr', 'allow rw'],
    ['mon', 'allow rw'],
    ['osd', 'allow rwx'],
  ],
};

/** Where a cluster's keyrings are, one file an entity: `client.admin.keyring`. */
export function keyringFolder(dir: string): string {
  return join(dir, 'keyrings');
}

function keyringPath(dir: string, entity: string): string {
  return join(keyringFolder(dir), entity === MON ? 'mon.keyring' : `${entity}.keyring`);
}

function daemonsWithKeys(cluster: ClusterFile): string[] {
  return [
    ...cluster.mgrs.map(({ name }) => `mgr.${name}`),
    ...cluster.osds.map(({ id }) => `osd.${id}`),
    ...(cluster.rgws ?? []).map(({ name }) => `client.rgw.${name}`),
  ];
}

/** Draws a key for the monitors, the administrator and every other daemon of a new cluster, and writes their keyrings. */
export function createKeys(dir: string, cluster: ClusterFile): void {
  const folder = keyringFolder(dir);
  makeFolder(folder);
  const now = { sec: Math.floor(Date.now() / 1000), nsec: 0 };
  try {
    chmodSync(folder, FOLDER_MODE);
    for (const name of [MON, ADMIN, ...daemonsWithKeys(cluster)]) {
      const caps = new Map(CAPS[kindOf(name)]);
      const text = formatKeyring(new Map([[name, { key: generateKey(nodeCrypto, now), caps }]]));
      writeFileSync(keyringPath(dir, name), text, { mode: FILE_MODE });
    }
  } catch (error) {
    throw explainSystemError(error, folder);
  }
}

function kindOf(name: string): keyof typeof CAPS {
  return name.startsWith('client.rgw.') ? 'rgw' : (name.split('.')[0] as keyof typeof CAPS);
}

/**
 * What a monitor begins with: its own key, and those of all who are in the cluster from the start.
 *
 * @throws UserError when a keyring is missing or cannot be read.
 */
export function monKeyring(dir: string, cluster: ClusterFile): Keyring {
  const names = [MON, ADMIN, ...daemonsWithKeys(cluster)];
  return new Map(names.map((name): [string, EntityAuth] => [name, readEntity(keyringPath(dir, name), name)]));
}

/** The key of one daemon. @throws UserError */
export function daemonKey(dir: string, name: string): CryptoKey {
  return readEntity(keyringPath(dir, name), name).key;
}

function readEntity(path: string, name: string): EntityAuth {
  const entity = readKeyringFile(path).get(name);
  if (entity === undefined) throw new UserError(`${path} has no key for ${name}.`);
  return entity;
}

/** @throws UserError when the file is missing, unreadable or no keyring. */
export function readKeyringFile(path: string): Keyring {
  try {
    return parseKeyring(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof MalformedKeyring) throw new UserError(`${path}: ${error.message}`);
    throw explainSystemError(error, path);
  }
}
