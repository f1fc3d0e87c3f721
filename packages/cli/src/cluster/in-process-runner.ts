import { join } from 'node:path';
import type { ObjectClass } from '@spirula/cls';
import { type DaemonHost, MemoryDisk, StorageProblem, type StoreConfig } from '@spirula/runtime-node';
import type { ClusterFile } from './cluster-file.ts';
import { startDaemon } from './daemon-factory.ts';
import type { DaemonLoad, Runner, RunningDaemon } from './runner.ts';
import { UserError } from './user-error.ts';

/** Runs every daemon inside this process. */
export class InProcessRunner implements Runner {
  readonly #dir: string;
  readonly #cluster: ClusterFile;
  readonly #classes: readonly ObjectClass[];
  /** Of a cluster in memory: they outlive the daemons that crash. */
  readonly #disks = new Map<string, MemoryDisk>();

  constructor(dir: string, cluster: ClusterFile, classes: readonly ObjectClass[]) {
    this.#classes = classes;
    this.#dir = dir;
    this.#cluster = cluster;
  }

  async start(name: string, onExit: (reason: string) => void): Promise<RunningDaemon> {
    try {
      const exited = ({ detail }: { readonly detail: string }) => onExit(detail);
      const store = this.#store(name);
      return new HostedDaemon(await startDaemon(this.#dir, this.#cluster, name, store, exited, this.#classes));
    } catch (error) {
      throw error instanceof StorageProblem ? new UserError(`${name}: ${error.message}`) : error;
    }
  }

  #store(name: string): StoreConfig {
    if (this.#cluster.store === 'disk') return { kind: 'disk', dir: join(this.#dir, name) };
    const disk = this.#disks.get(name) ?? new MemoryDisk();
    this.#disks.set(name, disk);
    return { kind: 'memory', disk };
  }
}

class HostedDaemon implements RunningDaemon {
  readonly #host: DaemonHost;

  constructor(host: DaemonHost) {
    this.#host = host;
  }

  terminate(): Promise<void> {
    return this.#host.terminate();
  }

  kill(): Promise<void> {
    return this.#host.kill();
  }

  hang(): void {
    this.#host.hang();
  }

  resume(): void {
    this.#host.resume();
  }

  async load(): Promise<DaemonLoad> {
    return loadOf(this.#host);
  }
}

/** A host's load as it is shown. */
export function loadOf(host: DaemonHost): DaemonLoad {
  const { loopDelayMeanMs, loopDelayP99Ms, longestHandlerMs } = host.load();
  return { pid: process.pid, loopDelayMeanMs, loopDelayP99Ms, longestHandlerMs };
}
