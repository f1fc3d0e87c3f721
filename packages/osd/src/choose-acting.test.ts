import { compareVersions, type EVersion, type OsdId } from '@spirula/encoding';
import { MAX_HOBJECT, MIN_HOBJECT } from '@spirula/maps';
import type { PgInfo } from '@spirula/messages';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calcReplicatedActing, findBestInfo, type PeerInfos } from './choose-acting.ts';
import { emptyInfo } from './pg-info.ts';

interface Sketch {
  readonly lastUpdate: EVersion;
  readonly logTail?: EVersion;
  /** Epoch in which it was last part of an active PG. */
  readonly started?: number;
  readonly incomplete?: boolean;
}

function at(epoch: number, version: number): EVersion {
  return { epoch, version };
}

function infoOf({ lastUpdate, logTail = at(0, 0), started = 1, incomplete = false }: Sketch): PgInfo {
  return {
    ...emptyInfo({ pool: 1, seed: 0 }),
    lastUpdate,
    lastComplete: lastUpdate,
    logTail,
    lastEpochStarted: started,
    lastBackfill: incomplete ? MIN_HOBJECT : MAX_HOBJECT,
  };
}

function peers(sketches: Readonly<Record<OsdId, Sketch>>): PeerInfos {
  return new Map(Object.entries(sketches).map(([osd, sketch]) => [Number(osd), infoOf(sketch)]));
}

describe('the authoritative log', () => {
  test('is the newest of those that were active last', () => {
    const infos = peers({
      0: { lastUpdate: at(5, 10), started: 3 },
      1: { lastUpdate: at(5, 12), started: 3 },
      // Newer, but written before the latest activation and divergent since.
      2: { lastUpdate: at(4, 99), started: 2 },
    });

    expect(findBestInfo(infos, 0, undefined)).toBe(1);
  });

  test('is the longer of two that end alike, then the own one, then the one of the lowest number', () => {
    const alike = { lastUpdate: at(5, 10) };

    expect(findBestInfo(peers({ 0: { ...alike, logTail: at(1, 4) }, 1: alike }), 0, undefined)).toBe(1);
    expect(findBestInfo(peers({ 0: alike, 1: alike, 2: alike }), 1, undefined)).toBe(1);
    expect(findBestInfo(peers({ 0: alike, 1: alike, 2: alike }), 7, undefined)).toBe(0);
  });

  test('is never that of a replica under backfill, even when no other was active last', () => {
    const infos = peers({
      0: { lastUpdate: at(5, 10), started: 3, incomplete: true },
      1: { lastUpdate: at(5, 2), started: 3 },
    });
    expect(findBestInfo(infos, 0, undefined)).toBe(1);
    expect(findBestInfo(peers({ 0: { lastUpdate: at(5, 10), incomplete: true } }), 0, undefined)).toBeUndefined();
  });

  test('does not depend on the order in which infos came', () => {
    const version = fc.record({ epoch: fc.nat(2), version: fc.nat(2) });
    const sketch = fc.record({ lastUpdate: version, started: fc.nat(2), incomplete: fc.boolean() });

    fc.assert(
      fc.property(fc.array(sketch, { minLength: 1, maxLength: 5 }), fc.nat(5), (sketches, self) => {
        const infos = [...peers({ ...sketches })];
        const forward = findBestInfo(new Map(infos), self, undefined);

        expect(findBestInfo(new Map(infos.reverse()), self, undefined)).toBe(forward);
        if (forward === undefined) return;
        const best = new Map(infos).get(forward)!;
        for (const [, info] of infos) {
          const competes = info.lastBackfill.max && info.lastEpochStarted >= best.lastEpochStarted;
          if (competes) expect(compareVersions(info.lastUpdate, best.lastUpdate)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });
});

describe('the acting set', () => {
  test('is the up set when all of it can follow by the log', () => {
    const infos = peers({ 0: { lastUpdate: at(5, 10) }, 1: { lastUpdate: at(5, 10) }, 2: { lastUpdate: at(5, 3) } });

    expect(calcReplicatedActing(infos, 1, [0, 1, 2], 0, [0, 1, 2], 3)).toEqual({ want: [0, 1, 2], backfill: [] });
  });

  test('is led by the authority when the up primary is empty, and the up set is backfilled', () => {
    const old = { lastUpdate: at(5, 100), logTail: at(5, 90) };
    const infos = peers({ 0: { lastUpdate: at(0, 0) }, 1: old, 2: { lastUpdate: at(0, 0) }, 3: old });

    expect(calcReplicatedActing(infos, 1, [0, 2], 0, [0, 2], 2)).toEqual({ want: [1, 3], backfill: [0, 2] });
  });

  test('keeps members that have the PG while others are backfilled', () => {
    const old = { lastUpdate: at(5, 100), logTail: at(5, 90) };
    const infos = peers({ 0: old, 1: { lastUpdate: at(0, 0) }, 2: old });

    expect(calcReplicatedActing(infos, 0, [0, 1], 0, [0, 2], 2)).toEqual({ want: [0, 2], backfill: [1] });
  });

  test('has no more members than the pool has copies, and nobody who cannot follow', () => {
    const sketch = fc.record({
      lastUpdate: fc.record({ epoch: fc.constant(1), version: fc.nat(12) }),
      incomplete: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(sketch, { minLength: 5, maxLength: 5 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4]),
        (sketches, order) => {
          const infos = peers({
            ...sketches.map((each) => ({ ...each, logTail: at(1, Math.max(0, each.lastUpdate.version - 4)) })),
          });
          const authority = findBestInfo(infos, 0, undefined);
          if (authority === undefined || order.length === 0) return;
          const up = order.slice(0, 3);

          const { want, backfill } = calcReplicatedActing(infos, authority, up, up[0]!, up, 3);

          expect(want.length).toBeLessThanOrEqual(3);
          expect(new Set(want).size).toBe(want.length);
          for (const osd of want) expect(infos.get(osd)!.lastBackfill.max).toBe(true);
          for (const osd of up) expect(want.includes(osd) !== backfill.includes(osd)).toBe(true);
        },
      ),
    );
  });
});
