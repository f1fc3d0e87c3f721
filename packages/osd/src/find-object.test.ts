import { expect, test } from 'vitest';
import { findObject } from './find-object.ts';
import { cloneOf, head, SnappedPg } from './snapped-pg.test-support.ts';

const oid = head('obj');

/** Snapshots 2 and 4 are of clone 4, 7 of clone 7; 3, 5 and 6 were taken while there was no object, or removed since. */
function pgWithClones(): SnappedPg {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n, 2n]), cloneOf(7n, [7n])], { seq: 8n });
  return pg;
}

/** The clone that a snapshot finds, `head`, or what else comes of it. */
function found(pg: SnappedPg, snap: bigint, isCloneId = false): bigint | string {
  const object = findObject(pg.core, oid, snap, isCloneId);
  if (object.kind !== 'found') return object.kind;
  return object.oid.snap === oid.snap ? 'head' : object.oid.snap;
}

test('a snapshot finds the clone that carries it', () => {
  const pg = pgWithClones();

  expect([2n, 4n, 7n].map((snap) => found(pg, snap))).toEqual([4n, 4n, 7n]);
});

test('a snapshot that no clone carries finds nothing: the object was not there', () => {
  const pg = pgWithClones();

  expect([1n, 3n, 5n, 6n, 8n].map((snap) => found(pg, snap))).toEqual(Array(5).fill('absent'));
});

test('a snapshot newer than any write knew of finds the head', () => {
  const pg = pgWithClones();

  expect([9n, 1000n].map((snap) => found(pg, snap))).toEqual(['head', 'head']);
});

test('of a head that never met a snapshot every one finds the head', () => {
  const pg = new SnappedPg();
  pg.make('obj', []);

  expect([1n, 99n].map((snap) => found(pg, snap))).toEqual(['head', 'head']);
});

test('without a head nothing is found', () => {
  expect(found(new SnappedPg(), 1n)).toBe('absent');
});

test('the clones of a deleted object are found', () => {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n])], { whiteout: true });

  expect(found(pg, 4n)).toBe(4n);
});

test('a snapshot that is being trimmed finds nothing, though its clone is still there for others', () => {
  const pg = pgWithClones();
  pg.removed = [{ start: 4n, length: 1n }];

  expect([found(pg, 4n), found(pg, 2n)]).toEqual(['absent', 4n]);
});

test('a clone that is missing here says so, whether or not it would have been found', () => {
  const pg = pgWithClones();
  pg.missing.add({ ...oid, snap: 4n }, { epoch: 1, version: 5 }, { epoch: 0, version: 0 });

  expect([found(pg, 2n), found(pg, 7n), found(pg, 3n)]).toEqual(['missing', 7n, 'missing']);
});

test('the number of a clone finds that clone alone', () => {
  const pg = pgWithClones();
  pg.removed = [{ start: 4n, length: 1n }];

  expect([4n, 7n, 2n, 5n].map((snap) => found(pg, snap, true))).toEqual([4n, 7n, 'absent', 'absent']);
});
