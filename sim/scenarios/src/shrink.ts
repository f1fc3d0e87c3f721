/**
 * Makes a failing run small: faults, workload and circumstances are taken away, as long as it goes on failing in the same way
 * (Zeller and Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002: ddmin).
 *
 * What a seed drew is written down first: a storm becomes a list of faults, each with its time and its targets.
 */
import { SECOND } from '@spirula/world';
import { type Outcome, problemsOf } from './scenario.ts';
import {
  CIRCUMSTANCES,
  CLUSTER,
  fewerVictims,
  lastFaultsElsewhen,
  type Simplification,
  shorterFaults,
  WORK,
} from './simplifications.ts';
import { formatSpan, parseSpan } from './span.ts';
import type { ScenarioSpec } from './spec.ts';

/** How a candidate ran. */
export interface Attempt {
  /** As `failureOf` says; undefined: it did not fail. */
  readonly failure: string | undefined;
  /** See `Outcome`. */
  readonly lastedUs: number;
}

/** Runs candidates, all at a time. */
export type RunCandidates = (specs: readonly ScenarioSpec[]) => Promise<readonly Attempt[]>;

export interface ShrinkProgress {
  /** What is tried now. */
  readonly step: string;
  readonly runs: number;
  readonly faults: number;
}

export interface ShrinkOptions {
  readonly run: RunCandidates;
  /** Candidates given to `run` at a time, at most. */
  readonly width: number;
  /** Candidates that are tried at most. */
  readonly maxRuns: number;
  readonly onProgress?: (progress: ShrinkProgress) => void;
}

export interface ShrunkCase {
  /** Fails as the first run did. */
  readonly spec: ScenarioSpec;
  readonly runs: number;
  /** Whether the faults that the seed drew, written down, make the run fail; else it is not shrunk. */
  readonly isWrittenDown: boolean;
}

/** So long after the moment of the failure a run still goes on: it must come to it. */
const MARGIN_US = SECOND;

/**
 * In which way a run fails: the kind of problem and who tells, without times, numbers and contents. Undefined: it does not.
 */
export function failureOf(outcome: Outcome): string | undefined {
  const [first] = problemsOf(outcome);
  if (first === undefined) return undefined;
  const [kind, ...rest] = first
    .split('\n')[0]!
    .replace(/at [\d.]+ s: /, '')
    .split(': ');
  const text = rest
    .join(': ')
    // What objects, versions and histories are called differs from run to run, and so does how far a PG has come.
    .replace(/;.*/, '')
    .replace(/\b(osd|mon|client|mgr)\.\w+/g, '$1')
    .replace(/\d[\da-f.]*/g, '#')
    .replace(/\b[a-z]+-#/g, 'object')
    .replace(/: (read|[a-z ]+ was answered)\b.*/, ': $1')
    .replace(kind === 'unclean' ? / is .*/ : /[[(,].*/, '');
  return `${kind}: ${text.trim()}`;
}

/**
 * @param spec what failed, as the seed drew it
 * @param outcome of that run
 */
export async function shrink(spec: ScenarioSpec, outcome: Outcome, options: ShrinkOptions): Promise<ShrunkCase> {
  const search = new Search(spec, failureOf(outcome)!, options);
  const isWrittenDown = await search.writeDown(outcome);
  if (isWrittenDown) {
    await search.takeAwayFaults();
    for (const steps of [CLUSTER, WORK, CIRCUMSTANCES]) await search.simplify(steps);
    await search.takeAwayOptions();
    // With less around them fewer may do.
    await search.takeAwayFaults();
    await search.moveLastFaults();
    await search.simplifyFaults();
    await search.simplify(WORK);
  }
  return { spec: search.best, runs: search.runs, isWrittenDown };
}

/** A list in a scenario of which items may be left out. */
interface ListOfSpec<T> {
  listOf(spec: ScenarioSpec): readonly T[];
  withList(spec: ScenarioSpec, list: readonly T[]): ScenarioSpec;
}

/** Of indexes, without `to`. */
interface Range {
  readonly from: number;
  readonly to: number;
}

class Search {
  best: ScenarioSpec;
  runs = 0;
  readonly #failure: string;
  readonly #options: ShrinkOptions;

  constructor(spec: ScenarioSpec, failure: string, options: ShrinkOptions) {
    this.best = spec;
    this.#failure = failure;
    this.#options = options;
  }

  /** Every fault that struck becomes an entry of its own; what came after the failure is left out. */
  async writeDown({ script, lastedUs }: Outcome): Promise<boolean> {
    const { storm: _, ...rest } = this.best;
    const struck = { ...rest, faults: [...script] };
    return await this.#take('what the seed drew, written down', [upTo(struck, lastedUs), struck]);
  }

  /** The last first: what comes late hangs on what was before. */
  async takeAwayFaults(): Promise<void> {
    await this.#takeAway('fewer faults', {
      listOf: ({ faults }) => faults,
      withList: (spec, faults) => ({ ...spec, faults: [...faults] }),
    });
  }

  async takeAwayOptions(): Promise<void> {
    await this.#takeAway('fewer options', {
      listOf: ({ cluster }) => Object.entries(cluster.options),
      withList: (spec, options) => ({ ...spec, cluster: { ...spec.cluster, options: Object.fromEntries(options) } }),
    });
  }

  /** ddmin over a list, from its end: stretches of half its length first, single items last. */
  async #takeAway<T>(step: string, part: ListOfSpec<T>): Promise<void> {
    const count = part.listOf(this.best).length;
    if (count === 0 || (await this.#take(step, [part.withList(this.best, [])]))) return;
    for (let size = Math.ceil(count / 2); ; size = Math.ceil(size / 2)) {
      // Each item that is gone may have made another needless: once more, until none is.
      while ((await this.#takeAwayStretches(step, part, size)) && size === 1);
      if (size === 1 || this.#isOver) return;
    }
  }

  /** Tries to do without every stretch of `size` items. Returns whether any could be taken away. */
  async #takeAwayStretches<T>(step: string, part: ListOfSpec<T>, size: number): Promise<boolean> {
    let taken = false;
    let end = part.listOf(this.best).length;
    while (end > 0 && !this.#isOver) {
      const ranges: Range[] = [];
      for (let to = end; to > 0 && ranges.length < this.#options.width; to -= size) {
        ranges.push({ from: Math.max(0, to - size), to });
      }
      end = ranges.at(-1)!.from;
      const without = (gone: readonly Range[]) => {
        const kept = part.listOf(this.best).filter((_, i) => !gone.some(({ from, to }) => i >= from && i < to));
        return part.withList(this.best, kept);
      };
      const attempts = await this.#try(
        step,
        ranges.map((range) => without([range])),
      );
      const needless = ranges.filter((_, i) => this.#fails(attempts[i]));
      if (needless.length === 0) continue;
      taken = true;
      if (needless.length > 1 && (await this.#take(step, [without(needless)]))) continue;
      this.#settle(without([needless[0]!]), attempts[ranges.indexOf(needless[0]!)]!);
    }
    return taken;
  }

  async simplify(steps: readonly Simplification[]): Promise<void> {
    for (const { text, variants } of steps) {
      if (this.#isOver) return;
      await this.#take(text, variants(this.best));
    }
  }

  /** One fault instead of many, or two, at another moment. */
  async moveLastFaults(): Promise<void> {
    for (const count of [1, 2]) {
      if (await this.#take('other moments', lastFaultsElsewhen(this.best, count))) return;
    }
  }

  /** Faults that strike fewer and last less long. */
  async simplifyFaults(): Promise<void> {
    for (let i = 0; i < this.best.faults.length && !this.#isOver; i++) {
      while (await this.#take('fewer victims', i < this.best.faults.length ? fewerVictims(this.best, i) : []));
      if (i < this.best.faults.length) await this.#take('shorter faults', shorterFaults(this.best, i));
    }
  }

  get #isOver(): boolean {
    return this.runs >= this.#options.maxRuns;
  }

  /** Goes on with the first candidate that fails as before, where one does. */
  async #take(step: string, candidates: readonly ScenarioSpec[]): Promise<boolean> {
    const { width } = this.#options;
    for (let from = 0; from < candidates.length && !this.#isOver; from += width) {
      const batch = candidates.slice(from, from + width);
      const attempts = await this.#try(step, batch);
      const found = attempts.findIndex((attempt) => this.#fails(attempt));
      if (found < 0) continue;
      this.#settle(batch[found]!, attempts[found]!);
      return true;
    }
    return false;
  }

  /** As many as may still be tried; those left out have no attempt. */
  async #try(step: string, candidates: readonly ScenarioSpec[]): Promise<readonly Attempt[]> {
    const { run, maxRuns, onProgress } = this.#options;
    const affordable = candidates.slice(0, maxRuns - this.runs);
    if (affordable.length === 0) return [];
    onProgress?.({ step, runs: this.runs, faults: this.best.faults.length });
    this.runs += affordable.length;
    return await run(affordable);
  }

  #fails(attempt: Attempt | undefined): boolean {
    return attempt?.failure === this.#failure;
  }

  /** A violation ends a run: whatever was to come after it makes no difference. */
  #settle(spec: ScenarioSpec, { lastedUs }: Attempt): void {
    this.best = upTo(spec, lastedUs);
  }
}

/** Ends soon after a moment, when it would end later. */
function upTo(spec: ScenarioSpec, us: number): ScenarioSpec {
  const end = us + MARGIN_US;
  if (end >= parseSpan(spec.duration)!) return spec;
  return {
    ...spec,
    duration: formatSpan(end),
    faults: spec.faults.filter(({ at }) => at === undefined || parseSpan(at)! <= us),
  };
}
