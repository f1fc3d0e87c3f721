import { expect, test } from 'vitest';
import { formatFloat } from './float-text.ts';

test.each([
  [0, '0'],
  [1, '1'],
  [0.95, '0.95'],
  [Math.fround(0.85), '0.85'],
  [40927 / 65536, '0.624496'],
  [11.937, '11.937'],
  [70, '70'],
  [73.521656, '73.5217'],
  [999999.5, '1e+06'],
  [1234567, '1.23457e+06'],
  [0.0001, '0.0001'],
  [0.00001234567, '1.23457e-05'],
  [-2.5, '-2.5'],
])('%d is printed as C++ streams do: %s', (value, text) => {
  expect(formatFloat(value)).toBe(text);
});

test('a tie goes to the even digit', () => {
  expect(formatFloat(1.015625)).toBe('1.01562');
  expect(formatFloat(1.046875)).toBe('1.04688');
  expect(formatFloat(100000.5)).toBe('100000');
});
