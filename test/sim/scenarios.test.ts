/**
 * The ready scenarios: each question has the answer that Ceph's documentation and measurements give, whatever the seed.
 * `SEED=3 npx vitest run test/sim/scenarios.test.ts -t flapping` runs one; `SEEDS=10` runs more of each.
 */
import { listScenarios, printReport, problemsOf, runScenario } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';

const FIRST_SEED = 1;
const count = Number(process.env['SEEDS'] ?? 1);
const seeds = process.env['SEED']
  ? [Number(process.env['SEED'])]
  : Array.from({ length: count }, (_, i) => FIRST_SEED + i);
/** Those that draw their misfortune, and expect nothing but that all is well, have tests of their own. */
const READY = listScenarios().filter(({ isDrawn }) => !isDrawn);
const CASES = READY.flatMap(({ name }) => seeds.map((seed) => [name, seed] as const));

test.each(CASES)(
  '%s: all is as expected (seed %i)',
  async (scenario, seed) => {
    const report = await runScenario({ scenario, seed });

    expect(problemsOf(report), printReport(report)).toEqual([]);
  },
  300_000,
);

test.each(READY)('$name says what it asks, what to watch, and what it expects', ({ draw }) => {
  const { question, watch = [], expect: expectations } = draw(1);

  expect(question).toMatch(/\?$/);
  expect(watch.length).toBeGreaterThanOrEqual(2);
  expect(expectations.length).toBeGreaterThanOrEqual(5);
});
