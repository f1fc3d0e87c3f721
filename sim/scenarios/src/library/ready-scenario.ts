import type { Scenario } from '../scenario.ts';
import { type ScenarioInput, scenarioSchema } from '../spec.ts';

/** A scenario that asks one question; the seed draws what the answer does not hang on. */
export function readyScenario(
  name: string,
  summary: string,
  draw: (seed: number) => Omit<ScenarioInput, 'name'>,
): Scenario {
  return { name, source: name, summary, isDrawn: false, draw: (seed) => scenarioSchema.parse({ name, ...draw(seed) }) };
}
