/** Maps to balance: hosts in racks, OSDs of uneven weight and two classes, pools under rules of several kinds. */
import {
  addSimpleRule,
  adjustItemWeight,
  ancestorsOf,
  CrushDraft,
  type CrushMap,
  encodeCrushMap,
  itemByName,
  itemWeight,
  RuleOp,
  setDeviceClass,
  shadowOf,
  typeByName,
} from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { mapPgUpmap, markAllUpAndIn, type OsdMap, type Pool, PoolType, placedCrush, simpleMap } from '@spirula/maps';
import fc from 'fast-check';

/** The rule that asks for a class; OSDs have classes for it only. */
export const OF_CLASS = 3;
/** Hosts of three racks in turn. */
const RACKS = 3;
const ONE = 0x10000;
const OPTIONS = {
  osd_crush_chooseleaf_type: 1,
  osd_pool_default_size: 3,
  osd_pool_default_min_size: 0,
  osd_pool_default_crush_rule: -1,
  osd_pool_default_pg_autoscale_mode: 'on',
  osd_pool_default_flag_hashpspool: true,
  osd_pool_default_flag_nodelete: false,
  osd_pool_default_flag_nopgchange: false,
  osd_pool_default_flag_nosizechange: false,
};

/** By CRUSH rule: what a set of OSDs must not share, and the class that they have. */
export const RULES = [
  { domain: 'host', most: 1 },
  { domain: 'rack', most: 1 },
  { domain: 'osd', most: 1 },
  { domain: 'host', most: 1, deviceClass: 'ssd' },
  // Two racks, and two hosts in each.
  { domain: 'rack', most: 2 },
] as const;

export interface MapShape {
  readonly hosts: number;
  readonly osdsPerHost: number;
  /** By OSD: of 1. */
  readonly weights: readonly number[];
  readonly pgNum: number;
  readonly size: number;
  /** Index into RULES. */
  readonly rule: number;
  readonly isErasure: boolean;
  readonly out: readonly OsdId[];
}

/** Pool 1 of that shape, every OSD up. */
export function makeMap(shape: MapShape): OsdMap {
  const { hosts, osdsPerHost, weights, pgNum, size, rule, isErasure, out } = shape;
  const count = hosts * osdsPerHost;
  const osds = Array.from({ length: count }, (_, osd) => osd);
  const host = (osd: OsdId) => Math.floor(osd / osdsPerHost);
  const placed = osds.map((osd) => ({
    osd,
    location: new Map([
      ['host', `host${host(osd)}`],
      ['rack', `rack${host(osd) % RACKS}`],
    ]),
  }));
  let crush = placedCrush(placed);
  for (const osd of osds) {
    if (rule === OF_CLASS) crush = setDeviceClass(crush, osd, osd % 2 === 0 ? 'ssd' : 'hdd');
  }
  const draft = new CrushDraft(crush);
  for (const osd of osds) {
    adjustItemWeight(draft, osd, Math.round((weights[osd % weights.length] ?? 1) * ONE), true);
  }
  crush = draft.toMap();
  const map = simpleMap(crush, count, { pgBits: 0, pgpBits: 0 }, new Map(), OPTIONS, { sec: 1, nsec: 0 });
  const ruled = withRules(map.crush);
  const pool: Pool = {
    ...map.pools.get(1)!,
    ...{ size, pgNum, pgpNum: pgNum, pgNumTarget: pgNum, pgNumPending: pgNum, pgpNumTarget: pgNum, crushRule: rule },
    type: isErasure ? PoolType.erasure : PoolType.replicated,
  };
  const indep = {
    ...ruled,
    rules: ruled.rules.map((each) => each && { ...each, type: pool.type, minSize: 1, maxSize: 10 }),
  };
  const whole = { ...map, epoch: 1, crush: indep, crushBytes: encodeCrushMap(indep), pools: new Map([[1, pool]]) };
  const up = markAllUpAndIn(whole);
  return { ...up, osdWeight: up.osdWeight.map((weight, osd) => (out.includes(osd) ? 0 : weight)) };
}

/** The rules of RULES, by number; the first is there. */
function withRules(crush: CrushMap): CrushMap {
  const root = itemByName(crush, 'default')!;
  let next = addSimpleRule(crush, 'racks', root, 'rack', 'firstn');
  next = addSimpleRule(next, 'osds', root, 'osd', 'firstn');
  next = addSimpleRule(next, 'ssds', shadowOf(crush, root, 'ssd') ?? root, 'host', 'firstn');
  next = addSimpleRule(next, 'pairs', root, 'host', 'firstn');
  const [take, , emit] = next.rules[4]!.steps;
  const steps = [
    take!,
    { op: RuleOp.chooseFirstn, arg1: 2, arg2: typeByName(crush, 'rack')! },
    { op: RuleOp.chooseleafFirstn, arg1: 2, arg2: typeByName(crush, 'host')! },
    emit!,
  ];
  return { ...next, rules: next.rules.with(4, { ...next.rules[4]!, steps }) };
}

export const shapes: fc.Arbitrary<MapShape> = fc
  .record({
    hosts: fc.integer({ min: 6, max: 12 }),
    osdsPerHost: fc.constantFrom(2, 4),
    weights: fc.array(fc.float({ min: 0.5, max: 4, noNaN: true }), { minLength: 1, maxLength: 24 }),
    pgNum: fc.integer({ min: 8, max: 200 }),
    size: fc.integer({ min: 2, max: 4 }),
    rule: fc.nat(RULES.length - 1),
    isErasure: fc.boolean(),
    out: fc.array(fc.nat(11), { maxLength: 2 }),
  })
  .map((shape) => ({ ...shape, size: shape.rule === 1 ? Math.min(shape.size, RACKS) : shape.size }));

/** What every PG of pool 1 is on, upmaps counted. */
export function placements(map: OsdMap): OsdId[][] {
  return Array.from({ length: map.pools.get(1)!.pgNum }, (_, seed) => mapPgUpmap(map, { pool: 1, seed }));
}

/** PGs on each OSD, and how many it is due by its weight, worked out from the map alone. */
export function deviations(map: OsdMap, isMeant: (osd: OsdId) => boolean = () => true): Map<OsdId, number> {
  const placed = placements(map).flat();
  const osds = Array.from({ length: map.maxOsd }, (_, osd) => osd).filter(
    (osd) => map.osdWeight[osd]! > 0 && isMeant(osd),
  );
  const weight = (osd: OsdId) => itemWeight(map.crush, osd) * map.osdWeight[osd]!;
  const total = osds.reduce((sum, osd) => sum + weight(osd), 0);
  return new Map(
    osds.map((osd) => [osd, placed.filter((each) => each === osd).length - (placed.length * weight(osd)) / total]),
  );
}

export function squares(numbers: Iterable<number>): number {
  return [...numbers].reduce((sum, each) => sum + each * each, 0);
}

/** Name of the bucket of that type above an OSD. */
export function bucketAbove(map: OsdMap, osd: OsdId, type: string): number {
  if (type === 'osd') return osd;
  return ancestorsOf(map.crush, osd).find((bucket) => map.crush.typeNames.get(bucket.type) === type)!.id;
}
