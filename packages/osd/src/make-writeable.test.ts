import type { HObject } from '@spirula/maps';
import { NOSNAP } from '@spirula/messages';
import { extent } from '@spirula/objectstore';
import { expect, test } from 'vitest';
import { makeWriteable } from './make-writeable.ts';
import type { ObjectInfo } from './object-info.ts';
import { changedSince } from './rollback.ts';
import type { SnapSet } from './snap-set.ts';

const oid: HObject = { pool: 1, nspace: '', key: '', name: 'obj', snap: NOSNAP, hash: 7, max: false };
const version = { epoch: 3, version: 20 };
const info: ObjectInfo = {
  version: { epoch: 3, version: 11 },
  priorVersion: { epoch: 2, version: 8 },
  userVersion: 11,
  size: 100,
  mtime: { sec: 5, nsec: 0 },
  truncateSeq: 0,
  truncateSize: 0,
  isDirty: true,
  watchers: [],
  whiteout: false,
  snaps: [],
};
const none: SnapSet = { seq: 0n, clones: [] };

test('the first write after snapshots makes one clone for all of them, in the version of its own', () => {
  const { clone, snapset, changes, bytes } = makeWriteable(
    { oid, info, snapset: { seq: 2n, clones: [] } },
    { seq: 6n, snaps: [5n, 4n, 1n] },
    version,
    extent(10, 20),
  );

  expect(clone?.oid.snap).toBe(6n);
  expect(clone?.info).toMatchObject({
    version,
    priorVersion: info.version,
    userVersion: 11,
    snaps: [5n, 4n],
    size: 100,
  });
  expect(snapset).toEqual({
    seq: 6n,
    clones: [{ id: 6n, snaps: [5n, 4n], size: 100, overlap: [...extent(0, 10), ...extent(30, 70)] }],
  });
  expect(changes[0]).toEqual({ op: 'clone', oid, to: clone!.oid });
  expect(bytes).toBe(20);
});

test('a second write shares less with the newest clone, and makes none', () => {
  const first = makeWriteable({ oid, info, snapset: none }, { seq: 1n, snaps: [1n] }, version, extent(0, 10));
  const second = makeWriteable({ oid, info, snapset: first.snapset }, { seq: 1n, snaps: [1n] }, version, extent(5, 10));

  expect(second.clone).toBeUndefined();
  expect(second.changes).toEqual([]);
  expect(second.bytes).toBe(5);
  expect(second.snapset.clones[0]!.overlap).toEqual(extent(15, 85));
});

test.each([
  ['no object', undefined, { seq: 3n, snaps: [3n] }, 3n],
  ['no snapshot', info, { seq: 3n, snaps: [] }, 3n],
  ['nothing newer than the head knows', info, { seq: 2n, snaps: [2n] }, 2n],
])('%s: no clone', (_, before, snapc, seq) => {
  const { clone, snapset } = makeWriteable(
    { oid, info: before, snapset: { seq: 2n, clones: [] } },
    snapc,
    version,
    extent(0, 10),
  );

  expect(clone).toBeUndefined();
  expect(snapset).toEqual({ seq, clones: [] });
});

test('a write with an older view of snapshots takes nothing back', () => {
  const { snapset } = makeWriteable(
    { oid, info, snapset: { seq: 7n, clones: [] } },
    { seq: 3n, snaps: [3n] },
    version,
    [],
  );

  expect(snapset.seq).toBe(7n);
});

test('rolling back changes what any clone from there on does not share', () => {
  const snapset: SnapSet = {
    seq: 5n,
    clones: [
      { id: 2n, snaps: [2n], size: 60, overlap: extent(0, 40) },
      { id: 5n, snaps: [5n], size: 60, overlap: extent(10, 50) },
    ],
  };

  expect(changedSince(snapset, 2n, 50)).toEqual([...extent(0, 10), ...extent(40, 10)]);
  expect(changedSince(snapset, 5n, 50)).toEqual(extent(0, 10));
});
