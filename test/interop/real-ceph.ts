/**
 * A small real Ceph cluster on loopback, auth none or cephx: the oracle for interop tests and the peer for benchmarks. Needs
 * Debian's ceph-mon, ceph-osd, ceph-mgr and ceph-common.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { PYTHON } from './run-tool.ts';

const run = promisify(execFile);

// Also from the benchmarks' bundle, which lies as deep.
const TELLER = fileURLToPath(new URL('../../test/interop/real-ceph.py', import.meta.url));

/** Whether a program is installed. */
function installed(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Programs that are missing here. In CI any missing one is a failure of the test that asks. */
export function missingTools(programs: readonly string[]): string[] {
  const missing = programs.filter((program) => !installed(program));
  if (missing.length > 0 && process.env['CI']) throw new Error(`CI must install: ${missing.join(' ')}`);
  return missing;
}

export interface RealCephOptions {
  readonly osds: number;
  /** First of the ports used: monitor at it, the others within the next 200. */
  readonly portBase: number;
  readonly store: 'memstore' | 'bluestore';
  /** `none` unless said otherwise. */
  readonly auth?: 'cephx' | 'none';
  /** Each daemon is in a session of its own, as ours are: Linux shares out the time of a busy machine among sessions. */
  readonly ownSessions?: boolean;
}

export interface RealCeph {
  readonly confPath: string;
  /** Pids of the OSD processes, for measuring. */
  readonly osdPids: readonly number[];
  stop(): Promise<void>;
}

const DEVICE_BYTES = { bluestore: 4 * 1024 ** 3, memstore: 2 * 1024 ** 3 };

/** Modules of Debian's managers, but for those that are always on. */
const OPTIONAL_MODULES = [
  ...['alerts', 'diskprediction_local', 'influx', 'insights', 'iostat', 'localpool', 'mirroring', 'nfs'],
  ...['osd_perf_query', 'osd_support', 'prometheus', 'restful', 'selftest', 'snap_schedule', 'stats', 'telegraf'],
  ...['test_orchestrator', 'zabbix'],
].join(' ');

/** Starts one monitor, one manager and some OSDs and waits until all OSDs are up and the manager is active. */
export async function startRealCeph(options: RealCephOptions): Promise<RealCeph> {
  const dir = mkdtempSync(join(tmpdir(), 'real-ceph-'));
  for (const folder of ['log', 'run', 'mon', 'mgr', 'osd']) mkdirSync(join(dir, folder));
  const fsid = randomUUID();
  const confPath = join(dir, 'ceph.conf');
  writeFileSync(confPath, conf(dir, fsid, options));
  const monmap = join(dir, 'monmap');
  const common = ['-c', confPath];
  const children: ChildProcess[] = [];
  const daemon = (program: string, id: string) => {
    const log = openSync(join(dir, 'log', `${program}.${id}.out`), 'a');
    const child = spawn(program, ['-f', '-i', id, ...common], {
      stdio: ['ignore', log, log],
      cwd: dir,
      detached: options.ownSessions === true,
    });
    children.push(child);
    return child;
  };
  // In TiB, as an OSD reckons.
  const weight = (DEVICE_BYTES[options.store] / 1024 ** 4).toFixed(4);
  const uuids = Array.from({ length: options.osds }, () => randomUUID());
  const tell = (...words: string[]) => run(PYTHON, ['-B', TELLER, confPath, ...words]);
  const makeMon = async () => {
    await run('monmaptool', [
      ...['--create', '--clobber', '--fsid', fsid, '--set-min-mon-release', '16'],
      ...['--addv', 'a', `[v2:127.0.0.1:${options.portBase}]`, monmap],
    ]);
    await run('ceph-mon', ['--mkfs', '-i', 'a', ...common, '--monmap', monmap, ...keyring]);
    daemon('ceph-mon', 'a');
    await tell('prepare', weight, ...uuids);
  };
  const makeOsd = async (uuid: string, id: number) => {
    mkdirSync(join(dir, 'osd', String(id)));
    await run('ceph-osd', ['--mkfs', '-i', String(id), ...common, '--osd-uuid', uuid, '--no-mon-config']);
  };

  const keyring = options.auth === 'cephx' ? await makeKeyring(dir, options.osds) : [];
  const stop = async () => {
    await Promise.all(
      children.map(
        (child) =>
          new Promise<void>((resolve) => {
            if (child.exitCode !== null || child.signalCode !== null) return resolve();
            child.once('exit', () => resolve());
            child.kill('SIGKILL');
          }),
      ),
    );
    // What a daemon that was just killed was writing may come while the folder is being emptied.
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };

  try {
    await Promise.all([makeMon(), ...uuids.map(makeOsd)]);
    mkdirSync(join(dir, 'mgr', 'x'));
    daemon('ceph-mgr', 'x');
    const osdPids = uuids.map((_, id) => daemon('ceph-osd', String(id)).pid ?? 0);
    await tell('wait', String(options.osds));
    return { confPath, osdPids, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Keys of all who are in the cluster from the start, in the keyring that the conf names; gives the words for mkfs. */
async function makeKeyring(dir: string, osds: number): Promise<string[]> {
  const path = join(dir, 'keyring');
  const names = ['mon.', 'client.admin', 'mgr.x', ...Array.from({ length: osds }, (_, id) => `osd.${id}`)];
  const caps = ['mon', 'osd', 'mgr', 'mds'].flatMap((service) => ['--cap', service, 'allow *']);
  for (const name of names) {
    await run('ceph-authtool', [
      path,
      '-n',
      name,
      '--gen-key',
      ...caps,
      ...(name === 'mon.' ? ['--create-keyring'] : []),
    ]);
  }
  return ['--keyring', path];
}

function conf(dir: string, fsid: string, options: RealCephOptions): string {
  const { auth = 'none' } = options;
  const size = Math.min(3, options.osds);
  const hosts = Array.from(
    { length: options.osds },
    (_, id) => `[osd.${id}]\ncrush_location = root=default host=host${id}\n`,
  );
  return `[global]
fsid = ${fsid}
mon_host = [v2:127.0.0.1:${options.portBase}]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv4 = true
ms_bind_ipv6 = false
ms_bind_msgr1 = false
ms_bind_port_min = ${options.portBase + 10}
ms_bind_port_max = ${options.portBase + 200}
auth_cluster_required = ${auth}
auth_service_required = ${auth}
auth_client_required = ${auth}
keyring = ${dir}/keyring
auth_allow_insecure_global_id_reclaim = false
run_dir = ${dir}/run
admin_socket = ${dir}/run/$name.$pid.asok
log_file = ${dir}/log/$name.log
log_to_stderr = false
err_to_stderr = true
crash_dir = ${dir}/run
pid_file =
osd_pool_default_size = ${size}
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 1
mon_allow_pool_delete = true
mon_allow_pool_size_one = true
mon_data_avail_warn = 3
mon_data_avail_crit = 1
[client]
log_file =
admin_socket =
[mon]
mon_data = ${dir}/mon/$id
# Whoever changes the maps hundreds of times need not wait a second for each.
paxos_propose_interval = 0.1
paxos_min_wait = 0.01
[mgr]
mgr_data = ${dir}/mgr/$id
mgr_initial_modules =
# Those that are not always on are never turned on here; a manager would load them all the same.
mgr_disabled_modules = ${OPTIONAL_MODULES}
[osd]
osd_data = ${dir}/osd/$id
osd_objectstore = ${options.store}
osd_memory_target = 1073741824
bluestore_block_size = ${DEVICE_BYTES.bluestore}
memstore_device_bytes = ${DEVICE_BYTES.memstore}
${hosts.join('')}`;
}
