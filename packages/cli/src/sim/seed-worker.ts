/** A worker thread: runs the seeds it is given, one after another, and answers each with what came of it. */
import { parentPort, workerData } from 'node:worker_threads';
import { problemsOf, runScenario } from '@spirula/sim-scenarios';
import type { SeedJob, SeedResult, SeedWork } from './seed-pool.ts';

const { name, virtualSeconds } = workerData as SeedWork;

parentPort!.on('message', ({ seed }: SeedJob) => {
  const report = runScenario({
    scenario: name,
    seed,
    ...(virtualSeconds !== undefined && { virtualSeconds }),
  });
  const { stats, digest, replay } = report;
  const result: SeedResult = {
    seed,
    problems: problemsOf(report),
    digest,
    replay,
    events: stats['events'] ?? 0,
    virtualSeconds: stats['virtualSeconds'] ?? 0,
  };
  parentPort!.postMessage(result);
});
