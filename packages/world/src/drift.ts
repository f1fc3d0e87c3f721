import type { Instant } from './world.ts';

/**
 * How far the monotonic clock of a daemon may be from true time, in parts per million, for what rests on leases to be safe:
 * 1 in 1,000, twenty times what a quartz crystal does. Two clocks, one slow and one fast, are then up to
 * 2 D / (1 - D), about 2 in 1,000, apart. Beyond it a cut-off primary may go on serving reads while another takes writes.
 */
export const MAX_DRIFT_PPM = 1000;

const MILLION = 1_000_000;

/**
 * How long this daemon has to count so that another, counting `durationUs` from the same moment or an earlier one, is done,
 * whichever of the two clocks is fast and whichever slow within `MAX_DRIFT_PPM`.
 *
 *    other   counts durationUs at rate 1 - D: it is done after durationUs / (1 - D) of true time
 *    this    counts at rate 1 + D: in that time it shows durationUs (1 + D) / (1 - D)
 *
 * One microsecond more, because a clock shows whole ones: the first may be over when counting begins.
 *
 * @param durationUs exact up to 2^52 / 1,000, some 52 days
 */
export function outlast(durationUs: Instant): Instant {
  return durationUs + Math.ceil((durationUs * 2 * MAX_DRIFT_PPM) / (MILLION - MAX_DRIFT_PPM)) + 1;
}
