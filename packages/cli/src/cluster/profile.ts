import { join } from 'node:path';
import type { OptionValue } from '@spirula/config';
import type { Config } from '@spirula/world';
import { type ClusterFile, LOOPBACK } from './cluster-file.ts';
import { keyringFolder } from './cluster-keys.ts';
import { UserError } from './user-error.ts';

/** One deviation from Ceph's defaults, with its reason: it stands so in ceph.conf. */
interface Deviation {
  readonly option: keyof Config;
  readonly value: Config[keyof Config];
  readonly reason: string;
}

/** How a cluster on one machine differs from Ceph's defaults. */
function embeddedProfile(cluster: Pick<ClusterFile, 'osds' | 'bind'>): readonly Deviation[] {
  const size = Math.min(3, Math.max(1, cluster.osds.length));
  return [
    {
      option: 'paxos_propose_interval',
      value: 0.025,
      reason: 'a new cluster is ready in a second or two instead of twenty',
    },
    { option: 'paxos_min_wait', value: 0.01, reason: 'as above' },
    {
      option: 'osd_pool_default_size',
      value: size,
      reason: `copies of each object: there are ${cluster.osds.length} OSDs`,
    },
    { option: 'osd_pool_default_pg_autoscale_mode', value: 'off', reason: 'nothing here changes pg_num by itself' },
    { option: 'mon_allow_pool_delete', value: true, reason: 'a cluster for tests: pools come and go' },
    {
      option: 'rgw_crypt_s3_kms_backend',
      value: 'testing',
      reason: 'keys for tests: rgw_crypt_s3_kms_encryption_keys',
    },
    ...(cluster.bind === undefined
      ? ([
          {
            option: 'rgw_crypt_require_ssl',
            value: false,
            reason: 'clients of the object gateway come from this machine, without TLS',
          },
        ] as const)
      : []),
    ...(size === 1
      ? ([
          { option: 'mon_allow_pool_size_one', value: true, reason: 'one OSD can hold one copy only' },
          { option: 'mon_warn_on_pool_no_redundancy', value: false, reason: 'as above' },
        ] as const)
      : []),
  ];
}

/** Where the monitors are, as `mon_host` has it. */
function monHost(cluster: ClusterFile): string {
  const ip = cluster.bind ?? LOOPBACK;
  return cluster.mons.map((mon) => `[v2:${ip}:${mon.port}]`).join(',');
}

/** What every daemon's admin socket is called, with a metavariable for its name. */
function adminSocket(dir: string): string {
  return join(dir, '$name.asok');
}

/** Longest path that a unix socket may have. */
const MAX_SOCKET_PATH = 107;

/** @throws UserError when the folder's name is too long for it. */
export function adminSocketPath(dir: string, daemon: string): string {
  const path = join(dir, `${daemon}.asok`);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new UserError(`${path}: too long for a socket (${MAX_SOCKET_PATH} bytes at most). Choose a shorter --dir.`);
  }
  return path;
}

/** What the daemons are started with: the same as ceph.conf says. */
export function daemonOptions(dir: string, cluster: ClusterFile): Record<string, OptionValue> {
  return {
    fsid: cluster.fsid,
    mon_host: monHost(cluster),
    admin_socket: adminSocket(dir),
    ...Object.fromEntries(
      ['cluster', 'service', 'client'].map((whom) => [`auth_${whom}_required`, cluster.auth ?? 'none']),
    ),
    ...Object.fromEntries(embeddedProfile(cluster).map(({ option, value }) => [option, value])),
    ...cluster.options,
  };
}

function authOptions(dir: string, cluster: ClusterFile): string {
  const method = cluster.auth ?? 'none';
  const required = ['cluster', 'service', 'client'].map((whom) => `auth_${whom}_required = ${method}\n`).join('');
  if (method === 'none') return `# Nobody proves who he is, so everything listens on loopback only.\n${required}`;
  const keyring = join(dir, keyringFolder(''), '$name.keyring');
  return `# Keys of daemons and clients, one file each.\nkeyring = ${keyring}\n${required}`;
}

/** The ceph.conf that clients are given. */
export function cephConf(dir: string, cluster: ClusterFile): string {
  const chosen = Object.entries(cluster.options ?? {});
  const deviations = embeddedProfile(cluster)
    .filter(({ option }) => !chosen.some(([name]) => name === option))
    .map(({ option, value, reason }) => `# ${reason}\n${option} = ${value}\n`);
  const own =
    chosen.length === 0
      ? ''
      : `\n# Chosen with --set.\n${chosen.map(([name, value]) => `${name} = ${value}\n`).join('')}`;
  return `# Written by spirula; rewritten at every start.
[global]
fsid = ${cluster.fsid}
mon_host = ${monHost(cluster)}

${authOptions(dir, cluster)}
# Where this cluster differs from Ceph's defaults, and why.
# Each OSD is a CRUSH host of its own (host0, host1 ...), so that copies spread over the OSDs of one machine.
${deviations.join('')}${own}
# The sockets that \`ceph daemon osd.0 ...\` speaks to.
[mon]
admin_socket = ${adminSocket(dir)}
[mgr]
admin_socket = ${adminSocket(dir)}
[osd]
admin_socket = ${adminSocket(dir)}
`;
}
