import { emptyOsdMap } from '@spirula/maps';
import { makeConfig } from '@spirula/world';
import { expect, test } from 'vitest';
import { fullnessOf, OsdFullness } from './fullness.ts';

const FAILSAFE = 0.97;

function mapWith(nearfullRatio: number, backfillfullRatio: number, fullRatio: number) {
  return { ...emptyOsdMap(new Uint8Array(16)), nearfullRatio, backfillfullRatio, fullRatio };
}

test('an OSD is as full as the highest ratio that it is above', () => {
  const map = mapWith(0.85, 0.9, 0.95);

  expect([0, 0.85, 0.86, 0.9, 0.91, 0.95, 0.96].map((used) => fullnessOf(map, used, FAILSAFE))).toEqual([
    ...['none', 'none', 'nearfull', 'nearfull', 'backfillfull', 'backfillfull', 'full'],
  ]);
});

// Ceph 16.2.15 with 0.9 % used: full_ratio 0.0002 changes nothing before backfillfull_ratio is below it, too.
test('a ratio lower than the one below it counts as the same', () => {
  expect(fullnessOf(mapWith(0.0001, 0.9, 0.0002), 0.009, FAILSAFE)).toBe('nearfull');
  expect(fullnessOf(mapWith(0.0001, 0.00015, 0.0002), 0.009, FAILSAFE)).toBe('full');
  expect(fullnessOf(mapWith(0.85, 0.00015, 0.0002), 0.009, FAILSAFE)).toBe('none');
});

test('the failsafe ratio is above the others, and may be given in percent', () => {
  const map = mapWith(0.85, 0.9, 0.95);

  expect([0.96, 0.97, 0.98].map((used) => fullnessOf(map, used, 0.97))).toEqual(['full', 'full', 'failsafe']);
  expect([0.97, 0.98].map((used) => fullnessOf(map, used, 97))).toEqual(['full', 'failsafe']);
  // The operator's ratio moves it up.
  expect([0.98, 0.99].map((used) => fullnessOf(mapWith(0.85, 0.9, 0.985), used, 0.97))).toEqual([
    ...['backfillfull', 'failsafe'],
  ]);
});

test('a map without ratios lets an OSD fill up to the failsafe ratio', () => {
  const without = [mapWith(0, 0, 0), mapWith(0, 0.9, 0.95)];

  for (const map of without) {
    expect([0.01, 0.96, 0.98].map((used) => fullnessOf(map, used, FAILSAFE))).toEqual(['none', 'none', 'failsafe']);
  }
});

test('says once when the failsafe engages, and when it is over; the monitors hear of a full OSD', () => {
  const said: string[] = [];
  let available = 50;
  const fullness = new OsdFullness({
    config: makeConfig(),
    map: mapWith(0.85, 0.9, 0.95),
    statfs: () => ({ total: 100, available }),
    say: (level, text) => void said.push(`${level}: ${text}`),
  });
  const at = (left: number) => {
    available = left;
    fullness.update();
    return [fullness.reported, fullness.isFailsafe];
  };

  expect([at(50), at(12), at(4), at(2), at(1), at(4)]).toEqual([
    ...[
      ['none', false],
      ['nearfull', false],
      ['full', false],
      ['full', true],
      ['full', true],
      ['full', false],
    ],
  ]);
  expect(said).toEqual([
    'error: full status failsafe engaged, dropping updates, now 98% full',
    'error: full status failsafe disengaged, no longer dropping updates, now 96% full',
  ]);
});

test('what is to be backfilled counts before it is there', () => {
  const host = { config: makeConfig(), map: mapWith(0.85, 0.9, 0.95), say: () => {} };
  const fullness = new OsdFullness({ ...host, statfs: () => ({ total: 100, available: 20 }) });

  expect([0, 10, 11].map((more) => fullness.isBackfillFull(more))).toEqual([false, false, true]);
});
