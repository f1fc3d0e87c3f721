import { fork } from 'node:child_process';
import { openSync } from 'node:fs';
import { relative } from 'node:path';
import { FIRST_POOL } from '../cluster/bootstrap.ts';
import { type ClusterFile, LOOPBACK, readClusterFile } from '../cluster/cluster-file.ts';
import { makeFolder } from '../cluster/folder-lock.ts';
import { readS3Credentials, SWIFT_USER, s3CredentialsPath } from '../cluster/s3-credentials.ts';
import { readFaultFile, readFaultTexts } from '../cluster/s3-faults.ts';
import { type ServeOptions, serveCluster } from '../cluster/serve.ts';
import { daemonNames } from '../cluster/supervisor.ts';
import { explainSystemError, UserError } from '../cluster/user-error.ts';

export interface UpOptions {
  readonly dir: string;
  readonly mons?: number;
  readonly mgrs?: number;
  readonly osds?: number;
  readonly rgws?: number;
  readonly portBase?: number;
  readonly store?: 'disk' | 'memory';
  readonly auth?: 'cephx' | 'none';
  readonly bind?: string;
  readonly processes: boolean;
  readonly detach: boolean;
  readonly set?: Readonly<Record<string, string>>;
  readonly s3Fault?: readonly string[];
  /** A file. */
  readonly s3Faults?: string;
  /** Set in the process that `--detach` leaves behind. */
  readonly serve?: boolean;
}

/** Of a new cluster that nobody said anything else of. */
const USUAL_RGWS = 1;
/** Well above what a busy machine takes. */
const HEALTH_TIMEOUT_SECONDS = 60;

type ServeMessage = { readonly healthy: true } | { readonly problem: string };

/** `spirula up`. */
export async function up(options: UpOptions): Promise<void> {
  if (options.detach) return await detach(options);
  if (options.serve) return await serveDetached(options);
  const started = Date.now();
  const served = await serveCluster(serveOptions(options));
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    console.log('\nStopping …');
    void served.stop();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  try {
    await served.supervisor.waitForHealth(HEALTH_TIMEOUT_SECONDS);
    introduce(options.dir, served.supervisor.cluster, (Date.now() - started) / 1000);
    console.log('Ctrl-C stops the cluster; its data stay.');
  } catch (error) {
    if (stopping) return await served.stopped;
    await served.stop();
    throw error;
  }
  await served.stopped;
  console.log('Stopped.');
}

function serveOptions({ s3Fault = [], s3Faults, ...options }: UpOptions): ServeOptions {
  const rules = [...readFaultTexts(s3Fault), ...(s3Faults === undefined ? [] : readFaultFile(s3Faults))];
  return { ...options, usualRgws: USUAL_RGWS, s3Faults: rules };
}

function introduce(dir: string, cluster: ClusterFile, seconds: number): void {
  const shown = shownPath(`${dir}/ceph.conf`);
  console.log(`HEALTH_OK after ${seconds.toFixed(1)} s`);
  console.log(`daemons   ${daemonNames(cluster).join(' ')}`);
  console.log(`folder    ${dir}`);
  console.log(`conf      ${shown}`);
  if (cluster.rgws !== undefined) introduceGateways(dir, cluster);
  console.log('Try, in another terminal:');
  console.log(`  ceph -c ${shown} -s`);
  console.log(`  rados -c ${shown} -p ${FIRST_POOL} bench 5 write`);
  console.log('  npx spirula kill osd.1        (and then: npx spirula ceph -s; npx spirula start osd.1)');
}

function introduceGateways(dir: string, { bind = LOOPBACK, rgws = [] }: ClusterFile): void {
  const { accessKeyId, secretAccessKey } = readS3Credentials(dir);
  const urls = rgws.map(({ port }) => `http://${bind}:${port}`);
  for (const url of urls) console.log(`s3        ${url}`);
  console.log(`          access key ${accessKeyId}`);
  console.log(`          secret key ${secretAccessKey}`);
  console.log(`          (AWS_SHARED_CREDENTIALS_FILE=${shownPath(s3CredentialsPath(dir))})`);
  for (const url of urls) console.log(`swift     ${url}/auth/v1.0  user ${SWIFT_USER}, key: the secret key`);
}

/** Relative, where that is shorter. */
function shownPath(path: string): string {
  const shown = relative(process.cwd(), path);
  return shown.startsWith('..') ? path : shown;
}

/** Leaves the cluster to a process of its own, and returns once it is healthy. */
async function detach(options: UpOptions): Promise<void> {
  const log = `${options.dir}/log`;
  let out: number;
  makeFolder(log);
  try {
    out = openSync(`${log}/up.log`, 'a');
  } catch (error) {
    throw explainSystemError(error, options.dir);
  }
  const flags = (['mons', 'mgrs', 'osds', 'rgws', 'portBase', 'store', 'auth', 'bind'] as const).flatMap((name) =>
    options[name] === undefined ? [] : [`--${name.replace('portBase', 'port-base')}`, String(options[name])],
  );
  const settings = Object.entries(options.set ?? {}).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
  const faults = serveOptions(options).s3Faults?.flatMap((rule) => ['--s3-fault', JSON.stringify(rule)]) ?? [];
  const started = Date.now();
  const child = fork(
    process.argv[1]!,
    [
      'up',
      '--serve',
      '--dir',
      options.dir,
      ...flags,
      ...settings,
      ...faults,
      ...(options.processes ? ['--processes'] : []),
    ],
    { detached: true, stdio: ['ignore', out, out, 'ipc'] },
  );
  const answer = await new Promise<ServeMessage>((resolve) => {
    child.once('message', (message) => resolve(message as ServeMessage));
    child.once('exit', (code) => resolve({ problem: `the cluster ended with status ${code}; see ${log}/up.log` }));
  });
  if ('problem' in answer) throw new UserError(answer.problem);
  child.disconnect();
  child.unref();
  introduce(options.dir, readClusterFile(options.dir)!, (Date.now() - started) / 1000);
  console.log('`spirula down` stops the cluster.');
  process.exit(0);
}

async function serveDetached(options: UpOptions): Promise<void> {
  const tell = (message: ServeMessage) =>
    new Promise<void>((resolve) => (process.send ? process.send(message, () => resolve()) : resolve()));
  try {
    const served = await serveCluster(serveOptions(options));
    process.once('SIGTERM', () => void served.stop());
    process.once('SIGINT', () => void served.stop());
    try {
      await served.supervisor.waitForHealth(HEALTH_TIMEOUT_SECONDS);
    } catch (error) {
      await served.stop();
      throw error;
    }
    await tell({ healthy: true });
    if (process.connected) process.disconnect();
    await served.stopped;
  } catch (error) {
    await tell({ problem: (error as Error).message });
    process.exitCode = 1;
  }
}
