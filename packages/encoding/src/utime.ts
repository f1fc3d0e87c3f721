import { civilDate } from './civil-date.ts';
import type { UTime } from './types.ts';

/** Times below this many seconds are spans or unset, and printed as plain seconds (utime_t's operator<<). */
const TEN_YEARS_SEC = 60 * 60 * 24 * 365 * 10;
const DAY_SEC = 86400;

/** Negative when `a` is earlier, 0 when they are the same. */
export function compareUTimes(a: UTime, b: UTime): number {
  return a.sec - b.sec || a.nsec - b.nsec;
}

/** That time, so many seconds later; earlier when negative. Fractions count to the microsecond. */
export function addSeconds({ sec, nsec }: UTime, seconds: number): UTime {
  const whole = Math.floor(seconds);
  const nanoseconds = nsec + Math.round((seconds - whole) * 1e6) * 1000;
  const carried = Math.floor(nanoseconds / 1e9);
  return { sec: sec + whole + carried, nsec: nanoseconds - carried * 1e9 };
}

/** `2026-11-23T15:08:12.514291+0000`, as Ceph prints a stamp where the time zone is UTC; a time of zero is `0.000000`. */
export function formatUTime({ sec, nsec }: UTime): string {
  const micros = digits(Math.floor(nsec / 1000), 6);
  if (sec < TEN_YEARS_SEC) return `${sec}.${micros}`;
  const { year, month, day } = civilDate(Math.floor(sec / DAY_SEC));
  const rest = sec % DAY_SEC;
  const time = [Math.floor(rest / 3600), Math.floor(rest / 60) % 60, rest % 60]
    .map((part) => digits(part, 2))
    .join(':');
  return `${year}-${digits(month, 2)}-${digits(day, 2)}T${time}.${micros}+0000`;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}
