import { expect, test } from 'vitest';
import { addSeconds } from './utime.ts';

test.each([
  [{ sec: 10, nsec: 5 }, 3, { sec: 13, nsec: 5 }],
  [{ sec: 10, nsec: 5 }, -3, { sec: 7, nsec: 5 }],
  [{ sec: 10, nsec: 600_000_000 }, 0.5, { sec: 11, nsec: 100_000_000 }],
  [{ sec: 10, nsec: 100_000_000 }, -0.25, { sec: 9, nsec: 850_000_000 }],
])('%j and %d seconds', (time, seconds, sum) => {
  expect(addSeconds(time, seconds)).toEqual(sum);
});
