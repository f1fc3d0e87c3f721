/** Where items stand in a draft: put, moved, taken away (CrushWrapper::insert_item and its kin). */
import { Errno } from '@spirula/encoding';
import { withItem, withoutItem } from './bucket-edits.ts';
import { BucketAlg, type CrushChooseArg, RuleOp } from './crush-map.ts';
import { type CrushDraft, type EditFailure, isValidCrushName } from './draft.ts';
import { type CrushLocation, entriesOf, weightAt } from './hierarchy.ts';
import { adjustItemWeight, adjustItemWeightAt, adjustItemWeightIn } from './item-weights.ts';
import { rebuildShadowTrees } from './shadow-trees.ts';

const ONE = 0x10000;

/** A weight in 16.16, of a C float as Ceph carries it. */
export function fixedPoint(weight: number): number {
  return Math.trunc(Math.fround(weight) * ONE);
}

/** Weights have 31 bits (validate_weightf). */
function isValidWeight(weight16: number): boolean {
  return weight16 >= 0 && weight16 <= 0x7fff_ffff;
}

/** A weight in fixed point as Ceph hands it on, in a C float: 24 bits of it stay. */
export function throughFloat(weight16: number): number {
  return Math.fround(weight16);
}

interface Step {
  readonly type: number;
  readonly name: string;
}

/** The types of a location that the map has, lowest first, devices apart. */
function stepsOf(draft: CrushDraft, location: CrushLocation): Step[] {
  return [...draft.typeNames].flatMap(([type, typeName]) => {
    const name = location.get(typeName);
    return type === 0 || name === undefined ? [] : [{ type, name }];
  });
}

/** The weight of an item in the bucket named at the lowest type of `location`, when it is there (check_item_loc). */
export function weightIn(draft: CrushDraft, item: number, location: CrushLocation): number | undefined {
  const [lowest] = stepsOf(draft, location);
  const bucket = lowest === undefined ? undefined : draft.bucket(draft.idOf(lowest.name) ?? 0);
  const place = bucket?.items.indexOf(item) ?? -1;
  return place < 0 ? undefined : weightAt(bucket!, place);
}

/**
 * Puts an item at a location with a weight, 16.16, making the buckets that are missing (insert_item). With `initialSets`, weight sets begin with the
 * item's weight, else with none.
 */
export function insertItem(
  draft: CrushDraft,
  item: number,
  weight: number,
  name: string,
  location: CrushLocation,
  initialSets = true,
): EditFailure | undefined {
  if (!isValidCrushName(name) || !isValidLocation(location)) return Errno.EINVAL;
  if (!isValidWeight(weight)) return Errno.EOVERFLOW;
  const holder = draft.idOf(name);
  if (holder !== undefined && holder !== item) return Errno.EEXIST;
  if (holder === undefined) draft.setName(item, name);
  const misplaced = placeItem(draft, item, location);
  if (misplaced !== undefined) return misplaced;
  if (adjustItemWeightAt(draft, item, weight, location, item >= 0 && initialSets) === 0) return Errno.EINVAL;
  draft.maxDevices = Math.max(draft.maxDevices, item + 1);
  return rebuildShadowTrees(draft);
}

function isValidLocation(location: CrushLocation): boolean {
  return [...location].every((pair) => pair.every(isValidCrushName));
}

/** Adds the item to the lowest bucket of the location that exists, without weight yet, in new buckets for those below it. */
function placeItem(draft: CrushDraft, item: number, location: CrushLocation): EditFailure | undefined {
  let placed = item;
  for (const { type, name } of stepsOf(draft, location)) {
    const id = draft.idOf(name);
    if (id === undefined) {
      const added = draft.addBucket(type, [[placed, 0]]);
      if ('failure' in added) return added.failure;
      draft.setName(added.id, name);
      placed = added.id;
      continue;
    }
    const bucket = draft.bucket(id);
    if (bucket === undefined || draft.contains(id, placed) || bucket.type !== type) return Errno.EINVAL;
    if (draft.contains(placed, id)) return Errno.ELOOP;
    addToBucket(draft, id, placed, 0);
    return undefined;
  }
  return undefined;
}

/** One more item at the end of a bucket and of its replacements (bucket_add_item). */
function addToBucket(draft: CrushDraft, id: number, item: number, weight: number): void {
  draft.replaceBucket(withItem(draft.bucket(id)!, item, weight, draft.tunables));
  changeReplacements(draft, id, ({ weightSets, ids }) => ({
    weightSets: weightSets.map((weights) => Uint32Array.of(...weights, weight)),
    ids: ids.length === 0 ? ids : Int32Array.of(...ids, item),
  }));
}

/** Takes an item from a bucket, first its weight and then itself. */
function takeFromBucket(draft: CrushDraft, id: number, item: number): void {
  adjustItemWeightIn(draft, item, 0, id, true);
  removeFromBucket(draft, id, item);
}

/** Removes an item from a bucket and its replacements; what stands above keeps its weights (bucket_remove_item). */
function removeFromBucket(draft: CrushDraft, id: number, item: number): void {
  const bucket = draft.bucket(id)!;
  const place = bucket.items.indexOf(item);
  draft.replaceBucket(withoutItem(bucket, item, draft.tunables));
  // 16.2.15 takes the freed memory of these for a lack of memory, and stops there.
  const { uniform, list } = BucketAlg;
  if (bucket.items.length === 1 && (bucket.alg === uniform || bucket.alg === list)) return;
  changeReplacements(draft, id, ({ weightSets, ids }) => ({
    weightSets: weightSets.map((weights) => weights.filter((_, i) => i !== place)),
    ids: ids.filter((_, i) => i !== place),
  }));
}

/** Lets two buckets swap what they hold; what the first had comes in the order of ids (swap_bucket). */
export function swapContents(draft: CrushDraft, first: number, second: number): void {
  const taken = entriesOf(draft.bucket(first)!).sort(([a], [b]) => a - b);
  const given = entriesOf(draft.bucket(second)!);
  for (const [item] of taken) removeFromBucket(draft, first, item);
  for (const [item] of given) removeFromBucket(draft, second, item);
  for (const [item, weight] of given) addToBucket(draft, first, item, weight);
  for (const [item, weight] of taken) addToBucket(draft, second, item, weight);
}

function changeReplacements(draft: CrushDraft, id: number, change: (arg: CrushChooseArg) => CrushChooseArg): void {
  for (const args of draft.chooseArgs.values()) {
    const arg = args.get(-1 - id);
    if (arg !== undefined) args.set(-1 - id, change(arg));
  }
}

/** Moves a bucket, with all below it, to a location (move_bucket). */
export function relocateBucket(draft: CrushDraft, id: number, location: CrushLocation): EditFailure | undefined {
  const bucket = draft.bucket(id);
  const name = draft.nameOf(id);
  if (bucket === undefined || name === undefined) return Errno.ENOENT;
  const parent = draft.parentOf(id);
  if (parent !== undefined) takeFromBucket(draft, parent.id, id);
  return insertItem(draft, id, throughFloat(bucket.weight), name, location, false);
}

/** The weight of an item wherever it is met first: a bucket's own, or that in the bucket that holds it (get_item_weight). */
function firstWeight(draft: CrushDraft, item: number): number {
  for (const bucket of draft.bucketList()) {
    if (bucket.id === item) return bucket.weight;
    const place = bucket.items.indexOf(item);
    if (place >= 0) return weightAt(bucket, place);
  }
  return 0;
}

/** Puts an item at a location, with the weight it has when it stands elsewhere; false when it is there (create_or_move_item). */
export function createOrMoveItem(
  draft: CrushDraft,
  item: number,
  weight: number,
  name: string,
  location: CrushLocation,
): boolean | EditFailure {
  if (!isValidCrushName(name)) return Errno.EINVAL;
  if (weightIn(draft, item, location) !== undefined) return false;
  let kept = weight;
  if (draft.isHeld(item)) {
    kept = throughFloat(firstWeight(draft, item));
    deleteItem(draft, item, true);
  }
  return insertItem(draft, item, kept, name, location) ?? true;
}

/** Puts an item at a location with that weight and name; false when nothing changed (update_item). */
export function updateItem(
  draft: CrushDraft,
  item: number,
  weight: number,
  name: string,
  location: CrushLocation,
): boolean | EditFailure {
  if (!isValidCrushName(name) || !isValidLocation(location)) return Errno.EINVAL;
  if (!isValidWeight(weight)) return Errno.EOVERFLOW;
  const former = weightIn(draft, item, location);
  if (former === undefined) {
    if (draft.nameOf(item) !== undefined) deleteItem(draft, item, true);
    return insertItem(draft, item, weight, name, location) ?? true;
  }
  let changed = false;
  if (former !== weight) {
    adjustItemWeightAt(draft, item, weight, location, true);
    const failure = rebuildShadowTrees(draft);
    if (failure !== undefined) return failure;
    changed = true;
  }
  if (draft.nameOf(item) !== name) {
    draft.setName(item, name);
    changed = true;
  }
  return changed;
}

/** Gives an item another weight wherever it stands (adjust_item_weightf). */
export function changeItemWeight(draft: CrushDraft, item: number, weight: number): EditFailure | undefined {
  if (!isValidWeight(weight)) return Errno.EOVERFLOW;
  return adjustItemWeight(draft, item, weight, true) === 0 ? Errno.ENOENT : undefined;
}

/** Takes an item from wherever it stands; unless `unlinkOnly`, also from the map, if it is a device or an empty bucket (remove_item). */
export function deleteItem(draft: CrushDraft, item: number, unlinkOnly: boolean): EditFailure | undefined {
  if (item < 0 && !unlinkOnly) {
    const bucket = draft.bucket(item);
    if (bucket === undefined) return Errno.ENOENT;
    if (bucket.items.length > 0) return Errno.ENOTEMPTY;
    if (isBucketInUse(draft, item)) return Errno.EBUSY;
  }
  const holders = [...draft.holdersOf(item)];
  for (const id of holders) {
    for (let place = 0; place < draft.bucket(id)!.items.length; place++) {
      if (draft.bucket(id)!.items[place] === item) takeFromBucket(draft, id, item);
    }
  }
  const forgotten = forgetLast(draft, item, unlinkOnly);
  return forgotten || holders.length > 0 ? undefined : Errno.ENOENT;
}

/** Takes an item out of the buckets below `ancestor`, itself among them (_remove_item_under). */
export function takeFromBelow(
  draft: CrushDraft,
  item: number,
  ancestor: number,
  path: readonly number[] = [],
): boolean {
  if (draft.bucket(ancestor) === undefined || path.includes(ancestor)) return false;
  let found = false;
  for (let place = 0; place < draft.bucket(ancestor)!.items.length; place++) {
    const each = draft.bucket(ancestor)!.items[place]!;
    if (each === item) {
      takeFromBucket(draft, ancestor, item);
      found = true;
    } else if (each < 0 && takeFromBelow(draft, item, each, [...path, ancestor])) {
      found = true;
    }
  }
  return found;
}

/**
 * Forgets an item that stands nowhere any more, but for buckets that are only unlinked or that a rule takes; false when it
 * stays (_maybe_remove_last_instance). A device that is only unlinked keeps its class for when it is put elsewhere.
 */
export function forgetLast(draft: CrushDraft, item: number, unlinkOnly: boolean): boolean {
  if (draft.isHeld(item) || (item < 0 && isBucketInUse(draft, item))) return false;
  if (item < 0 && !unlinkOnly) {
    draft.removeBucket(item);
    draft.classBuckets.delete(item);
    draft.deviceClass.delete(item);
    draft.tidyChooseArgs();
  }
  if ((item >= 0 || !unlinkOnly) && draft.nameOf(item) !== undefined) {
    draft.deleteName(item);
    if (item >= 0 && !unlinkOnly) draft.deviceClass.delete(item);
  }
  rebuildShadowTrees(draft);
  return true;
}

/** Whether a bucket is a shadow, or a rule takes it or a shadow of it (_bucket_is_in_use). */
function isBucketInUse(draft: CrushDraft, bucket: number): boolean {
  for (const shadows of draft.classBuckets.values()) if ([...shadows.values()].includes(bucket)) return true;
  for (const rule of draft.rules) {
    for (const { op, arg1 } of rule?.steps ?? []) {
      if (op !== RuleOp.take) continue;
      const name = draft.nameOf(arg1);
      // Where a rule takes what is not there, 16.2.15 looks no further.
      if (name === undefined) return false;
      if (arg1 === bucket || draft.idOf(name.split('~')[0]!) === bucket) return true;
    }
  }
  return false;
}
