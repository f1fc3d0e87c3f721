import { expect, test } from 'vitest';
import { MAX_DRIFT_PPM, outlast } from './drift.ts';

const MILLION = 1_000_000;

/** What a clock that was started `phase` of a microsecond ago shows, as all clocks do, in whole ones. */
function shows(trueUs: number, driftPpm: number, phase: number): number {
  return Math.floor((trueUs * (MILLION + driftPpm)) / MILLION + phase);
}

/** True microseconds until a clock shows `countedUs` more than when it was looked at. */
function lasts(countedUs: number, driftPpm: number, phase: number): number {
  let trueUs = Math.floor(((countedUs - phase) * MILLION) / (MILLION + driftPpm)) - 1;
  while (shows(trueUs, driftPpm, phase) < countedUs) trueUs += 1;
  return trueUs;
}

test.each([1, 999, 8_000_000, 16_000_000, 300_000_000])(
  'whoever outlasts %i us on a fast clock is done no sooner than a slow one that counts it',
  (durationUs) => {
    for (const [here, there] of [
      [MAX_DRIFT_PPM, -MAX_DRIFT_PPM],
      [0, -MAX_DRIFT_PPM],
      [MAX_DRIFT_PPM, 0],
    ] as const) {
      for (const phase of [0, 0.999]) {
        expect(lasts(outlast(durationUs), here, phase)).toBeGreaterThanOrEqual(lasts(durationUs, there, 0));
      }
    }
  },
);

test('the margin is about 2 in 1,000, and not more', () => {
  expect(outlast(16_000_000)).toBe(16_032_034);
});
