/** What `import ... from 'spirula/sim'` gives to those who write scenarios. */
import type { ScenarioInput } from '@spirula/sim-scenarios/spec';

export type { ScenarioInput };

/** Chance, from the seed: the same seed draws the same. */
export interface Draw {
  /** Uniform integer in 0 .. bound-1. */
  below(bound: number): number;
  /** Uniform integer in low .. high, both included. */
  between(low: number, high: number): number;
  /** True once in `n` times. */
  oneIn(n: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** The list in another order. */
  shuffle<T>(list: readonly T[]): T[];
}

/** A scenario, or a function that draws one from the seed: for the default export of a scenario's file. */
export function defineScenario(scenario: ScenarioInput | ((random: Draw) => ScenarioInput)): typeof scenario {
  return scenario;
}
