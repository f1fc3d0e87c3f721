import type { OsdId } from '@spirula/encoding';
import { makeConfig } from '@spirula/world';
import { expect, test } from 'vitest';
import type { Pg, RecoveryPhase } from './pg.ts';
import { NO_HISTORY } from './pg-info.ts';
import { PgStatKeeper, pgStateString } from './pg-stat.ts';

interface Shape {
  readonly peering: string;
  /** Activated everywhere. */
  readonly isActive?: boolean;
  readonly phase?: RecoveryPhase;
  readonly up?: readonly OsdId[];
  readonly acting?: readonly OsdId[];
  readonly objects?: number;
  /** Objects missing here, on members in all, and found nowhere. */
  readonly missing?: number;
  readonly degraded?: number;
  readonly unfound?: number;
  readonly lastEpochStarted?: number;
  readonly isLaggy?: boolean;
  readonly isWaiting?: boolean;
  readonly trim?: Pg['snapTrimmer']['phase'];
}

/** A primary of a pool of size 3, min_size 2. */
function makePg(shape: Shape): Pg {
  const { peering, isActive = false, phase = 'None', objects = 10, missing = 0, unfound = 0 } = shape;
  const up = shape.up ?? [0, 1, 2];
  const acting = shape.acting ?? up;
  const history = { ...NO_HISTORY, epochCreated: 3, lastEpochStarted: shape.lastEpochStarted ?? 4, lastEpochClean: 4 };
  const pg = {
    phase,
    isLaggy: shape.isLaggy ?? false,
    isWaiting: shape.isWaiting ?? false,
    peering: { state: { name: peering }, isActive, blockedBy: peering === 'Down' ? [7] : [] },
    core: {
      pgid: { pool: 1, seed: 5 },
      epoch: 9,
      up,
      acting,
      placement: { upPrimary: up[0], actingPrimary: acting[0] },
      pool: { size: 3, minSize: 2 },
      hasMinSize: acting.length >= 2,
      host: { world: { config: makeConfig() } },
      missing: { size: missing },
      log: { size: 6 },
      info: {
        counts: { objects, bytes: 4096 * objects, clones: 4, whiteouts: 1 },
        purgedSnaps: [{ start: 7n, length: 2n }],
        history: { ...history, sameIntervalSince: 6 },
        lastUpdate: { epoch: 8, version: 40 },
        logTail: { epoch: 2, version: 34 },
      },
    },
    recovery: {
      degradedCount: shape.degraded ?? 0,
      unfound: () => Array.from({ length: unfound }),
      recoveredObjects: 2,
      recoveredBytes: 512,
    },
    snapTrimmer: { phase: shape.trim ?? 'NotTrimming', queue: [{ start: 3n, length: 3n }] },
    ops: { io: { reads: 1, readBytes: 10, writes: 3, writeBytes: 30 } },
  };
  return pg as unknown as Pg;
}

const active = { peering: 'Active', isActive: true } as const;

test.each<[string, Shape]>([
  ['active+clean', { ...active, phase: 'Clean' }],
  ['active+clean+snaptrim', { ...active, phase: 'Clean', trim: 'Trimming' }],
  ['active+clean+snaptrim_wait', { ...active, phase: 'Clean', trim: 'WaitReservation' }],
  ['active+clean+snaptrim_error', { ...active, phase: 'Clean', trim: 'Error' }],
  ['creating+peering', { peering: 'GetInfo', lastEpochStarted: 0 }],
  ['creating+activating', { peering: 'Active', lastEpochStarted: 0 }],
  ['peering', { peering: 'Reset' }],
  ['peering', { peering: 'WaitUpThru' }],
  ['down', { peering: 'Down' }],
  ['incomplete', { peering: 'Incomplete' }],
  ['activating+undersized', { peering: 'Active', up: [0, 1] }],
  ['remapped+peering', { peering: 'WaitActingChange', acting: [3, 1, 2] }],
  ['active+undersized+degraded', { ...active, up: [0, 1], phase: 'Recovered' }],
  ['active+undersized', { ...active, up: [0, 1], objects: 0, phase: 'Recovered' }],
  ['undersized+degraded+peered', { ...active, up: [0] }],
  ['active+recovery_wait+degraded', { ...active, phase: 'WaitLocalRecoveryReserved', degraded: 3 }],
  ['active+recovery_wait+degraded', { ...active, phase: 'WaitRemoteRecoveryReserved', degraded: 3 }],
  ['active+recovering+degraded', { ...active, phase: 'Recovering', degraded: 3 }],
  ['active+recovery_unfound+degraded', { ...active, phase: 'Recovering', missing: 2, degraded: 2, unfound: 1 }],
  [
    'active+remapped+backfill_wait',
    { ...active, phase: 'WaitLocalBackfillReserved', up: [0, 1, 3], acting: [0, 1, 2] },
  ],
  ['active+remapped+backfilling', { ...active, phase: 'Backfilling', up: [0, 1, 3], acting: [0, 1, 2] }],
  ['active+degraded+laggy', { ...active, phase: 'NotRecovering', degraded: 1, isLaggy: true }],
  ['active+wait', { ...active, phase: 'Recovered', isWaiting: true }],
  ['unknown', { peering: 'Stray' }],
])('%s', (state, shape) => {
  expect(pgStateString(makePg(shape))).toBe(state);
});

test('objects that members lack are degraded, those that are to move are misplaced', () => {
  const sum = (shape: Shape) => {
    const { objectsDegraded, objectsMisplaced, objectsMissingOnPrimary, objectsUnfound } = new PgStatKeeper({
      sec: 1,
      nsec: 0,
    }).report(makePg(shape), { sec: 2, nsec: 0 }).sum;
    return [objectsDegraded, objectsMisplaced, objectsMissingOnPrimary, objectsUnfound];
  };

  expect(sum({ ...active, phase: 'Clean' })).toEqual([0, 0, 0, 0]);
  expect(sum({ ...active, acting: [0, 1] })).toEqual([10, 0, 0, 0]);
  expect(sum({ ...active, up: [0, 3, 4], acting: [0, 1, 2] })).toEqual([0, 20, 0, 0]);
  expect(sum({ ...active, missing: 4, degraded: 7, unfound: 2 })).toEqual([7, 0, 4, 2]);
  // Nobody knows yet.
  expect(sum({ peering: 'GetInfo', acting: [0, 1], missing: 4, unfound: 4 })).toEqual([0, 0, 4, 0]);
});

test('a report says what the PG is and has done', () => {
  const stat = new PgStatKeeper({ sec: 1, nsec: 0 }).report(makePg({ ...active, phase: 'Clean' }), { sec: 2, nsec: 0 });

  expect(stat).toMatchObject({
    pgid: { pool: 1, seed: 5 },
    version: { epoch: 8, version: 40 },
    logStart: { epoch: 2, version: 34 },
    logSize: 6,
    reportedEpoch: 9,
    mappingEpoch: 6,
    created: 3,
    lastEpochClean: 4,
    upPrimary: 0,
    actingPrimary: 0,
    blockedBy: [],
    snaptrimqLen: 3,
    purgedSnaps: [{ start: 7n, length: 2n }],
    sum: {
      objectClones: 4,
      whiteouts: 1,
      objects: 10,
      bytes: 40960,
      objectCopies: 30,
      reads: 1,
      readBytes: 10,
      writes: 3,
      writeBytes: 30,
      objectsRecovered: 2,
      bytesRecovered: 512,
    },
  });
  expect(
    new PgStatKeeper({ sec: 1, nsec: 0 }).report(makePg({ peering: 'Down' }), { sec: 2, nsec: 0 }).blockedBy,
  ).toEqual([7]);
});

test('stamps say since when something no longer holds, and when the state last changed', () => {
  const keeper = new PgStatKeeper({ sec: 1, nsec: 0 });
  const at = (sec: number, shape: Shape) => keeper.report(makePg(shape), { sec, nsec: 0 });
  at(10, { ...active, phase: 'Clean' });
  const clean = at(20, { ...active, phase: 'Clean' });
  at(30, { ...active, acting: [0, 1], phase: 'Recovered' });
  at(40, { ...active, acting: [0], up: [0] });
  const down = at(50, { peering: 'Down' });

  expect([clean.lastChange.sec, clean.lastClean.sec, clean.lastFresh.sec, clean.reportedSeq]).toEqual([10, 20, 20, 2]);
  expect(down).toMatchObject({
    lastFresh: { sec: 50 },
    lastUnstale: { sec: 50 },
    lastChange: { sec: 50 },
    lastClean: { sec: 20 },
    lastActive: { sec: 30 },
    lastPeered: { sec: 40 },
    lastUndegraded: { sec: 50 },
    lastFullsized: { sec: 50 },
    reportedSeq: 5,
  });
  const undersized = at(60, { ...active, acting: [0, 1], phase: 'Recovered' });
  expect([undersized.lastUndegraded.sec, undersized.lastFullsized.sec]).toEqual([50, 50]);
});
