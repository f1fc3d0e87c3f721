import { expect, test } from 'vitest';
import { OmapCounter } from './omap-counter.ts';

test('a counter shows what was acknowledged, and at most what was asked for', () => {
  const counter = new OmapCounter();
  counter.begin();
  counter.end('c0', 0, 'acknowledged');
  counter.begin();

  expect(counter.endRead(counter.beginRead(), 0)).toBe('it is 0, and must be from 1 to 2');
  expect(counter.endRead(counter.beginRead(), 3)).toBe('it is 3, and must be from 1 to 2');
  expect(counter.endRead(counter.beginRead(), 2)).toBeUndefined();
  expect(counter.endRead(counter.beginRead(), 1)).toBe('it is 1, and must be from 2 to 2');
});

test('an increment without an answer may count or not, a refused one does not', () => {
  const counter = new OmapCounter();
  counter.begin();
  counter.end('c0', 0, 'unknown');
  counter.begin();
  counter.end('c1', 0, 'refused');

  expect(counter.endRead(counter.beginRead(), 0)).toBeUndefined();
  expect(counter.endRead(counter.beginRead(), 2)).toBe('it is 2, and must be from 0 to 1');
  expect(counter.endRead(counter.beginRead(), 1)).toBeUndefined();
});

test('two increments from one value are one lost', () => {
  const counter = new OmapCounter();
  counter.begin();
  counter.begin();
  counter.end('c0', 4, 'acknowledged');

  expect(counter.end('c1', 4, 'acknowledged')).toBe('c1 and c0 were both told that they set it from 4');
});
