import { expect, test } from 'vitest';
import { parseSeeds, parseShard, parseSpan, seedsOf } from './seed-range.ts';

test('a range is written with dots or a dash', () => {
  expect(parseSeeds('1..3')).toEqual({ first: 1, last: 3 });
  expect(parseSeeds('7-7')).toEqual({ first: 7, last: 7 });
});

test.each(['', '1', '3..1', 'a..b', '1..4294967296', '1...3'])('%o is no range', (text) => {
  expect(() => parseSeeds(text)).toThrow('--seeds takes a range such as 1..1000');
});

test('every seed falls to one shard', () => {
  const range = { first: 10, last: 21 };
  const shards = [0, 1, 2, 3, 4].map((index) => seedsOf(range, { index, count: 5 }));

  expect(shards[0]).toEqual([10, 15, 20]);
  expect(shards.flat().sort((a, b) => a - b)).toEqual(seedsOf(range));
});

test.each(['', '4/4', '1', '-1/4', '1/0'])('%o is no shard', (text) => {
  expect(() => parseShard(text)).toThrow('--shard takes a part such as 0/4');
});

test('spans of time have units', () => {
  expect(['90', '90s', '1.5m', '1h', '2d'].map((text) => parseSpan(text, '--until'))).toEqual([
    90, 90, 90, 3600, 172_800,
  ]);
  expect(() => parseSpan('soon', '--until')).toThrow('--until takes a span of time such as 90s, 5m or 1h, not soon.');
  expect(() => parseSpan('0', '--until')).toThrow('--until takes');
});
