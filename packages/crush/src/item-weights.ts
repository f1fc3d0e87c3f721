/**
 * Weights of items and of all above them (CrushWrapper::adjust_item_weight and its kin), weight sets included: what a bucket
 * weighs in its parent is the sum of its items, in each position of each set too.
 */
import { reweighed, withItemWeight } from './bucket-edits.ts';
import type { CrushBucket, CrushChooseArg } from './crush-map.ts';
import { type CrushDraft, hasWeightSets, positionsOf } from './draft.ts';
import { type CrushLocation, weightAt } from './hierarchy.ts';

/** Buckets on the way up: a damaged map may run in circles. */
type Path = readonly number[];

/**
 * Gives an item another weight wherever it stands; returns in how many buckets (adjust_item_weight). On the way, all weight
 * sets of the map are made to add up again.
 */
export function adjustItemWeight(
  draft: CrushDraft,
  item: number,
  weight: number,
  updateSets: boolean,
  path: Path = [],
): number {
  const all = draft.chooseArgs.size > 0 ? draft.bucketList().map(({ id }) => id) : [...draft.holdersOf(item)];
  return all.filter((id) => adjustItemWeightIn(draft, item, weight, id, updateSets, path)).length;
}

/**
 * Gives an item another weight in one bucket and what follows from it to all above; false when the bucket does not hold it
 * (adjust_item_weight_in_bucket). With `updateSets`, every position of every weight set gets the weight, too.
 */
export function adjustItemWeightIn(
  draft: CrushDraft,
  item: number,
  weight: number,
  bucketId: number,
  updateSets: boolean,
  path: Path = [],
): boolean {
  if (path.includes(bucketId)) return false;
  const above = [...path, bucketId];
  const times = draft.holdersOf(item).has(bucketId) ? timesIn(draft.bucket(bucketId)!, item) : 0;
  for (let i = 0; i < times; i++) {
    const bucket = draft.bucket(bucketId)!;
    if (updateSets) setInSets(draft, bucket, bucket.items.indexOf(item), weight);
    const changed = withItemWeight(bucket, item, weight, draft.tunables);
    draft.replaceBucket(changed);
    adjustItemWeight(draft, bucketId, changed.weight, false, above);
  }
  for (const args of draft.chooseArgs.values()) {
    const own = args.get(-1 - bucketId);
    if (own === undefined || own.weightSets.length === 0) continue;
    adjustWeightsInSet(draft, args, bucketId, own.weightSets.map(sumOf), [bucketId]);
  }
  return times > 0;
}

function timesIn({ items }: CrushBucket, item: number): number {
  return items.filter((each) => each === item).length;
}

/** The same in the buckets that a location names; returns in how many (adjust_item_weight_in_loc). */
export function adjustItemWeightAt(
  draft: CrushDraft,
  item: number,
  weight: number,
  location: CrushLocation,
  updateSets: boolean,
): number {
  const named = [...location].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, name]) => draft.idOf(name) ?? 0);
  return named.filter((id) => adjustItemWeightIn(draft, item, weight, id, updateSets)).length;
}

function setInSets(draft: CrushDraft, bucket: CrushBucket, place: number, weight: number): void {
  const slot = -1 - bucket.id;
  for (const args of draft.chooseArgs.values()) {
    const arg = args.get(slot);
    if (arg === undefined) continue;
    args.set(slot, { ...arg, weightSets: arg.weightSets.map((weights) => weights.with(place, weight)) });
  }
}

function sumOf(weights: Uint32Array): number {
  return weights.reduce((sum, each) => (sum + each) >>> 0, 0);
}

/**
 * Gives an item other weights, one for each position, in one choose_args set, and to all above the sums
 * (choose_args_adjust_item_weight). A bucket without weight sets that this meets gets its own weights as its sets.
 */
export function adjustWeightsInSet(
  draft: CrushDraft,
  args: Map<number, CrushChooseArg>,
  item: number,
  weights: readonly number[],
  path: Path = [],
): number {
  const holders = draft.holdersOf(item);
  const concerned = [...new Set([...holders, ...draft.withoutWeightSets(args)])].sort((a, b) => b - a);
  return concerned.filter((id) => adjustInBucket(draft, args, id, item, weights, path)).length;
}

function adjustInBucket(
  draft: CrushDraft,
  args: Map<number, CrushChooseArg>,
  bucketId: number,
  item: number,
  weights: readonly number[],
  path: Path,
): boolean {
  const slot = -1 - bucketId;
  const bucket = draft.bucket(bucketId)!;
  const holds = draft.holdersOf(item).has(bucketId);
  if (holds && path.includes(bucketId)) return false;
  let arg = args.get(slot);
  const isNew = !hasWeightSets(args, bucketId);
  if (isNew) {
    const own = Uint32Array.from(bucket.items, (_, i) => weightAt(bucket, i));
    arg = { ids: arg?.ids ?? new Int32Array(0), weightSets: Array.from({ length: positionsOf(args) }, () => own) };
    args.set(slot, arg);
  }
  if (arg!.weightSets.length !== weights.length) return false;
  if (!holds && !isNew) return false;
  const weightSets = arg!.weightSets.map((each, position) =>
    each.map((weight, i) => (bucket.items[i] === item ? weights[position]! : weight)),
  );
  args.set(slot, { ...arg!, weightSets });
  adjustWeightsInSet(draft, args, bucketId, weightSets.map(sumOf), holds ? [...path, bucketId] : [bucketId]);
  return true;
}

/** Works all weights out anew from those of the devices, in the weight sets too (CrushWrapper::reweight, but for shadows). */
export function reweighAll(draft: CrushDraft): void {
  for (const root of draft.roots().filter((id) => !draft.isShadow(id))) {
    reweighBucket(draft, root, []);
    for (const args of draft.chooseArgs.values()) reweighInSet(draft, args, root, []);
  }
}

function reweighBucket(draft: CrushDraft, id: number, path: Path): number {
  if (path.includes(id)) return 0;
  for (const item of draft.bucket(id)?.items ?? []) if (item < 0) reweighBucket(draft, item, [...path, id]);
  const bucket = draft.bucket(id);
  if (bucket === undefined) return 0;
  const changed = reweighed(bucket, (child) => draft.bucket(child)?.weight ?? 0, draft.tunables);
  draft.replaceBucket(changed);
  return changed.weight;
}

/**
 * Weight of a bucket in each position of a set. 16.2.15 reads and writes the first position's weights for all of them, so
 * that what is left there is the sum of the last position (reweight_bucket).
 */
function reweighInSet(draft: CrushDraft, args: Map<number, CrushChooseArg>, id: number, path: Path): readonly number[] {
  const slot = -1 - id;
  const arg = args.get(slot);
  const positions = arg?.weightSets.length ?? 0;
  const sums = new Array<number>(positions).fill(0);
  const first = arg?.weightSets[0]?.slice();
  draft.bucket(id)?.items.forEach((item, i) => {
    const below = item < 0 && !path.includes(id) ? reweighInSet(draft, args, item, [...path, id]) : undefined;
    for (let position = 0; position < positions; position++) {
      const weight = below === undefined ? first![i]! : (below[position] ?? 0);
      sums[position] = (sums[position]! + weight) >>> 0;
      if (below !== undefined) first![i] = weight;
    }
  });
  if (first !== undefined) args.set(slot, { ...arg!, weightSets: arg!.weightSets.with(0, first) });
  return sums;
}
