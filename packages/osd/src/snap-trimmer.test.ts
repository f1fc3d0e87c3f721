import { expect, test } from 'vitest';
import { indexOfClones } from './snap-mapper.ts';
import { SnapTrimmer } from './snap-trimmer.ts';
import { cloneOf, head, SnappedPg } from './snapped-pg.test-support.ts';
import type { ObjectWrite } from './trim-object.ts';

const SLEEP = 2_000_000;

/** A trimmer, and the writes that are under way. */
class Bench {
  readonly pg: SnappedPg;
  readonly writes: { readonly write: ObjectWrite; readonly onCommit: () => void }[] = [];
  readonly trimmer: SnapTrimmer;
  isClean = true;
  shared = 0;
  #version = 100;

  constructor(pg = new SnappedPg()) {
    this.pg = pg;
    this.trimmer = new SnapTrimmer(pg.core, {
      isClean: () => this.isClean,
      nextVersion: () => ({ epoch: 3, version: this.#version }),
      submit: (write, onCommit) => {
        this.#version += write.entries.length;
        pg.apply(write.changes);
        this.writes.push({ write, onCommit });
      },
      shareInfo: () => {
        this.shared += 1;
      },
    });
  }

  /** Everything under way is durable, and the rest between steps over. */
  step(): void {
    for (const { onCommit } of this.writes.splice(0)) onCommit();
    this.pg.now += SLEEP;
    this.trimmer.kick();
  }

  get purged(): string {
    return this.pg.info.purgedSnaps.map(({ start, length }) => `${start}+${length}`).join(' ');
  }
}

test('clones of a removed snapshot are trimmed a few at a time; when none is left it is purged, and all are told', () => {
  const bench = new Bench();
  for (let i = 0; i < 5; i++) bench.pg.make(`o${i}`, [cloneOf(4n, [4n])]);
  bench.pg.removed = [{ start: 4n, length: 1n }];
  bench.trimmer.follow();
  expect(bench.trimmer.phase).toBe('Trimming');
  // osd_pg_max_concurrent_snap_trims
  expect(bench.writes).toHaveLength(2);

  const counts = [0, 1, 2, 3].map(() => {
    bench.step();
    return bench.writes.length;
  });
  expect(counts).toEqual([2, 1, 0, 0]);
  expect(indexOfClones(bench.pg.store, bench.pg.pgid)).toEqual([]);
  expect([bench.purged, bench.shared, bench.trimmer.phase]).toEqual(['4+1', 1, 'NotTrimming']);
  expect(bench.trimmer.queue).toEqual([]);
});

test('snapshots without clones are purged one after another', () => {
  const bench = new Bench();
  bench.pg.removed = [{ start: 4n, length: 3n }];
  bench.trimmer.follow();
  for (let i = 0; i < 3; i++) bench.step();

  expect([bench.purged, bench.writes.length]).toEqual(['4+3', 0]);
});

test('between two steps it rests for osd_snap_trim_sleep', () => {
  const bench = new Bench();
  bench.pg.make('a', [cloneOf(4n, [4n])]);
  bench.pg.make('b', [cloneOf(5n, [5n])]);
  bench.pg.removed = [{ start: 4n, length: 2n }];
  bench.trimmer.follow();
  bench.writes.splice(0)[0]!.onCommit();
  bench.trimmer.kick();
  expect(bench.writes).toEqual([]);
  expect(bench.pg.wakeUps).toEqual([SLEEP, SLEEP]);

  bench.pg.now = SLEEP;
  bench.trimmer.kick();
  expect(bench.purged).toBe('4+1');
});

test('what is purged is forgotten when the monitors have taken it from the queue', () => {
  const bench = new Bench();
  bench.pg.removed = [{ start: 4n, length: 2n }];
  bench.trimmer.follow();
  bench.step();
  expect(bench.purged).toBe('4+2');

  bench.pg.removed = [{ start: 5n, length: 3n }];
  bench.trimmer.follow();
  expect(bench.purged).toBe('5+1');
  expect(bench.trimmer.queue).toEqual([{ start: 6n, length: 2n }]);
});

test('clients make no clones for what is queued, nor for what is purged', () => {
  const bench = new Bench();
  bench.isClean = false;
  bench.pg.info = { ...bench.pg.info, purgedSnaps: [{ start: 4n, length: 1n }] };
  bench.pg.removed = [{ start: 4n, length: 2n }];
  expect(bench.trimmer.filter([6n, 5n, 4n, 3n])).toEqual([6n, 5n, 3n]);
  bench.trimmer.follow();

  expect(bench.trimmer.filter([6n, 5n, 4n, 3n])).toEqual([6n, 3n]);
});

test('one that is not clean, or held by the flag nosnaptrim, gives its place back', () => {
  const pg = new SnappedPg();
  const bench = new Bench(pg);
  pg.make('a', [cloneOf(4n, [4n])]);
  pg.removed = [{ start: 4n, length: 1n }];
  bench.isClean = false;
  bench.trimmer.follow();
  expect([bench.trimmer.phase, pg.reservations.held]).toEqual(['NotTrimming', 0]);
  bench.isClean = true;
  pg.forbid();
  bench.trimmer.kick();
  expect([bench.trimmer.phase, bench.writes]).toEqual(['NotTrimming', []]);

  pg.flags = 0;
  bench.trimmer.kick();
  expect([bench.trimmer.phase, pg.reservations.held, bench.writes.length]).toEqual(['Trimming', 1, 1]);
  pg.forbid();
  bench.step();
  expect([bench.trimmer.phase, pg.reservations.held]).toEqual(['NotTrimming', 0]);
});

test('it waits for a place among the PGs of its OSD', () => {
  const pg = new SnappedPg(0);
  const bench = new Bench(pg);
  pg.make('a', [cloneOf(4n, [4n])]);
  pg.removed = [{ start: 4n, length: 1n }];
  bench.trimmer.follow();

  expect([bench.trimmer.phase, bench.writes]).toEqual(['WaitReservation', []]);
});

test('when the interval ends nothing is queued, and what was under way is nobody’s', () => {
  const bench = new Bench();
  bench.pg.make('a', [cloneOf(4n, [4n])]);
  bench.pg.removed = [{ start: 4n, length: 1n }];
  bench.trimmer.follow();
  bench.trimmer.onReset();
  bench.writes.length = 0;
  expect([bench.trimmer.phase, bench.trimmer.queue, bench.pg.reservations.held]).toEqual(['NotTrimming', [], 0]);

  bench.trimmer.follow();
  bench.step();
  expect(bench.purged).toBe('4+1');
});

test('a clone that its head knows nothing of stops it for good, and is told', () => {
  const bench = new Bench();
  bench.pg.make('a', [cloneOf(4n, [4n])]);
  bench.pg.apply([{ op: 'remove', oid: head('a') }]);
  bench.pg.removed = [{ start: 4n, length: 1n }];
  bench.trimmer.follow();
  bench.step();

  expect([bench.trimmer.phase, bench.purged]).toEqual(['Error', '']);
  expect(bench.pg.errors).toEqual([{ pg: '1.0', object: 'a', clone: 4n }]);
});
