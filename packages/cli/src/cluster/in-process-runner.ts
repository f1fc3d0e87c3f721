import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DaemonHost, MemoryDisk, StorageProblem, type StoreConfig } from '@spirula/runtime-node';
import { type ClusterFile, readClusterFile } from './cluster-file.ts';
import { type DaemonExtras, startDaemon } from './daemon-factory.ts';
import type { DaemonLoad, Runner, RunningDaemon } from './runner.ts';
import { UserError } from './user-error.ts';

/** Runs every daemon inside this process. */
export class InProcessRunner implements Runner {
  readonly #dir: string;
  readonly #kind: ClusterFile['store'];
  readonly #extras: DaemonExtras;
  /** Of a cluster in memory: they outlive the daemons that crash. */
  readonly #disks = new Map<string, MemoryDisk>();

  constructor(dir: string, kind: ClusterFile['store'], extras: DaemonExtras) {
    this.#extras = extras;
    this.#dir = dir;
    this.#kind = kind;
  }

  async start(name: string, onExit: (reason: string) => void): Promise<RunningDaemon> {
    try {
      const exited = ({ detail }: { readonly detail: string }) => onExit(detail);
      const store = this.#store(name);
      const cluster = readClusterFile(this.#dir)!;
      return new HostedDaemon(await startDaemon(this.#dir, cluster, name, store, exited, this.#extras));
    } catch (error) {
      throw error instanceof StorageProblem ? new UserError(`${name}: ${error.message}`) : error;
    }
  }

  discard(name: string): void {
    this.#disks.delete(name);
    rmSync(join(this.#dir, name), { recursive: true, force: true });
  }

  #store(name: string): StoreConfig {
    if (this.#kind === 'disk') return { kind: 'disk', dir: join(this.#dir, name) };
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
