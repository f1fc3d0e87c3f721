/**
 * The CRUSH mapper (crush_do_rule, crush/mapper.c; Weil et al., SC'06): where an input belongs under a rule.
 *
 * A rule is a small program over a list of items: `take` a bucket, `choose` n items of a type below each (or `chooseleaf`:
 * one device below each such item), `emit`. `firstn` fills the result from the front and closes gaps; `indep` gives every
 * rank its own place and leaves a hole (CRUSH_ITEM_NONE) where nothing could be chosen, as erasure codes need.
 */
import { chooseItem, PermutationCache } from './bucket.ts';
import {
  BucketAlg,
  CRUSH_ITEM_NONE,
  CRUSH_ITEM_UNDEF,
  type CrushBucket,
  type CrushChooseArg,
  type CrushMap,
  type CrushRule,
  RuleOp,
} from './crush-map.ts';
import { hash32x2 } from './hash.ts';

/**
 * What one mapping may cost before it gives up as if its tries were used up: an item drawn costs 1, each choice and each try
 * CHOICE_COST besides. Far above what any sane map needs, and the bound on a damaged one: billions of tries, buckets in circles.
 */
const MAX_COST = 1 << 24;
const CHOICE_COST = 32;
/** Longest result. */
export const MAX_RESULT = 0x10000;

/** Why an item that was drawn does not do. */
export type Rejection =
  /** It is chosen already. */
  | 'collision'
  /** Its reweight rejects this input, or it is out. */
  | 'out'
  /** No device below it does. */
  | 'no-device-below'
  /** The bucket has no items. */
  | 'empty'
  /** The map has no such device or bucket, or it is of another type and nothing is below it. */
  | 'nowhere';

/** What a mapper does on the way to a result, in this order, for who watches. */
export type MappingEvent =
  /** Begins a step of the rule. */
  | { readonly kind: 'step'; readonly index: number }
  /** Looks for something below a bucket: for which rank, how often that failed before; `depth` is 0, or how far below the first. */
  | {
      readonly kind: 'try';
      readonly from: number;
      readonly rank: number;
      readonly failures: number;
      readonly depth: number;
    }
  | {
      readonly kind: 'draw';
      readonly bucket: number;
      readonly r: number;
      /** Among weight sets. */
      readonly position: number;
      /** By a permutation, since other tries failed. */
      readonly isFallback: boolean;
      readonly item: number;
    }
  | { readonly kind: 'reject'; readonly item: number | undefined; readonly why: Rejection }
  | { readonly kind: 'accept'; readonly item: number; readonly position: number; readonly depth: number };

/** What takes the place of buckets' weights and ids; when the map has no set of this id, its compat set (-1) serves, if any. */
export function replacementsOf(map: CrushMap, chooseArgs?: number): ReadonlyMap<number, CrushChooseArg> | undefined {
  return (chooseArgs === undefined ? undefined : map.chooseArgs.get(chooseArgs)) ?? map.chooseArgs.get(-1);
}

/** Maps inputs under one CRUSH map. Holds scratch memory, so one mapper serves one caller at a time. */
export class CrushMapper {
  readonly #map: CrushMap;
  readonly #chooseArgs: ReadonlyMap<number, CrushChooseArg> | undefined;
  readonly #permutations = new PermutationCache();
  #weights: ArrayLike<number> = [];
  #x = 0;
  #costLeft = 0;
  // How hard the choose step at hand tries: the map's tunables, then the rule's set steps.
  #localTries = 0;
  #localFallbackTries = 0;
  #varyR = 0;
  #stable = false;
  /** Items the last step chose, those the step at hand chooses, and the devices below them. */
  #working = new Int32Array(0);
  #chosen = new Int32Array(0);
  #out = new Int32Array(0);
  #leaves = new Int32Array(0);
  /** When set, `histogram[n]` counts the choices that needed n retries (crushtool --show-choose-tries). */
  choiceTries: Uint32Array | undefined;
  /** Told of all that is tried. */
  watch: ((event: MappingEvent) => void) | undefined;

  /** `chooseArgs` names a choose_args set; when the map has no such set, its compat set (-1) serves, if any. */
  constructor(map: CrushMap, chooseArgs?: number) {
    this.#map = map;
    this.#chooseArgs = replacementsOf(map, chooseArgs);
  }

  /**
   * The devices of input `x` under rule number `ruleNo`: at most `resultMax` of them. `weights` are the devices' reweights,
   * 16.16: 0x10000 keeps all, 0 (or a missing entry) rejects the device, between is a probability. No such rule gives none.
   */
  doRule(ruleNo: number, x: number, resultMax: number, weights: ArrayLike<number>): number[] {
    const rule = this.#map.rules[ruleNo];
    if (rule === undefined) return [];
    const { tunables } = this.#map;
    const max = Math.min(resultMax, MAX_RESULT);
    if (this.#working.length < max) this.#grow(max);
    this.#weights = weights;
    this.#x = x | 0;
    this.#costLeft = MAX_COST;
    this.#localTries = tunables.chooseLocalTries;
    this.#localFallbackTries = tunables.chooseLocalFallbackTries;
    this.#varyR = tunables.chooseleafVaryR;
    this.#stable = tunables.chooseleafStable !== 0;
    let totalTries = tunables.chooseTotalTries + 1;
    let leafTries = 0;
    let width = 0;
    const result: number[] = [];
    for (const [index, { op, arg1, arg2 }] of rule.steps.entries()) {
      this.watch?.({ kind: 'step', index });
      switch (op) {
        case RuleOp.take:
          if (max > 0 && this.#isItem(arg1)) {
            this.#working[0] = arg1;
            width = 1;
          }
          break;
        case RuleOp.setChooseTries:
          if (arg1 > 0) totalTries = arg1;
          break;
        case RuleOp.setChooseleafTries:
          if (arg1 > 0) leafTries = arg1;
          break;
        case RuleOp.setChooseLocalTries:
          if (arg1 >= 0) this.#localTries = arg1;
          break;
        case RuleOp.setChooseLocalFallbackTries:
          if (arg1 >= 0) this.#localFallbackTries = arg1;
          break;
        case RuleOp.setChooseleafVaryR:
          if (arg1 >= 0) this.#varyR = arg1;
          break;
        case RuleOp.setChooseleafStable:
          if (arg1 >= 0) this.#stable = arg1 !== 0;
          break;
        case RuleOp.chooseFirstn:
        case RuleOp.chooseleafFirstn:
        case RuleOp.chooseIndep:
        case RuleOp.chooseleafIndep:
          width = this.#choose(op, arg1, arg2, width, max, totalTries, leafTries);
          break;
        case RuleOp.emit:
          for (let i = 0; i < width && result.length < max; i++) result.push(this.#working[i]!);
          width = 0;
          break;
        default:
          break;
      }
    }
    return result;
  }

  #grow(max: number): void {
    this.#working = new Int32Array(max);
    this.#chosen = new Int32Array(max);
    this.#out = new Int32Array(max);
    this.#leaves = new Int32Array(max);
  }

  #isItem(id: number): boolean {
    return id >= 0 ? id < this.#map.maxDevices : this.#bucket(id) !== undefined;
  }

  #bucket(id: number): CrushBucket | undefined {
    return this.#map.buckets[-1 - id];
  }

  /**
   * One choose step: chooses below each of the `width` working buckets and makes the chosen of all together the new working
   * items. Returns their number.
   */
  #choose(
    op: number,
    count: number,
    type: number,
    width: number,
    max: number,
    totalTries: number,
    leafTries: number,
  ): number {
    const firstn = op === RuleOp.chooseFirstn || op === RuleOp.chooseleafFirstn;
    const leaves = op === RuleOp.chooseleafFirstn || op === RuleOp.chooseleafIndep ? this.#leaves : undefined;
    const numrep = count > 0 ? count : count + max;
    let filled = 0;
    for (let i = 0; i < width && numrep > 0; i++) {
      const id = this.#working[i]!;
      const bucket = id < 0 ? this.#bucket(id) : undefined;
      if (bucket === undefined) continue;
      const room = max - filled;
      let found = Math.min(numrep, room);
      if (firstn) {
        const below = leafTries || (this.#map.tunables.chooseleafDescendOnce ? 1 : totalTries);
        found = this.#firstn(bucket, numrep, type, this.#out, 0, room, totalTries, below, leaves, 0, 0);
      } else {
        this.#indep(bucket, found, numrep, type, this.#out, 0, totalTries, leafTries || 1, leaves, 0, 0);
      }
      const from = leaves ?? this.#out;
      for (let j = 0; j < found; j++) this.#chosen[filled++] = from[j]!;
    }
    const chosen = this.#chosen;
    this.#chosen = this.#working;
    this.#working = chosen;
    return filled;
  }

  /**
   * Puts up to `room` distinct items of `type` below `start` into `out` from `position`, for the ranks from `position` (or 0
   * when stable) to numrep-1 (crush_choose_firstn); returns the position after the last. With `leaves`, a device below each.
   */
  #firstn(
    start: CrushBucket,
    numrep: number,
    type: number,
    out: Int32Array,
    position: number,
    room: number,
    totalTries: number,
    leafTries: number,
    leaves: Int32Array | undefined,
    parentR: number,
    depth: number,
  ): number {
    for (let rep = this.#stable ? 0 : position; rep < numrep && room > 0 && this.#costLeft > 0; rep++) {
      if (!this.#firstnRank(start, rep, type, out, position, room, totalTries, leafTries, leaves, parentR, depth))
        continue;
      position += 1;
      room -= 1;
    }
    return position;
  }

  /** Chooses for one rank, into `out[position]`; false when it gave up. */
  #firstnRank(
    start: CrushBucket,
    rep: number,
    type: number,
    out: Int32Array,
    position: number,
    room: number,
    totalTries: number,
    leafTries: number,
    leaves: Int32Array | undefined,
    parentR: number,
    depth: number,
  ): boolean {
    const { maxDevices, buckets } = this.#map;
    const fallback = this.#localFallbackTries;
    let failures = 0;
    for (;;) {
      let bucket = start;
      let localFailures = 0;
      let level = depth;
      this.watch?.({ kind: 'try', from: start.id, rank: rep, failures, depth });
      for (;;) {
        const r = rep + parentR + failures;
        const size = bucket.items.length;
        let collides = false;
        if (size > 0) {
          const isFallback = fallback > 0 && localFailures >= size >> 1 && localFailures > fallback;
          const item = isFallback
            ? this.#permutations.choose(bucket, this.#x, r)
            : this.#chooseItem(bucket, r, position);
          this.watch?.({ kind: 'draw', bucket: bucket.id, r, position, isFallback, item });
          if (item >= maxDevices) return this.#reject(item, 'nowhere', false);
          const below = item < 0 ? buckets[-1 - item] : undefined;
          if (item < 0 && below === undefined) return this.#reject(item, 'nowhere', false);
          if ((below === undefined ? 0 : below.type) !== type) {
            if (below === undefined || ++level > buckets.length) return this.#reject(item, 'nowhere', false);
            bucket = below;
            continue;
          }
          collides = holds(out, 0, position, item);
          if (!collides && this.#acceptFirstn(item, below, r, position, room, leafTries, leaves, level)) {
            out[position] = item;
            this.#countTries(failures);
            this.watch?.({ kind: 'accept', item, position, depth });
            return true;
          }
          const why = collides ? 'collision' : below === undefined ? 'out' : 'no-device-below';
          this.watch?.({ kind: 'reject', item, why });
        } else this.watch?.({ kind: 'reject', item: undefined, why: 'empty' });
        failures += 1;
        localFailures += 1;
        this.#costLeft -= CHOICE_COST;
        if (this.#costLeft <= 0) return false;
        const isLocal =
          (collides && localFailures <= this.#localTries) || (fallback > 0 && localFailures <= size + fallback);
        if (isLocal) {
          this.watch?.({ kind: 'try', from: bucket.id, rank: rep, failures, depth });
          continue;
        }
        if (failures >= totalTries) return false;
        break;
      }
    }
  }

  #reject<T>(item: number | undefined, why: Rejection, result: T): T {
    this.watch?.({ kind: 'reject', item, why });
    return result;
  }

  /** Whether `item` will do at `position`: not out, and with a device below it when leaves are asked for. */
  #acceptFirstn(
    item: number,
    below: CrushBucket | undefined,
    r: number,
    position: number,
    room: number,
    leafTries: number,
    leaves: Int32Array | undefined,
    level: number,
  ): boolean {
    if (below === undefined) {
      if (leaves !== undefined) leaves[position] = item;
      return !this.#isOut(item);
    }
    if (leaves === undefined) return true;
    const parentR = this.#varyR > 0 ? r >> (this.#varyR - 1) : 0;
    const ranks = this.#stable ? 1 : position + 1;
    return (
      this.#firstn(below, ranks, 0, leaves, position, room, leafTries, 0, undefined, parentR, level + 1) > position
    );
  }

  /**
   * Fills places `first` .. first+left-1 of `out` with distinct items of `type` below `start`, each place by itself; what
   * cannot be filled is CRUSH_ITEM_NONE (crush_choose_indep). With `leaves`, also a device below each.
   */
  #indep(
    start: CrushBucket,
    left: number,
    numrep: number,
    type: number,
    out: Int32Array,
    first: number,
    totalTries: number,
    leafTries: number,
    leaves: Int32Array | undefined,
    parentR: number,
    depth: number,
  ): void {
    const end = first + left;
    out.fill(CRUSH_ITEM_UNDEF, first, end);
    leaves?.fill(CRUSH_ITEM_UNDEF, first, end);
    let failures = 0;
    for (; left > 0 && failures < totalTries && this.#costLeft > 0; failures++) {
      this.#costLeft -= end - first + CHOICE_COST;
      for (let rep = first; rep < end; rep++) {
        if (out[rep] !== CRUSH_ITEM_UNDEF) continue;
        const item = this.#indepPlace(
          start,
          rep,
          numrep,
          type,
          out,
          first,
          end,
          failures,
          leafTries,
          leaves,
          parentR,
          depth,
        );
        if (item === CRUSH_ITEM_UNDEF) continue;
        out[rep] = item;
        if (item === CRUSH_ITEM_NONE && leaves !== undefined) leaves[rep] = CRUSH_ITEM_NONE;
        left -= 1;
      }
    }
    for (let rep = first; rep < end; rep++) {
      if (out[rep] === CRUSH_ITEM_UNDEF) out[rep] = CRUSH_ITEM_NONE;
      if (leaves !== undefined && leaves[rep] === CRUSH_ITEM_UNDEF) leaves[rep] = CRUSH_ITEM_NONE;
    }
    this.#countTries(failures);
  }

  /** One attempt at one place: an item, CRUSH_ITEM_NONE when the map leads nowhere, CRUSH_ITEM_UNDEF to try again. */
  #indepPlace(
    start: CrushBucket,
    rep: number,
    numrep: number,
    type: number,
    out: Int32Array,
    first: number,
    end: number,
    failures: number,
    leafTries: number,
    leaves: Int32Array | undefined,
    parentR: number,
    depth: number,
  ): number {
    const { maxDevices, buckets } = this.#map;
    let bucket = start;
    this.watch?.({ kind: 'try', from: start.id, rank: rep, failures, depth });
    for (let level = depth; level <= buckets.length; level++) {
      const size = bucket.items.length;
      if (size === 0) return this.#reject(undefined, 'empty', CRUSH_ITEM_UNDEF);
      // A uniform bucket whose size the ranks divide would meet the same items again: shift by one more each time.
      const stride = bucket.alg === BucketAlg.uniform && size % numrep === 0 ? numrep + 1 : numrep;
      const r = rep + parentR + stride * failures;
      const item = this.#chooseItem(bucket, r, first);
      this.watch?.({ kind: 'draw', bucket: bucket.id, r, position: first, isFallback: false, item });
      if (item >= maxDevices) return this.#reject(item, 'nowhere', CRUSH_ITEM_NONE);
      const below = item < 0 ? buckets[-1 - item] : undefined;
      if (item < 0 && below === undefined) return this.#reject(item, 'nowhere', CRUSH_ITEM_NONE);
      if ((below === undefined ? 0 : below.type) !== type) {
        if (below === undefined) return this.#reject(item, 'nowhere', CRUSH_ITEM_NONE);
        bucket = below;
        continue;
      }
      if (holds(out, first, end, item)) return this.#reject(item, 'collision', CRUSH_ITEM_UNDEF);
      if (below === undefined) {
        if (leaves !== undefined) leaves[rep] = item;
        if (this.#isOut(item)) return this.#reject(item, 'out', CRUSH_ITEM_UNDEF);
      }
      if (below !== undefined && leaves !== undefined) {
        this.#indep(below, 1, numrep, 0, leaves, rep, leafTries, 0, undefined, r, level + 1);
        if (leaves[rep] === CRUSH_ITEM_NONE) return this.#reject(item, 'no-device-below', CRUSH_ITEM_UNDEF);
      }
      this.watch?.({ kind: 'accept', item, position: rep, depth });
      return item;
    }
    return CRUSH_ITEM_NONE;
  }

  #chooseItem(bucket: CrushBucket, r: number, position: number): number {
    this.#costLeft -= bucket.items.length + CHOICE_COST;
    return chooseItem(bucket, this.#permutations, this.#x, r, this.#chooseArgs?.get(-1 - bucket.id), position);
  }

  /** Whether the device's reweight rejects this input (is_out). */
  #isOut(device: number): boolean {
    const weight = device < this.#weights.length ? this.#weights[device]! : 0;
    if (weight >= 0x10000) return false;
    if (weight === 0) return true;
    return (hash32x2(this.#x, device) & 0xffff) >= weight;
  }

  #countTries(failures: number): void {
    if (this.choiceTries !== undefined && failures < this.choiceTries.length) {
      this.choiceTries[failures] = this.choiceTries[failures]! + 1;
    }
  }
}

/** Whether `items[from .. to-1]` has `item`. */
function holds(items: Int32Array, from: number, to: number, item: number): boolean {
  for (let i = from; i < to; i++) if (items[i] === item) return true;
  return false;
}

/** Number of the rule with this mask that takes `size` replicas (crush_find_rule); -1 when none does. */
export function findRule(map: CrushMap, ruleset: number, type: number, size: number): number {
  return map.rules.findIndex(
    (rule: CrushRule | undefined) =>
      rule !== undefined &&
      rule.ruleset === ruleset &&
      rule.type === type &&
      rule.minSize <= size &&
      rule.maxSize >= size,
  );
}
