/**
 * What a bucket keeps beside its items so that it can choose among them (crush/builder.c): sums for list buckets, node
 * weights for tree buckets, straw lengths for straw buckets.
 */
import { BucketAlg, type CrushBucket, type CrushTunables } from './crush-map.ts';

export type WeightedItem = readonly [item: number, weight: number];

/** The bucket made anew with these items, in this order. Weights are 16.16; a uniform bucket's is that of the first. */
export function withItems(bucket: CrushBucket, entries: readonly WeightedItem[], tunables: CrushTunables): CrushBucket {
  const items = Int32Array.from(entries, ([item]) => item);
  const itemWeights = Uint32Array.from(entries, ([, weight]) => weight);
  const weight = itemWeights.reduce((sum, each) => sum + each, 0) >>> 0;
  switch (bucket.alg) {
    case BucketAlg.uniform: {
      const shared = itemWeights[0] ?? 0;
      return { ...bucket, items, itemWeights: Uint32Array.of(shared), weight: Math.imul(shared, items.length) >>> 0 };
    }
    case BucketAlg.list:
      return { ...bucket, items, itemWeights, weight, sums: runningSums(itemWeights) };
    case BucketAlg.tree:
      return { ...bucket, items, weight, sums: treeNodes(itemWeights) };
    case BucketAlg.straw:
      return { ...bucket, items, itemWeights, weight, sums: strawLengths(itemWeights, tunables.strawCalcVersion) };
    default:
      return { ...bucket, items, itemWeights, weight };
  }
}

function runningSums(weights: Uint32Array): Uint32Array {
  let sum = 0;
  return weights.map((weight) => (sum += weight));
}

/** Levels of the tree of a bucket with that many items (calc_depth). */
export function treeDepth(size: number): number {
  return size === 0 ? 0 : 33 - Math.clz32(size - 1);
}

/** Leaf of the item at that place: every other node is one. */
export function treeLeaf(index: number): number {
  return 2 * index + 1;
}

/** The node above: the one between the two subtrees of which `node` is the root of one. */
export function treeParent(node: number): number {
  const half = node & -node;
  return (node & (half << 1)) === 0 ? node + half : node - half;
}

/** An inner node has the sum of both subtrees' weights (crush_make_tree_bucket). */
function treeNodes(weights: Uint32Array): Uint32Array {
  if (weights.length === 0) return new Uint32Array(0);
  const depth = treeDepth(weights.length);
  const nodes = new Uint32Array(1 << depth);
  weights.forEach((weight, i) => {
    let node = treeLeaf(i);
    nodes[node] = weight;
    for (let level = 1; level < depth; level++) {
      node = treeParent(node);
      nodes[node] = nodes[node]! + weight;
    }
  });
  return nodes;
}

/** Straw lengths, 16.16 (crush_calc_straw): lightest first, each longer than the last by what its weight adds. */
export function strawLengths(weights: Uint32Array, version: number): Uint32Array {
  const order = Array.from(weights.keys()).sort((a, b) => weights[a]! - weights[b]! || a - b);
  const straws = new Uint32Array(weights.length);
  let left = weights.length;
  let straw = 1;
  let below = 0;
  let last = 0;
  for (let i = 0; i < order.length; i++) {
    const weight = weights[order[i]!]!;
    if (weight === 0) {
      // Version 0 forgets that items without weight are out of the race.
      if (version > 0) left -= 1;
      continue;
    }
    straws[order[i]!] = straw * 0x10000;
    if (i + 1 === order.length) break;
    const next = weights[order[i + 1]!]!;
    if (version === 0) {
      if (next === weight) continue;
      below += (weight - last) * left;
      for (let j = i + 1; j < order.length && weights[order[j]!] === next; j++) left -= 1;
    } else {
      below += (weight - last) * left;
      left -= 1;
    }
    // Ceph multiplies in 32 bits.
    const above = Math.imul(left, next - weight) >>> 0;
    const share = below / (below + above);
    straw *= (1 / share) ** (1 / left);
    last = weight;
  }
  return straws;
}
