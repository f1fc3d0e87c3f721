/** `spirula sim swarm`: every scenario, in configurations that seeds draw, for as long as one likes. */
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { CORPUS, listScenarios } from '@spirula/sim-scenarios';
import { UserError } from '../cluster/user-error.ts';
import { runJobs, type SeedJob, type SeedResult } from '../sim/seed-pool.ts';
import { SeedProgress } from '../sim/seed-progress.ts';
import { parseShard } from '../sim/seed-range.ts';
import { SwarmState } from '../sim/swarm-state.ts';

export interface SwarmOptions {
  readonly minutes?: number;
  readonly runs?: number;
  readonly jobs?: number;
  readonly shard?: string;
  readonly state: string;
}

/** The scenarios whose configuration the seed draws run so many times as often as those that ask one question. */
const DRAWN_LAPS = 3;
const SAVE_MS = 10_000;

/** Returns 0 when every run is clean. */
export async function runSwarm({ minutes, runs, jobs, shard, state: path }: SwarmOptions): Promise<number> {
  if (minutes !== undefined && runs !== undefined) throw new UserError('Give --minutes or --runs, not both.');
  const { index, count } = shard === undefined ? { index: 0, count: 1 } : parseShard(shard);
  mkdirSync(dirname(path), { recursive: true });
  const state = new SwarmState(path);
  const total = runs ?? Number.POSITIVE_INFINITY;
  const seconds = runs === undefined ? (minutes ?? 10) * 60 : Number.POSITIVE_INFINITY;
  const threads = jobs ?? availableParallelism();
  const progress = new SeedProgress(runs ?? { seconds }, threads);
  const stop = new AbortController();
  const began = performance.now();
  process.once('SIGINT', () => {
    progress.say('Stopping when the runs under way are done. Ctrl-C again ends at once.');
    stop.abort();
  });
  const deadline = Number.isFinite(seconds) ? setTimeout(() => stop.abort(), seconds * 1000) : undefined;
  const digests = new Map<string, string>();
  let failed = 0;
  let saved = began;
  const fail = (result: SeedResult, problem: string) => {
    failed += 1;
    progress.say(`${result.source}, seed ${result.seed}: ${problem}\n  replay: ${result.replay}`);
  };
  try {
    await runJobs(
      work(state, total, index, count),
      threads,
      (result) => {
        progress.add(result);
        state.add(result);
        const key = `${result.source} ${result.seed}`;
        const before = digests.get(key);
        if (result.problems.length > 0) fail(result, result.problems[0]!.split('\n')[0]!);
        else if (before !== undefined && before !== result.digest) {
          fail(result, `two runs have two histories: ${before} and ${result.digest}`);
        }
        if (isOfCorpus(result)) digests.set(key, result.digest);
        const now = performance.now();
        if (now - saved < SAVE_MS) return;
        state.addTime((now - saved) / 1000);
        saved = now;
        state.save();
      },
      stop.signal,
    );
  } finally {
    clearTimeout(deadline);
    progress.end();
    state.addTime((performance.now() - saved) / 1000);
    state.save();
  }
  console.log(progress.summary(failed));
  console.log(state.summary());
  return failed === 0 ? 0 : 1;
}

/** The corpus first, every seed twice, so that it shows whether one seed is one history; then on from where it was. */
function* work(state: SwarmState, total: number, index: number, count: number): Iterable<SeedJob> {
  let left = total;
  for (const [i, { scenario, seed }] of CORPUS.entries()) {
    if (i % count !== index) continue;
    for (let round = 0; round < 2 && left > 0; round++, left--) yield { source: scenario, seed };
  }
  const wheel = makeWheel();
  for (; left > 0; left--) yield jobAt(wheel, state.takeNumber() * count + index);
}

/** The scenarios in turn. Each has its own seeds, from 1 on, none of them twice. */
export function jobAt(wheel: readonly string[], number: number): SeedJob {
  const place = number % wheel.length;
  const source = wheel[place]!;
  const timesIn = (part: readonly string[]) => part.filter((each) => each === source).length;
  const turns = Math.floor(number / wheel.length);
  return { source, seed: 1 + turns * timesIn(wheel) + timesIn(wheel.slice(0, place)) };
}

export function makeWheel(): string[] {
  const scenarios = listScenarios();
  const drawn = scenarios.filter((each) => each.isDrawn).map(({ name }) => name);
  const asking = scenarios.filter((each) => !each.isDrawn).map(({ name }) => name);
  const laps = Math.max(1, asking.length) * DRAWN_LAPS;
  return Array.from({ length: laps }, (_, lap) => {
    const ask = lap % DRAWN_LAPS === 0 ? asking.slice(lap / DRAWN_LAPS, lap / DRAWN_LAPS + 1) : [];
    return [...drawn, ...ask];
  }).flat();
}

function isOfCorpus({ source, seed }: SeedResult): boolean {
  return CORPUS.some((entry) => entry.scenario === source && entry.seed === seed);
}
