import type { HObject } from '@spirula/maps';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tempOid } from './object-id.ts';
import { readObjectInfo } from './object-part.ts';
import { clonesOfSnap, indexChanges, indexOfClones } from './snap-mapper.ts';
import { cloneOf, head, SnappedPg } from './snapped-pg.test-support.ts';

function clonesOf(pg: SnappedPg, snap: bigint, max = 100): string[] {
  return clonesOfSnap(pg.store, pg.cid, pg.metaOid, snap, max).map(({ name, snap: id }) => `${name}@${id}`);
}

/** What the index should have, by what the infos of the clones say. */
function expectedIndex(pg: SnappedPg): string[] {
  const clones = pg.store.list(pg.cid, undefined, 1000).filter(({ snap, pool }) => snap !== head('x').snap && pool > 0);
  return clones
    .flatMap((oid) =>
      (readObjectInfo(pg.store, pg.cid, oid)?.snaps ?? []).map((snap) => `${oid.name}@${oid.snap} ${snap}`),
    )
    .sort();
}

function index(pg: SnappedPg): string[] {
  return indexOfClones(pg.store, pg.pgid)
    .map(({ oid, snap }) => `${oid.name}@${oid.snap} ${snap}`)
    .sort();
}

test('the clones of a snapshot are found, of that alone, and no more than asked for', () => {
  const pg = new SnappedPg();
  pg.make('a', [cloneOf(4n, [4n, 2n]), cloneOf(0x14n, [0x14n])]);
  pg.make('b', [cloneOf(3n, [2n])]);

  expect(clonesOf(pg, 2n)).toEqual(['b@3', 'a@4']);
  expect(clonesOf(pg, 2n, 1)).toEqual(['b@3']);
  expect(clonesOf(pg, 4n)).toEqual(['a@4']);
  expect(clonesOf(pg, 0x14n)).toEqual(['a@20']);
  expect(clonesOf(pg, 1n)).toEqual([]);
});

test('the largest snapshot there can be has its own clones', () => {
  const pg = new SnappedPg();
  const largest = 2n ** 64n - 3n;
  pg.make('a', [cloneOf(1n, [1n]), cloneOf(largest, [largest])]);

  expect(clonesOf(pg, largest)).toEqual([`a@${largest}`]);
});

test('what a head says, and what is put together from parts, is no matter of the index', () => {
  const pg = new SnappedPg();
  pg.make('a', [cloneOf(4n, [4n])]);
  const oid: HObject = { ...head('a'), snap: 4n };
  const attrs = pg.store.getAttrs(pg.cid, oid);

  const ofHead = [{ op: 'setAttrs', cid: pg.cid, oid: head('a'), attrs }] as const;
  const ofPart = [{ op: 'setAttrs', cid: pg.cid, oid: tempOid(oid), attrs }] as const;
  expect(indexChanges(pg.store, pg.cid, ofHead)).toBeUndefined();
  expect(indexChanges(pg.store, pg.cid, ofPart)).toBeUndefined();
});

test('a clone that arrived in parts is listed once it takes its place, instead of what was there', () => {
  const pg = new SnappedPg();
  pg.make('a', [cloneOf(4n, [4n, 2n])]);
  const oid: HObject = { ...head('a'), snap: 4n };
  const arrived = new SnappedPg();
  arrived.make('a', [cloneOf(4n, [4n])]);
  const attrs = arrived.store.getAttrs(arrived.cid, oid);
  pg.apply([{ op: 'setAttrs', oid: tempOid(oid), attrs }]);
  expect(index(pg)).toEqual(['a@4 2', 'a@4 4']);

  pg.apply([{ op: 'clone', oid: tempOid(oid), to: oid }]);
  expect(index(pg)).toEqual(['a@4 4']);
});

const steps = fc.array(
  fc.record({
    name: fc.constantFrom('a', 'b', 'snap.0'),
    clones: fc.uniqueArray(fc.bigInt(1n, 6n), { maxLength: 3 }),
    removes: fc.boolean(),
  }),
  { maxLength: 12 },
);

test('whatever is made, changed and removed, the index says what the clones say', () => {
  fc.assert(
    fc.property(steps, (script) => {
      const pg = new SnappedPg();
      for (const { name, clones, removes } of script) {
        const listed = pg.store.list(pg.cid, undefined, 1000).filter((oid) => oid.name === name && oid.snap < 100n);
        if (removes) pg.apply(listed.map((oid) => ({ op: 'remove', oid })));
        else {
          const ids = [...clones].sort((a, b) => (a < b ? -1 : 1));
          pg.make(
            name,
            ids.map((id) => cloneOf(id, id > 1n ? [id, id - 1n] : [id])),
          );
        }
        expect(index(pg)).toEqual(expectedIndex(pg));
      }
    }),
    { numRuns: 40 },
  );
});
