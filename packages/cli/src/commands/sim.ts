import { printReport, runScenario, scenarioNames } from '@spirula/sim-scenarios';
import { UserError } from '../cluster/user-error.ts';

export interface SimOptions {
  readonly seed?: number;
  readonly seeds?: string;
}

/** `spirula sim list`. */
export function listScenarios(): void {
  for (const name of scenarioNames()) console.log(name);
}

/** `spirula sim run`: returns 0 when every seed is clean. */
export async function runSim(scenario: string, options: SimOptions): Promise<number> {
  if (!scenarioNames().includes(scenario)) {
    throw new UserError(`There is no scenario ${scenario}. There are: ${scenarioNames().join(' ')}.`);
  }
  const [from, to] = seedRange(options);
  let failed = 0;
  for (let seed = from; seed <= to; seed++) {
    const report = runScenario({ name: scenario, seed });
    const bad = report.violations.length + report.unclean.length > 0;
    if (bad) failed += 1;
    if (from === to) console.log(printReport(report));
    else if (bad)
      console.log(`seed ${seed}: ${[...report.violations, ...report.unclean][0]}\n  replay: ${report.replay}`);
    else if (seed % 25 === 0) console.log(`seed ${seed}: clean so far but for ${failed}`);
  }
  if (from !== to) console.log(`${to - from + 1} seeds, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function seedRange(options: SimOptions): [number, number] {
  if (options.seeds === undefined) return [options.seed ?? 1, options.seed ?? 1];
  const match = /^(\d+)-(\d+)$/.exec(options.seeds);
  if (!match) throw new UserError(`--seeds takes a range such as 1-1000, not ${options.seeds}.`);
  return [Number(match[1]), Number(match[2])];
}
