/**
 * The edits that monitors make to a CRUSH map (crush/CrushWrapper.cc): pure, each returns a new map. Weights add up: what a
 * bucket weighs in its parent is the sum of its items. The shadow trees of device classes and the weight sets of
 * choose_args follow each edit. They are made on drafts (`draft.ts`).
 */
import { BucketAlg, type CrushMap, type CrushTunables, RuleOp } from './crush-map.ts';
import { CrushDraft, type EditFailure } from './draft.ts';
import { type CrushLocation, OSD_TYPE, parentsOf, standsAt, typeByName } from './hierarchy.ts';
import { createOrMoveItem, deleteItem, forgetLast, insertItem, relocateBucket, takeFromBelow } from './item-places.ts';
import { adjustItemWeight, adjustItemWeightIn, reweighAll } from './item-weights.ts';
import { rebuildShadowTrees } from './shadow-trees.ts';
import { freeRuleNumber, RuleType, simpleRule, takeRuleAway } from './simple-rule.ts';

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

/** The map after a change; as it was, when that fails. */
function edited(map: CrushMap, change: (draft: CrushDraft) => EditFailure | undefined): CrushMap {
  const draft = new CrushDraft(map);
  return change(draft) === undefined ? draft.toMap() : map;
}

/** Adds an empty bucket under the lowest free id, with the best algorithm that the map's tunables allow. */
export function addBucket(map: CrushMap, name: string, type: number): [CrushMap, number] {
  const draft = new CrushDraft(map);
  let added = draft.addBucket(type, []);
  if ('failure' in added) added = draft.addBucket(type, [], { alg: BucketAlg.straw2 });
  const { id } = added as { id: number };
  draft.setName(id, name);
  return [draft.toMap(), id];
}

export function withName(map: CrushMap, id: number, name: string): CrushMap {
  return { ...map, names: new Map([...map.names, [id, name]]) };
}

/** Takes an item from where it stands. Its bucket, and what hangs below it, stay in the map. */
export function detach(map: CrushMap, item: number): CrushMap {
  return edited(map, (draft) => {
    for (const { id } of parentsOf(map, item)) takeFromBelow(draft, item, id);
    return rebuildShadowTrees(draft);
  });
}

/**
 * Puts an item at a location, making the buckets that are missing (CrushWrapper::insert_item). Where it does not fit
 * (`fitsLocation`), the map stays as it is.
 */
export function insert(map: CrushMap, item: number, weight: number, location: CrushLocation): CrushMap {
  return edited(map, (draft) => insertItem(draft, item, weight, map.names.get(item) ?? '', location));
}

/**
 * Puts OSD `osd` at a location: a new one with `weight`, one that stands elsewhere with the weight it has there
 * (`osd crush create-or-move`).
 */
export function createOrMove(map: CrushMap, osd: number, weight: number, location: CrushLocation): CrushMap {
  return edited(map, (draft) => {
    const outcome = createOrMoveItem(draft, osd, weight, `osd.${osd}`, location);
    return typeof outcome === 'number' ? outcome : undefined;
  });
}

/** Moves a bucket, with all below it, to a location; where it does not fit, the map stays as it is. */
export function moveBucket(map: CrushMap, id: number, location: CrushLocation): CrushMap {
  return standsAt(map, id, location) ? map : edited(map, (draft) => relocateBucket(draft, id, location));
}

/** Takes a rule away; the numbers of the others stay (crush_remove_rule). */
export function removeRule(map: CrushMap, ruleNo: number): CrushMap {
  const draft = new CrushDraft(map);
  takeRuleAway(draft, ruleNo);
  return draft.toMap();
}

/** Gives an OSD another weight (16.16) wherever it stands, or in one bucket. */
export function reweightItem(map: CrushMap, item: number, weight: number, bucketId?: number): CrushMap {
  const draft = new CrushDraft(map);
  const found =
    bucketId === undefined
      ? adjustItemWeight(draft, item, weight, true) > 0
      : adjustItemWeightIn(draft, item, weight, bucketId, true);
  if (found) rebuildShadowTrees(draft);
  return found ? draft.toMap() : map;
}

/** Works all weights out anew from those of the devices, in the weight sets too (CrushWrapper::reweight). */
export function reweightAll(map: CrushMap): CrushMap {
  const draft = new CrushDraft(map);
  reweighAll(draft);
  rebuildShadowTrees(draft);
  return draft.toMap();
}

/** Whether a rule takes this bucket, or the shadow of it for a device class (CrushWrapper::_bucket_is_in_use). */
export function isTakenByRule(map: CrushMap, bucket: number): boolean {
  const ids = new Set([bucket, ...(map.classBuckets.get(bucket)?.values() ?? [])]);
  return map.rules.some((rule) => rule?.steps.some(({ op, arg1 }) => op === RuleOp.take && ids.has(arg1)));
}

/** Removes a device, or a bucket that holds nothing. */
export function removeItem(map: CrushMap, item: number): CrushMap {
  return edited(map, (draft) => deleteItem(draft, item, false));
}

/**
 * Takes an item out of the buckets below `ancestor` that hold it, or of all (CrushWrapper::remove_item_under). A device that
 * then stands nowhere leaves the map, an empty bucket only if it is to be removed (`unlinkOnly` false).
 */
export function unlinkItem(map: CrushMap, item: number, ancestor: number | undefined, unlinkOnly: boolean): CrushMap {
  return edited(map, (draft) => {
    if (ancestor === undefined) return deleteItem(draft, item, unlinkOnly);
    takeFromBelow(draft, item, ancestor);
    // 16.2 leaves the shadows as they were, until the next change, when the item still stands elsewhere.
    forgetLast(draft, item, unlinkOnly);
    return undefined;
  });
}

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
  const ruleNo = freeRuleNumber(map.rules);
  const type = ruleType ?? (mode === 'firstn' ? RuleType.replicated : RuleType.erasure);
  const rules = [...map.rules];
  rules[ruleNo] = simpleRule(ruleNo, type, root, typeByName(map, domain) ?? OSD_TYPE, mode);
  return { ...map, rules, ruleNames: new Map([...map.ruleNames, [ruleNo, name]]) };
}
