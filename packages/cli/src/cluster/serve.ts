import { isIPv4, type Socket } from 'node:net';
import type { ObjectClass } from '@spirula/cls';
import { findOption, normalName, type OptionValue, parseValue } from '@spirula/config';
import type { FaultRule } from '@spirula/rgw';
import { type ClusterFile, LOOPBACK, newClusterFile, readClusterFile, writeClusterFile } from './cluster-file.ts';
import { createKeys } from './cluster-keys.ts';
import { type ControlRequest, serveControl } from './control.ts';
import { controlSocketPath, lockFolder, removeSocket } from './folder-lock.ts';
import { InProcessRunner } from './in-process-runner.ts';
import { addMon, followMonMap, removeMon, storedMonMap } from './mon-changes.ts';
import { findFreePorts, requireFreePorts } from './ports.ts';
import { ProcessRunner } from './process-runner.ts';
import { adminSocketPath } from './profile.ts';
import { createS3Credentials } from './s3-credentials.ts';
import { daemonNames, Supervisor } from './supervisor.ts';
import { UserError } from './user-error.ts';

export interface ServeOptions {
  readonly dir: string;
  /** Of a new cluster; for one that exists they must agree with it when given. */
  readonly mons?: number;
  readonly mgrs?: number;
  readonly osds?: number;
  /** Object gateways. */
  readonly rgws?: number;
  /** How many a new cluster has when `rgws` does not say (0). */
  readonly usualRgws?: number;
  /** 0: any free ports. */
  readonly portBase?: number;
  readonly store?: 'disk' | 'memory';
  /** cephx unless said otherwise. */
  readonly auth?: 'cephx' | 'none';
  /** An IPv4 address of this machine to listen on, instead of loopback: only with cephx. */
  readonly bind?: string;
  readonly processes: boolean;
  /** Options of Ceph as text, by name; kept for later starts. An empty text gives one up. */
  readonly set?: Readonly<Record<string, string>>;
  /** Object classes that OSDs have beside the built-in ones; not with `processes`. */
  readonly classes?: readonly ObjectClass[];
  /** Faults that S3 requests meet from the start, in this run. */
  readonly s3Faults?: readonly FaultRule[];
}

const DEFAULT_MONS = 3;
const DEFAULT_MGRS = 1;
const DEFAULT_OSDS = 3;
const DEFAULT_PORT_BASE = 23300;

export interface ServedCluster {
  readonly supervisor: Supervisor;
  /** Stops every daemon and gives the folder free. */
  stop(): Promise<void>;
  /** Resolves when the cluster has stopped, whoever asked for it. */
  readonly stopped: Promise<void>;
}

/**
 * Takes the folder and starts its cluster, making a new one when it holds none. Serves the control socket until stopped.
 *
 * @throws UserError when the folder is held, unusable or written by another version, or a port is in use.
 */
export async function serveCluster(options: ServeOptions): Promise<ServedCluster> {
  const connections = new Set<Socket>();
  let answer: ((request: ControlRequest) => Promise<unknown>) | undefined;
  const lock = await lockFolder(options.dir, (socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
    serveControl(socket, (request) =>
      answer ? answer(request) : Promise.reject(new UserError('The cluster is still starting. Try again in a moment.')),
    );
  });
  const release = () => {
    // The name first: whoever finds it gone, or the connection closed, may start a cluster here.
    removeSocket(controlSocketPath(options.dir));
    lock.close();
    for (const socket of connections) socket.destroy();
  };

  let supervisor: Supervisor;
  try {
    const cluster = await openCluster(options);
    if (options.processes && cluster.store === 'memory') {
      throw new UserError('--processes needs --store disk: the memory of a killed process is gone.');
    }
    const { classes = [], s3Faults = [] } = options;
    if (s3Faults.length > 0 && cluster.rgws === undefined) {
      throw new UserError('--s3-fault: this cluster has no object gateway. A new one with --rgws 1 has.');
    }
    const runner = options.processes
      ? new ProcessRunner(options.dir, s3Faults)
      : new InProcessRunner(options.dir, cluster.store, { classes, s3Faults });
    supervisor = new Supervisor(options.dir, cluster, runner);
    await supervisor.up();
  } catch (error) {
    release();
    throw error;
  }

  let stopping: Promise<void> | undefined;
  let resolveStopped = () => {};
  const stopped = new Promise<void>((resolve) => {
    resolveStopped = resolve;
  });
  const stop = () => {
    stopping ??= supervisor.down().then(() => {
      release();
      resolveStopped();
    });
    return stopping;
  };
  answer = (request) => answerControl(supervisor, stop, request);
  return { supervisor, stop, stopped };
}

async function answerControl(
  supervisor: Supervisor,
  stop: () => Promise<void>,
  request: ControlRequest,
): Promise<unknown> {
  switch (request.ask) {
    case 'status':
      return await supervisor.status();
    case 'kill':
      return request.hang ? supervisor.hang(request.daemon) : await supervisor.kill(request.daemon);
    case 'start':
      return await supervisor.start(request.daemon);
    case 'add-mon':
      return await supervisor.inTurn(() => addMon(supervisor, request.name));
    case 'rm-mon':
      return await supervisor.inTurn(() => removeMon(supervisor, request.name));
    case 'wait-healthy':
      return await supervisor.waitForHealth(60);
    case 'down':
      // The answer must leave before the socket closes.
      setTimeout(() => void stop(), 20);
      return undefined;
    default:
      throw new UserError('The control socket does not know this request; is another version of spirula asking?');
  }
}

async function openCluster(options: ServeOptions): Promise<ClusterFile> {
  const found = readClusterFile(options.dir);
  const before = found === undefined ? await createCluster(options) : await asMonitorsKnowIt(options.dir, found);
  const cluster =
    options.set === undefined ? before : { ...before, options: chooseOptions(before.options, options.set) };
  for (const name of daemonNames(cluster)) adminSocketPath(options.dir, name);
  if (found) requireAgreement(before, options);
  await requireFreePorts(cluster.bind ?? LOOPBACK, [
    ...cluster.mons.map((mon) => mon.port),
    ...cluster.mgrs.map((mgr) => mgr.port),
    ...(cluster.rgws ?? []).map((rgw) => rgw.port),
    ...cluster.osds.flatMap((osd) => osd.ports),
  ]);
  if (!found && cluster.auth === 'cephx') createKeys(options.dir, cluster);
  if (!found && cluster.rgws !== undefined) createS3Credentials(options.dir);
  if (cluster !== found) writeClusterFile(options.dir, cluster);
  return cluster;
}

/** With the monitors that their stores tell of. In memory there is no store yet: a cluster that starts again is founded anew. */
async function asMonitorsKnowIt(dir: string, { monmapEpoch, ...found }: ClusterFile): Promise<ClusterFile> {
  const map = found.store === 'memory' ? undefined : await storedMonMap(dir, found);
  if (map !== undefined) return followMonMap(found, map);
  return found.store === 'memory' || monmapEpoch === undefined ? found : { ...found, monmapEpoch };
}

async function createCluster(options: ServeOptions): Promise<ClusterFile> {
  const mons = options.mons ?? DEFAULT_MONS;
  const osds = options.osds ?? DEFAULT_OSDS;
  // A gateway keeps everything in pools: without OSDs there is none, unless it is asked for.
  const rgws = options.rgws ?? (osds === 0 ? 0 : (options.usualRgws ?? 0));
  if (rgws > 0 && osds === 0)
    throw new UserError('--rgws: a gateway needs OSDs to keep its data in. Leave --osds 0 out.');
  const portBase = options.portBase ?? DEFAULT_PORT_BASE;
  const free = portBase === 0 ? await findFreePorts(mons + rgws) : [];
  const { auth = 'cephx', bind = LOOPBACK } = options;
  if (!isIPv4(bind) || bind === '0.0.0.0') {
    throw new UserError(`--bind ${bind}: give an IPv4 address of this machine, which clients can reach.`);
  }
  if (bind !== LOOPBACK && auth === 'none') {
    throw new UserError(
      `--bind ${bind}: without authentication only ${LOOPBACK} is listened on. Leave --auth none out.`,
    );
  }
  return newClusterFile({
    mons,
    mgrs: options.mgrs ?? DEFAULT_MGRS,
    osds,
    store: options.store ?? 'disk',
    portBase,
    rgws,
    monPorts: free.slice(0, mons),
    rgwPorts: free.slice(mons),
    auth,
    bind,
  });
}

function requireAgreement(found: ClusterFile, options: ServeOptions): void {
  const { store, auth = 'none', bind = LOOPBACK } = found;
  const has = {
    mons: found.mons.length,
    mgrs: found.mgrs.length,
    osds: found.osds.length,
    rgws: found.rgws?.length ?? 0,
    store,
    auth,
    bind,
  };
  for (const name of ['mons', 'mgrs', 'osds', 'rgws', 'store', 'auth', 'bind'] as const) {
    const wanted = options[name];
    if (wanted !== undefined && wanted !== has[name]) {
      throw new UserError(
        `The cluster in ${options.dir} has --${name} ${has[name]}, not ${wanted}. Leave the flag out, or use another --dir.`,
      );
    }
  }
}

/** @throws UserError when there is no such option, or it does not take the value. */
function chooseOptions(
  before: ClusterFile['options'],
  set: Readonly<Record<string, string>>,
): Readonly<Record<string, OptionValue>> {
  const options = new Map(Object.entries(before ?? {}));
  for (const [given, text] of Object.entries(set)) {
    const name = normalName(given).replaceAll('-', '_');
    const option = findOption(name);
    if (!option) throw new UserError(`--set ${given}: there is no such option. \`spirula ceph config ls\` lists them.`);
    if (text === '') {
      options.delete(name);
      continue;
    }
    const parsed = parseValue(name, option, text);
    if (!parsed.ok)
      throw new UserError(`--set ${name}=${text}: ${parsed.problem || `it takes a value of type ${option.type}`}`);
    options.set(name, parsed.value);
  }
  return Object.fromEntries(options);
}
