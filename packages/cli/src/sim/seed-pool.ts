/** Runs a scenario many times, on several threads: under many seeds, or in many variants. */
import { Worker } from 'node:worker_threads';
import type { ScenarioSpec } from '@spirula/sim-scenarios';

/** What every seed runs. */
export interface SeedWork {
  /** A ready scenario's name, or a file's path. */
  readonly source: string;
  /** How long faults last; the scenario's own time when left out. */
  readonly virtualSeconds?: number;
}

export interface SeedJob {
  readonly seed: number;
  /** Run instead of what the scenario says. */
  readonly spec?: ScenarioSpec;
}

export interface SeedResult {
  readonly seed: number;
  /** Empty: clean. */
  readonly problems: readonly string[];
  /** In which way it fails. */
  readonly failure: string | undefined;
  readonly digest: string;
  /** The command that runs it again. */
  readonly replay: string;
  readonly events: number;
  readonly virtualSeconds: number;
}

/** Built beside the bundle that this is in. */
const WORKER = new URL('./seed-worker.mjs', import.meta.url);

/** Threads that take jobs, one at a time each, in the order in which they come. */
export class SeedPool {
  readonly #workers: readonly Worker[];
  readonly #idle: Worker[];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  constructor(work: SeedWork, threads: number) {
    this.#workers = Array.from({ length: threads }, () => new Worker(WORKER, { workerData: work }));
    this.#idle = [...this.#workers];
  }

  /** @throws Error when the simulator itself fails, naming the seed */
  async run(job: SeedJob): Promise<SeedResult> {
    const worker = this.#idle.pop() ?? (await new Promise<Worker>((take) => this.#waiting.push(take)));
    try {
      return await new Promise<SeedResult>((resolve, reject) => {
        const onError = (error: unknown) => {
          reject(new Error(`the simulator fails under seed ${job.seed}`, { cause: error }));
        };
        worker.once('error', onError);
        worker.once('message', (result: SeedResult) => {
          worker.off('error', onError);
          resolve(result);
        });
        worker.postMessage(job);
      });
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#idle.push(worker);
      else next(worker);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/**
 * Runs every seed, `jobs` at a time, and tells of each as it is done, in no particular order. Resolves when all are, or once
 * `signal` says that no more are to begin.
 *
 * @throws Error when the simulator itself fails under a seed, naming it.
 */
export async function runSeeds(
  work: SeedWork,
  seeds: Iterable<number>,
  jobs: number,
  onResult: (result: SeedResult) => void,
  signal?: AbortSignal,
): Promise<void> {
  const pool = new SeedPool(work, jobs);
  const left = seeds[Symbol.iterator]();
  const takeTurns = async () => {
    for (let { value: seed } = left.next(); seed !== undefined && !signal?.aborted; { value: seed } = left.next()) {
      onResult(await pool.run({ seed }));
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, takeTurns));
  } finally {
    await pool.close();
  }
}
