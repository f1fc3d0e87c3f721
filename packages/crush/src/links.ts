/** Buckets in several places at once, under other names, or with one another's contents (CrushWrapper). */
import { insert, withName } from './builder.ts';
import type { CrushMap } from './crush-map.ts';
import { CrushDraft } from './draft.ts';
import { bucketOf, bucketsBelow, type CrushLocation } from './hierarchy.ts';
import { swapContents } from './item-places.ts';
import { adjustItemWeight } from './item-weights.ts';
import { rebuildShadowTrees } from './shadow-trees.ts';

/** Puts a bucket at a location as well as where it stands; where it does not fit, the map stays as it is (link_bucket). */
export function linkBucket(map: CrushMap, bucket: number, location: CrushLocation): CrushMap {
  return insert(map, bucket, bucketOf(map, bucket)?.weight ?? 0, location);
}

/** Gives a bucket, with its shadows, another name. */
export function renameBucket(map: CrushMap, bucket: number, name: string): CrushMap {
  return withName(map, bucket, name);
}

/** Whether one of two buckets holds the other: such do not swap what they hold. */
export function isNested(map: CrushMap, a: number, b: number): boolean {
  return bucketsBelow(map, a).has(b) || bucketsBelow(map, b).has(a);
}

/** Lets two buckets, neither below the other, swap names and what they hold, but not their places (swap_bucket). */
export function swapBuckets(map: CrushMap, source: number, destination: number): CrushMap {
  const draft = new CrushDraft(map);
  const [taken, given] = [bucketOf(map, source)!.weight, bucketOf(map, destination)!.weight];
  adjustItemWeight(draft, source, given, true);
  adjustItemWeight(draft, destination, taken, true);
  swapContents(draft, source, destination);
  const [from, to] = [draft.nameOf(source)!, draft.nameOf(destination)!];
  draft.setName(source, to);
  draft.setName(destination, from);
  rebuildShadowTrees(draft);
  return draft.toMap();
}
