/** Why a bucket gave the item it gave: what each kind of bucket compares (`bucket.ts`), written out. */
import { BucketAlg, type CrushBucket, type CrushChooseArg } from './crush-map.ts';
import { hash32x3, hash32x4 } from './hash.ts';
import { LN } from './ln.ts';

/** One item in a draw. */
export interface DrawnItem {
  readonly item: number;
  /** 16.16; of a weight set where there is one. */
  readonly weight: number;
  /** 16 bits of the hash of x, the item and r; undefined: this kind of bucket hashes something else. */
  readonly hash: number | undefined;
  /** straw2: crush_ln(hash) - 2^48. */
  readonly ln: number | undefined;
  /** What is compared: straw2, straw: the longest wins. list: the first, from the last item on, that is below its weight. */
  readonly straw: number | undefined;
}

const RJENKINS1 = 0;

/**
 * The items that a draw compared, in the order of the bucket. Of a tree bucket, whose nodes are compared, and of a permutation nothing
 * is said but the items' weights.
 *
 * @param position among weight sets
 */
export function explainDraw(
  bucket: CrushBucket,
  x: number,
  r: number,
  replacement: CrushChooseArg | undefined,
  position: number,
): DrawnItem[] {
  const { alg, items } = bucket;
  const isHashed = bucket.hash === RJENKINS1;
  const sets = alg === BucketAlg.straw2 ? (replacement?.weightSets ?? []) : [];
  const weights = sets[Math.min(position, sets.length - 1)] ?? bucket.itemWeights;
  const ids = alg === BucketAlg.straw2 && replacement && replacement.ids.length > 0 ? replacement.ids : items;
  return Array.from(items, (item, i) => {
    const weight = weights[alg === BucketAlg.uniform ? 0 : i]!;
    const common = { item, weight, hash: undefined, ln: undefined, straw: undefined };
    if (alg === BucketAlg.list) {
      const hash = isHashed ? hash32x4(x, item, r, bucket.id) & 0xffff : 0;
      return { ...common, hash, straw: Math.floor((hash * bucket.sums[i]!) / 0x10000) };
    }
    if (alg !== BucketAlg.straw && alg !== BucketAlg.straw2) return common;
    const hash = isHashed ? hash32x3(x, ids[i]!, r) & 0xffff : 0;
    if (alg === BucketAlg.straw) return { ...common, hash, straw: hash * bucket.sums[i]! };
    const ln = LN[hash]!;
    return { ...common, hash, ln, straw: weight === 0 ? undefined : Math.trunc(ln / (weight | 0)) };
  });
}
