import { expect, test } from 'vitest';
import { civilDate, daysFromCivil } from './index.ts';

test('every day from 1899 to 2101 has the date that the host gives it, and goes back to the same day', () => {
  const wrong: number[] = [];
  for (let days = -26000; days < 48000; days++) {
    const date = new Date(days * 86_400_000);
    const civil = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    const same = JSON.stringify(civilDate(days)) === JSON.stringify(civil) && daysFromCivil(civil) === days;
    if (!same) wrong.push(days);
  }

  expect(wrong).toEqual([]);
});

test('a date that no calendar has is no day', () => {
  for (const [year, month, day] of [
    [2023, 2, 29],
    [2000, 2, 30],
    [2023, 4, 31],
    [2023, 13, 1],
    [2023, 0, 1],
    [2023, 1, 0],
    [2023, 1, 32],
  ] as const) {
    expect(daysFromCivil({ year, month, day })).toBeUndefined();
  }
});
