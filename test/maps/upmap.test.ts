/** Upmaps that balance: valid under the rule, better than before, and as they are said to be. */
import { deviceClassOf } from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import {
  addUpmaps,
  applyIncremental,
  balancePgs,
  cleanPgUpmaps,
  emptyIncremental,
  mapPgRaw,
  type OsdMap,
  pgKey,
  type UpmapPlan,
} from '@spirula/maps';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  bucketAbove,
  deviations,
  type MapShape,
  makeMap,
  OF_CLASS,
  placements,
  RULES,
  shapes,
  squares,
} from './upmap-maps.ts';

const NONE = 0x7fffffff;

function balance(map: OsdMap, maxDeviation = 1, maxChanges = 100_000): { plan: UpmapPlan; after: OsdMap } {
  const plan = balancePgs(map, { maxDeviation, maxChanges, pools: [1] });
  const inc = emptyIncremental(map.fsid, map.epoch + 1);
  addUpmaps(plan, inc);
  return { plan, after: applyIncremental(map, inc) };
}

function cleaned(map: OsdMap): { map: OsdMap; found: boolean } {
  const inc = emptyIncremental(map.fsid, map.epoch + 1);
  const found = cleanPgUpmaps(map, inc);
  return { map: applyIncremental(map, inc), found };
}

function isValid(map: OsdMap, { rule }: MapShape, osds: readonly OsdId[]): boolean {
  const { domain, most, ...rest } = RULES[rule]!;
  const there = osds.filter((osd) => osd !== NONE);
  const domains = there.map((osd) => bucketAbove(map, osd, domain));
  const hosts = there.map((osd) => bucketAbove(map, osd, 'host'));
  return (
    new Set(there).size === there.length &&
    domains.every((each) => domains.filter((other) => other === each).length <= most) &&
    (rule !== 4 || (new Set(hosts).size === hosts.length && new Set(domains).size <= 2)) &&
    there.every((osd) => !('deviceClass' in rest) || deviceClassOf(map.crush, osd) === rest.deviceClass)
  );
}

/** Upmaps of any OSDs to any others, of which those that the rule refuses are then cleaned up. */
const withOwn = fc.record({
  shape: shapes,
  items: fc.array(fc.tuple(fc.nat(199), fc.nat(3), fc.nat(47)), { maxLength: 40 }),
});

function withItems(map: OsdMap, items: readonly (readonly [seed: number, place: number, to: OsdId])[]): OsdMap {
  const { pgNum } = map.pools.get(1)!;
  const pgUpmapItems = new Map(
    items.map(([seed, place, to]) => {
      const pg = { pool: 1, seed: seed % pgNum };
      const raw = mapPgRaw(map, pg);
      return [pgKey(pg), [[raw[place % raw.length]!, to % map.maxOsd] as const]];
    }),
  );
  return cleaned({ ...map, pgUpmapItems }).map;
}

test('what is proposed is valid, evens PGs out, and is counted right', () => {
  let moved = 0;
  fc.assert(
    fc.property(withOwn, ({ shape, items }) => {
      const map = withItems(makeMap(shape), items);
      const isMeant = (osd: OsdId) => shape.rule !== OF_CLASS || osd % 2 === 0;
      const before = placements(map);

      const { plan, after } = balance(map);

      const now = placements(after);
      const changed = now.filter((osds, seed) => `${osds}` !== `${before[seed]}`);
      expect(changed.filter((osds) => !isValid(map, shape, osds))).toEqual([]);
      expect(now.flat().every((osd) => osd === NONE || map.osdWeight[osd]! > 0)).toBe(true);
      const movedNow = now.map((osds, seed) => osds.filter((osd) => !before[seed]!.includes(osd)).length);
      expect(movedNow.reduce((sum, count) => sum + count, 0)).toBe(plan.moves);
      const seeds = [...movedNow.keys()].filter((seed) => movedNow[seed]! > 0);
      expect(seeds.every((seed) => plan.changes.has(pgKey({ pool: 1, seed })))).toBe(true);
      const [was, is] = [deviations(map, isMeant), deviations(after, isMeant)];
      if (plan.moves > 0) expect(squares(is.values())).toBeLessThan(squares(was.values()));
      expect(plan.after.stddev).toBeLessThanOrEqual(plan.before.stddev);
      if (!now.flat().includes(NONE)) {
        expect(plan.after.stddev).toBeCloseTo(Math.sqrt(squares(is.values()) / is.size), 6);
        expect(plan.after.maxDeviation).toBeCloseTo(Math.max(...[...is.values()].map(Math.abs)), 6);
      }
      expect(cleaned(after).found).toBe(false);
      moved += plan.moves;
    }),
    { numRuns: 150 },
  );
  expect(moved).toBeGreaterThan(1000);
});

const even: MapShape = {
  ...{
    hosts: 12,
    osdsPerHost: 4,
    weights: [1, 2, 1.5, 0.7, 3],
    pgNum: 512,
    size: 3,
    rule: 0,
    isErasure: false,
    out: [],
  },
};

test.each([0, 2, 3])('with room for it, rule %i leaves no OSD further than one PG from what it is due', (rule) => {
  const { plan } = balance(makeMap({ ...even, rule }));

  expect(plan.before.maxDeviation).toBeGreaterThan(5);
  expect(plan.after.maxDeviation).toBeLessThanOrEqual(1);
});

test('no more PGs move than must leave the fullest and reach the emptiest', () => {
  const map = makeMap(even);
  const was = [...deviations(map).values()];
  const leave = was.reduce((sum, each) => sum + Math.max(0, Math.ceil(each - 1)), 0);
  const reach = was.reduce((sum, each) => sum + Math.max(0, Math.ceil(-1 - each)), 0);

  const { plan } = balance(map);

  expect(plan.moves).toBe(Math.max(leave, reach));
});

test('what is even enough stays as it is', () => {
  const { after } = balance(makeMap(even));
  const again = balance(after).plan;

  expect([again.changes.size, again.moves]).toEqual([0, 0]);
  expect(balance(makeMap(even), 1000).plan.changes.size).toBe(0);
});

test('not more PGs change than asked', () => {
  const map = makeMap(even);

  expect(balance(map, 1, 7).plan.changes.size).toBe(7);
  expect(balance(map, 1, 0).plan.changes.size).toBe(0);
});

test('round by round it comes to the same evenness', () => {
  let map = makeMap(even);
  let rounds = 0;
  for (; ; rounds++) {
    const { plan, after } = balance(map, 1, 10);
    map = after;
    if (plan.changes.size === 0) break;
  }

  expect(rounds).toBeGreaterThan(5);
  expect(Math.max(...[...deviations(map).values()].map(Math.abs))).toBeLessThanOrEqual(1);
});

test('upmaps that made it uneven are taken back before others are made', () => {
  const { after } = balance(makeMap(even));
  const host0 = [0, 1, 2, 3];
  // As many PGs as can be are moved to an OSD that has enough.
  const items = placements(after).flatMap((osds, seed) => {
    const key = pgKey({ pool: 1, seed });
    const isFree = !after.pgUpmapItems.has(key) && !osds.some((osd) => host0.includes(osd));
    return isFree ? [[key, [[osds[0]!, 1] as const]] as const] : [];
  });
  const uneven = { ...after, pgUpmapItems: new Map([...after.pgUpmapItems, ...items.slice(0, 20)]) };

  const { plan } = balance(uneven);

  const undone = items.slice(0, 20).filter(([key]) => plan.changes.get(key)?.length === 0).length;
  expect(plan.after.maxDeviation).toBeLessThanOrEqual(1);
  expect(undone).toBeGreaterThanOrEqual(15);
  expect(plan.moves).toBeLessThanOrEqual(40);
});

test('upmaps of whole sets stay, and so do PGs whose items depend on one another', () => {
  const map = makeMap(even);
  const whole = placements(map).slice(0, 40);
  const chained = pgKey({ pool: 1, seed: 100 });
  const [a = 0, b = 0] = mapPgRaw(map, { pool: 1, seed: 100 });
  const free = [...Array(map.maxOsd).keys()].find((osd) => !mapPgRaw(map, { pool: 1, seed: 100 }).includes(osd))!;
  const held = {
    ...map,
    pgUpmap: new Map(whole.map((osds, seed) => [pgKey({ pool: 1, seed }), osds.toReversed()])),
    pgUpmapItems: new Map([[chained, [[a, free] as const, [b, a] as const]]]),
  };

  const { plan } = balance(held);

  expect(plan.moves).toBeGreaterThan(50);
  expect([...plan.changes.keys()].filter((key) => held.pgUpmap.has(key) || key === chained)).toEqual([]);
});

test('OSDs that are down are given nothing', () => {
  const map = makeMap(even);
  const down = [0, 7, 20];
  const ailing = { ...map, osdState: map.osdState.map((state, osd) => (down.includes(osd) ? state & ~2 : state)) };
  const before = placements(ailing);

  const { after } = balance(ailing);

  const gained = placements(after).flatMap((osds, seed) => osds.filter((osd) => !before[seed]!.includes(osd)));
  expect(gained.length).toBeGreaterThan(50);
  expect(gained.filter((osd) => down.includes(osd))).toEqual([]);
});

test('without weight there is nothing to balance', () => {
  const map = makeMap(even);
  const { plan } = balance({ ...map, osdWeight: map.osdWeight.map(() => 0) });

  expect([plan.isWeightless, plan.changes.size]).toEqual([true, 0]);
});

test('a thousand OSDs of uneven weight and 32,000 PGs are balanced in seconds', () => {
  const weights = Array.from({ length: 1000 }, (_, i) => 1 + ((i * 7919) % 1500) / 100);
  const map = makeMap({ ...even, hosts: 50, osdsPerHost: 20, weights, pgNum: 32_000 });
  const begin = process.cpuUsage();

  const { plan } = balance(map);

  const { user, system } = process.cpuUsage(begin);
  expect(plan.before.stddev).toBeGreaterThan(5);
  expect(plan.after.maxDeviation).toBeLessThanOrEqual(1);
  expect((user + system) / 1e6).toBeLessThan(20);
});
