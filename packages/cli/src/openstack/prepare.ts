/** Makes what OpenStack needs; what is there stays. */
import { parseCryptoKey } from '@spirula/auth';
import { Errno, fromUtf8 } from '@spirula/encoding';
import { type Rados, RadosError } from '@spirula/rados';
import { initPool } from '@spirula/rbd';
import type { CephConf } from '../ceph/ceph-conf.ts';
import { UserError } from '../cluster/user-error.ts';
import { keyringPlace, writeKeyring } from './client-keyring.ts';
import type { OpenstackUser } from './deployment.ts';

export interface PreparedPool {
  readonly name: string;
  readonly isNew: boolean;
}

export interface PreparedUser {
  /** `client.cinder` */
  readonly name: string;
  readonly caps: Readonly<Record<string, string>>;
  readonly keyring: string;
  /** Whether ceph.conf leads clients to it. */
  readonly isNamed: boolean;
  readonly isNew: boolean;
}

/** @throws UserError: it is another application's, or cannot hold images */
export async function preparePool(rados: Rados, name: string, pgNum: number | undefined): Promise<PreparedPool> {
  await rados.waitForLatestMap();
  const isNew = !rados.poolList().includes(name);
  if (isNew) {
    await command(rados, { prefix: 'osd pool create', pool: name, ...(pgNum !== undefined && { pg_num: pgNum }) });
  }
  try {
    await initPool(rados, name);
  } catch (error) {
    if (!(error instanceof RadosError)) throw error;
    throw new UserError(`pool ${name}: ${error.message}`);
  }
  return { name, isNew };
}

/** @throws UserError: there is such a user, who may do other things */
export async function prepareUser(
  rados: Rados,
  { conf, path }: { readonly conf: CephConf; readonly path: string },
  { id, caps }: OpenstackUser,
): Promise<PreparedUser> {
  const name = `client.${id}`;
  const { code } = await rados.monCommand({ prefix: 'auth get', entity: name });
  await command(rados, { prefix: 'auth get-or-create', entity: name, caps: caps.flat() });
  const key = await command(rados, { prefix: 'auth get-key', entity: name });
  const { path: keyring, isNamed } = keyringPlace(conf, path, name);
  writeKeyring(keyring, name, parseCryptoKey(key.trim()));
  return { name, caps: Object.fromEntries(caps), keyring, isNamed, isNew: code === Errno.ENOENT };
}

async function command(rados: Rados, line: Readonly<Record<string, unknown>>): Promise<string> {
  const { code, status, data } = await rados.monCommand(line);
  if (code < 0) throw new UserError(status === '' ? `${String(line['prefix'])}: ${code}` : status);
  return fromUtf8(data);
}
