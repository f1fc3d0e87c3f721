/** Runs a scenario under many seeds, on several threads. */
import { Worker } from 'node:worker_threads';

/** What every seed runs. */
export interface SeedWork {
  readonly name: string;
  /** How long faults last; the scenario's own time when left out. */
  readonly virtualSeconds?: number;
}

export interface SeedJob {
  readonly seed: number;
}

export interface SeedResult {
  readonly seed: number;
  /** Empty: clean. */
  readonly problems: readonly string[];
  readonly digest: string;
  /** The command that runs it again. */
  readonly replay: string;
  readonly events: number;
  readonly virtualSeconds: number;
}

/** Built beside the bundle that this is in. */
const WORKER = new URL('./seed-worker.mjs', import.meta.url);

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
  const left = seeds[Symbol.iterator]();
  const next = (): number | undefined => (signal?.aborted ? undefined : left.next().value);
  await Promise.all(Array.from({ length: jobs }, () => runWorker(work, next, onResult)));
}

function runWorker(
  work: SeedWork,
  next: () => number | undefined,
  onResult: (result: SeedResult) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let seed = next();
    if (seed === undefined) {
      resolve();
      return;
    }
    const worker = new Worker(WORKER, { workerData: work });
    const post = (job: SeedJob) => worker.postMessage(job);
    worker.on('message', (result: SeedResult) => {
      onResult(result);
      seed = next();
      if (seed !== undefined) post({ seed });
      else void worker.terminate().then(() => resolve());
    });
    worker.once('error', (error) => reject(new Error(`the simulator fails under seed ${seed}`, { cause: error })));
    post({ seed });
  });
}
