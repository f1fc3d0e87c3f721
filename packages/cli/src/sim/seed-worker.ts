/** A worker thread: runs what it is given, one run after another, and answers each with what came of it. */
import { parentPort } from 'node:worker_threads';
import {
  failureOf,
  Lab,
  type Outcome,
  problemsOf,
  runScenario,
  type Scenario,
  type ScenarioSpec,
  UnknownTarget,
} from '@spirula/sim-scenarios';
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
  if (spec !== undefined) {
    parentPort!.postMessage(await runVariant(source, seed, spec));
    return;
  }
  const until = virtualSeconds !== undefined && { virtualSeconds };
  const report = await runScenario({ scenario: await load(source), seed, ...until });
  parentPort!.postMessage(resultOf(source, report, seed, report.replay));
});

/** Of a variant that cannot be run, since a fault is for nobody any more, no failure is told. */
async function runVariant(source: string, seed: number, spec: ScenarioSpec): Promise<SeedResult> {
  try {
    return resultOf(source, await new Lab(spec, seed).play(), seed, '');
  } catch (error) {
    if (!(error instanceof UnknownTarget)) throw error;
    const problems = [error.message];
    return {
      source,
      seed,
      problems,
      failure: undefined,
      digest: '',
      replay: '',
      events: 0,
      virtualSeconds: 0,
      lastedUs: 0,
    };
  }
}

function resultOf(source: string, outcome: Outcome, seed: number, replay: string): SeedResult {
  const { stats, digest, lastedUs } = outcome;
  return {
    source,
    seed,
    problems: problemsOf(outcome),
    failure: failureOf(outcome),
    digest,
    replay,
    events: stats['events']!,
    virtualSeconds: stats['virtualSeconds']!,
    lastedUs,
  };
}
