import type { TraceSink } from '@spirula/sim-world';
import { Lab } from './lab.ts';
import { clockSkew } from './library/clock-skew.ts';
import { cutOffPrimary } from './library/cut-off-primary.ts';
import { degradedWrites } from './library/degraded-writes.ts';
import { flapping } from './library/flapping.ts';
import { gateways } from './library/gateways.ts';
import { hostile } from './library/hostile.ts';
import { leaderLoss } from './library/leader-loss.ts';
import { lossy } from './library/lossy.ts';
import { majorityLoss } from './library/majority-loss.ts';
import { managerLoss } from './library/manager-loss.ts';
import { osdDownThreeWays } from './library/osd-down-three-ways.ts';
import { powerLossEverywhere } from './library/power-loss-everywhere.ts';
import { splitNetwork } from './library/split-network.ts';
import { standard } from './library/standard.ts';
import { wrongFailureDomain } from './library/wrong-failure-domain.ts';
import type { Report, Scenario } from './scenario.ts';
import { formatSpan } from './span.ts';
import type { ScenarioSpec } from './spec.ts';
import { TraceRecorder } from './trace-recorder.ts';

const scenarios: readonly Scenario[] = [
  standard,
  hostile,
  lossy,
  gateways,
  osdDownThreeWays,
  degradedWrites,
  flapping,
  cutOffPrimary,
  leaderLoss,
  managerLoss,
  majorityLoss,
  clockSkew,
  splitNetwork,
  powerLossEverywhere,
  wrongFailureDomain,
];

/** The ready scenarios. */
export function listScenarios(): readonly Scenario[] {
  return scenarios;
}

/** @throws RangeError when there is none of that name */
export function findScenario(name: string): Scenario {
  const scenario = scenarios.find((each) => each.name === name);
  if (scenario === undefined) throw new RangeError(`there is no scenario ${name}`);
  return scenario;
}

export interface RunOptions {
  /** A scenario, or the name of a ready one. */
  readonly scenario: Scenario | string;
  readonly seed: number;
  /** How long faults last; the scenario's own time when left out. */
  readonly virtualSeconds?: number;
  /** Is told all that happens; changes nothing. */
  readonly trace?: TraceSink;
}

/** What a seed makes of a scenario. @throws RangeError when there is none of that name */
export function drawScenario({ scenario, seed, virtualSeconds }: RunOptions): ScenarioSpec {
  const spec = (typeof scenario === 'string' ? findScenario(scenario) : scenario).draw(seed);
  return virtualSeconds === undefined ? spec : { ...spec, duration: formatSpan(virtualSeconds * 1e6) };
}

/** Runs a scenario to its verdict. One seed, one history. @throws RangeError when there is none of that name */
export async function runScenario(options: RunOptions): Promise<Report> {
  const { scenario, seed, virtualSeconds, trace } = options;
  const { name, source } = typeof scenario === 'string' ? findScenario(scenario) : scenario;
  const lab = new Lab(drawScenario(options), seed);
  if (trace !== undefined) new TraceRecorder(lab.cluster, trace).begin({ scenario: name, config: lab.spec });
  const outcome = await lab.play();
  const until = virtualSeconds === undefined ? '' : ` --until ${virtualSeconds}s`;
  return { ...outcome, scenario: name, seed, replay: `npx spirula sim run ${source} --seed ${seed}${until}` };
}
