/**
 * The edits that monitors make to a CRUSH map (crush/CrushWrapper.cc): pure, each returns a new map. Buckets made here are
 * straw2; item weights of buckets always equal the weight of the bucket below.
 */
import { BucketAlg, type CrushBucket, type CrushMap, type CrushRule, type CrushTunables, RuleOp } from './crush-map.ts';

/** CRUSH_HASH_RJENKINS1. */
const HASH_RJENKINS1 = 0;
/** Slots for buckets double from here. */
const FIRST_SLOTS = 8;
const OSD_TYPE = 0;

/** Ceph's default types, by number. */
export const DEFAULT_TYPES: readonly string[] = [
  'osd',
  'host',
  'chassis',
  'rack',
  'row',
  'pdu',
  'pod',
  'room',
  'datacenter',
  'zone',
  'region',
  'root',
];

/** The tunables of new clusters (profile jewel, the default). */
const DEFAULT_TUNABLES: CrushTunables = {
  chooseLocalTries: 0,
  chooseLocalFallbackTries: 0,
  chooseTotalTries: 50,
  chooseleafDescendOnce: 1,
  chooseleafVaryR: 1,
  chooseleafStable: 1,
  strawCalcVersion: 1,
  allowedBucketAlgs:
    (1 << BucketAlg.uniform) | (1 << BucketAlg.list) | (1 << BucketAlg.straw) | (1 << BucketAlg.straw2),
};

/** A map with Ceph's types and tunables, no buckets and no rules. */
export function emptyCrushMap(): CrushMap {
  return {
    maxDevices: 0,
    buckets: [],
    rules: [],
    typeNames: new Map(DEFAULT_TYPES.map((name, type) => [type, name])),
    names: new Map(),
    ruleNames: new Map(),
    tunables: DEFAULT_TUNABLES,
    deviceClass: new Map(),
    classNames: new Map(),
    classBuckets: new Map(),
    chooseArgs: new Map(),
  };
}

/** Where something stands: type name -> bucket name, such as host -> host0, root -> default. */
export type CrushLocation = ReadonlyMap<string, string>;

export function bucketOf(map: CrushMap, id: number): CrushBucket | undefined {
  return id < 0 ? map.buckets[-1 - id] : undefined;
}

/** Id of the item with this name. */
export function itemByName(map: CrushMap, name: string): number | undefined {
  for (const [id, each] of map.names) if (each === name) return id;
  return undefined;
}

export function typeByName(map: CrushMap, name: string): number | undefined {
  for (const [type, each] of map.typeNames) if (each === name) return type;
  return undefined;
}

/** Whether the bucket is the shadow of another for a device class (`default~ssd`). */
export function isShadow(map: CrushMap, id: number): boolean {
  return map.names.get(id)?.includes('~') ?? false;
}

/** The bucket that holds an item, shadows apart. */
export function parentOf(map: CrushMap, item: number): CrushBucket | undefined {
  return map.buckets.find((bucket) => bucket?.items.includes(item) && !isShadow(map, bucket.id));
}

/** The bucket of type `typeName` above an item (or the item itself, when it is of that type). */
export function subtreeOf(map: CrushMap, item: number, typeName: string): number | undefined {
  const type = typeByName(map, typeName);
  if (type === undefined) return undefined;
  if (type === OSD_TYPE) return item;
  let at = bucketOf(map, item) ?? parentOf(map, item);
  for (let level = 0; at !== undefined && level < map.buckets.length; level++) {
    if (at.type === type) return at.id;
    at = parentOf(map, at.id);
  }
  return undefined;
}

/** Names of the buckets above an item, by type name. */
export function locationOf(map: CrushMap, item: number): CrushLocation {
  const location = new Map<string, string>();
  let at = parentOf(map, item);
  for (let level = 0; at !== undefined && level < map.buckets.length; level++) {
    location.set(map.typeNames.get(at.type) ?? String(at.type), map.names.get(at.id) ?? String(at.id));
    at = parentOf(map, at.id);
  }
  return location;
}

/** Buckets that no other holds, shadows apart. */
export function rootsOf(map: CrushMap): CrushBucket[] {
  return map.buckets.filter(
    (bucket): bucket is CrushBucket =>
      bucket !== undefined && !isShadow(map, bucket.id) && parentOf(map, bucket.id) === undefined,
  );
}

/** 16.16 weight of an item where it stands; 0 when it stands nowhere. */
export function itemWeight(map: CrushMap, item: number): number {
  const parent = parentOf(map, item);
  return parent === undefined ? 0 : (parent.itemWeights[parent.items.indexOf(item)] ?? parent.itemWeights[0] ?? 0);
}

/** Adds an empty bucket under the lowest free id. */
export function addBucket(map: CrushMap, name: string, type: number): [CrushMap, number] {
  let slot = map.buckets.indexOf(undefined);
  const buckets = [...map.buckets];
  if (slot < 0) {
    slot = buckets.length;
    const slots = buckets.length === 0 ? FIRST_SLOTS : buckets.length * 2;
    while (buckets.length < slots) buckets.push(undefined);
  }
  const id = -1 - slot;
  buckets[slot] = {
    id,
    type,
    alg: BucketAlg.straw2,
    hash: HASH_RJENKINS1,
    weight: 0,
    items: new Int32Array(0),
    itemWeights: new Uint32Array(0),
    sums: new Uint32Array(0),
  };
  return [{ ...map, buckets, names: withName(map, id, name) }, id];
}

/** Names in ascending order of id, as they are encoded. */
function withName(map: CrushMap, id: number, name: string): Map<number, string> {
  return new Map([...map.names, [id, name] as const].sort(([a], [b]) => a - b));
}

function withItems(bucket: CrushBucket, entries: readonly (readonly [item: number, weight: number])[]): CrushBucket {
  return {
    ...bucket,
    items: Int32Array.from(entries, ([item]) => item),
    itemWeights: Uint32Array.from(entries, ([, weight]) => weight),
    weight: entries.reduce((sum, [, weight]) => sum + weight, 0) >>> 0,
  };
}

function entriesOf(bucket: CrushBucket): [number, number][] {
  return Array.from(bucket.items, (item, i) => [item, bucket.itemWeights[i] ?? bucket.itemWeights[0] ?? 0]);
}

function withBucket(map: CrushMap, bucket: CrushBucket): CrushMap {
  return { ...map, buckets: map.buckets.with(-1 - bucket.id, bucket) };
}

/** Carries a bucket's new weight up to its root. */
function propagate(map: CrushMap, id: number): CrushMap {
  const bucket = bucketOf(map, id)!;
  const parent = parentOf(map, id);
  if (parent === undefined) return map;
  const entries = entriesOf(parent).map(([item, weight]) => [item, item === id ? bucket.weight : weight] as const);
  return propagate(withBucket(map, withItems(parent, entries)), parent.id);
}

function attach(map: CrushMap, parentId: number, item: number, weight: number): CrushMap {
  const parent = bucketOf(map, parentId)!;
  return propagate(withBucket(map, withItems(parent, [...entriesOf(parent), [item, weight]])), parentId);
}

/** Takes an item from where it stands. Its bucket, and what hangs below it, stay in the map. */
export function detach(map: CrushMap, item: number): CrushMap {
  const parent = parentOf(map, item);
  if (parent === undefined) return map;
  const entries = entriesOf(parent).filter(([each]) => each !== item);
  return propagate(withBucket(map, withItems(parent, entries)), parent.id);
}

/** Puts an item at a location, making the buckets that are missing (CrushWrapper::insert_item). */
export function insert(map: CrushMap, item: number, weight: number, location: CrushLocation): CrushMap {
  let current = item;
  let currentWeight = weight;
  let next = map;
  for (const [type, typeName] of [...map.typeNames].sort(([a], [b]) => a - b)) {
    const name = location.get(typeName);
    if (type === OSD_TYPE || name === undefined) continue;
    const existing = itemByName(next, name);
    if (existing !== undefined) return attach(next, existing, current, currentWeight);
    const [made, id] = addBucket(next, name, type);
    next = attach(made, id, current, currentWeight);
    current = id;
    currentWeight = bucketOf(next, id)!.weight;
  }
  return next;
}

/** Whether an item stands where `location` says, as far as it says. */
export function standsAt(map: CrushMap, item: number, location: CrushLocation): boolean {
  const current = locationOf(map, item);
  return current.size > 0 && [...location].every(([type, name]) => current.get(type) === name);
}

/**
 * Puts OSD `osd` at a location: a new one with `weight`, one that stands elsewhere with the weight it has there
 * (`osd crush create-or-move`).
 */
export function createOrMove(map: CrushMap, osd: number, weight: number, location: CrushLocation): CrushMap {
  if (standsAt(map, osd, location)) return map;
  const known = parentOf(map, osd) !== undefined;
  const kept = known ? itemWeight(map, osd) : weight;
  const named = {
    ...map,
    names: withName(map, osd, `osd.${osd}`),
    maxDevices: Math.max(map.maxDevices, osd + 1),
  };
  return insert(detach(named, osd), osd, kept, location);
}

/** Moves a bucket, with all below it, to a location. */
export function moveBucket(map: CrushMap, id: number, location: CrushLocation): CrushMap {
  return insert(detach(map, id), id, bucketOf(map, id)?.weight ?? 0, location);
}

/** Gives an OSD another weight (16.16) where it stands. */
export function reweightItem(map: CrushMap, item: number, weight: number): CrushMap {
  const parent = parentOf(map, item);
  if (parent === undefined) return map;
  const entries = entriesOf(parent).map(([each, old]) => [each, each === item ? weight : old] as const);
  return propagate(withBucket(map, withItems(parent, entries)), parent.id);
}

/** Removes a device, or a bucket that holds nothing. */
export function removeItem(map: CrushMap, item: number): CrushMap {
  const without = detach(map, item);
  const names = new Map(without.names);
  names.delete(item);
  const buckets = item < 0 ? without.buckets.with(-1 - item, undefined) : without.buckets;
  return { ...without, names, buckets };
}

/** A rule that takes a root and spreads over `domain` (CrushWrapper::add_simple_rule). */
export function addSimpleRule(
  map: CrushMap,
  name: string,
  root: number,
  domain: string,
  mode: 'firstn' | 'indep',
): CrushMap {
  const free = map.rules.indexOf(undefined);
  const ruleNo = free < 0 ? map.rules.length : free;
  const type = typeByName(map, domain) ?? OSD_TYPE;
  const firstn = mode === 'firstn';
  const leafOp = firstn ? RuleOp.chooseleafFirstn : RuleOp.chooseleafIndep;
  const osdOp = firstn ? RuleOp.chooseFirstn : RuleOp.chooseIndep;
  const rule: CrushRule = {
    ruleset: ruleNo,
    type: firstn ? 1 : 3,
    minSize: firstn ? 1 : 3,
    maxSize: firstn ? 10 : 20,
    steps: [
      ...(firstn
        ? []
        : [
            { op: RuleOp.setChooseleafTries, arg1: 5, arg2: 0 },
            { op: RuleOp.setChooseTries, arg1: 100, arg2: 0 },
          ]),
      { op: RuleOp.take, arg1: root, arg2: 0 },
      { op: type === OSD_TYPE ? osdOp : leafOp, arg1: 0, arg2: type },
      { op: RuleOp.emit, arg1: 0, arg2: 0 },
    ],
  };
  const rules = [...map.rules];
  rules[ruleNo] = rule;
  return { ...map, rules, ruleNames: new Map([...map.ruleNames, [ruleNo, name]]) };
}
