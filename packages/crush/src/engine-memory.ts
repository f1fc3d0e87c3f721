/**
 * The memory of the mapping engine: what `engine/memory.ts` reads is written here.
 *
 *   0 | 1024 logarithms | ENGINE_BASE the engine's own | records of the map | room of a run
 */
import { BucketAlg, type CrushBucket, type CrushChooseArg, type CrushMap } from './crush-map.ts';
import { LN } from './ln.ts';

const PAGE_BYTES = 0x10000;
const LN_AT = 1024;
/** Behind the logarithms, and what the engine keeps for itself. */
const RECORDS_AT = 0xa0000;
const ALIGNMENT = 32;
/** What is read behind the last item: chains are of four. */
const PADDING = 4;
/** The unit of what straws are worth (`engine/draws.ts`). */
const UNIT = 2 ** 44;
/** More is no weight but a negative number. */
const MAX_WEIGHT = 0x7fffffff;
/**
 * Of buckets whose items weigh the same, the weight up to which it is enough to look at the items whose hashes are next to the largest
 * (`NEAR` in engine/draws.ts).
 */
export const MAX_EVEN_WEIGHT = 1_000_000_000;
/** CRUSH_HASH_RJENKINS1 */
const RJENKINS1 = 0;

/** The memory and the functions of an engine that `engine/index.ts` exports. */
export interface EngineExports {
  placeScratch(...places: number[]): void;
  placeMap(buckets: number, bucketCount: number, maxDevices: number): void;
  placeRun(reweights: number, reweightCount: number, histogram: number, histogramSize: number): void;
  tune(
    localTries: number,
    fallbackTries: number,
    totalTries: number,
    descendOnce: number,
    varyR: number,
    stable: number,
  ): void;
  mapInputs(
    steps: number,
    stepCount: number,
    inputs: number,
    count: number,
    most: number,
    into: number,
    lengths: number,
  ): void;
  leastOf(u: number): number;
  spread(): number;
}

export interface GrowingMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Memory that is filled from the front. */
export class EngineMemory {
  readonly #memory: GrowingMemory;
  #end = RECORDS_AT;
  /** Anew whenever the memory has grown. */
  #numbers: Int32Array;
  #floats: Float32Array;

  constructor(memory: GrowingMemory) {
    this.#memory = memory;
    this.#numbers = new Int32Array(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
    this.#reserve(RECORDS_AT);
    new Float64Array(memory.buffer).set(LN, LN_AT / Float64Array.BYTES_PER_ELEMENT);
  }

  get end(): number {
    return this.#end;
  }

  /** What was put from there on is no more. */
  cutAt(end: number): void {
    this.#end = end;
  }

  /** Zeros, at first. */
  room(count: number): number {
    const at = this.#end;
    this.#end += Math.ceil((4 * count) / ALIGNMENT) * ALIGNMENT;
    this.#reserve(this.#end);
    return at;
  }

  /** As signed or unsigned 32-bit numbers, with room behind them for what chains read there. */
  put(numbers: ArrayLike<number>): number {
    const at = this.room(numbers.length + PADDING);
    this.#numbers.set(numbers, at / 4);
    this.#numbers.fill(0, at / 4 + numbers.length, at / 4 + numbers.length + PADDING);
    return at;
  }

  /** Reciprocals of weights; none is infinite, as is what chains read behind the last. */
  putInverse(weights: Uint32Array): number {
    const at = this.room(weights.length + PADDING);
    const inverse = Float32Array.from(weights, (weight) => UNIT / weight);
    this.#floats.set(inverse, at / 4);
    this.#floats.fill(Number.POSITIVE_INFINITY, at / 4 + weights.length, at / 4 + weights.length + PADDING);
    return at;
  }

  clear(at: number, count: number): void {
    this.#numbers.fill(0, at / 4, at / 4 + count);
  }

  /** A copy. */
  read(at: number, count: number): Int32Array {
    return this.#numbers.slice(at / 4, at / 4 + count);
  }

  #reserve(bytes: number): void {
    const missing = bytes - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    this.#numbers = new Int32Array(this.#memory.buffer);
    this.#floats = new Float32Array(this.#memory.buffer);
  }
}

/** Places of a map's buckets, each under its slot; 0: none. */
export function putBuckets(
  memory: EngineMemory,
  map: CrushMap,
  chooseArgs: ReadonlyMap<number, CrushChooseArg> | undefined,
): number {
  return memory.put(map.buckets.map((bucket, slot) => (bucket ? putBucket(memory, bucket, chooseArgs?.get(slot)) : 0)));
}

function putBucket(memory: EngineMemory, bucket: CrushBucket, arg: CrushChooseArg | undefined): number {
  const { id, type, alg, hash, items, sums } = bucket;
  const replacement = alg === BucketAlg.straw2 ? arg : undefined;
  const sets = replacement?.weightSets ?? [];
  const weights = sets[0] ?? bucket.itemWeights;
  const itemsAt = memory.put(items);
  const idsAt = replacement && replacement.ids.length > 0 ? memory.put(replacement.ids) : itemsAt;
  const isDrawnFast =
    alg === BucketAlg.straw2 &&
    hash === RJENKINS1 &&
    items.length > 0 &&
    sets.length <= 1 &&
    weights.every((weight) => weight <= MAX_WEIGHT);
  const weightsAt = memory.put(weights);
  return memory.put([
    ...[id, type, alg, hash, items.length, itemsAt, weightsAt],
    ...[isDrawnFast ? memory.putInverse(weights) : 0, idsAt, memory.put(sums), sums.length],
    !isDrawnFast ? 0 : isEven(weights) ? 2 : 1,
    ...[sets.length > 1 ? sets.length : 0, sets.length > 1 ? memory.put(sets.map((set) => memory.put(set))) : 0],
  ]);
}

function isEven(weights: Uint32Array): boolean {
  const [first = 0] = weights;
  return first > 0 && first <= MAX_EVEN_WEIGHT && weights.every((weight) => weight === first);
}
