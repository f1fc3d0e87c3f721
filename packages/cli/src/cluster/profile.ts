import { join } from 'node:path';
import type { Config } from '@spirula/world';
import { type ClusterFile, LOOPBACK } from './cluster-file.ts';
import { keyringFolder } from './cluster-keys.ts';

/** One deviation from Ceph's defaults, with its reason: it stands so in ceph.conf. */
interface Deviation {
  readonly option: keyof Config;
  readonly value: Config[keyof Config];
  readonly reason: string;
}

/** How a cluster on one machine differs from Ceph's defaults. */
function embeddedProfile(cluster: Pick<ClusterFile, 'osds'>): readonly Deviation[] {
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
    ...(size === 1
      ? ([
          { option: 'mon_allow_pool_size_one', value: true, reason: 'one OSD can hold one copy only' },
          { option: 'mon_warn_on_pool_no_redundancy', value: false, reason: 'as above' },
        ] as const)
      : []),
  ];
}

/** The profile as options for the daemons. */
export function profileOptions(cluster: Pick<ClusterFile, 'osds'>): Partial<Config> {
  return Object.fromEntries(embeddedProfile(cluster).map(({ option, value }) => [option, value]));
}

function authOptions(dir: string, cluster: ClusterFile): string {
  const method = cluster.auth ?? 'none';
  const required = ['cluster', 'service', 'client'].map((whom) => `auth_${whom}_required = ${method}\n`).join('');
  if (method === 'none') return `# Nobody proves who he is, so everything listens on loopback only.\n${required}`;
  const keyring = join(dir, keyringFolder(''), '$name.keyring');
  return `# Keys of daemons and clients, one file each.\nkeyring = ${keyring}\n${required}`;
}

/** The ceph.conf that clients are given; `dir` is the cluster's folder. */
export function cephConf(dir: string, cluster: ClusterFile): string {
  const ip = cluster.bind ?? LOOPBACK;
  const hosts = cluster.mons.map((mon) => `[v2:${ip}:${mon.port}]`).join(',');
  const deviations = embeddedProfile(cluster).map(({ option, value, reason }) => `# ${reason}\n${option} = ${value}\n`);
  return `# Written by spirula; rewritten at every start.
[global]
fsid = ${cluster.fsid}
mon_host = ${hosts}

${authOptions(dir, cluster)}
# Where this cluster differs from Ceph's defaults, and why.
# Each OSD is a CRUSH host of its own (host0, host1 ...), so that copies spread over the OSDs of one machine.
${deviations.join('')}`;
}
