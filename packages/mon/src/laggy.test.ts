import { expect, test } from 'vitest';
import { remaining } from './laggy.ts';

test.each([0, 0.25, 1 / 3, 0.5, 1, 1.5, 7.77, 40, 2000])(
  'what is known of an OSD fades by halves (%d half-lives)',
  (n) => {
    expect(Math.abs(remaining(n) - 0.5 ** n)).toBeLessThan(1e-11);
  },
);

test('a wall clock that is set back by a day makes no monitor wait longer for an OSD than just after it was learnt', () => {
  expect(remaining(-24)).toBe(1);
});
