import { availableParallelism } from 'node:os';
import { listScenarios, printReport, problemsOf, runScenario } from '@spirula/sim-scenarios';
import { UserError } from '../cluster/user-error.ts';
import { runSeeds, type SeedResult, type SeedWork } from '../sim/seed-pool.ts';
import { SeedProgress } from '../sim/seed-progress.ts';
import { parseSeeds, parseShard, parseSpan, seedsOf } from '../sim/seed-range.ts';

export interface SimOptions {
  readonly seed?: number;
  readonly seeds?: string;
  readonly jobs?: number;
  readonly shard?: string;
  readonly until?: string;
}

/** `spirula sim list`. */
export function printScenarios(): void {
  const width = Math.max(...listScenarios().map(({ name }) => name.length));
  for (const { name, summary } of listScenarios()) console.log(`${name.padEnd(width)}  ${summary}`);
}

/** `spirula sim run`: returns 0 when every seed is clean. */
export async function runSim(scenario: string, options: SimOptions): Promise<number> {
  const names = listScenarios().map(({ name }) => name);
  if (!names.includes(scenario))
    throw new UserError(`There is no scenario ${scenario}. There are: ${names.join(' ')}.`);
  const virtualSeconds = options.until === undefined ? undefined : parseSpan(options.until, '--until');
  const work = { name: scenario, ...(virtualSeconds !== undefined && { virtualSeconds }) };
  if (options.seeds === undefined) return runOne({ ...work, seed: options.seed ?? 1 }, options);
  if (options.seed !== undefined) throw new UserError('Give --seed or --seeds, not both.');
  const seeds = seedsOf(parseSeeds(options.seeds), options.shard === undefined ? undefined : parseShard(options.shard));
  const jobs = Math.min(options.jobs ?? availableParallelism(), seeds.length);
  return await runMany(work, seeds, jobs);
}

function runOne({ name, ...run }: SeedWork & { readonly seed: number }, { jobs, shard }: SimOptions): number {
  if (jobs !== undefined || shard !== undefined) throw new UserError('--jobs and --shard go with --seeds.');
  const report = runScenario({ ...run, scenario: name });
  console.log(printReport(report));
  return problemsOf(report).length === 0 ? 0 : 1;
}

/** The first Ctrl-C lets the seeds under way end; the second ends at once. */
async function runMany(work: SeedWork, seeds: number[], jobs: number): Promise<number> {
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
