import { expect, test } from 'vitest';
import { Lab } from '../lab.ts';
import { standard } from '../library/standard.ts';

test.each([1, 3, 5])('what a storm did, written down, makes the same run again (seed %i)', (seed) => {
  const { storm, ...rest } = { ...standard.draw(seed), duration: '30s' };
  const drawn = new Lab({ ...rest, storm }, seed).run();
  const again = new Lab({ ...rest, faults: [...drawn.script] }, seed).run();

  expect(drawn.script.length).toBeGreaterThan(1);
  // The digests are of draws as well.
  expect([again.stats, again.script]).toEqual([drawn.stats, drawn.script]);
});
