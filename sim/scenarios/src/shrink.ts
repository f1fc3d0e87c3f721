/**
 * Makes a failing run small: faults, workload and circumstances are taken away, as long as it goes on failing in the same way
 * (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002: ddmin).
 *
 * What a seed drew is written down first: a storm becomes a list of faults, each with its time and its targets.
 */
import type { FaultPlan } from './faults/plan.ts';
import type { Outcome } from './scenario.ts';
import { problemsOf } from './scenario.ts';
import { formatSpan, parseSpan } from './span.ts';
import { type ScenarioSpec, scenarioSchema } from './spec.ts';
import type { WorkloadSpec } from './workloads/workload-spec.ts';

/** Runs candidates, in any order, and says how each fails; undefined: it does not. */
export type RunCandidates = (specs: readonly ScenarioSpec[]) => Promise<readonly (string | undefined)[]>;

export interface ShrinkProgress {
  /** What is tried now. */
  readonly step: string;
  readonly runs: number;
  readonly faults: number;
}

export interface ShrunkCase {
  /** Fails as the first run did. */
  readonly spec: ScenarioSpec;
  readonly runs: number;
}

/** So long after the moment of the failure a run still goes on: it must come to it. */
const MARGIN_US = 1_000_000;

/**
 * In which way a run fails: the kind of problem and who tells, without times, numbers and contents. Undefined: it does not.
 */
export function failureOf(outcome: Outcome): string | undefined {
  const [first] = problemsOf(outcome);
  if (first === undefined) return undefined;
  const words = first
    .split('\n')[0]!
    .replace(/at [\d.]+ s: /, '')
    .replace(/\d+/g, '#')
    .split(/[:[]/);
  return words.slice(0, 2).join(':').trim();
}

/**
 * @param spec what failed, as the seed drew it
 * @param outcome of that run
 * @param maxRuns candidates that are tried at most
 */
export async function shrink(
  spec: ScenarioSpec,
  outcome: Outcome,
  run: RunCandidates,
  maxRuns: number,
  onProgress: (progress: ShrinkProgress) => void,
): Promise<ShrunkCase> {
  const search = new Search(spec, failureOf(outcome)!, run, maxRuns, onProgress);
  await search.writeDown(outcome);
  await search.takeAwayFaults();
  await search.simplify();
  await search.takeAwayFaults();
  await search.shortenFaults();
  return { spec: search.best, runs: search.runs };
}

class Search {
  best: ScenarioSpec;
  runs = 0;
  readonly #failure: string;
  readonly #run: RunCandidates;
  readonly #maxRuns: number;
  readonly #onProgress: (progress: ShrinkProgress) => void;

  constructor(
    spec: ScenarioSpec,
    failure: string,
    run: RunCandidates,
    maxRuns: number,
    onProgress: (progress: ShrinkProgress) => void,
  ) {
    this.best = spec;
    this.#failure = failure;
    this.#run = run;
    this.#maxRuns = maxRuns;
    this.#onProgress = onProgress;
  }

  /** Every fault that struck becomes an entry of its own; what came after the failure is left out. */
  async writeDown({ script, lastedUs }: Outcome): Promise<void> {
    const struck = { ...this.best, faults: [...script], storm: undefined };
    await this.#take('what the seed drew, written down', [upTo(struck, lastedUs + MARGIN_US), struck]);
  }

  /** ddmin over the list of faults. */
  async takeAwayFaults(): Promise<void> {
    let parts = 2;
    while (this.best.faults.length > 0) {
      const { faults } = this.best;
      const size = Math.ceil(faults.length / parts);
      const without = Array.from({ length: Math.ceil(faults.length / size) }, (_, i) =>
        this.#with({ faults: [...faults.slice(0, i * size), ...faults.slice((i + 1) * size)] }),
      );
      const taken = await this.#take('fewer faults', without);
      if (taken) parts = Math.max(2, parts - 1);
      else if (size === 1) break;
      else parts = Math.min(faults.length, parts * 2);
      if (this.runs >= this.#maxRuns) break;
    }
  }

  /** Circumstances that need not be as they are. */
  async simplify(): Promise<void> {
    const plain = scenarioSchema.parse({ name: this.best.name });
    const { cluster } = plain;
    const { duration } = this.best;
    const steps: [string, Partial<ScenarioSpec>][] = [
      ['no rare branches', { buggify: false }],
      ['exact clocks', { cluster: { ...this.best.cluster, wallSkewUs: 0, driftPpm: 0, timerSlackUs: 1 } }],
    ];
    for (const [step, change] of steps) await this.#take(step, [this.#with(change)]);
    await this.#take('quick disks', [
      this.#with({ cluster: { ...this.best.cluster, disk: undefined, slowDiskOneIn: 0, slowDiskFactor: 1 } }),
    ]);
    await this.#take('a quick network', [this.#with({ cluster: { ...this.best.cluster, network: undefined } })]);
    await this.#take('free processors', [this.#with({ cluster: { ...this.best.cluster, cpu: undefined } })]);
    await this.#take('one manager', [this.#with({ cluster: { ...this.best.cluster, mgrs: cluster.mgrs } })]);
    for (const name of Object.keys(this.best.cluster.options)) {
      const { [name]: _, ...options } = this.best.cluster.options;
      await this.#take(`${name} as usual`, [this.#with({ cluster: { ...this.best.cluster, options } })]);
    }
    await this.#take(
      'fewer clients',
      this.#fewer(this.best.cluster.clients, 1, (clients) => ({
        cluster: { ...this.best.cluster, clients },
      })),
    );
    await this.#simplifyWorkloads();
    await this.#take(
      'fewer PGs',
      this.#fewer(this.best.pools[0]!.pgNum, 1, (pgNum) => ({
        pools: [{ ...this.best.pools[0]!, pgNum }],
      })),
    );
    const last = Math.max(0, ...this.best.faults.map(({ at }) => (at === undefined ? 0 : parseSpan(at)!)));
    await this.#take(
      'a shorter run',
      [...[5, 15, 30].map((seconds) => this.#with({ duration: formatSpan(last + seconds * 1_000_000) }))].filter(
        (each) => parseSpan(each.duration)! < parseSpan(duration)!,
      ),
    );
  }

  async #simplifyWorkloads(): Promise<void> {
    for (let i = this.best.workloads.length - 1; i >= 0 && this.best.workloads.length > 1; i--) {
      await this.#take('fewer workloads', [this.#with({ workloads: this.best.workloads.toSpliced(i, 1) })]);
    }
    for (const i of this.best.workloads.keys()) {
      const change = (step: string, changes: (work: WorkloadSpec) => readonly WorkloadSpec[]) =>
        this.#take(
          step,
          changes(this.best.workloads[i]!).map((each) => this.#with({ workloads: this.best.workloads.with(i, each) })),
        );
      await change('one request at a time', (work) => [
        {
          ...work,
          pace: { kind: 'closed', workers: 1, restUs: work.pace.kind === 'closed' ? work.pace.restUs : 500_000 },
        },
      ]);
      await change('fewer objects', fewerObjects);
      await change('smaller writes', (work) =>
        work.kind === 'objects' ? [{ ...work, writeBytes: 100, largeOneIn: 0 }] : [],
      );
      await change('nobody gives up', (work) => (work.timeoutOneIn > 0 ? [{ ...work, timeoutOneIn: 0 }] : []));
    }
  }

  /** Faults that last less long. */
  async shortenFaults(): Promise<void> {
    for (let i = 0; i < this.best.faults.length && this.runs < this.#maxRuns; i++) {
      const plan = this.best.faults[i]!;
      if (plan.for === undefined) continue;
      const lasts = parseSpan(plan.for)!;
      const shorter = [8, 4, 2].map((part) => ({ ...plan, for: formatSpan(Math.ceil(lasts / part)) }) as FaultPlan);
      await this.#take(
        'shorter faults',
        shorter.map((each) => this.#with({ faults: this.best.faults.with(i, each) })),
      );
    }
  }

  /** Smaller counts, the smallest first. */
  #fewer(count: number, least: number, make: (count: number) => Partial<ScenarioSpec>): ScenarioSpec[] {
    const counts = new Set([least, Math.ceil(count / 4), Math.ceil(count / 2)]);
    return [...counts].filter((each) => each >= least && each < count).map((each) => this.#with(make(each)));
  }

  #with(change: Partial<ScenarioSpec>): ScenarioSpec {
    return { ...this.best, ...change };
  }

  /** Tries candidates at once and goes on with the first that fails as before. Returns whether one does. */
  async #take(step: string, candidates: readonly ScenarioSpec[]): Promise<boolean> {
    const affordable = candidates.slice(0, Math.max(0, this.#maxRuns - this.runs));
    if (affordable.length === 0) return false;
    this.#onProgress({ step, runs: this.runs, faults: this.best.faults.length });
    this.runs += affordable.length;
    const failures = await this.#run(affordable);
    const found = failures.indexOf(this.#failure);
    if (found < 0) return false;
    this.best = affordable[found]!;
    return true;
  }
}

/** The same workload on one, two or half as many objects. */
function fewerObjects(work: WorkloadSpec): WorkloadSpec[] {
  const field = work.kind === 'append-log' ? 'logs' : work.kind === 'omap-counter' ? 'counters' : 'objects';
  const count = (work as unknown as Record<string, number>)[field]!;
  return [1, 2, Math.ceil(count / 2)]
    .filter((each, i, all) => each < count && all.indexOf(each) === i)
    .map((each) => ({ ...work, [field]: each }) as WorkloadSpec);
}

/** Ends so long after the beginning. */
function upTo(spec: ScenarioSpec, us: number): ScenarioSpec {
  if (us >= parseSpan(spec.duration)!) return spec;
  return {
    ...spec,
    duration: formatSpan(us),
    faults: spec.faults.filter(({ at }) => at === undefined || parseSpan(at)! < us),
  };
}
