/**
 * The edits that monitors make to a CRUSH map (crush/CrushWrapper.cc): pure, each returns a new map. Weights add up: what a
 * bucket weighs in its parent is the sum of its items. The shadow trees of device classes and the weight sets of
 * choose_args follow each edit.
 */
import { type WeightedItem, withItems } from './bucket-weights.ts';
import {
  BucketAlg,
  type CrushBucket,
  type CrushChooseArg,
  type CrushMap,
  type CrushRule,
  type CrushTunables,
  RuleOp,
} from './crush-map.ts';
import { rebuildShadows } from './device-class.ts';
import {
  bucketOf,
  bucketsBelow,
  type CrushLocation,
  fitsLocation,
  freeBucketId,
  itemByName,
  itemWeight,
  OSD_TYPE,
  parentOf,
  parentsOf,
  rootsOf,
  standsAt,
  stepsOf,
  typeByName,
  weightAt,
  withBucket,
} from './hierarchy.ts';

/** CRUSH_HASH_RJENKINS1. */
const HASH_RJENKINS1 = 0;

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

/** Adds an empty bucket under the lowest free id, with the best algorithm that the map's tunables allow. */
export function addBucket(map: CrushMap, name: string, type: number): [CrushMap, number] {
  const id = freeBucketId(map);
  const { straw2, straw, tree, list, uniform } = BucketAlg;
  const allowed = [straw2, straw, tree, list, uniform].find((alg) => (map.tunables.allowedBucketAlgs >> alg) & 1);
  const bucket: CrushBucket = {
    id,
    type,
    alg: allowed ?? straw2,
    hash: HASH_RJENKINS1,
    weight: 0,
    items: new Int32Array(0),
    itemWeights: new Uint32Array(0),
    sums: new Uint32Array(0),
  };
  return [withName(withBucket(map, bucket), id, name), id];
}

export function withName(map: CrushMap, id: number, name: string): CrushMap {
  return { ...map, names: new Map([...map.names, [id, name]]) };
}

export function entriesOf(bucket: CrushBucket): WeightedItem[] {
  return Array.from(bucket.items, (item, i) => [item, weightAt(bucket, i)]);
}

/**
 * Puts `entries` in place of a bucket's items and carries its new weight up to the roots: a bucket that is linked to several
 * places has a parent in each. The device `weighed` gets its new weight in the bucket's weight sets, too.
 */
export function replaceItems(
  map: CrushMap,
  bucket: CrushBucket,
  entries: readonly WeightedItem[],
  weighed?: number,
  below: readonly number[] = [],
): CrushMap {
  const changed = withItems(bucket, entries, map.tunables);
  let next: CrushMap = { ...withBucket(map, changed), chooseArgs: withWeightSets(map, bucket, changed, weighed) };
  const path = [...below, bucket.id];
  for (const { id } of parentsOf(next, bucket.id)) {
    // A damaged map may run in circles.
    if (path.includes(id)) continue;
    const parent = bucketOf(next, id)!;
    const weights = entriesOf(parent).map(
      ([item, weight]): WeightedItem => [item, item === changed.id ? changed.weight : weight],
    );
    next = replaceItems(next, parent, weights, weighed, path);
  }
  return next;
}

/** The choose_args sets after `before` became `after`: weight sets of buckets go on being sums of those below. */
function withWeightSets(
  map: CrushMap,
  before: CrushBucket,
  after: CrushBucket,
  weighed: number | undefined,
): CrushMap['chooseArgs'] {
  return new Map(
    [...map.chooseArgs].map(([set, replacements]) => {
      const slot = -1 - before.id;
      const replacement = replacements.get(slot) ?? newReplacement(before, replacements);
      if (replacement === undefined) return [set, replacements];
      const { weightSets, ids } = replacement;
      const weightIn = (weights: Uint32Array, position: number, item: number, place: number): number => {
        if (item === weighed) return weightAt(after, place);
        const below = item < 0 ? replacements.get(-1 - item)?.weightSets[position] : undefined;
        if (below !== undefined) return below.reduce((sum, each) => sum + each, 0);
        return weights[before.items.indexOf(item)] ?? 0;
      };
      const changed: CrushChooseArg = {
        weightSets: weightSets.map((weights, position) =>
          Uint32Array.from(after.items, (item, place) => weightIn(weights, position, item, place)),
        ),
        ids: ids.length === 0 ? ids : Int32Array.from(after.items, (item) => ids[before.items.indexOf(item)] ?? item),
      };
      return [set, new Map([...replacements, [slot, changed]])];
    }),
  );
}

/** A bucket that gets its first item gets weight sets, as many as others have. */
function newReplacement(
  bucket: CrushBucket,
  replacements: ReadonlyMap<number, CrushChooseArg>,
): CrushChooseArg | undefined {
  const positions = [...replacements.values()].find(({ weightSets }) => weightSets.length > 0)?.weightSets.length ?? 0;
  if (bucket.items.length > 0 || bucket.alg !== BucketAlg.straw2 || positions === 0) return undefined;
  return { weightSets: Array.from({ length: positions }, () => new Uint32Array(0)), ids: new Int32Array(0) };
}

/** The map without the item in any bucket, or in those named. */
function takeOut(map: CrushMap, item: number, from = parentsOf(map, item)): CrushMap {
  let next = map;
  for (const { id } of from) {
    const bucket = bucketOf(next, id)!;
    next = replaceItems(
      next,
      bucket,
      entriesOf(bucket).filter(([each]) => each !== item),
    );
  }
  return next;
}

/** Takes an item from where it stands. Its bucket, and what hangs below it, stay in the map. */
export function detach(map: CrushMap, item: number): CrushMap {
  return rebuildShadows(takeOut(map, item));
}

function putAt(map: CrushMap, item: number, weight: number, location: CrushLocation): CrushMap {
  if (!fitsLocation(map, item, location)) return map;
  let next = map;
  let entry: WeightedItem = [item, weight];
  const weighed = item >= 0 ? item : undefined;
  for (const { type, name } of stepsOf(map, location)) {
    const existing = bucketOf(next, itemByName(next, name) ?? OSD_TYPE);
    if (existing !== undefined) return replaceItems(next, existing, [...entriesOf(existing), entry], weighed);
    const [made, id] = addBucket(next, name, type);
    next = replaceItems(made, bucketOf(made, id)!, [entry], weighed);
    entry = [id, bucketOf(next, id)!.weight];
  }
  return next;
}

/**
 * Puts an item at a location, making the buckets that are missing (CrushWrapper::insert_item). Where it does not fit
 * (`fitsLocation`), the map stays as it is.
 */
export function insert(map: CrushMap, item: number, weight: number, location: CrushLocation): CrushMap {
  return rebuildShadows(putAt(map, item, weight, location));
}

/**
 * Puts OSD `osd` at a location: a new one with `weight`, one that stands elsewhere with the weight it has there
 * (`osd crush create-or-move`).
 */
export function createOrMove(map: CrushMap, osd: number, weight: number, location: CrushLocation): CrushMap {
  if (standsAt(map, osd, location)) return map;
  const kept = parentOf(map, osd) === undefined ? weight : itemWeight(map, osd);
  const without = takeOut(map, osd);
  if (!fitsLocation(without, osd, location)) return map;
  const named = { ...withName(without, osd, `osd.${osd}`), maxDevices: Math.max(map.maxDevices, osd + 1) };
  return insert(named, osd, kept, location);
}

/** Moves a bucket, with all below it, to a location; where it does not fit, the map stays as it is. */
export function moveBucket(map: CrushMap, id: number, location: CrushLocation): CrushMap {
  if (standsAt(map, id, location)) return map;
  const without = takeOut(map, id);
  return fitsLocation(without, id, location) ? insert(without, id, bucketOf(map, id)?.weight ?? 0, location) : map;
}

/** Takes a rule away; the numbers of the others stay (crush_remove_rule). */
export function removeRule(map: CrushMap, ruleNo: number): CrushMap {
  const ruleNames = new Map(map.ruleNames);
  ruleNames.delete(ruleNo);
  return rebuildShadows({ ...map, rules: map.rules.with(ruleNo, undefined), ruleNames });
}

/** Gives an OSD another weight (16.16) wherever it stands, or in one bucket. */
export function reweightItem(map: CrushMap, item: number, weight: number, bucketId?: number): CrushMap {
  const holders = parentsOf(map, item).filter(({ id }) => bucketId === undefined || id === bucketId);
  let next = map;
  for (const { id } of holders) {
    const bucket = bucketOf(next, id)!;
    const entries = entriesOf(bucket).map(([each, old]): WeightedItem => [each, each === item ? weight : old]);
    next = replaceItems(next, bucket, entries, item);
  }
  return holders.length === 0 ? map : rebuildShadows(next);
}

/** Works all weights out anew from those of the devices, in the weight sets too (CrushWrapper::reweight). */
export function reweightAll(map: CrushMap): CrushMap {
  let next = map;
  const visit = (id: number): number => {
    const bucket = bucketOf(next, id)!;
    for (const item of bucket.items) if (item < 0) visit(item);
    const before = bucketOf(next, id)!;
    const entries = entriesOf(before).map(([item, weight]): WeightedItem => {
      return [item, item < 0 ? bucketOf(next, item)!.weight : weight];
    });
    const changed = withItems(before, entries, map.tunables);
    next = { ...withBucket(next, changed), chooseArgs: withWeightSets(next, before, changed, undefined) };
    return changed.weight;
  };
  for (const { id } of rootsOf(map)) visit(id);
  return rebuildShadows(next);
}

/** Whether a rule takes this bucket, or the shadow of it for a device class (CrushWrapper::_bucket_is_in_use). */
export function isTakenByRule(map: CrushMap, bucket: number): boolean {
  const ids = new Set([bucket, ...(map.classBuckets.get(bucket)?.values() ?? [])]);
  return map.rules.some((rule) => rule?.steps.some(({ op, arg1 }) => op === RuleOp.take && ids.has(arg1)));
}

/** Removes a device, or a bucket that holds nothing. */
export function removeItem(map: CrushMap, item: number): CrushMap {
  return forget(takeOut(map, item), item, false);
}

/**
 * Takes an item out of the buckets below `ancestor` that hold it, or of all (CrushWrapper::remove_item_under). A device that
 * then stands nowhere leaves the map, an empty bucket only if it is to be removed (`unlinkOnly` false).
 */
export function unlinkItem(map: CrushMap, item: number, ancestor: number | undefined, unlinkOnly: boolean): CrushMap {
  const holders = parentsOf(map, item).filter(({ id }) => ancestor === undefined || isBelow(map, ancestor, id));
  const without = takeOut(map, item, holders);
  const isLast = parentsOf(without, item).length === 0;
  // 16.2 leaves the shadows as they were, until the next change, when the item still stands elsewhere.
  if (!isLast) return without;
  return item >= 0 || !unlinkOnly ? forget(without, item, unlinkOnly) : rebuildShadows(without);
}

function isBelow(map: CrushMap, ancestor: number, bucket: number): boolean {
  if (bucket === ancestor) return true;
  return bucketsBelow(map, ancestor).has(bucket);
}

/** A device that is only unlinked keeps its class for when it is put elsewhere (_maybe_remove_last_instance). */
function forget(map: CrushMap, item: number, keepsClass: boolean): CrushMap {
  const names = new Map(map.names);
  names.delete(item);
  const deviceClass = new Map(map.deviceClass);
  if (!keepsClass) deviceClass.delete(item);
  const classBuckets = new Map(map.classBuckets);
  classBuckets.delete(item);
  const slot = -1 - item;
  const buckets = item < 0 ? map.buckets.with(slot, undefined) : map.buckets;
  const chooseArgs = new Map(
    [...map.chooseArgs].map(([set, replacements]) => [
      set,
      new Map([...replacements].filter(([each]) => each !== slot)),
    ]),
  );
  return rebuildShadows({ ...map, names, buckets, deviceClass, classBuckets, chooseArgs });
}

/** pg_pool_t's types, as rules know them. */
export const RuleType = { replicated: 1, erasure: 3 } as const;

/**
 * A rule that takes a root, or its shadow for a device class (`shadowOf`), and spreads over `domain`
 * (CrushWrapper::add_simple_rule). Without a `ruleType`, firstn is for replicated pools and indep for erasure-coded ones.
 */
export function addSimpleRule(
  map: CrushMap,
  name: string,
  root: number,
  domain: string,
  mode: 'firstn' | 'indep',
  ruleType?: number,
): CrushMap {
  const rulesets = new Set(map.rules.map((rule) => rule?.ruleset));
  let ruleNo = 0;
  while (map.rules[ruleNo] !== undefined || rulesets.has(ruleNo)) ruleNo += 1;
  const type = typeByName(map, domain) ?? OSD_TYPE;
  const firstn = mode === 'firstn';
  const leafOp = firstn ? RuleOp.chooseleafFirstn : RuleOp.chooseleafIndep;
  const osdOp = firstn ? RuleOp.chooseFirstn : RuleOp.chooseIndep;
  const rule: CrushRule = {
    ruleset: ruleNo,
    type: ruleType ?? (firstn ? RuleType.replicated : RuleType.erasure),
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
  while (rules.length < ruleNo) rules.push(undefined);
  rules[ruleNo] = rule;
  return { ...map, rules, ruleNames: new Map([...map.ruleNames, [ruleNo, name]]) };
}
