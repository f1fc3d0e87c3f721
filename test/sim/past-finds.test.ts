/** Each seed that once found something is clean: what it found stays mended. */
import { CORPUS, runScenario } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';

test.each(CORPUS)(
  '$scenario, seed $seed: $found',
  async ({ scenario, seed }) => {
    const report = await runScenario({ scenario, seed });

    expect(report.violations, report.replay).toEqual([]);
    expect(report.unclean, report.replay).toEqual([]);
  },
  300_000,
);
