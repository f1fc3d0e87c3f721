/**
 * How each kind of bucket chooses one of its items (bucket_*_choose, crush/mapper.c).
 *
 *   uniform  all items weigh the same: a pseudo-random permutation, O(1)
 *   list     newest item first: optimal when items are only added, O(n)
 *   tree     a binary tree of weight sums, O(log n)
 *   straw    the longest of n scaled straws: the predecessor of straw2, O(n)
 *   straw2   the longest of n exponentially distributed straws: a changed weight moves only what it must, O(n)
 */
import { BucketAlg, CRUSH_ITEM_NONE, type CrushBucket, type CrushChooseArg } from './crush-map.ts';
import { hash32x3, hash32x4, hashEach } from './hash.ts';
import { LN } from './ln.ts';

/** CRUSH_HASH_RJENKINS1, the only hash there is: by any other number a bucket's hashes are all 0, in Ceph too. */
const HASH_RJENKINS1 = 0;

/** Permutations of uniform buckets under the input at hand: part of a mapper's scratch memory. */
export class PermutationCache {
  readonly #permutations = new Map<number, { x: number; filled: number; order: Int32Array }>();

  /** The item at place `r` of the bucket's permutation for input `x` (bucket_perm_choose). */
  choose(bucket: CrushBucket, x: number, r: number): number {
    const size = bucket.items.length;
    const place = (r >>> 0) % size;
    let found = this.#permutations.get(bucket.id);
    if (!found || found.x !== x || found.order.length !== size) {
      found = { x, filled: 0, order: Int32Array.from({ length: size }, (_, i) => i) };
      this.#permutations.set(bucket.id, found);
    }
    const { order } = found;
    for (; found.filled <= place; found.filled++) {
      const p = found.filled;
      if (p >= size - 1) continue;
      const hash = bucket.hash === HASH_RJENKINS1 ? hash32x3(x, bucket.id, p) : 0;
      const other = p + (hash % (size - p));
      const swapped = order[other]!;
      order[other] = order[p]!;
      order[p] = swapped;
    }
    return bucket.items[order[place]!]!;
  }
}

/**
 * One item of a bucket that has at least one, for input `x` and replica rank `r`. `position` selects among the weight
 * sets of `replacement`, which only straw2 heeds.
 */
export function chooseItem(
  bucket: CrushBucket,
  permutations: PermutationCache,
  x: number,
  r: number,
  replacement: CrushChooseArg | undefined,
  position: number,
): number {
  switch (bucket.alg) {
    case BucketAlg.straw2:
      return chooseStraw2(bucket, x, r, replacement, position);
    case BucketAlg.straw:
      return chooseStraw(bucket, x, r);
    case BucketAlg.list:
      return chooseList(bucket, x, r);
    case BucketAlg.tree:
      return chooseTree(bucket, x, r);
    case BucketAlg.uniform:
      return permutations.choose(bucket, x, r);
    default:
      return bucket.items[0]!;
  }
}

/** Hashes of the items of the bucket at hand; no state outlives a choice. */
let hashes = new Int32Array(64);

function hashItems(bucket: CrushBucket, ids: Int32Array, x: number, r: number): Int32Array {
  if (hashes.length < ids.length) hashes = new Int32Array(2 * ids.length);
  if (bucket.hash === HASH_RJENKINS1) hashEach(x, ids, r, hashes);
  else hashes.fill(0, 0, ids.length);
  return hashes;
}

function chooseStraw2(
  bucket: CrushBucket,
  x: number,
  r: number,
  replacement: CrushChooseArg | undefined,
  position: number,
): number {
  const { items } = bucket;
  let weights = bucket.itemWeights;
  let ids = items;
  if (replacement !== undefined) {
    const { weightSets } = replacement;
    if (weightSets.length > 0) weights = weightSets[Math.min(position, weightSets.length - 1)]!;
    if (replacement.ids.length > 0) ids = replacement.ids;
  }
  const drawn = hashItems(bucket, ids, x, r);
  let chosen = 0;
  let longest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < items.length; i++) {
    const weight = weights[i]! | 0;
    if (weight === 0) continue;
    const ln = LN[drawn[i]! & 0xffff]!;
    // trunc(ln / weight) > longest, without the division: `longest` is an integer, and a product too large to be exact is
    // far beyond any ln. Weights above 2^31 count as negative, as in Ceph.
    if (weight > 0 && ln <= longest * weight) continue;
    // |ln| <= 2^48, so the double quotient, truncated, is the 64-bit one.
    const draw = Math.trunc(ln / weight);
    if (draw > longest) {
      chosen = i;
      longest = draw;
    }
  }
  return items[chosen]!;
}

function chooseStraw(bucket: CrushBucket, x: number, r: number): number {
  const { items, sums: straws } = bucket;
  const drawn = hashItems(bucket, items, x, r);
  let chosen = 0;
  let longest = -1;
  for (let i = 0; i < items.length; i++) {
    const draw = (drawn[i]! & 0xffff) * straws[i]!;
    if (draw > longest) {
      chosen = i;
      longest = draw;
    }
  }
  return items[chosen]!;
}

function chooseList(bucket: CrushBucket, x: number, r: number): number {
  const { items, itemWeights, sums } = bucket;
  const hashed = bucket.hash === HASH_RJENKINS1;
  for (let i = items.length - 1; i >= 0; i--) {
    const hash = hashed ? hash32x4(x, items[i]!, r, bucket.id) & 0xffff : 0;
    const drawn = Math.floor((hash * sums[i]!) / 0x10000);
    if (drawn < itemWeights[i]!) return items[i]!;
  }
  return items[0]!;
}

/** High word of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const low = a * (b & 0xffff);
  return Math.floor((a * (b >>> 16) + Math.floor(low / 0x10000)) / 0x10000);
}

function chooseTree(bucket: CrushBucket, x: number, r: number): number {
  const { items, sums: nodeWeights } = bucket;
  const hashed = bucket.hash === HASH_RJENKINS1;
  let node = nodeWeights.length >> 1;
  while ((node & 1) === 0) {
    if (node === 0) return items[0]!;
    const hash = hashed ? hash32x4(x, node, r, bucket.id) : 0;
    const drawn = multiplyHigh(hash, nodeWeights[node]!);
    const half = (node & -node) >> 1;
    const left = node - half;
    node = drawn < nodeWeights[left]! ? left : node + half;
  }
  return items[node >> 1] ?? pastTheItems(items.length, node >> 1);
}

/**
 * Ceph grows tree buckets item by item and leaves weights on nodes that have no item yet. Choosing such a node, 16.2 reads
 * past the item array, and what it finds decides the mapping: zeros that pad the allocation (device 0), then the length
 * word of the next one, no device of any map, and that word's upper half, zero again.
 */
function pastTheItems(count: number, index: number): number {
  const paddedWords = Math.max(24, ((4 * count + 23) & ~15) - 8) / 4;
  return index < paddedWords || index === paddedWords + 1 ? 0 : CRUSH_ITEM_NONE;
}
