/**
 * What an operator may do to a cluster, in words, and the map that comes of it:
 *
 *     out osd.3 | out host2          in osd.3              reweight osd.3 0.8
 *     crush-reweight osd.3 1.5       remove host2          class osd.3 ssd
 *     add-osds 4 weight 1.8 host=h9 rack=r1 root=default   class=hdd may follow
 *     size POOL 4                    pg-num POOL 256       pgp-num POOL 128
 *     rule POOL RULE                 failure-domain POOL rack
 */
import {
  addSimpleRule,
  type CrushLocation,
  type CrushMap,
  createOrMove,
  devicesBelow,
  itemByName,
  RuleOp,
  removeItem,
  reweightItem,
  setDeviceClass,
  typeByName,
} from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, OsdState, type Pool, PoolType } from '@spirula/maps';

/** A change that is not understood, or cannot be made: the message says what, and what would do. */
export class CannotChange extends Error {
  override readonly name = 'CannotChange';
}

export type Change = (map: OsdMap) => OsdMap;

const ONE = 0x10000;
/** OSDs and PGs that a change may ask for at most. */
const MOST_OSDS = 100_000;
const MOST_PGS = 1 << 20;
const UP = OsdState.exists | OsdState.up;

/** @throws CannotChange when it is not understood */
export function parseChange(text: string): Change {
  const [verb = '', ...words] = text.trim().split(/\s+/);
  const found = VERBS.get(verb);
  if (!found) throw new CannotChange(`there is no change '${verb}'. There are: ${[...VERBS.keys()].join(', ')}`);
  return found(words, text);
}

/** @throws CannotChange when the map has no such thing */
export function applyChange(map: OsdMap, text: string): OsdMap {
  return parseChange(text)(map);
}

type Verb = (words: readonly string[], text: string) => Change;

const VERBS: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['out', (words, text) => ofItem(words, text, 'out ITEM', (map, osds) => withReweight(map, osds, 0))],
  ['in', (words, text) => ofItem(words, text, 'in ITEM', (map, osds) => withReweight(map, osds, ONE))],
  [
    'reweight',
    ([item, weight, ...rest], text) => {
      const reweight = numberOf(weight, text, 'reweight ITEM 0..1', (n) => n >= 0 && n <= 1);
      return ofItem(item === undefined ? rest : [item, ...rest], text, 'reweight ITEM 0..1', (map, osds) =>
        withReweight(map, osds, Math.round(reweight * ONE)),
      );
    },
  ],
  [
    'crush-reweight',
    ([item, weight, ...rest], text) => {
      const usage = 'crush-reweight ITEM WEIGHT';
      const crushWeight = Math.round(ONE * numberOf(weight, text, usage, (n) => n >= 0 && n < 32_768));
      return ofItem(item === undefined ? rest : [item, ...rest], text, usage, (map, osds) =>
        withCrush(map, (crush) => osds.reduce((each, osd) => reweightItem(each, osd, crushWeight), crush)),
      );
    },
  ],
  ['remove', (words, text) => ofItem(words, text, 'remove ITEM', removeOsds)],
  [
    'class',
    ([item, name, ...rest], text) => {
      if (name === undefined) throw misread(text, 'class ITEM CLASS');
      return ofItem([item!, ...rest], text, 'class ITEM CLASS', (map, osds) =>
        withCrush(map, (crush) => osds.reduce((each, osd) => setDeviceClass(each, osd, name), crush)),
      );
    },
  ],
  ['add-osds', addOsds],
  ['size', (words, text) => ofPool(words, text, 'size POOL 1..10', (n) => n >= 1 && n <= 10, resized)],
  ['pg-num', (words, text) => ofPool(words, text, 'pg-num POOL N', isPgCount, withPgNum)],
  ['pgp-num', (words, text) => ofPool(words, text, 'pgp-num POOL N', isPgCount, (pool, n) => ({ ...pool, pgpNum: n }))],
  ['rule', setRule],
  ['failure-domain', setFailureDomain],
]);

function misread(text: string, usage: string): CannotChange {
  return new CannotChange(`'${text}' is not understood: ${usage}`);
}

function numberOf(word: string | undefined, text: string, usage: string, isMeant: (n: number) => boolean): number {
  const value = Number(word);
  if (word === undefined || !Number.isFinite(value) || !isMeant(value)) throw misread(text, usage);
  return value;
}

function isPgCount(n: number): boolean {
  return Number.isInteger(n) && n >= 1 && n <= MOST_PGS;
}

/** An OSD, or all OSDs below a bucket. */
function ofItem(
  words: readonly string[],
  text: string,
  usage: string,
  change: (map: OsdMap, osds: readonly OsdId[], item: number) => OsdMap,
): Change {
  const [name, ...rest] = words;
  if (name === undefined || rest.length > 0) throw misread(text, usage);
  return (map) => {
    const item = itemByName(map.crush, name);
    if (item === undefined) throw new CannotChange(`'${text}': the CRUSH map has no '${name}'`);
    return change(map, item < 0 ? devicesBelow(map.crush, item) : [item], item);
  };
}

function withCrush(map: OsdMap, change: (crush: CrushMap) => CrushMap): OsdMap {
  return { ...map, crush: change(map.crush) };
}

function withReweight(map: OsdMap, osds: readonly OsdId[], weight: number): OsdMap {
  const osdWeight = [...map.osdWeight];
  for (const osd of osds) osdWeight[osd] = weight;
  return { ...map, osdWeight };
}

/** They are gone from the CRUSH map, and from the cluster, as are the buckets that then are empty. */
function removeOsds(map: OsdMap, osds: readonly OsdId[], item: number): OsdMap {
  let crush = map.crush;
  const buckets = item < 0 ? bucketsFromBelow(crush, item) : [];
  for (const each of [...osds, ...buckets]) crush = removeItem(crush, each);
  const osdState = [...map.osdState];
  for (const osd of osds) osdState[osd] = 0;
  return { ...withReweight(map, osds, 0), crush, osdState };
}

function bucketsFromBelow(crush: CrushMap, bucket: number): number[] {
  const below = [...(crush.buckets[-1 - bucket]?.items ?? [])].filter((item) => item < 0);
  return [...below.flatMap((each) => bucketsFromBelow(crush, each)), bucket];
}

function addOsds(words: readonly string[], text: string): Change {
  const usage = 'add-osds COUNT weight W host=NAME [rack=NAME …] root=NAME [class=NAME]';
  const [countWord, keyword, weightWord, ...places] = words;
  const count = numberOf(countWord, text, usage, (n) => Number.isInteger(n) && n >= 1 && n <= MOST_OSDS);
  const weight = numberOf(weightWord, text, usage, (n) => n > 0 && n < 32_768);
  if (keyword !== 'weight') throw misread(text, usage);
  const pairs = new Map<string, string>();
  for (const place of places) {
    const [, type, name] = /^([^=]+)=(.+)$/.exec(place) ?? [];
    if (type === undefined || name === undefined) throw misread(text, usage);
    pairs.set(type, name);
  }
  const className = pairs.get('class');
  pairs.delete('class');
  const location: CrushLocation = pairs;
  if (!location.has('host')) throw misread(text, usage);
  return (map) => {
    for (const type of location.keys()) {
      if (typeByName(map.crush, type) === undefined) throw new CannotChange(`'${text}': there is no type '${type}'`);
    }
    let added = map;
    for (let i = 0; i < count; i++) added = addOsd(added, Math.round(weight * ONE), location, className, text);
    return added;
  };
}

function addOsd(
  map: OsdMap,
  weight: number,
  location: CrushLocation,
  className: string | undefined,
  text: string,
): OsdMap {
  const free = map.osdState.findIndex((state, osd) => (state & OsdState.exists) === 0 && !map.crush.names.has(osd));
  const osd = free < 0 ? map.maxOsd : free;
  const placed = createOrMove(map.crush, osd, weight, location);
  if (placed === map.crush) throw new CannotChange(`'${text}': that location does not fit the CRUSH map`);
  const crush = className === undefined ? placed : setDeviceClass(placed, osd, className);
  const maxOsd = Math.max(map.maxOsd, osd + 1);
  const grown = <T>(list: readonly T[], value: T, others: T): T[] => {
    const all = Array.from({ length: maxOsd }, (_, i) => list[i] ?? others);
    all[osd] = value;
    return all;
  };
  return {
    ...map,
    ...{ crush, maxOsd },
    osdState: grown(map.osdState, UP, 0),
    osdWeight: grown(map.osdWeight, ONE, 0),
    ...(map.primaryAffinity.length > 0 && { primaryAffinity: grown(map.primaryAffinity, ONE, ONE) }),
  };
}

function poolNamed(map: OsdMap, name: string, text: string): [id: number, pool: Pool] {
  for (const [id, pool] of map.pools) if (map.poolNames.get(id) === name || String(id) === name) return [id, pool];
  throw new CannotChange(`'${text}': there is no pool '${name}'`);
}

function withPool(map: OsdMap, id: number, pool: Pool): OsdMap {
  return { ...map, pools: new Map([...map.pools, [id, pool]]) };
}

function ofPool(
  [name, value, ...rest]: readonly string[],
  text: string,
  usage: string,
  isMeant: (n: number) => boolean,
  change: (pool: Pool, value: number, text: string) => Pool,
): Change {
  const number = numberOf(value, text, usage, (n) => Number.isInteger(n) && isMeant(n));
  if (name === undefined || rest.length > 0) throw misread(text, usage);
  return (map) => {
    const [id, pool] = poolNamed(map, name, text);
    return withPool(map, id, change(pool, number, text));
  };
}

function resized(pool: Pool, size: number, text: string): Pool {
  if (pool.type !== PoolType.replicated)
    throw new CannotChange(`'${text}': the size of an erasure-coded pool is that of its profile`);
  return { ...pool, size, minSize: Math.min(pool.minSize, size) };
}

/** As the monitor does in the end: what is split is placed anew as well. */
function withPgNum(pool: Pool, pgNum: number): Pool {
  return { ...pool, pgNum, pgpNum: pgNum, pgNumPending: pgNum, pgNumTarget: pgNum, pgpNumTarget: pgNum };
}

function setRule([name, ruleName, ...rest]: readonly string[], text: string): Change {
  if (name === undefined || ruleName === undefined || rest.length > 0) throw misread(text, 'rule POOL RULE');
  return (map) => {
    const [id, pool] = poolNamed(map, name, text);
    const rule = [...map.crush.ruleNames].find(([no, known]) => known === ruleName || String(no) === ruleName);
    if (!rule) throw new CannotChange(`'${text}': there is no rule '${ruleName}'`);
    return withPool(map, id, { ...pool, crushRule: map.crush.rules[rule[0]]!.ruleset });
  };
}

/** By a new rule from the same root. */
function setFailureDomain([name, domain, ...rest]: readonly string[], text: string): Change {
  if (name === undefined || domain === undefined || rest.length > 0) throw misread(text, 'failure-domain POOL TYPE');
  return (map) => {
    const [id, pool] = poolNamed(map, name, text);
    if (typeByName(map.crush, domain) === undefined) throw new CannotChange(`'${text}': there is no type '${domain}'`);
    const before = map.crush.rules.find((rule) => rule?.ruleset === pool.crushRule);
    const root = before?.steps.find(({ op }) => op === RuleOp.take)?.arg1;
    if (root === undefined) throw new CannotChange(`'${text}': the rule of the pool takes no root`);
    const mode = pool.type === PoolType.replicated ? 'firstn' : 'indep';
    const crush = addSimpleRule(map.crush, `${name}_by_${domain}`, root, domain, mode);
    const rule = crush.rules.findLastIndex((each) => each !== undefined);
    return withPool({ ...map, crush }, id, { ...pool, crushRule: crush.rules[rule]!.ruleset });
  };
}
