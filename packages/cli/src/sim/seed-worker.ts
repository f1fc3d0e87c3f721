/** A worker thread: runs what it is given, one run after another, and answers each with what came of it. */
import { parentPort, workerData } from 'node:worker_threads';
import { failureOf, Lab, problemsOf, runScenario } from '@spirula/sim-scenarios';
import { loadScenario } from './load-scenario.ts';
import type { SeedJob, SeedResult, SeedWork } from './seed-pool.ts';

const { source, virtualSeconds } = workerData as SeedWork;
const scenario = await loadScenario(source);

parentPort!.on('message', ({ seed, spec }: SeedJob) => {
  const report =
    spec === undefined
      ? runScenario({ scenario, seed, ...(virtualSeconds !== undefined && { virtualSeconds }) })
      : { ...new Lab(spec, seed).run(), replay: '' };
  const { stats, digest, replay } = report;
  const result: SeedResult = {
    seed,
    problems: problemsOf(report),
    failure: failureOf(report),
    digest,
    replay,
    events: stats['events']!,
    virtualSeconds: stats['virtualSeconds']!,
  };
  parentPort!.postMessage(result);
});
