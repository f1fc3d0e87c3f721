import { emptyOsdMap } from '@spirula/maps';
import { expect, test } from 'vitest';
import { fullnessOf } from './fullness.ts';

function mapWith(nearfullRatio: number, backfillfullRatio: number, fullRatio: number) {
  return { ...emptyOsdMap(new Uint8Array(16)), nearfullRatio, backfillfullRatio, fullRatio };
}

test('an OSD is as full as the highest ratio that it is above', () => {
  const map = mapWith(0.85, 0.9, 0.95);

  expect([0, 0.85, 0.86, 0.9, 0.91, 0.95, 0.96].map((used) => fullnessOf(map, used))).toEqual([
    ...['none', 'none', 'nearfull', 'nearfull', 'backfillfull', 'backfillfull', 'full'],
  ]);
});

// Ceph 16.2.15 with 0.9 % used: full_ratio 0.0002 changes nothing before backfillfull_ratio is below it, too.
test('a ratio lower than the one below it counts as the same', () => {
  expect(fullnessOf(mapWith(0.0001, 0.9, 0.0002), 0.009)).toBe('nearfull');
  expect(fullnessOf(mapWith(0.0001, 0.00015, 0.0002), 0.009)).toBe('full');
  expect(fullnessOf(mapWith(0.85, 0.00015, 0.0002), 0.009)).toBe('none');
});
