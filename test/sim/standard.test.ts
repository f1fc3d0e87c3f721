import { runScenario } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';

/** `SEED=31 npx vitest run test/sim/standard.test.ts` replays one; `SEEDS=200` runs more. */
const FIRST_SEED = 1;
const count = Number(process.env['SEEDS'] ?? 50);
const seeds = process.env['SEED']
  ? [Number(process.env['SEED'])]
  : Array.from({ length: count }, (_, i) => FIRST_SEED + i);

test.each(seeds)(
  'nothing acknowledged is lost or changed, and all heals (seed %i)',
  async (seed) => {
    const report = await runScenario({ scenario: 'standard', seed });

    expect(report.violations, report.replay).toEqual([]);
    expect(report.unclean, report.replay).toEqual([]);
  },
  300_000,
);

test('one seed, one history', async () => {
  const run = () => runScenario({ scenario: 'standard', seed: 7, virtualSeconds: 40 });

  expect((await run()).digest).toBe((await run()).digest);
}, 300_000);
