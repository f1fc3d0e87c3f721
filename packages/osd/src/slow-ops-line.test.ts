import type { OsdMap } from '@spirula/maps';
import { expect, test } from 'vitest';
import { slowOpsLine } from './slow-ops-line.ts';

const map = {
  poolNames: new Map([
    [1, 'rbd'],
    [2, 'images'],
  ]),
} as unknown as OsdMap;
const byState = new Map([
  ['queued for pg', 4],
  ['waiting for a newer map', 1],
]);
const pools = (...counts: readonly (readonly [number, number])[]) => new Map(counts);

test('nothing is said while no request is slow', () => {
  expect(slowOpsLine({ count: 0, byState: new Map(), byPool: new Map() }, map)).toBeUndefined();
});

test('the pool with most of them is named, of equals the first', () => {
  expect(slowOpsLine({ count: 5, byState, byPool: pools([2, 3], [1, 2]) }, map)).toBe(
    "5 slow requests (by type [ 'queued for pg' : 4 'waiting for a newer map' : 1 ] most affected pool [ 'images' : 3 ])",
  );
  expect(slowOpsLine({ count: 4, byState, byPool: pools([2, 2], [1, 2]) }, map)).toContain("[ 'rbd' : 2 ]");
});

test('a pool that is gone has no name', () => {
  expect(slowOpsLine({ count: 5, byState, byPool: pools([9, 5]) }, map)).toMatch(/ 1 \]\)$/);
});
