import { bytesFromRaw } from '@spirula/encoding';
import { expect, test } from 'vitest';
import { ABSENT, type ObjectState, stateOf } from '../object-model.ts';
import { SnapshotBook } from './snapshot-book.ts';

const held = (text: string): ObjectState =>
  stateOf({ data: bytesFromRaw(text), xattrs: new Map(), omap: new Map() }, undefined);
const [old, newer, newest] = [held('old'), held('newer'), held('newest')];
const all = () => true;

function bookWith(state: ObjectState): SnapshotBook {
  const book = new SnapshotBook(['o']);
  book.beginChange('o', state, all);
  book.endChange('o', 'done');
  return book;
}

function take(book: SnapshotBook, id: bigint, name?: string): boolean {
  book.beginTaking('s');
  return book.endTaking('s', { id, name, epoch: 1 });
}

test('a snapshot holds what the object was before the first change that knows of it', () => {
  const book = bookWith(old);
  take(book, 2n);
  book.beginChange('o', newer, all);

  expect(book.judge(2n, 'o', old)).toBeUndefined();
  expect(book.judge(2n, 'o', newer)).toMatch(/in snapshot 2 it is \[.*\], and held/);
  book.endChange('o', 'done');
  expect(book.judge(2n, 'o', newer)).toBeDefined();
  expect(book.heldBy(2n, 'o')).toBe(old);
});

test('what was under way when it was taken may be in it or not, what does not know of it as well', () => {
  const book = bookWith(old);
  book.beginChange('o', newer, all);
  take(book, 2n);
  book.endChange('o', 'done');
  book.beginChange('o', newest, () => false);
  book.endChange('o', 'done');

  for (const state of [old, newer, newest]) expect(book.judge(2n, 'o', state)).toBeUndefined();
  expect(book.judge(2n, 'o', ABSENT)).toBeDefined();
  expect(book.heldBy(2n, 'o')).toBeUndefined();
});

test('a self-managed snapshot whose number comes after a newer one is not used: writes may have passed it over', () => {
  const book = bookWith(old);

  expect(take(book, 3n)).toBe(true);
  expect(take(book, 2n)).toBe(false);
  book.remove(3n);
  expect(take(book, 2n)).toBe(false);
  expect(book.snaps).toEqual([]);
  expect(book.judge(2n, 'o', ABSENT)).toBeUndefined();
  expect(take(book, 4n)).toBe(true);
});

test('pool snapshots may come in any order: OSDs know them from the map', () => {
  const book = bookWith(old);

  expect(take(book, 3n, 'newer')).toBe(true);
  expect(take(book, 2n, 'older')).toBe(true);
  expect(book.snaps.map(({ id }) => id)).toEqual([3n, 2n]);
});

test('an object of which a change is lost is not judged any more', () => {
  const book = bookWith(old);
  take(book, 2n);
  book.beginChange('o', newer, all);
  book.endChange('o', 'unknown');

  expect(book.judge(2n, 'o', newest)).toBeUndefined();
  expect(book.judgeHead('o', newest)).toBeUndefined();
  expect(book.isIdle('o')).toBe(false);
});

test('the object itself is what the last acknowledged change made of it', () => {
  const book = bookWith(old);
  book.beginChange('o', newer, all);
  book.endChange('o', 'refused');

  expect(book.judgeHead('o', old)).toBeUndefined();
  expect(book.judgeHead('o', newer)).toMatch(/must be/);
});
