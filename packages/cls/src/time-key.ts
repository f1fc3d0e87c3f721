/** omap keys in the order of times, as the classes log and timeindex make them: `1_0000000100.000005_`. */
import type { RawString, UTime } from '@spirula/encoding';

/** Before every key, so that others can stand beside them. */
export const TIME_KEY_PREFIX: RawString = '1_';

const NSEC_PER_USEC = 1000;

/** What every key of this microsecond begins with. */
export function timeKeyPrefix({ sec, nsec }: UTime): RawString {
  const usec = Math.floor(nsec / NSEC_PER_USEC);
  return `${TIME_KEY_PREFIX}${String(sec).padStart(10, '0')}.${String(usec).padStart(6, '0')}_`;
}

export function compareTimes(a: UTime, b: UTime): number {
  return a.sec - b.sec || a.nsec - b.nsec;
}
