import type { HObject } from '@spirula/maps';
import { extent } from '@spirula/objectstore';
import { expect, test } from 'vitest';
import { readObjectInfo } from './object-part.ts';
import { readSnapSet } from './snap-set.ts';
import { cloneOf, head, SnappedPg } from './snapped-pg.test-support.ts';
import { type ObjectWrite, trimObject } from './trim-object.ts';

const version = { epoch: 2, version: 9 };
const at = (id: bigint): HObject => ({ ...head('obj'), snap: id });

function trim(pg: SnappedPg, clone: bigint, snap: bigint): ObjectWrite | undefined {
  const write = trimObject(pg.core, at(clone), snap, version, { sec: 7, nsec: 0 });
  if (write) pg.apply(write.changes);
  return write;
}

function clonesOf(pg: SnappedPg) {
  return readSnapSet(pg.store, pg.cid, head('obj')).clones;
}

test('a clone that has other snapshots loses the one, and stays', () => {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n, 2n])]);
  const write = trim(pg, 4n, 4n)!;

  expect(clonesOf(pg)).toMatchObject([{ id: 4n, snaps: [2n] }]);
  expect(readObjectInfo(pg.store, pg.cid, at(4n))).toMatchObject({
    snaps: [2n],
    version,
    priorVersion: { version: 5 },
  });
  expect(write.entries.map(({ kind, oid, version: each }) => [kind, oid.snap, each.version])).toEqual([
    ['modify', 4n, 9],
    ['modify', head('obj').snap, 10],
  ]);
  expect(write.delta).toEqual({ objects: 0, bytes: 0, clones: 0, whiteouts: 0 });
});

test('with its last snapshot a clone goes; the head keeps its sequence', () => {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n])], { seq: 6n });
  const write = trim(pg, 4n, 4n)!;

  expect(readSnapSet(pg.store, pg.cid, head('obj'))).toEqual({ seq: 6n, clones: [] });
  expect(readObjectInfo(pg.store, pg.cid, at(4n))).toBeUndefined();
  expect(readObjectInfo(pg.store, pg.cid, head('obj'))).toMatchObject({ version: { version: 10 } });
  expect(write.delta).toEqual({ objects: -1, bytes: -100, clones: -1, whiteouts: 0 });
});

test('what else was removed meanwhile goes along', () => {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n, 3n, 2n])]);
  pg.removed = [{ start: 2n, length: 2n }];
  trim(pg, 4n, 4n);

  expect(clonesOf(pg)).toEqual([]);
});

test('a deleted object goes with the last of its clones, not before', () => {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n]), cloneOf(6n, [6n])], { whiteout: true });
  expect(trim(pg, 4n, 4n)!.delta).toMatchObject({ objects: -1, clones: -1, whiteouts: 0 });
  expect(readObjectInfo(pg.store, pg.cid, head('obj'))).toMatchObject({ whiteout: true });
  const write = trim(pg, 6n, 6n)!;

  expect(write.delta).toMatchObject({ objects: -2, clones: -1, whiteouts: -1 });
  expect(write.entries.map(({ kind }) => kind)).toEqual(['delete', 'delete']);
  expect(readObjectInfo(pg.store, pg.cid, head('obj'))).toBeUndefined();
});

test('the next older clone shares with what follows no more than the one between did', () => {
  const pg = new SnappedPg();
  pg.make('obj', [
    cloneOf(4n, [4n], { overlap: extent(0, 60) }),
    cloneOf(6n, [6n], { overlap: [...extent(10, 20), ...extent(50, 30)] }),
    cloneOf(8n, [8n], { overlap: extent(0, 100) }),
  ]);
  const write = trim(pg, 6n, 6n)!;

  expect(clonesOf(pg)).toMatchObject([{ id: 4n, overlap: [...extent(10, 20), ...extent(50, 10)] }, { id: 8n }]);
  // 40 were the oldest's own, 50 the middle one's; now the oldest has 70 to itself.
  expect(write.delta.bytes).toBe(-20);
});

test('the oldest clone goes without a trace in the others', () => {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n]), cloneOf(6n, [6n], { overlap: extent(0, 30) })]);
  trim(pg, 4n, 4n);

  expect(clonesOf(pg)).toEqual([cloneOf(6n, [6n], { overlap: extent(0, 30) })]);
});

test('a clone that its head knows nothing of, or without a head, cannot be trimmed', () => {
  const pg = new SnappedPg();
  pg.make('obj', [cloneOf(4n, [4n])]);
  pg.apply([{ op: 'setAttrs', oid: at(5n), attrs: pg.store.getAttrs(pg.cid, at(4n)) }]);
  expect(trim(pg, 5n, 4n)).toBeUndefined();
  pg.apply([{ op: 'remove', oid: head('obj') }]);

  expect(trim(pg, 4n, 4n)).toBeUndefined();
});
