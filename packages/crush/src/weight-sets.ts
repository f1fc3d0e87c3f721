/**
 * Weight sets (choose_args): weights that placement goes by in place of the items' own, for one pool or, as the set
 * `COMPAT`, for all that have none (CrushWrapper.h: create_choose_args, choose_args_adjust_item_weight).
 *
 * A set holds, for each straw2 bucket, the weights of its items, either once or for each position of a PG's set of OSDs.
 */
import { BucketAlg, type CrushChooseArg, type CrushMap } from './crush-map.ts';
import { CrushDraft } from './draft.ts';
import { weightAt } from './hierarchy.ts';
import { adjustWeightsInSet } from './item-weights.ts';

/** Id of the set that clients without weight sets see as plain weights (CrushWrapper::DEFAULT_CHOOSE_ARGS). */
export const COMPAT_WEIGHT_SET = -1;

/** Adds a set that says what the buckets say; undefined when there is one under that id already. */
export function createWeightSet(map: CrushMap, id: number, positions: number): CrushMap | undefined {
  if (map.chooseArgs.has(id)) return undefined;
  const replacements = new Map<number, CrushChooseArg>();
  map.buckets.forEach((bucket, slot) => {
    if (bucket === undefined) return;
    const weights = Uint32Array.from(bucket.items, (_, at) => weightAt(bucket, at));
    replacements.set(slot, { weightSets: Array.from({ length: positions }, () => weights), ids: new Int32Array(0) });
  });
  return withSet(map, id, replacements);
}

/** The map without weight sets of buckets that do not choose by them, as Ceph has it once it has read it (update_choose_args). */
export function withTidyWeightSets(map: CrushMap): CrushMap {
  const draft = new CrushDraft(map);
  draft.tidyChooseArgs();
  return draft.toMap();
}

/** The map without that set. */
export function removeWeightSet(map: CrushMap, id: number): CrushMap {
  const chooseArgs = new Map(map.chooseArgs);
  chooseArgs.delete(id);
  return { ...map, chooseArgs };
}

/** How many positions the set has: 1 for a flat one (get_choose_args_positions). */
export function weightSetPositions(map: CrushMap, id: number): number {
  for (const { weightSets } of map.chooseArgs.get(id)?.values() ?? []) {
    if (weightSets.length > 0) return weightSets.length;
  }
  return 1;
}

/**
 * Gives an item other weights (16.16), one for each position, in every bucket that holds it, shadows among them, and to those
 * above the sums. Undefined when no bucket holds it.
 */
export function reweightInSet(
  map: CrushMap,
  id: number,
  item: number,
  weights: readonly number[],
): CrushMap | undefined {
  const draft = new CrushDraft(map);
  if (!draft.isHeld(item)) return undefined;
  adjustWeightsInSet(draft, draft.chooseArgs.get(id)!, item, weights);
  return draft.toMap();
}

function withSet(map: CrushMap, id: number, replacements: ReadonlyMap<number, CrushChooseArg>): CrushMap {
  const sorted = [...map.chooseArgs, [id, replacements] as const].sort(([a], [b]) => a - b);
  return { ...map, chooseArgs: new Map(sorted) };
}

/** Whether a bucket of another kind than straw2 is there: such buckets have no weight sets. */
export function hasOtherThanStraw2(map: CrushMap): boolean {
  return map.buckets.some((bucket) => bucket !== undefined && bucket.alg !== BucketAlg.straw2);
}
