/**
 * Who holds whom in a CRUSH map: buckets by name and slot, parents, roots, locations. A bucket whose name has a `~` is the
 * shadow of another for a device class (`default~ssd`); shadows are derived (device-class.ts) and nobody's parents here.
 */
import type { WeightedItem } from './bucket-weights.ts';
import type { CrushBucket, CrushMap } from './crush-map.ts';

export const OSD_TYPE = 0;

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

/** Whether the bucket is the shadow of another for a device class. */
export function isShadow(map: CrushMap, id: number): boolean {
  return map.names.get(id)?.includes('~') ?? false;
}

/** The bucket that holds an item, shadows apart. */
export function parentOf(map: CrushMap, item: number): CrushBucket | undefined {
  return map.buckets.find((bucket) => bucket?.items.includes(item) && !isShadow(map, bucket.id));
}

/** All buckets that hold an item, shadows apart: there are several when it is linked to more than one place. */
export function parentsOf(map: CrushMap, item: number): CrushBucket[] {
  return map.buckets.filter(
    (bucket): bucket is CrushBucket => bucket?.items.includes(item) === true && !isShadow(map, bucket.id),
  );
}

/** The buckets above an item, nearest first. Ends where a damaged map runs in a circle. */
export function ancestorsOf(map: CrushMap, item: number): CrushBucket[] {
  const ancestors: CrushBucket[] = [];
  let at = parentOf(map, item);
  while (at !== undefined && !ancestors.includes(at)) {
    ancestors.push(at);
    at = parentOf(map, at.id);
  }
  return ancestors;
}

/** The bucket of type `typeName` above an item (or the item itself, when it is of that type). */
export function subtreeOf(map: CrushMap, item: number, typeName: string): number | undefined {
  const type = typeByName(map, typeName);
  if (type === undefined) return undefined;
  if ((bucketOf(map, item)?.type ?? OSD_TYPE) === type) return item;
  return ancestorsOf(map, item).find((bucket) => bucket.type === type)?.id;
}

/** Names of the buckets above an item, by type name. */
export function locationOf(map: CrushMap, item: number): CrushLocation {
  return new Map(
    ancestorsOf(map, item).map(({ id, type }) => [
      map.typeNames.get(type) ?? String(type),
      map.names.get(id) ?? String(id),
    ]),
  );
}

/** Buckets that no other holds, shadows apart. */
export function rootsOf(map: CrushMap): CrushBucket[] {
  const held = new Set<number>();
  for (const bucket of map.buckets) {
    if (bucket !== undefined && !isShadow(map, bucket.id)) for (const item of bucket.items) held.add(item);
  }
  return map.buckets.filter(
    (bucket): bucket is CrushBucket => bucket !== undefined && !isShadow(map, bucket.id) && !held.has(bucket.id),
  );
}

/** Weight of the bucket's item at `index`, 16.16. */
export function weightAt(bucket: CrushBucket, index: number): number {
  // Uniform buckets have one weight for all; tree buckets keep it on the item's leaf, every other node.
  return bucket.itemWeights[index] ?? bucket.itemWeights[0] ?? bucket.sums[2 * index + 1] ?? 0;
}

/** The bucket's items and their weights, 16.16. */
export function entriesOf(bucket: CrushBucket): WeightedItem[] {
  return Array.from(bucket.items, (item, i) => [item, weightAt(bucket, i)]);
}

/** 16.16 weight of an item in a bucket, that where it stands unless one is named; 0 when it stands nowhere. */
export function itemWeight(map: CrushMap, item: number, parent = parentOf(map, item)): number {
  return parent === undefined ? 0 : weightAt(parent, parent.items.indexOf(item));
}

/** Whether the bucket named at the lowest type of `location` holds the item itself (CrushWrapper::check_item_loc). */
export function standsAt(map: CrushMap, item: number, location: CrushLocation): boolean {
  const [lowest] = stepsOf(map, location);
  const bucket = lowest === undefined ? undefined : bucketOf(map, itemByName(map, lowest.name) ?? 0);
  return bucket?.items.includes(item) ?? false;
}

/** Whether `item` is `id` or somewhere below it (CrushWrapper::subtree_contains). */
function contains(map: CrushMap, id: number, item: number): boolean {
  if (id === item) return true;
  for (const each of [id, ...bucketsBelow(map, id)]) if (bucketOf(map, each)?.items.includes(item)) return true;
  return false;
}

/** The buckets below a bucket. */
export function bucketsBelow(map: CrushMap, bucket: number): Set<number> {
  const below = new Set<number>();
  const visit = (id: number) => {
    for (const item of bucketOf(map, id)?.items ?? []) {
      if (item >= 0 || below.has(item)) continue;
      below.add(item);
      visit(item);
    }
  };
  visit(bucket);
  return below;
}

/** Why an item cannot be put somewhere: `loop` when the place lies below the item, `invalid` for all else. */
export type Misfit = 'invalid' | 'loop';

/**
 * Why an item cannot be put at `location`; undefined when it can: something is named there, names that exist are buckets
 * of that type, and the lowest of them neither holds the item yet nor lies below it (CrushWrapper::insert_item).
 */
export function findMisfit(map: CrushMap, item: number, location: CrushLocation): Misfit | undefined {
  const steps = stepsOf(map, location);
  // A bucket that is made on the way is what the next one gets: it is nowhere yet.
  let isNew = false;
  for (const { type, name } of steps) {
    const id = itemByName(map, name);
    if (id === undefined) {
      isNew = true;
      continue;
    }
    if (bucketOf(map, id)?.type !== type || (!isNew && contains(map, id, item))) return 'invalid';
    return contains(map, item, id) ? 'loop' : undefined;
  }
  return steps.length > 0 ? undefined : 'invalid';
}

/** Whether an item can be put at `location`. */
export function fitsLocation(map: CrushMap, item: number, location: CrushLocation): boolean {
  return findMisfit(map, item, location) === undefined;
}

/** The devices below a bucket, each once. */
export function devicesBelow(map: CrushMap, bucket: number): number[] {
  const devices = new Set<number>();
  const seen = new Set<number>();
  const visit = (id: number) => {
    if (seen.has(id)) return;
    seen.add(id);
    for (const item of bucketOf(map, id)?.items ?? [])
      if (item >= 0) devices.add(item);
      else visit(item);
  };
  visit(bucket);
  return [...devices];
}

/** The steps of a location, lowest type first; types that the map does not have are passed over. */
function stepsOf(map: CrushMap, location: CrushLocation): { type: number; name: string }[] {
  return [...map.typeNames]
    .sort(([a], [b]) => a - b)
    .flatMap(([type, typeName]) => {
      const name = location.get(typeName);
      return type === OSD_TYPE || name === undefined ? [] : [{ type, name }];
    });
}

/** Weights (16.16) of all devices, each in the first bucket that holds it (CrushWrapper::get_item_weight). */
export function deviceWeights(map: CrushMap): Map<number, number> {
  const weights = new Map<number, number>();
  for (const bucket of map.buckets) {
    for (const [i, item] of bucket?.items.entries() ?? []) {
      if (item >= 0 && !weights.has(item)) weights.set(item, weightAt(bucket!, i));
    }
  }
  return weights;
}
