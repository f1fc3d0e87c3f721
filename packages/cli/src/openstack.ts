/** `spirula openstack init`: pools, users and keyrings for OpenStack, and what its services' configurations say of them. */
import { resolve } from 'node:path';
import { formatUuid } from '@spirula/encoding';
import { type ClusterConnection, type Connect, connectByConf } from './ceph/connect.ts';
import { openConf, type ToolEnvironment } from './ceph/environment.ts';
import type { OptionTable } from './ceph/global-options.ts';
import { CLIENT_OPTIONS, parseToolLine, refuse } from './ceph/tool.ts';
import { UserError } from './cluster/user-error.ts';
import { OPENSTACK_POOLS, OPENSTACK_USERS } from './openstack/deployment.ts';
import { type PreparedPool, type PreparedUser, preparePool, prepareUser } from './openstack/prepare.ts';
import { libvirtSecret, type ServiceConf, serviceConfs } from './openstack/service-conf.ts';

const OPTIONS: OptionTable = {
  ...CLIENT_OPTIONS,
  '--cluster': ['cluster', 'value'],
  '--json': ['json', 'flag'],
  '--pg-num': ['pg_num', 'value'],
};
const CONNECT_TIMEOUT_SECONDS = 60;
const MAX_PG_NUM = 65_536;

const USAGE = `usage: openstack init [-c CONF] [--json] [--pg-num N]

  Makes the pools ${OPENSTACK_POOLS.join(', ')} and the users ${OPENSTACK_USERS.map(({ id }) => `client.${id}`).join(', ')},
  writes their keyrings, and prints what cinder.conf, glance-api.conf and nova.conf say of the cluster.
  What is there already stays.
`;

interface Prepared {
  readonly conf: string;
  readonly fsid: string;
  readonly pools: readonly PreparedPool[];
  readonly users: readonly PreparedUser[];
  readonly confs: readonly ServiceConf[];
  readonly libvirt: string;
}

/** Runs one command line; resolves to the exit status. */
export async function openstack(
  argv: readonly string[],
  env: ToolEnvironment,
  connect: Connect = connectByConf,
): Promise<number> {
  const line = parseToolLine(argv, env, { name: 'openstack', options: OPTIONS, usage: USAGE });
  if (typeof line === 'number') return line;
  const { options, words } = line;
  if (words.length !== 1 || words[0] !== 'init') return refuse(env, 1, USAGE.trimEnd());
  try {
    const prepared = await prepare(env, options, connect);
    env.stdout(options.has('json') ? `${JSON.stringify(asJson(prepared), null, 4)}\n` : asText(prepared));
    return 0;
  } catch (error) {
    if (error instanceof UserError) return refuse(env, 1, error.message);
    throw error;
  }
}

async function prepare(
  env: ToolEnvironment,
  options: ReadonlyMap<string, string>,
  connect: Connect,
): Promise<Prepared> {
  const pgNum = pgNumOf(options.get('pg_num'));
  const opened = await openConf(env, options);
  const connection: ClusterConnection = await connect(env, options, CONNECT_TIMEOUT_SECONDS);
  try {
    const { rados } = connection;
    const pools: PreparedPool[] = [];
    for (const name of OPENSTACK_POOLS) pools.push(await preparePool(rados, name, pgNum));
    const users: PreparedUser[] = [];
    for (const user of OPENSTACK_USERS) users.push(await prepareUser(rados, opened, user));
    const conf = resolve(opened.path);
    const fsid = formatUuid(rados.getFsid());
    // Of the cluster's own: two clusters have two secrets, and a second run names the same.
    return { conf, fsid, pools, users, confs: serviceConfs(conf, fsid), libvirt: libvirtSecret(conf, fsid) };
  } finally {
    await connection.close();
  }
}

/** @throws UserError */
function pgNumOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const pgNum = Number(text);
  if (!Number.isInteger(pgNum) || pgNum < 1 || pgNum > MAX_PG_NUM) throw new UserError(`--pg-num ${text}`);
  return pgNum;
}

function asJson({ conf, fsid, pools, users, confs, libvirt }: Prepared): unknown {
  return {
    ...{ ceph_conf: conf, fsid, secret_uuid: fsid },
    pools: pools.map(({ name, isNew }) => ({ name, created: isNew })),
    users: users.map(({ name, caps, keyring, isNew }) => ({ name, caps, keyring, created: isNew })),
    ceph_conf_additions: additionsOf(users),
    ...Object.fromEntries(confs.map(({ file, text }) => [file, text])),
    libvirt_secret: libvirt,
  };
}

/** What ceph.conf must say for clients to find keyrings where it does not lead them. */
function additionsOf(users: readonly PreparedUser[]): string {
  return users
    .filter(({ isNamed }) => !isNamed)
    .map(({ name, keyring }) => `[${name}]\nkeyring = ${keyring}\n`)
    .join('');
}

function asText({ conf, pools, users, confs, libvirt }: Prepared): string {
  const state = (isNew: boolean) => (isNew ? 'made' : 'was there');
  const additions = additionsOf(users);
  return [
    ...pools.map(({ name, isNew }) => `pool ${name.padEnd(22)}${state(isNew)}\n`),
    ...users.map(({ name, keyring, isNew }) => `user ${name.padEnd(22)}${state(isNew).padEnd(12)}${keyring}\n`),
    additions === '' ? '' : section(`${conf}: add`, additions),
    ...confs.map(({ file, text }) => section(file, text)),
    section("Hosts of virtual machines: give Cinder's key to libvirt", libvirt),
  ].join('');
}

function section(title: string, text: string): string {
  return `\n--- ${title}\n${text}`;
}
