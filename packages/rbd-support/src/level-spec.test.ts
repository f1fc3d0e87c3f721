import { expect, test } from 'vitest';
import { GLOBAL, intersects, isChildOf, type LevelSpec, levelOfPool, matches } from './level-spec.ts';

const pool = levelOfPool(1, 'a');
const other = levelOfPool(2, 'b');
const space: LevelSpec = { name: 'a/n/', id: '1/n', pool: 1, namespace: 'n', imageId: undefined };
const image: LevelSpec = { name: 'a/n/i', id: '1/n/x', pool: 1, namespace: 'n', imageId: 'x' };
const plain: LevelSpec = { name: 'a/i', id: '1//y', pool: 1, namespace: '', imageId: 'y' };
const all = [GLOBAL, pool, other, space, image, plain];

test('a level is for a part of those above it', () => {
  const parts = all.map((of) => all.filter((level) => isChildOf(level, of)).map(({ id }) => id));

  expect(parts).toEqual([['1', '2', '1/n', '1/n/x', '1//y'], ['1/n', '1/n/x', '1//y'], [], ['1/n/x'], [], []]);
});

test('two levels have something in common where one is for a part of the other', () => {
  for (const a of all) {
    for (const b of all) {
      expect(intersects(a, b), `${a.id} ${b.id}`).toBe(a === b || isChildOf(a, b) || isChildOf(b, a));
    }
  }
});

test('a target is of its own level and of those above', () => {
  const target = { pool: 1, namespace: 'n', imageId: 'x' };

  expect(all.filter((level) => matches(level, target)).map(({ id }) => id)).toEqual(['', '1', '1/n', '1/n/x']);
});
