import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type AddrVec, parseUuid, type Uuid } from '@spirula/encoding';
import { notRunning, runsCluster } from '../cluster/control.ts';
import { explainSystemError, UserError } from '../cluster/user-error.ts';
import { CephConf, parseMonHost } from './ceph-conf.ts';
import { type ClientAuth, clientName, findClientAuth } from './client-auth.ts';

/** What a command line tool reaches. */
export interface ToolEnvironment {
  readonly stdout: (text: string | Uint8Array) => void;
  readonly stderr: (text: string) => void;
  /** Folder of the cluster that is spoken to when no conf is named. */
  readonly dir: string;
}

/** Which cluster to connect to, as whom. */
export interface ClusterAddress {
  readonly monAddrs: readonly AddrVec[];
  readonly fsid: Uuid | undefined;
  readonly auth: ClientAuth;
}

/**
 * Reads the conf named, or the one in the cluster's folder, or $CEPH_CONF; options given on the command line win.
 *
 * @throws UserError when there is none or it names no monitors.
 */
export async function findCluster(
  env: Pick<ToolEnvironment, 'dir'>,
  options: ReadonlyMap<string, string>,
): Promise<ClusterAddress> {
  const { type, id } = clientName(options);
  const client = `${type}.${id}`;
  const { conf, path } = await openConf(env, options);
  const monHost = options.get('mon_host') ?? conf.get('mon_host', client);
  if (monHost === undefined) throw new UserError(`${path} has no mon_host.`);
  const fsid = conf.get('fsid', client);
  return {
    monAddrs: await parseMonHost(monHost),
    fsid: fsid === undefined ? undefined : parseUuid(fsid),
    auth: findClientAuth(conf, options),
  };
}

/** The conf that is meant, and where it is. @throws UserError */
export async function openConf(
  env: Pick<ToolEnvironment, 'dir'>,
  options: ReadonlyMap<string, string>,
): Promise<{ readonly conf: CephConf; readonly path: string }> {
  const cluster = options.get('cluster');
  const path = options.get('conf') ?? (cluster === undefined ? await defaultConf(env.dir) : confOf(cluster));
  return { conf: CephConf.parse(readConf(path), cluster), path };
}

/** The words of $CEPH_ARGS, which stand before those of the command line (md_config_t::parse_env). */
export function environmentArguments(): string[] {
  return (process.env['CEPH_ARGS'] ?? '').split(/\s+/).filter(Boolean);
}

/** Where Ceph's tools look for the conf of a cluster by its name (common/config.cc, CEPH_CONF_FILE_DEFAULT). */
function confOf(cluster: string): string {
  if (!/^[A-Za-z0-9_-]+$/.test(cluster)) throw new UserError(`--cluster ${cluster}: that is no name of a cluster.`);
  const paths = [`/etc/ceph/${cluster}.conf`, join(homedir(), '.ceph', `${cluster}.conf`), `${cluster}.conf`];
  const found = paths.find((path) => existsSync(path));
  if (found === undefined) {
    throw new UserError(`There is no conf of cluster ${cluster}, neither ${paths.join(' nor ')}. Name one with -c.`);
  }
  return found;
}

/** The folder's own conf when its cluster runs: monitors that are not there would be waited for. */
async function defaultConf(dir: string): Promise<string> {
  const own = join(dir, 'ceph.conf');
  const named = process.env['CEPH_CONF'];
  const exists = existsSync(own);
  if (exists && (await runsCluster(dir))) return own;
  if (named !== undefined && named !== '') return named;
  if (exists) throw notRunning(dir);
  throw new UserError(`There is no cluster in ${dir}. Start one with \`spirula up\`, or name a conf with -c.`);
}

function readConf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new UserError(`${path} does not exist.`);
    throw explainSystemError(error, path);
  }
}
