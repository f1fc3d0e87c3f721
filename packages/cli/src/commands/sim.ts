import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  drawScenario,
  listScenarios,
  printReport,
  problemsOf,
  type Report,
  type RunOptions,
  runScenario,
} from '@spirula/sim-scenarios';
import { UserError } from '../cluster/user-error.ts';
import { loadScenario } from '../sim/load-scenario.ts';
import { runJobs, type SeedJob, type SeedResult } from '../sim/seed-pool.ts';
import { SeedProgress } from '../sim/seed-progress.ts';
import { parseSeeds, parseShard, parseSpan, seedsOf } from '../sim/seed-range.ts';
import { shrinkCase } from '../sim/shrink-case.ts';
import { TraceWriter } from '../sim/trace/trace-writer.ts';

export interface SimOptions {
  readonly seed?: number;
  readonly seeds?: string;
  readonly jobs?: number;
  readonly shard?: string;
  readonly until?: string;
  /** The file that a trace goes to. */
  readonly trace?: string;
  /** The file that the small case goes to; true: one named after the scenario and the seed. */
  readonly shrink?: string | true;
}

/** `spirula sim list`. */
export function printScenarios(): void {
  const width = Math.max(...listScenarios().map(({ name }) => name.length));
  for (const { name, summary } of listScenarios()) console.log(`${name.padEnd(width)}  ${summary}`);
}

/** `spirula sim run`: returns 0 when every seed is clean. */
export async function runSim(source: string, options: SimOptions): Promise<number> {
  const virtualSeconds = options.until === undefined ? undefined : parseSpan(options.until, '--until');
  const work = { source, ...(virtualSeconds !== undefined && { virtualSeconds }) };
  const jobs = options.jobs ?? availableParallelism();
  if (options.seeds === undefined) return await runOne(work, options, jobs);
  if (options.seed !== undefined) throw new UserError('Give --seed or --seeds, not both.');
  if (options.trace !== undefined) throw new UserError('--trace goes with --seed: a trace is of one run.');
  if (options.shrink !== undefined) throw new UserError('--shrink goes with --seed: it makes one failing run small.');
  // Says what is wrong with the scenario before threads are started for it.
  await loadScenario(source);
  const seeds = seedsOf(parseSeeds(options.seeds), options.shard === undefined ? undefined : parseShard(options.shard));
  return await runMany(work, seeds, Math.min(jobs, seeds.length));
}

type SeedWork = Pick<SeedJob, 'source' | 'virtualSeconds'>;

async function runOne(work: SeedWork, options: SimOptions, jobs: number): Promise<number> {
  const { shard, shrink } = options;
  if ((options.jobs !== undefined && shrink === undefined) || shard !== undefined) {
    throw new UserError('--jobs and --shard go with --seeds.');
  }
  const { source, ...rest } = work;
  const scenario = await loadScenario(source);
  const seed = options.seed ?? drawScenario({ scenario, seed: 1 }).seed ?? 1;
  const run = { ...rest, scenario, seed };
  const report = options.trace === undefined ? await runScenario(run) : await runTraced(run, options.trace);
  console.log(printReport(report));
  if (problemsOf(report).length === 0) {
    if (shrink !== undefined) console.log('\nIt does not fail: there is nothing to shrink.');
    return 0;
  }
  if (shrink !== undefined) {
    const { text, file } = await shrinkCase(report, jobs, shrink === true ? undefined : shrink);
    writeFileSync(file, text);
    console.log(`\nA small case that fails in the same way is in ${file}. To run it: npx spirula sim run ${file}`);
  }
  return 1;
}

async function runTraced(run: RunOptions, path: string): Promise<Report> {
  const writer = new TraceWriter(path);
  try {
    const report = await runScenario({ ...run, trace: writer });
    writer.end(report.digest, problemsOf(report));
    return report;
  } finally {
    writer.close();
  }
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
    await runJobs(
      seeds.map((seed) => ({ ...work, seed })),
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
