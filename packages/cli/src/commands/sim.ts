import { availableParallelism } from 'node:os';
import { printReport, type Report, runScenario, scenarioNames } from '@spirula/sim-scenarios';
import { UserError } from '../cluster/user-error.ts';
import { runSeeds, type SeedResult } from '../sim/seed-pool.ts';
import { SeedProgress } from '../sim/seed-progress.ts';
import { parseSeeds, parseShard, parseSpan, seedsOf } from '../sim/seed-range.ts';
import { TraceWriter } from '../sim/trace/trace-writer.ts';

export interface SimOptions {
  readonly seed?: number;
  readonly seeds?: string;
  readonly jobs?: number;
  readonly shard?: string;
  readonly until?: string;
  readonly trace?: string;
}

/** `spirula sim list`. */
export function listScenarios(): void {
  for (const name of scenarioNames()) console.log(name);
}

/** `spirula sim run`: returns 0 when every seed is clean. */
export async function runSim(scenario: string, options: SimOptions): Promise<number> {
  if (!scenarioNames().includes(scenario)) {
    throw new UserError(`There is no scenario ${scenario}. There are: ${scenarioNames().join(' ')}.`);
  }
  const virtualSeconds = options.until === undefined ? undefined : parseSpan(options.until, '--until');
  const work = { name: scenario, ...(virtualSeconds !== undefined && { virtualSeconds }) };
  if (options.seeds === undefined) return runOne({ ...work, seed: options.seed ?? 1 }, options);
  if (options.seed !== undefined) throw new UserError('Give --seed or --seeds, not both.');
  if (options.trace !== undefined) throw new UserError('--trace goes with --seed: a trace is of one run.');
  const seeds = seedsOf(parseSeeds(options.seeds), options.shard === undefined ? undefined : parseShard(options.shard));
  const jobs = Math.min(options.jobs ?? availableParallelism(), seeds.length);
  return await runMany(work, seeds, jobs);
}

function runOne(run: Parameters<typeof runScenario>[0], { jobs, shard, trace }: SimOptions): number {
  if (jobs !== undefined || shard !== undefined) throw new UserError('--jobs and --shard go with --seeds.');
  const report = trace === undefined ? runScenario(run) : runTraced(run, trace);
  console.log(printReport(report));
  return report.violations.length + report.unclean.length === 0 ? 0 : 1;
}

function runTraced(run: Parameters<typeof runScenario>[0], path: string): Report {
  const writer = new TraceWriter(path);
  try {
    const report = runScenario({ ...run, trace: writer });
    writer.end(report);
    return report;
  } finally {
    writer.close();
  }
}

/** The first Ctrl-C lets the seeds under way end; the second ends at once. */
async function runMany(work: Parameters<typeof runSeeds>[0], seeds: number[], jobs: number): Promise<number> {
  const progress = new SeedProgress(seeds.length, jobs);
  const stop = new AbortController();
  const failed: SeedResult[] = [];
  process.once('SIGINT', () => {
    progress.say('Stopping when the seeds under way are done. Ctrl-C again ends at once.');
    stop.abort();
  });
  try {
    await runSeeds(
      work,
      seeds,
      jobs,
      (result) => {
        progress.add(result);
        if (result.problems.length === 0) return;
        failed.push(result);
        progress.say(`seed ${result.seed}: ${result.problems[0]!.split('\n')[0]}\n  replay: ${result.replay}`);
      },
      stop.signal,
    );
  } finally {
    progress.end();
  }
  console.log(progress.summary(failed.length));
  return failed.length === 0 && !stop.signal.aborted ? 0 : 1;
}
