/** How each kind of bucket chooses one of its items: `src/bucket.ts`, which says more. */
import { addChains, decide, evaluate } from './draws';
import { hash3, hash4 } from './hash';
import {
  bucketAlg,
  bucketId,
  bucketIds,
  bucketItems,
  bucketSize,
  bucketSums,
  bucketWeights,
  cache,
  isDrawnFast,
  isHashed,
  LN,
  permutation,
  sumCount,
  weightSetCount,
  weightSets,
} from './memory';

export const UNIFORM: i32 = 1;
const LIST: i32 = 2;
const TREE: i32 = 3;
const STRAW: i32 = 4;
const STRAW2: i32 = 5;
export const NONE: i32 = 0x7fffffff;
/** Draws in the cache. */
export const CACHED: i32 = 512;

// @ts-ignore: decorator
@inline
function at(numbers: i32, i: i32): usize {
  return <usize>numbers + (<usize>i << 2);
}

/** One item of a bucket that has at least one. @param position among the weight sets of a straw2 bucket */
export function chooseItem(bucket: usize, x: i32, r: i32, position: i32): i32 {
  switch (bucketAlg(bucket)) {
    case STRAW2:
      return isDrawnFast(bucket) ? drawFast(bucket, x, r) : drawExactly(bucket, x, r, position);
    case STRAW:
      return chooseStraw(bucket, x, r);
    case TREE:
      return chooseTree(bucket, x, r);
    case LIST:
      return chooseList(bucket, x, r);
    case UNIFORM:
      return choosePermuted(bucket, x, r);
    default:
      return load<i32>(<usize>bucketItems(bucket));
  }
}

// @ts-ignore: decorator
@inline
function cacheEntry(bucket: usize, x: i32, r: i32): usize {
  return cache + (<usize>(((<i32>bucket >> 4) * 5 + r * 37 + x * 11) & (CACHED - 1)) << 4);
}

export function remember(bucket: usize, x: i32, r: i32, item: i32): void {
  v128.store(cacheEntry(bucket, x, r), i32x4.replace_lane(i32x4.replace_lane(i32x4.replace_lane(i32x4.splat(item), 0, <i32>bucket), 1, x), 2, r));
}

function drawFast(bucket: usize, x: i32, r: i32): i32 {
  const entry = cacheEntry(bucket, x, r);
  if (load<i32>(entry) == <i32>bucket && load<i32>(entry, 4) == x && load<i32>(entry, 8) == r) return load<i32>(entry, 12);
  evaluate(addChains(bucket, x, r, 0));
  const item = decide(bucket, 0);
  remember(bucket, x, r, item);
  return item;
}

function drawExactly(bucket: usize, x: i32, r: i32, position: i32): i32 {
  const sets = weightSetCount(bucket);
  const weights = sets > 0 ? load<i32>(at(weightSets(bucket), min(position, sets - 1))) : bucketWeights(bucket);
  const ids = bucketIds(bucket);
  const hashed = isHashed(bucket);
  const size = bucketSize(bucket);
  let chosen: i32 = 0;
  let longest: f64 = -Infinity;
  for (let i: i32 = 0; i < size; i++) {
    const weight = load<i32>(at(weights, i));
    if (weight == 0) continue;
    const u = hashed ? hash3(x, load<i32>(at(ids, i)), r) & 0xffff : 0;
    const ln = load<f64>(LN + (<usize>u << 3));
    if (weight > 0 && ln <= longest * <f64>weight) continue;
    const draw = Math.trunc(ln / <f64>weight);
    if (draw <= longest) continue;
    chosen = i;
    longest = draw;
  }
  return load<i32>(at(bucketItems(bucket), chosen));
}

/** Places `r` of a permutation that depends on x and the bucket (bucket_perm_choose). */
export function choosePermuted(bucket: usize, x: i32, r: i32): i32 {
  const size = bucketSize(bucket);
  const place = <i32>(<u32>r % <u32>size);
  const hashed = isHashed(bucket);
  for (let i: i32 = 0; i < size; i++) store<i32>(permutation + (<usize>i << 2), i);
  for (let p: i32 = 0; p <= place && p < size - 1; p++) {
    const hash = hashed ? <u32>hash3(x, bucketId(bucket), p) : 0;
    const one = permutation + (<usize>p << 2);
    const other = one + (<usize>(hash % <u32>(size - p)) << 2);
    const swapped = load<i32>(other);
    store<i32>(other, load<i32>(one));
    store<i32>(one, swapped);
  }
  return load<i32>(at(bucketItems(bucket), load<i32>(permutation + (<usize>place << 2))));
}

function chooseStraw(bucket: usize, x: i32, r: i32): i32 {
  const size = bucketSize(bucket);
  const hashed = isHashed(bucket);
  let chosen: i32 = 0;
  let longest: i64 = -1;
  for (let i: i32 = 0; i < size; i++) {
    const hash = hashed ? hash3(x, load<i32>(at(bucketItems(bucket), i)), r) & 0xffff : 0;
    const draw = <i64>hash * <i64>load<u32>(at(bucketSums(bucket), i));
    if (draw <= longest) continue;
    chosen = i;
    longest = draw;
  }
  return load<i32>(at(bucketItems(bucket), chosen));
}

function chooseList(bucket: usize, x: i32, r: i32): i32 {
  const hashed = isHashed(bucket);
  for (let i = bucketSize(bucket) - 1; i >= 0; i--) {
    const item = load<i32>(at(bucketItems(bucket), i));
    const hash = hashed ? <u64>(hash4(x, item, r, bucketId(bucket)) & 0xffff) : 0;
    const drawn = (hash * <u64>load<u32>(at(bucketSums(bucket), i))) >> 16;
    if (drawn < <u64>load<u32>(at(bucketWeights(bucket), i))) return item;
  }
  return load<i32>(<usize>bucketItems(bucket));
}

function chooseTree(bucket: usize, x: i32, r: i32): i32 {
  const hashed = isHashed(bucket);
  const size = bucketSize(bucket);
  const nodes = bucketSums(bucket);
  let node = sumCount(bucket) >> 1;
  while ((node & 1) == 0) {
    if (node == 0) return load<i32>(<usize>bucketItems(bucket));
    const hash = hashed ? <u64><u32>hash4(x, node, r, bucketId(bucket)) : 0;
    const drawn = (hash * <u64>load<u32>(at(nodes, node))) >> 32;
    const half = (node & -node) >> 1;
    const left = node - half;
    node = drawn < <u64>load<u32>(at(nodes, left)) ? left : node + half;
  }
  const i = node >> 1;
  return i < size ? load<i32>(at(bucketItems(bucket), i)) : pastTheItems(size, i);
}

function pastTheItems(count: i32, i: i32): i32 {
  const paddedWords = (max(24, ((4 * count + 23) & ~15) - 8)) >> 2;
  return i < paddedWords || i == paddedWords + 1 ? 0 : NONE;
}
