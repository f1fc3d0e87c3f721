import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { PingTimes } from './ping-times.ts';

test('nothing is told of less than a minute', () => {
  const times = new PingTimes();
  times.record(5000, 0);
  times.record(7000, 59 * SECOND);

  expect(times.averages).toEqual([]);
});

test('a minute is the mean of its answers, and stands for all before it', () => {
  const times = new PingTimes();
  times.record(5000, 0);
  times.record(7000, 60 * SECOND);

  expect(times.averages).toEqual([6000, 6000, 6000]);
});

test('longer times are the means of their minutes, and what is older than a quarter of an hour is forgotten', () => {
  const times = new PingTimes();
  times.record(1000, 0);
  for (let minute = 1; minute <= 20; minute++) times.record(minute * 1000, minute * 60 * SECOND);

  // Of minutes 1 to 20: the last, 16 to 20, and 6 to 20.
  expect(times.averages).toEqual([20_000, 18_000, 13_000]);
});
