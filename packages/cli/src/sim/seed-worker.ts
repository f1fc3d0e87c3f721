/** A worker thread: runs what it is given, one run after another, and answers each with what came of it. */
import { parentPort } from 'node:worker_threads';
import { failureOf, Lab, problemsOf, runScenario, type Scenario } from '@spirula/sim-scenarios';
import { loadScenario } from './load-scenario.ts';
import type { SeedJob, SeedResult } from './seed-pool.ts';

const loaded = new Map<string, Promise<Scenario>>();

function load(source: string): Promise<Scenario> {
  let scenario = loaded.get(source);
  if (scenario === undefined) {
    scenario = loadScenario(source);
    loaded.set(source, scenario);
  }
  return scenario;
}

parentPort!.on('message', async ({ source, seed, virtualSeconds, spec }: SeedJob) => {
  const report =
    spec === undefined
      ? runScenario({ scenario: await load(source), seed, ...(virtualSeconds !== undefined && { virtualSeconds }) })
      : { ...new Lab(spec, seed).run(), replay: '' };
  const { stats, digest, replay } = report;
  const result: SeedResult = {
    source,
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
