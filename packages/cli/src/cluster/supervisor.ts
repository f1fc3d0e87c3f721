import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { bootstrapOsds, ensurePool, waitForHealth, withClient } from './bootstrap.ts';
import { type ClusterFile, writeClusterFile } from './cluster-file.ts';
import { removeSocket } from './folder-lock.ts';
import { adminSocketPath, cephConf } from './profile.ts';
import type { DaemonLoad, Runner, RunningDaemon } from './runner.ts';
import { explainSystemError, UserError } from './user-error.ts';

type DaemonState = 'running' | 'hung' | 'stopped';

export interface DaemonStatus extends Partial<DaemonLoad> {
  readonly name: string;
  readonly state: DaemonState;
  /** Why it stopped, when it did so by itself. */
  readonly reason?: string;
}

/** Every daemon of a cluster: monitors, managers, OSDs, gateways. */
export function daemonNames(cluster: ClusterFile): string[] {
  return [
    ...cluster.mons.map((mon) => `mon.${mon.name}`),
    ...cluster.mgrs.map((mgr) => `mgr.${mgr.name}`),
    ...cluster.osds.map((osd) => `osd.${osd.id}`),
    ...(cluster.rgws ?? []).map((rgw) => `rgw.${rgw.name}`),
  ];
}

/** Starts and stops the daemons of one cluster, whatever runs them. */
export class Supervisor {
  readonly #dir: string;
  #cluster: ClusterFile;
  readonly #runner: Runner;
  readonly #running = new Map<string, RunningDaemon>();
  readonly #hung = new Set<string>();
  readonly #reasons = new Map<string, string>();
  #lastTurn: Promise<unknown> = Promise.resolve();

  constructor(dir: string, cluster: ClusterFile, runner: Runner) {
    this.#dir = dir;
    this.#cluster = cluster;
    this.#runner = runner;
  }

  get confPath(): string {
    return join(this.#dir, 'ceph.conf');
  }

  get daemons(): string[] {
    return daemonNames(this.#cluster);
  }

  get cluster(): ClusterFile {
    return this.#cluster;
  }

  /** The cluster is made of something else now: `cluster.json` and ceph.conf say so, and daemons that start read it there. */
  adopt(cluster: ClusterFile): void {
    this.#cluster = cluster;
    writeClusterFile(this.#dir, cluster);
    this.#writeConf();
  }

  #writeConf(): void {
    try {
      writeFileSync(this.confPath, cephConf(resolve(this.#dir), this.#cluster));
    } catch (error) {
      throw explainSystemError(error, this.#dir);
    }
  }

  /** Writes ceph.conf, starts every daemon, and on the first start registers the OSDs and makes the first pool. */
  async up(): Promise<void> {
    this.#writeConf();
    try {
      await this.#startAll(this.daemons.filter((name) => name.startsWith('mon.') || name.startsWith('mgr.')));
      await withClient(this.confPath, async (client) => {
        await bootstrapOsds(client, this.#cluster);
        const osds = this.#cluster.osds.map((osd) => `osd.${osd.id}`);
        await allDone([this.#startAll(osds), ensurePool(client, this.#cluster)]);
      });
      // They make pools, and wait for OSDs.
      await this.#startAll(this.daemons.filter((name) => name.startsWith('rgw.')));
    } catch (error) {
      await this.down();
      throw error;
    }
  }

  /** Resolves when health is HEALTH_OK and every PG is active+clean. */
  waitForHealth(timeoutSeconds: number): Promise<void> {
    return waitForHealth(this.confPath, timeoutSeconds);
  }

  /** When one does not start, the others have, and must be stopped. */
  async #startAll(names: readonly string[]): Promise<void> {
    await allDone(names.map((name) => this.start(name)));
  }

  async start(name: string): Promise<void> {
    this.#requireKnown(name);
    if (this.#hung.delete(name)) {
      this.#running.get(name)!.resume();
      return;
    }
    if (this.#running.has(name)) throw new UserError(`${name} is running already.`);
    this.#reasons.delete(name);
    const daemon = await this.#runner.start(name, (reason) => {
      this.#running.delete(name);
      this.#hung.delete(name);
      this.#reasons.set(name, reason);
    });
    this.#running.set(name, daemon);
  }

  async kill(name: string): Promise<void> {
    await this.#requireRunning(name).kill();
    this.#running.delete(name);
    this.#hung.delete(name);
    this.#reasons.set(name, 'killed');
  }

  /** Ends a daemon, if it runs, and gives up all it has stored. */
  async discard(name: string): Promise<void> {
    await this.#end(name);
    this.#reasons.delete(name);
    this.#runner.discard(name);
    removeSocket(adminSocketPath(resolve(this.#dir), name));
  }

  hang(name: string): void {
    if (this.#hung.has(name)) throw new UserError(`${name} hangs already.`);
    this.#requireRunning(name).hang();
    this.#hung.add(name);
  }

  async status(): Promise<DaemonStatus[]> {
    return await Promise.all(
      this.daemons.map(async (name): Promise<DaemonStatus> => {
        const daemon = this.#running.get(name);
        const reason = this.#reasons.get(name);
        if (!daemon) return { name, state: 'stopped', ...(reason === undefined ? {} : { reason }) };
        if (this.#hung.has(name)) return { name, state: 'hung' };
        return { name, state: 'running', ...(await daemon.load()) };
      }),
    );
  }

  /** Orderly stop of everything: OSDs first, so that they can say farewell. */
  async down(): Promise<void> {
    for (const kind of ['rgw.', 'osd.', 'mgr.', 'mon.']) {
      const names = [...this.#running.keys()].filter((name) => name.startsWith(kind));
      await Promise.all(names.map((name) => this.#end(name)));
    }
  }

  /** Does one work after another, whether they fail or not. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastTurn.then(work);
    this.#lastTurn = done.catch(() => {});
    return done;
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /** Orderly, unless it hangs. */
  async #end(name: string): Promise<void> {
    const daemon = this.#running.get(name);
    if (daemon === undefined) return;
    if (this.#hung.delete(name)) await daemon.kill();
    else await daemon.terminate();
    this.#running.delete(name);
  }

  #requireKnown(name: string): void {
    if (!this.daemons.includes(name)) {
      throw new UserError(`There is no ${name} in this cluster. Its daemons: ${this.daemons.join(' ')}.`);
    }
  }

  #requireRunning(name: string): RunningDaemon {
    this.#requireKnown(name);
    const daemon = this.#running.get(name);
    if (!daemon) throw new UserError(`${name} is not running. \`spirula start ${name}\` starts it.`);
    return daemon;
  }
}

/** Waits for all, whether they fail or not; then fails as the first that did. */
async function allDone(works: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(works);
  const failure = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failure) throw failure.reason;
}
