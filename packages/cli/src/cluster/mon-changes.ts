/**
 * Monitors that come and go while the cluster runs. The monitor map says which there are; `cluster.json` and ceph.conf follow it:
 * when something is changed here, and at every start for what was changed by `ceph mon add` and `ceph mon rm`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseEntityAddr } from '@spirula/encoding';
import { dumpMonMap } from '@spirula/maps';
import { readMonMap } from '@spirula/mon';
import { NodeLog, openStorage, StorageProblem } from '@spirula/runtime-node';
import type { ClusterConnection } from '../library-types.ts';
import { withClient } from './bootstrap.ts';
import { type ClusterFile, LOOPBACK } from './cluster-file.ts';
import { findPortAfter } from './ports.ts';
import type { Supervisor } from './supervisor.ts';
import { UserError } from './user-error.ts';

/** Of what is also a file's name, and stands behind a dot. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;
/** Ports for monitors, from the first one's on: behind them are the managers'. */
const PORTS = 20;
/** How long a new monitor may take until it is in the quorum. */
const JOIN_SECONDS = 60;
/** How long a removed monitor may take until it knows, and has stopped. */
const FAREWELL_SECONDS = 5;
/** How long a quorum may take to answer. */
const ANSWER_SECONDS = 30;
const LOOK_AGAIN_MS = 100;

/** The part of `ceph mon dump -f json` that tells which monitors there are, and where. */
export interface MonDump {
  readonly epoch: number;
  readonly mons: readonly {
    readonly name: string;
    readonly public_addrs: { readonly addrvec: readonly { readonly type: string; readonly addr: string }[] };
  }[];
}

/** The cluster with the monitors of the map that are at its own address. */
export function followMonMap(cluster: ClusterFile, { epoch, mons }: MonDump): ClusterFile {
  const ip = cluster.bind ?? LOOPBACK;
  const own = mons.flatMap(({ name, public_addrs: { addrvec } }) => {
    const addrs = addrvec.flatMap(({ type, addr }) => (type === 'v2' ? (parseEntityAddr(addr) ?? []) : []));
    const port = addrs.find((each) => each.ip === ip)?.port;
    return port === undefined || !NAME.test(name) ? [] : [{ name, port }];
  });
  return { ...cluster, mons: own, monmapEpoch: epoch };
}

/**
 * The newest monitor map that the stores in a folder hold, while nothing runs there; undefined when none holds any. Why a store
 * cannot be read is told when its monitor is started.
 */
export async function storedMonMap(dir: string, cluster: ClusterFile): Promise<MonDump | undefined> {
  const maps = await Promise.all(cluster.mons.map(({ name }) => readStore(dir, `mon.${name}`)));
  return maps.flatMap((map) => map ?? []).sort((a, b) => b.epoch - a.epoch)[0];
}

async function readStore(dir: string, daemon: string): Promise<MonDump | undefined> {
  const folder = join(dir, daemon);
  if (!existsSync(folder)) return undefined;
  const log = new NodeLog({ name: daemon, level: 'info', path: join(dir, 'log', `${daemon}.log`) });
  const ignore = () => {};
  const listener = { onCommitted: ignore, onFlushed: ignore, onStorageFailed: ignore, onFailure: ignore };
  try {
    const storage = await openStorage({ kind: 'disk', dir: folder }, daemon, 0, log, listener);
    const map = readMonMap(storage.kv);
    await storage.close('orderly');
    return map && (dumpMonMap(map) as unknown as MonDump);
  } catch (error) {
    if (error instanceof StorageProblem) return undefined;
    throw error;
  } finally {
    log.close();
  }
}

/**
 * Adds a monitor to the map, starts it with an empty store, and waits until it is in the quorum. One that is in the map already
 * and is to run here is only started.
 *
 * @param wanted its name; the next letter when left out
 * @returns its name
 * @throws UserError
 */
export async function addMon(supervisor: Supervisor, wanted?: string): Promise<string> {
  if (wanted !== undefined && !NAME.test(wanted)) {
    throw new UserError(`${wanted}: a monitor's name is made of letters, digits, - and _.`);
  }
  return await withClient(supervisor.confPath, async (client) => {
    const map = await askMonMap(client);
    supervisor.adopt(followMonMap(supervisor.cluster, map));
    const name = wanted ?? nextName(map);
    if (!map.mons.some((mon) => mon.name === name)) await register(supervisor, client, name, map.epoch);
    else if (!supervisor.cluster.mons.some((mon) => mon.name === name)) {
      throw new UserError(`mon.${name} is in the monitor map at an address that is none of this cluster's.`);
    } else if (supervisor.isRunning(`mon.${name}`)) throw new UserError(`There is a mon.${name} already.`);
    await supervisor.start(`mon.${name}`);
    await waitForQuorum(client, name);
    return name;
  });
}

/** Adds it to the map, where it does not run yet. */
async function register(supervisor: Supervisor, client: ClusterConnection, name: string, epoch: number): Promise<void> {
  const { cluster } = supervisor;
  const ip = cluster.bind ?? LOOPBACK;
  const used = [cluster.mons, cluster.mgrs].flat().map(({ port }) => port);
  const port = await findPortAfter(ip, Math.min(...cluster.mons.map((mon) => mon.port)), PORTS, used);
  // What a monitor of this name held before it was removed is of no use.
  await supervisor.discard(`mon.${name}`);
  await ask(client, { prefix: 'mon add', name, addr: `${ip}:${port}` });
  supervisor.adopt({ ...cluster, mons: [...cluster.mons, { name, port }], monmapEpoch: epoch + 1 });
}

/**
 * Takes a monitor out of the map, waits until it has stopped, and removes its folder.
 *
 * @throws UserError when there is none such, or no quorum would be left
 */
export async function removeMon(supervisor: Supervisor, name: string): Promise<void> {
  await withClient(supervisor.confPath, async (client) => {
    supervisor.adopt(followMonMap(supervisor.cluster, await askMonMap(client)));
    const { mons } = supervisor.cluster;
    if (!mons.some((mon) => mon.name === name)) {
      throw new UserError(
        `There is no mon.${name} in this cluster. Its monitors: ${mons.map((mon) => mon.name).join(' ')}.`,
      );
    }
    await ask(client, { prefix: 'mon ok-to-rm', id: name });
    await ask(client, { prefix: 'mon rm', name });
    supervisor.adopt(followMonMap(supervisor.cluster, await askMonMap(client)));
  });
  const deadline = Date.now() + FAREWELL_SECONDS * 1000;
  while (supervisor.isRunning(`mon.${name}`) && Date.now() < deadline) await pause();
  await supervisor.discard(`mon.${name}`);
}

async function askMonMap(client: ClusterConnection): Promise<MonDump> {
  return JSON.parse(await ask(client, { prefix: 'mon dump', format: 'json' })) as MonDump;
}

/** @throws UserError with what the monitors say, or when no quorum answers within half a minute */
async function ask(client: ClusterConnection, command: Readonly<Record<string, unknown>>): Promise<string> {
  const answer = client.command(command).catch((error: Error) => {
    throw new UserError(error.message);
  });
  const problem =
    'No quorum of monitors answers. `spirula status` shows which run; start those that are missing first.';
  return await within(ANSWER_SECONDS, answer, problem);
}

/** @throws UserError with the problem when it is not done by then */
async function within<T>(seconds: number, work: Promise<T>, problem: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new UserError(problem)), seconds * 1000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function nextName({ mons }: MonDump): string {
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i));
  const free = letters.find((letter) => !mons.some(({ name }) => name === letter));
  if (free === undefined) throw new UserError('All letters are names of monitors already. Choose a name.');
  return free;
}

/** @throws UserError when it takes more than a minute */
async function waitForQuorum(client: ClusterConnection, name: string): Promise<void> {
  const problem = `mon.${name} is added and started, but not in the quorum after ${JOIN_SECONDS} s. \`spirula logs mon.${name}\` shows why.`;
  let isLate = false;
  const join = async () => {
    while (!isLate) {
      const status = JSON.parse(await client.command({ prefix: 'quorum_status', format: 'json' })) as {
        quorum_names: string[];
      };
      if (status.quorum_names.includes(name)) return;
      await pause();
    }
  };
  await within(JOIN_SECONDS, join(), problem).finally(() => {
    isLate = true;
  });
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
}
