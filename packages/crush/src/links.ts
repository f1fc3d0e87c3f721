/** Buckets in several places at once, under other names, or with one another's contents (CrushWrapper). */
import type { WeightedItem } from './bucket-weights.ts';
import { entriesOf, insert, replaceItems, withName } from './builder.ts';
import type { CrushMap } from './crush-map.ts';
import { rebuildShadows } from './device-class.ts';
import { bucketOf, bucketsBelow, type CrushLocation } from './hierarchy.ts';

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
  const taken = entriesOf(bucketOf(map, source)!);
  const given = entriesOf(bucketOf(map, destination)!);
  // Ceph keeps what it takes out first in the order of ids.
  const sorted = [...taken].sort(([a], [b]) => a - b);
  const swapped = put(put(map, source, given), destination, sorted);
  const names = new Map(swapped.names);
  const [from, to] = [names.get(source)!, names.get(destination)!];
  names.set(source, to).set(destination, from);
  return rebuildShadows({ ...swapped, names });
}

function put(map: CrushMap, bucket: number, entries: readonly WeightedItem[]): CrushMap {
  return replaceItems(map, bucketOf(map, bucket)!, entries);
}
