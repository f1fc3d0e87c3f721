/** What swarms have done so far, added up over runs, in a file. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from '../cluster/user-error.ts';
import type { SeedResult } from './seed-pool.ts';

const count = z.int().min(0);
const tally = z.strictObject({ runs: count, failed: count });

const stateSchema = z.strictObject({
  format: z.literal(1),
  /** Runs are numbered; the next begins here. */
  next: count,
  runs: count,
  failed: count,
  events: count,
  virtualSeconds: count,
  wallSeconds: z.number().min(0),
  scenarios: z.record(z.string(), tally),
  /** By the hash of the program that ran them: a change of the program makes other histories of the same seeds. */
  builds: z.record(z.string(), tally),
  failures: z.array(
    z.strictObject({ scenario: z.string(), seed: count, problem: z.string(), replay: z.string(), build: z.string() }),
  ),
});

type State = z.output<typeof stateSchema>;

/** Failures that are kept; of more only the number. */
const MAX_FAILURES = 1000;
const BUILD_FOLDER = fileURLToPath(new URL('.', import.meta.url));

export class SwarmState {
  readonly #path: string;
  readonly #state: State;
  /** Which program runs now. */
  readonly build = hashBuild();

  /** @throws UserError when the file is there and says something else */
  constructor(path: string) {
    this.#path = path;
    this.#state = existsSync(path) ? readState(path) : emptyState();
  }

  get next(): number {
    return this.#state.next;
  }

  /** Numbers one run. */
  takeNumber(): number {
    const number = this.#state.next;
    this.#state.next += 1;
    return number;
  }

  add({ source, seed, problems, replay, events, virtualSeconds }: SeedResult): void {
    const state = this.#state;
    const failed = problems.length > 0;
    state.events += events;
    state.virtualSeconds += virtualSeconds;
    state.scenarios[source] ??= { runs: 0, failed: 0 };
    state.builds[this.build] ??= { runs: 0, failed: 0 };
    for (const each of [state, state.scenarios[source], state.builds[this.build]!]) {
      each.runs += 1;
      if (failed) each.failed += 1;
    }
    if (!failed || state.failures.length >= MAX_FAILURES) return;
    const [problem] = problems as [string];
    state.failures.push({ scenario: source, seed, problem: problem.split('\n')[0]!, replay, build: this.build });
  }

  addTime(seconds: number): void {
    this.#state.wallSeconds += seconds;
  }

  save(): void {
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, `${JSON.stringify(this.#state, undefined, 2)}\n`);
    renameSync(temporary, this.#path);
  }

  /** For people. */
  summary(): string {
    const { runs, failed, virtualSeconds, wallSeconds, scenarios, builds } = this.#state;
    const now = builds[this.build] ?? { runs: 0, failed: 0 };
    const width = Math.max(8, ...Object.keys(scenarios).map((name) => name.length));
    const lines = Object.entries(scenarios).map(
      ([name, each]) => `  ${name.padEnd(width)}  ${String(each.runs).padStart(6)} runs, ${each.failed} failed`,
    );
    const days = (virtualSeconds / 86_400).toFixed(1);
    return [
      `All swarms in ${this.#path}: ${runs} runs, ${failed} failed; ${days} days of virtual time in ${(wallSeconds / 60).toFixed(1)} min.`,
      `This program alone: ${now.runs} runs, ${now.failed} failed.`,
      ...lines,
    ].join('\n');
  }
}

function emptyState(): State {
  return {
    ...{ format: 1, next: 0, runs: 0, failed: 0, events: 0, virtualSeconds: 0, wallSeconds: 0 },
    ...{ scenarios: {}, builds: {}, failures: [] },
  };
}

function readState(path: string): State {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const [why] = (error as Error).message.split('\n');
    throw new UserError(`${path} is no state of a swarm (${why}): name another file with --state, or remove it.`);
  }
}

function hashBuild(): string {
  const hash = createHash('sha256');
  const names = readdirSync(BUILD_FOLDER).filter((name) => name.endsWith('.mjs'));
  for (const name of names.sort()) hash.update(readFileSync(BUILD_FOLDER + name));
  return hash.digest('hex').slice(0, 12);
}
