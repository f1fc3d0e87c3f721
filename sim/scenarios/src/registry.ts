import type { TraceSink } from '@spirula/sim-world';
import type { Report, Scenario } from './scenario.ts';
import { standard } from './standard.ts';

const scenarios: readonly Scenario[] = [standard];

export function scenarioNames(): string[] {
  return scenarios.map(({ name }) => name);
}

interface RunOptions {
  readonly name: string;
  readonly seed: number;
  /** How long faults last; the scenario's own time when left out. */
  readonly virtualSeconds?: number;
  /** Is told all that happens; changes nothing. */
  readonly trace?: TraceSink;
}

/**
 * Runs a scenario. One seed, one history.
 *
 * @throws RangeError when there is none of that name.
 */
export function runScenario({ name, seed, virtualSeconds, trace }: RunOptions): Report {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new RangeError(`there is no scenario ${name}`);
  const outcome = scenario.run({
    seed,
    virtualSeconds: virtualSeconds ?? scenario.virtualSeconds,
    ...(trace && { trace }),
  });
  const until = virtualSeconds === undefined ? '' : ` --until ${virtualSeconds}s`;
  return { ...outcome, scenario: name, seed, replay: `npx spirula sim run ${name} --seed ${seed}${until}` };
}
