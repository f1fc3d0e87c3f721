/** Numbers for people, as Ceph's tools print them (include/types.h: byte_u_t, si_u_t; common/TextTable users). */
import { civilDate, type UTime } from '@spirula/encoding';

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
const SI_UNITS = ['', 'k', 'M', 'G', 'T', 'P', 'E'];

/** `%.*f` of C: exact ties go to the even digit. */
export function formatFixed(value: number, digits: number): string {
  const scaled = value * 10 ** digits;
  const floor = Math.floor(scaled);
  if (scaled - floor === 0.5 && floor % 2 === 0) return (floor / 10 ** digits).toFixed(digits);
  return value.toFixed(digits);
}

function formatScaled(value: number, base: number, units: readonly string[], separator: string): string {
  let index = 0;
  let divisor = 1;
  while (value / divisor >= base && index < units.length - 1) {
    divisor *= base;
    index += 1;
  }
  const unit = units[index] ?? '';
  if (value % divisor === 0) return `${value / divisor}${separator}${unit}`;
  // Two decimals, one or none: what fits into five characters with separator and prefix.
  const room = 5 - separator.length - unit.slice(0, 1).length;
  for (const digits of [2, 1]) {
    const text = formatFixed(value / divisor, digits);
    if (text.length <= room) return `${text}${separator}${unit}`;
  }
  return `${formatFixed(value / divisor, 0)}${separator}${unit}`;
}

/** `488 KiB`, `2.1 GiB`. */
export function formatBytes(bytes: number): string {
  return formatScaled(Math.floor(bytes), 1024, BYTE_UNITS, ' ');
}

/** `838`, `1.23k`. */
export function formatCount(count: number): string {
  return formatScaled(Math.floor(count), 1000, SI_UNITS, '');
}

/** Two decimals, and plain `0` below a thousandth (lowprecision_t). */
export function formatLowPrecision(value: number): string {
  return value < 0.001 ? '0' : formatFixed(value, 2);
}

/** `part` of `whole` as `33.333%`. */
export function formatPercentage(part: number, whole: number): string {
  return `${formatFixed((100 * part) / whole, 3)}%`;
}

/** `2026-11-23T15:08:12.514291+0000`; a time of zero is `0.000000`. */
export function formatStamp({ sec, nsec }: UTime): string {
  const micros = String(Math.floor(nsec / 1000)).padStart(6, '0');
  // utime_t prints what is less than ten years as a span.
  if (sec < 10 * 365 * 86_400) return `${sec}.${micros}`;
  const days = Math.floor(sec / 86_400);
  const { year, month, day } = civilDate(days);
  const ofDay = sec - days * 86_400;
  const two = (value: number) => String(value).padStart(2, '0');
  const time = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60, ofDay % 60].map(two).join(':');
  return `${year}-${two(month)}-${two(day)}T${time}.${micros}+0000`;
}

/** `17s`, `5m`, `3h`, `2d`, `9w`, `4M`, `3y`: how long ago (utimespan_str). */
export function formatSpan(seconds: number): string {
  if (seconds < 0) return 'now';
  const minutes = seconds / 60;
  const hours = seconds / 3600;
  const days = seconds / 86_400;
  if (seconds < 120) return `${Math.floor(seconds)}s`;
  if (minutes < 120) return `${Math.floor(minutes)}m`;
  if (hours < 48) return `${Math.floor(hours)}h`;
  if (days < 14) return `${Math.floor(days)}d`;
  if (days / 7 < 12) return `${Math.floor(days / 7)}w`;
  if (days / 30 < 24) return `${Math.floor(days / 30)}M`;
  return `${Math.floor(days / 365)}y`;
}

export function secondsOf({ sec, nsec }: UTime): number {
  return sec + nsec / 1e9;
}
