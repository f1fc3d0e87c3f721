/** What `import ... from 'spirula/sim'` gives to those who write scenarios. */
import type { ScenarioInput } from '@spirula/sim-scenarios';
import type { SeededRandom } from '@spirula/sim-world';

export type { ScenarioInput };

/** A scenario, or a function that draws one from the seed: for the default export of a scenario's file. */
export function defineScenario<T extends ScenarioInput | ((random: SeededRandom) => ScenarioInput)>(scenario: T): T {
  return scenario;
}
