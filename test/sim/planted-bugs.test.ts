/**
 * Whether the simulator finds what it is there to find: some of the planted bugs, of different kinds and quick to find; the others are
 * looked for by `npm run planted`.
 */
import { expect, test } from 'vitest';
import { Control, hunt } from './hunt.ts';
import { bundleScenarios, sourceWith } from './planted-bug.ts';
import { PLANTED_BUGS } from './planted-bugs.ts';

const MAX_SEEDS = 20;
const TIMEOUT_MS = 600_000;
const QUICK = ['half-is-majority', 'commit-alone', 'ack-before-flush', 'cut-end-kept', 'request-runs-twice', 'new-tid'];

const control = new Control();

test.each(PLANTED_BUGS.filter(({ id }) => QUICK.includes(id)))(
  '$name: caught, and nothing is where it was not planted',
  async (bug) => {
    const { verdict, seeds, others } = await hunt(bug, MAX_SEEDS);

    expect(
      verdict,
      `not caught under ${seeds} seeds; for other reasons: ${others.join('\n') || 'never'}`,
    ).toBeDefined();
    expect(await control.check(bug.scenario, seeds)).toEqual([]);
  },
  TIMEOUT_MS,
);

test('a bug whose place is gone is not taken for caught', async () => {
  const bug = { ...PLANTED_BUGS[0]!, snippet: 'no such code' };

  await expect(bundleScenarios(bug)).rejects.toThrow('its snippet is 0 times in');
});

test.each(PLANTED_BUGS)('the place where $id is planted is there, once', (bug) => {
  expect(sourceWith(bug)).toContain(bug.replacement);
});
