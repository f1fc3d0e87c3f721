/** The forms that a time has in S3: HTTP dates in headers, ISO 8601 in documents and signatures. All in UTC. */
import { civilDate, daysFromCivil, type UTime } from '@spirula/encoding';

const DAY_SEC = 86400;
const weekdays = ['Thu', 'Fri', 'Sat', 'Sun', 'Mon', 'Tue', 'Wed'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

interface Parts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

function split(sec: number): Parts {
  const days = Math.floor(sec / DAY_SEC);
  const rest = sec - days * DAY_SEC;
  return {
    ...civilDate(days),
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
  };
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 7231, IMF-fixdate): `Last-Modified`, `Date`. */
export function formatHttpDate({ sec }: UTime): string {
  const { year, month, day, hour, minute, second } = split(sec);
  const weekday = weekdays[Math.floor(sec / DAY_SEC) % 7]!;
  return `${weekday}, ${two(day)} ${months[month - 1]} ${year} ${two(hour)}:${two(minute)}:${two(second)} GMT`;
}

/** `2009-10-12T17:50:30.123Z`, as documents have it (rgw_to_iso8601). */
export function formatIsoDate({ sec, nsec }: UTime): string {
  const millis = String(Math.floor(nsec / 1e6)).padStart(3, '0');
  return `${isoSecond(sec)}.${millis}Z`;
}

/** Lists have many times of the same second. */
let lastSecond = { sec: 0, text: '1970-01-01T00:00:00' };

function isoSecond(sec: number): string {
  if (sec === lastSecond.sec) return lastSecond.text;
  const { year, month, day, hour, minute, second } = split(sec);
  const text = `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}`;
  lastSecond = { sec, text };
  return text;
}

/** `20130524T000000Z`, as signatures of version 4 have it. */
export function formatBasicDate({ sec }: UTime): string {
  const { year, month, day, hour, minute, second } = split(sec);
  return `${year}${two(month)}${two(day)}T${two(hour)}${two(minute)}${two(second)}Z`;
}

const name = '[A-Za-z]+';
const time = '(\\d{2}):(\\d{2}):(\\d{2})';
const rfc1123 = new RegExp(`^${name}, (\\d{1,2}) (${name}) (\\d{4}) ${time} +(GMT|UTC|[+-]\\d{4})$`);
const rfc850 = new RegExp(`^${name}, (\\d{1,2})-(${name})-(\\d{2}) ${time} +(GMT|UTC)$`);
const asctime = new RegExp(`^${name} (${name}) +(\\d{1,2}) ${time} (\\d{4})$`);

/** The seconds of an HTTP date in any of its three forms, or with a zone in figures (`+0100`); undefined when it is none. */
export function parseHttpDate(text: string): number | undefined {
  const trimmed = text.trim();
  let match = rfc1123.exec(trimmed);
  if (match) {
    const [, day, month, year, hour, minute, second, zone] = match;
    const sec = secondsOf(year!, monthOf(month!), day!, hour!, minute!, second!);
    return sec === undefined ? undefined : sec - zoneSeconds(zone!);
  }
  match = rfc850.exec(trimmed);
  if (match) {
    const [, day, month, year, hour, minute, second] = match;
    // strptime's %y: 69 to 99 are of the last century.
    const century = Number(year) >= 69 ? 1900 : 2000;
    return secondsOf(String(century + Number(year)), monthOf(month!), day!, hour!, minute!, second!);
  }
  match = asctime.exec(trimmed);
  if (!match) return undefined;
  const [, month, day, hour, minute, second, year] = match;
  return secondsOf(year!, monthOf(month!), day!, hour!, minute!, second!);
}

/** `20130524T000000Z`; undefined when it is not of this form. */
export function parseBasicDate(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return secondsOf(year!, Number(month), day!, hour!, minute!, second!);
}

/** `2009-10-12T17:50:30.123Z`, with or without a fraction; undefined when it is not of this form. */
export function parseIsoDate(text: string): UTime | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9})\d*)?Z?$/.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction] = match;
  const sec = secondsOf(year!, Number(month), day!, hour!, minute!, second!);
  return sec === undefined ? undefined : { sec, nsec: Number((fraction ?? '').padEnd(9, '0')) };
}

/** `2026-11-30`, or with a time of UTC behind it: seconds (utime_t::parse_date). Undefined: it is no date. */
export function parseDate(text: string): bigint | undefined {
  const date = parseIsoDate(/^\d{4}-\d{2}-\d{2}$/.test(text.trim()) ? `${text.trim()}T00:00:00` : text);
  return date === undefined || date.sec < 0 ? undefined : BigInt(date.sec);
}

/** 0 for none. */
function monthOf(text: string): number {
  return months.findIndex((month) => month.toLowerCase() === text.slice(0, 3).toLowerCase()) + 1;
}

function zoneSeconds(zone: string): number {
  if (!/^[+-]/.test(zone)) return 0;
  const seconds = Number(zone.slice(1, 3)) * 3600 + Number(zone.slice(3)) * 60;
  return zone.startsWith('-') ? -seconds : seconds;
}

function secondsOf(
  year: string,
  month: number,
  day: string,
  hour: string,
  minute: string,
  second: string,
): number | undefined {
  const days = daysFromCivil({ year: Number(year), month, day: Number(day) });
  // A 60th second is a leap second.
  if (days === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  return days * DAY_SEC + Number(hour) * 3600 + Number(minute) * 60 + Number(second);
}
