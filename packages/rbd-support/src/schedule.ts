/** When something is to be done, again and again (rbd_support/schedule.py: Interval, StartTime, Schedule). */
import type { Json } from './python-json.ts';
import { invalid, Refusal } from './refusal.ts';

const DAY = 24 * 60;
const HOUR = 60;
const MINUTES = { d: DAY, h: HOUR, m: 1 } as const;

export interface StartTime {
  /** As it is shown: `14:00:00-05:00`. */
  readonly text: string;
  /** Of the day; with a zone, plus what that is ahead of UTC, as 16.2 counts. */
  readonly minutes: number;
}

export interface ScheduleItem {
  /** Minutes. */
  readonly interval: number;
  readonly start: StartTime | undefined;
}

/** `1d`, `2h`, `30m`; a number is of minutes. @throws Refusal */
export function parseInterval(text: string): number {
  const [, digits, unit = 'm'] = /^(\d+)(d|h|m)?$/.exec(text) ?? [];
  const minutes = Number(digits) * MINUTES[unit as keyof typeof MINUTES];
  if (digits === undefined || minutes === 0 || !Number.isSafeInteger(minutes)) {
    throw invalid(`Invalid interval (${text})`);
  }
  return minutes;
}

export function formatInterval(minutes: number): string {
  if (minutes % DAY === 0) return `${minutes / DAY}d`;
  return minutes % HOUR === 0 ? `${minutes / HOUR}h` : `${minutes}m`;
}

/** A time of ISO 8601, with or without a date, which does not count. Undefined where there is none. @throws Refusal */
export function parseStartTime(text: string | undefined): StartTime | undefined {
  if (text === undefined || text === '') return undefined;
  const match =
    /^(?:\d{4}-?\d\d-?\d\d[T ])?T?([01]?\d|2[0-3]):([0-5]?\d)(?::[0-5]\d(?:\.\d+)?)?(?: ?(Z|UTC)|([+-])(\d\d):?(\d\d)?)?$/.exec(
      text,
    );
  if (!match) throw invalid(`Invalid start time ${text}: Unknown string format: ${text}`);
  const [, hour = '', minute = '', utc, sign, zoneHours = '', zoneMinutes = '0'] = match;
  const clock = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}:00`;
  const ofDay = Number(hour) * HOUR + Number(minute);
  if (utc !== undefined) return { text: `${clock}+00:00`, minutes: ofDay };
  if (sign === undefined) return { text: clock, minutes: ofDay };
  const ahead = (sign === '-' ? -1 : 1) * (Number(zoneHours) * HOUR + Number(zoneMinutes));
  const zone = `${sign}${zoneHours}:${zoneMinutes.padStart(2, '0')}`;
  return { text: `${clock}${zone}`, minutes: ofDay + ((ahead + DAY) % DAY) };
}

export class Schedule {
  #items: readonly ScheduleItem[];

  constructor(items: readonly ScheduleItem[] = []) {
    this.#items = items;
  }

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  /** One that is there already is not there twice. */
  add(item: ScheduleItem): void {
    this.#items = [...this.#items.filter((each) => !isSame(each, item)), item];
  }

  remove(item: ScheduleItem): void {
    this.#items = this.#items.filter((each) => !isSame(each, item));
  }

  /** The first time after `nowSeconds`, in minutes since 1970. Not of an empty one. */
  nextRun(nowSeconds: number): number {
    const times = this.#items.map(({ interval, start }) => {
      const from = start?.minutes ?? 0;
      return from + (Math.trunc((nowSeconds / 60 - from) / interval) + 1) * interval;
    });
    return Math.min(...times);
  }

  describe(): readonly { readonly [name: string]: Json }[] {
    return this.#items.map(({ interval, start }) => ({
      interval: formatInterval(interval),
      start_time: start?.text ?? null,
    }));
  }
}

function isSame(a: ScheduleItem, b: ScheduleItem): boolean {
  return a.interval === b.interval && a.start?.minutes === b.start?.minutes;
}

/** Undefined: it is none. */
export function parseSchedule(text: string): Schedule | undefined {
  try {
    const items: unknown = JSON.parse(text);
    return Array.isArray(items) ? new Schedule(items.map(parseItem)) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Refusal) return undefined;
    throw error;
  }
}

/** @throws Refusal */
function parseItem(item: unknown): ScheduleItem {
  const { interval, start_time } = (item ?? {}) as Partial<Record<string, unknown>>;
  if (typeof interval !== 'string') throw invalid('no interval');
  return {
    interval: parseInterval(interval),
    start: parseStartTime(typeof start_time === 'string' ? start_time : undefined),
  };
}
