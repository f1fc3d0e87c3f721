/** Runs scenarios under one seed after another until a planted bug is caught, and the same seeds without it. */
import { bundleScenarios } from './planted-bug.ts';
import type { PlantedBug } from './planted-bugs.ts';

export interface Catch {
  /** Seeds that were run: the last one caught it, when any did. */
  readonly seeds: number;
  /** What that run said; undefined: not caught. */
  readonly verdict: string | undefined;
  /** Runs that failed, and not for the reason that is to be found. */
  readonly others: readonly string[];
}

/** Seeds from 1 on, `maxSeeds` at most. */
export async function hunt(bug: PlantedBug, maxSeeds: number, onSeed = (_seed: number): void => {}): Promise<Catch> {
  const { runScenario, problemsOf } = await bundleScenarios(bug);
  const others: string[] = [];
  for (let seed = 1; seed <= maxSeeds; seed++) {
    onSeed(seed);
    const problems = problemsOf(await runScenario({ scenario: bug.scenario, seed })).map(
      (each) => each.split('\n')[0]!,
    );
    const verdict = problems.find((each) => bug.verdict.test(each));
    if (verdict !== undefined) return { seeds: seed, verdict, others };
    if (problems.length > 0) others.push(`seed ${seed}: ${problems[0]}`);
  }
  return { seeds: maxSeeds, verdict: undefined, others };
}

/** The program as it is: each seed of each scenario runs once. */
export class Control {
  readonly #bundle = bundleScenarios();
  readonly #problems = new Map<string, readonly string[]>();

  get runs(): number {
    return this.#problems.size;
  }

  get failed(): number {
    return [...this.#problems.values()].filter(({ length }) => length > 0).length;
  }

  /** What is wrong with the seeds 1 to `seeds`, though nothing was planted. */
  async check(scenario: string, seeds: number, onSeed = (_seed: number): void => {}): Promise<readonly string[]> {
    const { runScenario, problemsOf } = await this.#bundle;
    const found: string[] = [];
    for (let seed = 1; seed <= seeds; seed++) {
      const key = `${scenario}, seed ${seed}`;
      let problems = this.#problems.get(key);
      if (problems === undefined) {
        onSeed(seed);
        problems = problemsOf(await runScenario({ scenario, seed }));
        this.#problems.set(key, problems);
      }
      found.push(...problems.map((each) => `${key}: ${each.split('\n')[0]}`));
    }
    return found;
  }
}
