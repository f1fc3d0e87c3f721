import type { OsdId } from '@spirula/encoding';
import { emptyOsdMap, type OsdMap, OsdState, type PgPlacement, type Pool } from '@spirula/maps';
import type { PastInterval } from '@spirula/messages';
import { describe, expect, test } from 'vitest';
import {
  buildPriorSet,
  closeInterval,
  hasUnwitnessed,
  isNewInterval,
  isPriorSetAffected,
  NO_OSD,
} from './past-intervals.ts';

const pool = { size: 3, minSize: 2, pgNum: 8, lastForceResend: 0 } as Pool;

function placed(...acting: OsdId[]): PgPlacement {
  return { up: acting, upPrimary: acting[0] ?? -1, acting, actingPrimary: acting[0] ?? -1 };
}

/** A map of five OSDs, those named being up. */
function mapOf(
  epoch: number,
  up: readonly OsdId[],
  details: Partial<Record<OsdId, { upThru?: number; lostAt?: number }>> = {},
): OsdMap {
  const osds = [0, 1, 2, 3, 4];
  return {
    ...emptyOsdMap(new Uint8Array(16)),
    epoch,
    maxOsd: osds.length,
    osdState: osds.map((osd) => OsdState.exists | (up.includes(osd) ? OsdState.up : 0)),
    osdInfo: osds.map((osd) => ({
      lastCleanBegin: 0,
      lastCleanEnd: 0,
      upFrom: 1,
      upThru: 0,
      downAt: 0,
      lostAt: 0,
      ...details[osd],
    })),
  };
}

function interval(first: number, last: number, acting: readonly OsdId[], maybeWentRw = true): PastInterval {
  return { first, last, up: acting, acting, upPrimary: acting[0]!, primary: acting[0]!, maybeWentRw };
}

describe('a new interval', () => {
  test('begins when up, acting, primaries, size, min_size or the number of PGs change', () => {
    const before = { placement: placed(0, 1, 2), pool };

    expect(isNewInterval(before, { placement: placed(0, 1, 2), pool })).toBe(false);
    expect(isNewInterval(before, { placement: placed(0, 2, 1), pool })).toBe(true);
    expect(isNewInterval(before, { placement: { ...placed(0, 1, 2), up: [0, 1, 3] }, pool })).toBe(true);
    expect(isNewInterval(before, { placement: { ...placed(0, 1, 2), actingPrimary: 1 }, pool })).toBe(true);
    expect(isNewInterval(before, { placement: placed(0, 1, 2), pool: { ...pool, minSize: 1 } })).toBe(true);
    expect(isNewInterval(before, { placement: placed(0, 1, 2), pool: { ...pool, pgNum: 16 } })).toBe(true);
    expect(isNewInterval(before, { placement: placed(0, 1, 2), pool: { ...pool, lastChange: 7 } })).toBe(false);
  });
});

describe('an interval that ends', () => {
  const close = (placement: PgPlacement, map: OsdMap, lastEpochClean = 0) =>
    closeInterval({ placement, pool }, 10, 14, map, lastEpochClean).maybeWentRw;

  test('may have seen writes only with up_thru of its primary raised in it, and enough members', () => {
    expect(close(placed(0, 1, 2), mapOf(14, [0, 1, 2], { 0: { upThru: 9 } }))).toBe(false);
    expect(close(placed(0, 1, 2), mapOf(14, [0, 1, 2], { 0: { upThru: 10 } }))).toBe(true);
    expect(close(placed(0), mapOf(14, [0], { 0: { upThru: 12 } }))).toBe(false);
    expect(close(placed(0, NO_OSD, 2), mapOf(14, [0, 2], { 0: { upThru: 12 } }))).toBe(true);
    expect(close(placed(), mapOf(14, []))).toBe(false);
  });

  test('may have seen writes when the PG was clean in it', () => {
    expect(close(placed(0, 1, 2), mapOf(14, [0, 1, 2]), 12)).toBe(true);
    expect(close(placed(0, 1, 2), mapOf(14, [0, 1, 2]), 15)).toBe(false);
  });
});

describe('the prior set', () => {
  const now = placed(0, 1);

  test('asks the members of now and of every interval that may have seen writes', () => {
    const prior = buildPriorSet(
      mapOf(20, [0, 1, 2, 3, 4]),
      now,
      [interval(5, 9, [2, 3]), interval(10, 12, [4], false)],
      5,
    );

    expect([...prior.probe].sort()).toEqual([0, 1, 2, 3]);
    expect(prior.pgDown).toBe(false);
  });

  test('says that the PG is down when nobody survives of such an interval', () => {
    const map = mapOf(20, [0, 1]);
    const prior = buildPriorSet(map, now, [interval(5, 9, [2, 3])], 5);

    expect(prior).toMatchObject({ pgDown: true, down: new Set([2, 3]) });
    expect([...prior.blockedBy.keys()]).toEqual([2, 3]);
    expect(isPriorSetAffected(prior, map)).toBe(false);
    expect(isPriorSetAffected(prior, mapOf(21, [0, 1, 3]))).toBe(true);
    expect(isPriorSetAffected(prior, mapOf(21, [0, 1], { 2: { lostAt: 21 } }))).toBe(true);
    expect(isPriorSetAffected(prior, mapOf(21, [0]))).toBe(true);
  });

  test('does not wait for OSDs that were declared lost since', () => {
    const prior = buildPriorSet(mapOf(20, [0, 1], { 3: { lostAt: 15 } }), now, [interval(5, 9, [2, 3])], 5);

    expect(prior.pgDown).toBe(false);
  });

  test('does not look behind the latest activation', () => {
    const prior = buildPriorSet(mapOf(20, [0, 1]), now, [interval(2, 4, [2, 3]), interval(5, 9, [0, 2])], 5);

    expect(prior.pgDown).toBe(false);
  });
});

describe('an interval that may have gone read-write', () => {
  const past = [interval(5, 8, [0, 1]), interval(9, 12, [2], false)];

  test('has a witness in any member that was there and is heard', () => {
    expect(hasUnwitnessed(past, new Map([[1, 3]]))).toBe(false);
    expect(
      hasUnwitnessed(
        past,
        new Map([
          [0, 20],
          [1, 8],
        ]),
      ),
    ).toBe(false);
  });

  test('has none in one that was admitted later under the same number, nor in others', () => {
    expect(hasUnwitnessed(past, new Map([[2, 1]]))).toBe(true);
    expect(
      hasUnwitnessed(
        past,
        new Map([
          [0, 9],
          [1, 20],
        ]),
      ),
    ).toBe(true);
  });

  test('needs none when it did not', () => {
    expect(hasUnwitnessed([interval(5, 8, [0, 1], false)], new Map([[2, 9]]))).toBe(false);
    expect(hasUnwitnessed([], new Map())).toBe(false);
  });
});
