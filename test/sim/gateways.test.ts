/**
 * Clients share objects and versions through gateways that crash, upon a cluster that fails.
 *
 *     SEED=7 npx vitest run test/sim/gateways.test.ts        one seed; SEEDS=100 FROM=1: many
 */
import { problemsOf, runScenario } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';

const { SEED, SEEDS, FROM } = process.env;
const seeds = SEED ? [Number(SEED)] : Array.from({ length: Number(SEEDS ?? 8) }, (_, i) => Number(FROM ?? 1) + i);

test.each(seeds)(
  'gateways that crash lose nothing, show no half, and leave nothing of what they finished (seed %i)',
  async (seed) => {
    const report = await runScenario({ scenario: 'gateways', seed });

    expect(problemsOf(report), report.replay).toEqual([]);
    expect(report.stats['requests']).toBeGreaterThan(50);
  },
  300_000,
);

test('one seed, one history of gateways', async () => {
  const run = () => runScenario({ scenario: 'gateways', seed: 2, virtualSeconds: 8 });

  expect((await run()).digest).toBe((await run()).digest);
}, 300_000);
