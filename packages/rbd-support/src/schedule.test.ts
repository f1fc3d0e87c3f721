import { expect, test } from 'vitest';
import { minuteText } from './clock-text.ts';
import { formatInterval, parseInterval, parseSchedule, parseStartTime, Schedule } from './schedule.ts';

type Items = readonly (readonly [interval: string, start?: string])[];

function scheduleOf(items: Items): Schedule {
  const schedule = new Schedule();
  for (const [interval, start] of items) {
    schedule.add({ interval: parseInterval(interval), start: parseStartTime(start) });
  }
  return schedule;
}

// All of these were given by 16.2.15's own Schedule.next_run.
const runs: readonly (readonly [Items, string, string])[] = [
  [[['1h']], '2026-12-01 11:17:16', '2026-12-01 12:00:00'],
  [[['1h']], '2026-12-01 12:30:00', '2026-12-01 13:00:00'],
  [[['1h']], '2026-12-31 23:59:59', '2027-01-01 00:00:00'],
  [[['10m', '14:00-05:00']], '2026-12-01 11:17:16', '2026-12-01 11:20:00'],
  [[['10m', '14:00-05:00']], '2026-12-01 12:30:00', '2026-12-01 12:40:00'],
  [[['1d', '12:30']], '2026-12-01 11:17:16', '2026-12-01 12:30:00'],
  [[['1d', '12:30']], '2026-12-01 12:30:00', '2026-12-02 12:30:00'],
  [[['2d', '12:30'], ['7h']], '2026-12-01 11:17:16', '2026-12-01 12:30:00'],
  [[['2d', '12:30'], ['7h']], '2026-12-01 12:30:00', '2026-12-01 13:00:00'],
  [[['2d', '12:30'], ['7h']], '2026-12-31 23:59:59', '2027-01-01 04:00:00'],
  [[['90m', '00:10+05:30']], '2026-12-01 11:17:16', '2026-12-01 11:40:00'],
  [[['90m', '00:10+05:30']], '2026-12-31 23:59:59', '2027-01-01 01:10:00'],
  [[['3h', '23:59Z']], '2026-12-01 12:30:00', '2026-12-01 14:59:00'],
  [[['45', '01:02:03']], '2026-12-31 23:59:59', '2027-01-01 00:17:00'],
];

test.each(runs)('%j is next due after %s at %s', (items, now, next) => {
  const at = scheduleOf(items).nextRun(Date.parse(`${now.replace(' ', 'T')}Z`) / 1000);

  expect(minuteText(at)).toBe(next);
});

test.each([
  ['14:00-05:00', '14:00:00-05:00', 1980],
  ['12:30', '12:30:00', 750],
  ['00:10+05:30', '00:10:00+05:30', 340],
  ['23:59Z', '23:59:00+00:00', 1439],
  ['01:02:03', '01:02:00', 62],
  ['2020-01-01T04:05', '04:05:00', 245],
  ['2020-01-01 04:05:06+01', '04:05:00+01:00', 305],
  ['T12:00', '12:00:00', 720],
  ['9:5', '09:05:00', 545],
  ['12:00 UTC', '12:00:00+00:00', 720],
])('start time %s is %s', (text, shown, minutes) => {
  expect(parseStartTime(text)).toEqual({ text: shown, minutes });
});

test.each(['25:00', '12:60', 'bogus', '1'])('%s is no start time', (text) => {
  expect(() => parseStartTime(text)).toThrow(`Invalid start time ${text}: Unknown string format: ${text}`);
});

test.each([
  ['1', '1m'],
  ['60m', '1h'],
  ['61', '61m'],
  ['24h', '1d'],
  ['48h', '2d'],
  ['25h', '25h'],
])('interval %s is shown as %s', (text, shown) => {
  expect(formatInterval(parseInterval(text))).toBe(shown);
});

test.each(['', '0', '1w', '-1', '1 h', '99999999999999999d'])('%j is no interval', (text) => {
  expect(() => parseInterval(text)).toThrow(`Invalid interval (${text})`);
});

test('the same is not in a schedule twice, and what was stored is read again', () => {
  const schedule = scheduleOf([['60m'], ['1h'], ['1h', '12:00'], ['60m', '12:00:00']]);
  const described = [
    { interval: '1h', start_time: null },
    { interval: '1h', start_time: '12:00:00' },
  ];

  expect(schedule.describe()).toEqual(described);
  expect(parseSchedule(JSON.stringify(described))?.describe()).toEqual(described);
  schedule.remove({ interval: 60, start: undefined });
  schedule.remove({ interval: 60, start: parseStartTime('12:00') });
  expect(schedule.isEmpty).toBe(true);
});

test.each(['', '{', '{}', '[{"interval": "1x"}]', '[{}]', '[null]'])('%j is no schedule', (text) => {
  expect(parseSchedule(text)).toBeUndefined();
});
