/** Runs a scenario many times, on several threads: under many seeds, or in many variants. */
import { Worker } from 'node:worker_threads';
import type { ScenarioSpec } from '@spirula/sim-scenarios';

/** One run. */
export interface SeedJob {
  /** A ready scenario's name, or a file's path. */
  readonly source: string;
  readonly seed: number;
  /** How long faults last; the scenario's own time when left out. */
  readonly virtualSeconds?: number;
  /** Run instead of what the scenario says. */
  readonly spec?: ScenarioSpec;
}

export interface SeedResult {
  readonly source: string;
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
  /** See `Outcome`. */
  readonly lastedUs: number;
}

/** Built beside the bundle that this is in. */
const WORKER = new URL('./seed-worker.mjs', import.meta.url);

/**
 * Young objects of a thread, in megabytes. Most of what an event makes is garbage after the next few: with more room than
 * Node gives, less of it is copied first. Runs of large clusters are a tenth faster.
 */
const YOUNG_MB = 96;

/** Threads that take jobs, one at a time each, in the order in which they come. */
export class SeedPool {
  readonly #workers: readonly Worker[];
  readonly #idle: Worker[];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  constructor(threads: number) {
    this.#workers = Array.from(
      { length: threads },
      () => new Worker(WORKER, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } }),
    );
    this.#idle = [...this.#workers];
  }

  /** @throws Error when the simulator itself fails, naming the seed */
  async run(job: SeedJob): Promise<SeedResult> {
    const worker = this.#idle.pop() ?? (await new Promise<Worker>((take) => this.#waiting.push(take)));
    try {
      return await new Promise<SeedResult>((resolve, reject) => {
        const onError = (error: unknown) => {
          reject(new Error(`the simulator fails on ${job.source} under seed ${job.seed}`, { cause: error }));
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
 * Runs jobs, `threads` at a time, and tells of each as it is done, in no particular order. Resolves when all are, or once
 * `signal` says that no more are to begin.
 *
 * @throws Error when the simulator itself fails, naming the seed
 */
export async function runJobs(
  jobs: Iterable<SeedJob>,
  threads: number,
  onResult: (result: SeedResult) => void,
  signal?: AbortSignal,
): Promise<void> {
  const pool = new SeedPool(threads);
  const left = jobs[Symbol.iterator]();
  const takeTurns = async () => {
    for (;;) {
      const { value: job } = signal?.aborted ? { value: undefined } : left.next();
      if (job === undefined) return;
      onResult(await pool.run(job));
    }
  };
  try {
    await Promise.all(Array.from({ length: threads }, takeTurns));
  } finally {
    await pool.close();
  }
}
