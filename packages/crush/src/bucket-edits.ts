/**
 * Changes of one bucket's items in place, as Ceph makes them (crush/builder.c): what a bucket keeps beside its items is
 * patched, not worked out anew, so that leavings of earlier changes stay where Ceph leaves them.
 */
import { strawLengths, treeDepth, treeLeaf, treeParent } from './bucket-weights.ts';
import { BucketAlg, type CrushBucket, type CrushTunables } from './crush-map.ts';
import { weightAt } from './hierarchy.ts';

/** The bucket with one more item at its end (crush_bucket_add_item). In a uniform bucket it weighs what the others do. */
export function withItem(bucket: CrushBucket, item: number, weight: number, tunables: CrushTunables): CrushBucket {
  const items = Int32Array.of(...bucket.items, item);
  const total = (bucket.weight + weight) >>> 0;
  switch (bucket.alg) {
    case BucketAlg.uniform: {
      const shared = bucket.items.length === 0 ? weight : (bucket.itemWeights[0] ?? 0);
      return { ...bucket, items, itemWeights: Uint32Array.of(shared), weight: (bucket.weight + shared) >>> 0 };
    }
    case BucketAlg.list: {
      const itemWeights = appended(bucket.itemWeights, weight);
      return {
        ...bucket,
        items,
        itemWeights,
        weight: total,
        sums: appended(bucket.sums, (bucket.sums.at(-1) ?? 0) + weight),
      };
    }
    case BucketAlg.tree:
      return { ...bucket, items, weight: total, sums: grownTree(bucket.sums, bucket.items.length, weight) };
    default:
      return withWeights({ ...bucket, items, weight: total }, appended(bucket.itemWeights, weight), tunables);
  }
}

/** The bucket without the first of its items that is `item` (crush_bucket_remove_item). */
export function withoutItem(bucket: CrushBucket, item: number, tunables: CrushTunables): CrushBucket {
  const at = bucket.items.indexOf(item);
  const gone = weightAt(bucket, at);
  const weight = Math.max(0, bucket.weight - gone);
  if (bucket.alg === BucketAlg.tree) return withoutLeaf({ ...bucket, weight }, at, gone);
  const items = bucket.items.filter((_, i) => i !== at);
  if (bucket.alg === BucketAlg.uniform) return { ...bucket, items, weight };
  const itemWeights = bucket.itemWeights.filter((_, i) => i !== at);
  if (bucket.alg === BucketAlg.list) {
    const sums = bucket.sums.filter((_, i) => i !== at).map((sum, i) => (i < at ? sum : sum - gone));
    return { ...bucket, items, itemWeights, weight, sums };
  }
  return withWeights({ ...bucket, items, weight }, itemWeights, tunables);
}

/**
 * The bucket with another weight for the first of its items that is `item` (crush_bucket_adjust_item_weight). In a uniform
 * bucket that is the weight of all.
 */
export function withItemWeight(
  bucket: CrushBucket,
  item: number,
  weight: number,
  tunables: CrushTunables,
): CrushBucket {
  if (bucket.alg === BucketAlg.uniform) {
    const total = Math.imul(weight, bucket.items.length) >>> 0;
    return { ...bucket, itemWeights: Uint32Array.of(weight), weight: total };
  }
  const at = bucket.items.indexOf(item);
  const difference = weight - weightAt(bucket, at);
  const total = (bucket.weight + difference) >>> 0;
  if (bucket.alg === BucketAlg.tree) {
    const sums = bucket.sums.slice();
    sums[treeLeaf(at)] = weight;
    addAbove(sums, at, treeDepth(bucket.items.length), difference);
    return { ...bucket, weight: total, sums };
  }
  const itemWeights = bucket.itemWeights.with(at, weight);
  if (bucket.alg === BucketAlg.list) {
    const sums = bucket.sums.map((sum, i) => (i < at ? sum : sum + difference));
    return { ...bucket, itemWeights, weight: total, sums };
  }
  return withWeights({ ...bucket, weight: total }, itemWeights, tunables);
}

/**
 * The bucket after its child buckets' weights were worked out anew (crush_reweight_bucket): `weightOf` gives those. Sums of
 * list buckets and inner nodes of tree buckets stay as they were.
 */
export function reweighed(
  bucket: CrushBucket,
  weightOf: (child: number) => number,
  tunables: CrushTunables,
): CrushBucket {
  if (bucket.alg === BucketAlg.uniform) return reweighedUniform(bucket, weightOf);
  const weights = Uint32Array.from(bucket.items, (item, i) => (item < 0 ? weightOf(item) : weightAt(bucket, i)));
  const weight = weights.reduce((sum, each) => sum + each, 0) >>> 0;
  if (bucket.alg === BucketAlg.tree) {
    const sums = bucket.sums.slice();
    weights.forEach((each, i) => {
      sums[treeLeaf(i)] = each;
    });
    return { ...bucket, weight, sums };
  }
  if (bucket.alg === BucketAlg.list) return { ...bucket, weight, itemWeights: weights };
  return withWeights({ ...bucket, weight }, weights, tunables);
}

/** Where there are more child buckets than devices, each item weighs what those do on average. */
function reweighedUniform(bucket: CrushBucket, weightOf: (child: number) => number): CrushBucket {
  const children = bucket.items.filter((item) => item < 0);
  const sum = children.reduce((total, child) => total + weightOf(child), 0);
  const isInner = 2 * children.length > bucket.items.length;
  const shared = isInner ? Math.trunc(sum / children.length) : (bucket.itemWeights[0] ?? 0);
  const weight = Math.imul(shared, bucket.items.length) >>> 0;
  return { ...bucket, itemWeights: Uint32Array.of(shared), weight };
}

function appended(values: Uint32Array, value: number): Uint32Array {
  const longer = new Uint32Array(values.length + 1);
  longer.set(values);
  longer[values.length] = value;
  return longer;
}

/** For straw and straw2. */
function withWeights(bucket: CrushBucket, itemWeights: Uint32Array, tunables: CrushTunables): CrushBucket {
  if (bucket.alg !== BucketAlg.straw) return { ...bucket, itemWeights };
  return { ...bucket, itemWeights, sums: strawLengths(itemWeights, tunables.strawCalcVersion) };
}

/** Nodes for one more item. Ceph leaves those that a deeper tree gains uninitialised; here they begin at 0. */
function grownTree(nodes: Uint32Array, size: number, weight: number): Uint32Array {
  const depth = treeDepth(size + 1);
  const grown = new Uint32Array(1 << depth);
  grown.set(nodes.subarray(0, grown.length));
  const leaf = treeLeaf(size);
  grown[leaf] = weight;
  const root = grown.length / 2;
  // The first item of a new right half: so far the new root has what the left half weighs.
  if (depth >= 2 && leaf - 1 === root) grown[root] = grown[root / 2]!;
  addAbove(grown, size, depth, weight);
  return grown;
}

function addAbove(nodes: Uint32Array, index: number, depth: number, difference: number): void {
  let node = treeLeaf(index);
  for (let level = 1; level < depth; level++) {
    node = treeParent(node);
    nodes[node] = nodes[node]! + difference;
  }
}

/** A removed item leaves a hole, which reads as device 0 and weighs nothing; items of no weight at the end go with it. */
function withoutLeaf(bucket: CrushBucket, at: number, gone: number): CrushBucket {
  const sums = bucket.sums.slice();
  sums[treeLeaf(at)] = 0;
  addAbove(sums, at, treeDepth(bucket.items.length), -gone);
  let size = bucket.items.length;
  while (size > 0 && sums[treeLeaf(size - 1)] === 0) size -= 1;
  const items = bucket.items.with(at, 0).slice(0, size);
  const nodes = treeDepth(size) === treeDepth(bucket.items.length) ? sums : sums.slice(0, 1 << treeDepth(size));
  return { ...bucket, items, sums: nodes };
}
