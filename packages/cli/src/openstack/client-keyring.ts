/** Where clients look for a user's key, and how it gets there. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type CryptoKey, formatKeyring, type Keyring } from '@spirula/auth';
import type { CephConf } from '../ceph/ceph-conf.ts';
import { readKeyringFile } from '../cluster/cluster-keys.ts';
import { explainSystemError } from '../cluster/user-error.ts';

/** Nobody but the owner reads a key. */
const FILE_MODE = 0o600;
/** Where clients look whose conf names no keyring. */
const DEFAULT_FOLDER = '/etc/ceph';

export interface KeyringPlace {
  readonly path: string;
  /** Whether the conf leads there; if not, it is to say so. */
  readonly isNamed: boolean;
}

/** A file of the user's own: the one that the conf names for it, else one beside the conf. */
export function keyringPlace(conf: CephConf, confPath: string, user: string): KeyringPlace {
  const named = firstPath(conf.get('keyring', user));
  // One that others share is not this user's to write.
  if (named !== undefined && named !== firstPath(conf.get('keyring', `${user}.other`))) {
    return { path: named, isNamed: true };
  }
  const folder = dirname(confPath);
  return { path: join(folder, `ceph.${user}.keyring`), isNamed: named === undefined && folder === DEFAULT_FOLDER };
}

function firstPath(paths: string | undefined): string | undefined {
  return paths?.split(/[\s,;]+/).find((path) => path !== '');
}

/** What else the file has stays. @throws UserError */
export function writeKeyring(path: string, user: string, key: CryptoKey): void {
  const others: Keyring = existsSync(path) ? readKeyringFile(path) : new Map();
  try {
    writeFileSync(path, formatKeyring(new Map([...others, [user, { key, caps: new Map() }]])), { mode: FILE_MODE });
    chmodSync(path, FILE_MODE);
  } catch (error) {
    throw explainSystemError(error, path);
  }
}
