/** Times as people write them: `90`, `1h30m`, `2 days` (parse_timespan, common/ceph_time.cc). */
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const SECONDS: Readonly<Record<string, number>> = {
  ...{ s: 1, sec: 1, second: 1, seconds: 1 },
  ...{ m: MINUTE, min: MINUTE, minute: MINUTE, minutes: MINUTE },
  ...{ h: HOUR, hr: HOUR, hour: HOUR, hours: HOUR },
  ...{ d: DAY, day: DAY, days: DAY },
  ...{ w: 7 * DAY, wk: 7 * DAY, week: 7 * DAY, weeks: 7 * DAY },
  ...{ mo: 30 * DAY, month: 30 * DAY, months: 30 * DAY },
  ...{ y: 365 * DAY, yr: 365 * DAY, year: 365 * DAY, years: 365 * DAY },
};
/** What Ceph counts in does not go further. */
const MAX_VALUE = 2n ** 63n - 1n;

export type Timespan = { readonly seconds: number } | { readonly problem: string };

/** Seconds, or in Ceph's words why the text is no span of time; none is one as well. */
export function parseTimespan(text: string): Timespan {
  const blank = /\s*/y;
  const digits = /\d*/y;
  const letters = /[A-Za-z]*/y;
  let at = 0;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [taken] = pattern.exec(text)!;
    at += taken.length;
    return taken;
  };
  let seconds = 0;
  for (;;) {
    take(blank);
    if (at >= text.length) return { seconds };
    const number = take(digits);
    if (number === '') return { problem: 'expected digit' };
    if (BigInt(number) > MAX_VALUE) return { problem: `The option value '${number}' seems to be invalid` };
    take(blank);
    const unit = take(letters);
    const factor = unit === '' ? 1 : Object.hasOwn(SECONDS, unit) ? SECONDS[unit] : undefined;
    if (factor === undefined) return { problem: `unrecogized unit '${unit}'` };
    if (unit === '' && at < text.length) return { problem: `unexpected trailing '${text.slice(at)}'` };
    seconds += Number(number) * factor;
  }
}
