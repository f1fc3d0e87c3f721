/**
 * What is where. The caller puts the map there, as records of 32-bit numbers that point to each other, and what a run needs besides;
 * `src/engine-memory.ts` writes what is read here.
 */

/** 65,536 doubles: crush_ln(u) - 2^48. */
export const LN: usize = 1024;

/** Of the chains of draws: the records, then per item what its hash is (16 bits) and its worth at least. */
export let chains: usize = 0;
export let hashes: usize = 0;
export let scores: usize = 0;
/** Chains that there is room for. */
export let chainRoom: i32 = 0;
/** Draws that were made: `cacheMask` + 1 of them, each where its bucket, x and r say. */
export let cache: usize = 0;
/** Draws ahead; what they led to. */
export let drawsAhead: usize = 0;
/** A permutation of the largest uniform bucket. */
export let permutation: usize = 0;
/** Items: those that the last step chose, those that the step at hand chooses, and the devices below them. */
export let working: usize = 0;
export let chosen: usize = 0;
export let out: usize = 0;
export let leaves: usize = 0;

let buckets: usize = 0;
export let bucketCount: i32 = 0;
export let maxDevices: i32 = 0;
export let reweights: usize = 0;
export let reweightCount: i32 = 0;
export let histogram: usize = 0;
export let histogramSize: i32 = 0;

export function placeScratch(
  chains_: usize,
  hashes_: usize,
  scores_: usize,
  chainRoom_: i32,
  cache_: usize,
  drawsAhead_: usize,
  permutation_: usize,
  items: usize,
  itemBytes: usize,
): void {
  chains = chains_;
  hashes = hashes_;
  scores = scores_;
  chainRoom = chainRoom_;
  cache = cache_;
  drawsAhead = drawsAhead_;
  permutation = permutation_;
  working = items;
  chosen = items + itemBytes;
  out = items + 2 * itemBytes;
  leaves = items + 3 * itemBytes;
}

export function placeMap(buckets_: usize, bucketCount_: i32, maxDevices_: i32): void {
  buckets = buckets_;
  bucketCount = bucketCount_;
  maxDevices = maxDevices_;
}

/** Reweights of devices, 16.16; how many choices needed how many retries, or nowhere. */
export function placeRun(reweights_: usize, reweightCount_: i32, histogram_: usize, histogramSize_: i32): void {
  reweights = reweights_;
  reweightCount = reweightCount_;
  histogram = histogram_;
  histogramSize = histogramSize_;
}

export function swapWorking(): void {
  const were = working;
  working = chosen;
  chosen = were;
}

// A bucket. Weights are 16.16; inverse: 2^44 / weight as a float, infinite without one; both, and ids, go on behind the last item.

// @ts-ignore: decorator
@inline
export function bucketId(bucket: usize): i32 {
  return load<i32>(bucket);
}

// @ts-ignore: decorator
@inline
export function bucketType(bucket: usize): i32 {
  return load<i32>(bucket, 4);
}

// @ts-ignore: decorator
@inline
export function bucketAlg(bucket: usize): i32 {
  return load<i32>(bucket, 8);
}

/** By any other number than that of rjenkins1 a bucket's hashes are 0. */
// @ts-ignore: decorator
@inline
export function isHashed(bucket: usize): bool {
  return load<i32>(bucket, 12) == 0;
}

// @ts-ignore: decorator
@inline
export function bucketSize(bucket: usize): i32 {
  return load<i32>(bucket, 16);
}

// @ts-ignore: decorator
@inline
export function bucketItems(bucket: usize): i32 {
  return load<i32>(bucket, 20);
}

// @ts-ignore: decorator
@inline
export function bucketWeights(bucket: usize): i32 {
  return load<i32>(bucket, 24);
}

// @ts-ignore: decorator
@inline
export function bucketInverse(bucket: usize): i32 {
  return load<i32>(bucket, 28);
}

/** What items are hashed as: themselves, unless choose_args say otherwise. */
// @ts-ignore: decorator
@inline
export function bucketIds(bucket: usize): i32 {
  return load<i32>(bucket, 32);
}

/** list, straw, tree. */
// @ts-ignore: decorator
@inline
export function bucketSums(bucket: usize): i32 {
  return load<i32>(bucket, 36);
}

// @ts-ignore: decorator
@inline
export function sumCount(bucket: usize): i32 {
  return load<i32>(bucket, 40);
}

/** Whether draws are made by floats first: straw2 with weights below 2^31, the same at each position, and with a real hash. */
// @ts-ignore: decorator
@inline
export function isDrawnFast(bucket: usize): bool {
  return load<i32>(bucket, 44) != 0;
}

/** Whether it is, and all its items weigh the same. */
// @ts-ignore: decorator
@inline
export function isEven(bucket: usize): bool {
  return load<i32>(bucket, 44) == 2;
}

/** Weights by position: how many sets, and where they are noted. */
// @ts-ignore: decorator
@inline
export function weightSetCount(bucket: usize): i32 {
  return load<i32>(bucket, 48);
}

// @ts-ignore: decorator
@inline
export function weightSets(bucket: usize): i32 {
  return load<i32>(bucket, 52);
}

/** 0: there is none. */
// @ts-ignore: decorator
@inline
export function bucketAt(id: i32): usize {
  const slot = -1 - id;
  return slot < bucketCount ? <usize>load<i32>(buckets + (<usize>slot << 2)) : 0;
}
