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

/** How hard one choose step tries, from the map's tunables and the rule's set steps. */
interface Tries {
  readonly total: number;
  readonly leaf: number;
  readonly local: number;
  readonly localFallback: number;
  readonly varyR: number;
  readonly stable: boolean;
}

/** A descent deeper than this runs in a circle: the map is damaged. */
const MAX_DEPTH = 64;

/** Maps inputs under one CRUSH map. Holds scratch memory, so one mapper serves one caller at a time. */
export class CrushMapper {
  readonly #map: CrushMap;
  readonly #chooseArgs: ReadonlyMap<number, CrushChooseArg> | undefined;
  readonly #permutations = new PermutationCache();
  #weights: ArrayLike<number> = [];
  #x = 0;
  /** When set, `histogram[n]` counts the choices that needed n retries (crushtool --show-choose-tries). */
  choiceTries: Uint32Array | undefined;

  /** `chooseArgs` names a choose_args set; when the map has no such set, its compat set (-1) serves, if any. */
  constructor(map: CrushMap, chooseArgs?: number) {
    this.#map = map;
    this.#chooseArgs =
      (chooseArgs === undefined ? undefined : map.chooseArgs.get(chooseArgs)) ?? map.chooseArgs.get(-1);
  }

  /**
   * The devices of input `x` under rule number `ruleNo`: at most `resultMax` of them. `weights` are the devices' reweights,
   * 16.16: 0x10000 keeps all, 0 (or a missing entry) rejects the device, between is a probability. No such rule gives none.
   */
  doRule(ruleNo: number, x: number, resultMax: number, weights: ArrayLike<number>): number[] {
    const rule = this.#map.rules[ruleNo];
    if (rule === undefined) return [];
    this.#weights = weights;
    this.#x = x | 0;
    const { tunables } = this.#map;
    const result: number[] = [];
    let working: number[] = [];
    let total = tunables.chooseTotalTries + 1;
    let leaf = 0;
    let local = tunables.chooseLocalTries;
    let localFallback = tunables.chooseLocalFallbackTries;
    let varyR = tunables.chooseleafVaryR;
    let stable = tunables.chooseleafStable;
    for (const { op, arg1, arg2 } of rule.steps) {
      switch (op) {
        case RuleOp.take:
          if (this.#isItem(arg1)) working = [arg1];
          break;
        case RuleOp.setChooseTries:
          if (arg1 > 0) total = arg1;
          break;
        case RuleOp.setChooseleafTries:
          if (arg1 > 0) leaf = arg1;
          break;
        case RuleOp.setChooseLocalTries:
          if (arg1 >= 0) local = arg1;
          break;
        case RuleOp.setChooseLocalFallbackTries:
          if (arg1 >= 0) localFallback = arg1;
          break;
        case RuleOp.setChooseleafVaryR:
          if (arg1 >= 0) varyR = arg1;
          break;
        case RuleOp.setChooseleafStable:
          if (arg1 >= 0) stable = arg1;
          break;
        case RuleOp.chooseFirstn:
        case RuleOp.chooseleafFirstn:
        case RuleOp.chooseIndep:
        case RuleOp.chooseleafIndep: {
          const tries = { total, leaf, local, localFallback, varyR, stable: stable !== 0 };
          working = this.#choose(op, arg1, arg2, working, resultMax, tries);
          break;
        }
        case RuleOp.emit:
          for (const item of working) if (result.length < resultMax) result.push(item);
          working = [];
          break;
        default:
          break;
      }
    }
    return result;
  }

  #isItem(id: number): boolean {
    return id >= 0 ? id < this.#map.maxDevices : this.#bucket(id) !== undefined;
  }

  #bucket(id: number): CrushBucket | undefined {
    return this.#map.buckets[-1 - id];
  }

  /** One choose step: below each bucket of `working`, and the chosen of all together. */
  #choose(op: number, count: number, type: number, working: number[], resultMax: number, tries: Tries): number[] {
    const toLeaf = op === RuleOp.chooseleafFirstn || op === RuleOp.chooseleafIndep;
    const firstn = op === RuleOp.chooseFirstn || op === RuleOp.chooseleafFirstn;
    const all: number[] = [];
    for (const id of working) {
      const numrep = count > 0 ? count : count + resultMax;
      if (numrep <= 0) continue;
      const bucket = id < 0 ? this.#bucket(id) : undefined;
      if (bucket === undefined) continue;
      const room = resultMax - all.length;
      const out: number[] = [];
      const leaves: number[] = [];
      if (firstn) {
        const leafTries = tries.leaf || (this.#map.tunables.chooseleafDescendOnce ? 1 : tries.total);
        this.#firstn(bucket, numrep, type, out, room, tries.total, leafTries, tries, toLeaf ? leaves : undefined, 0, 0);
      } else {
        const size = Math.min(numrep, room);
        this.#indep(
          bucket,
          size,
          numrep,
          type,
          out,
          0,
          tries.total,
          tries.leaf || 1,
          toLeaf ? leaves : undefined,
          0,
          0,
        );
      }
      all.push(...(toLeaf ? leaves.slice(0, out.length) : out));
    }
    return all;
  }

  /**
   * Appends to `out` up to `room` distinct items of `type` below `start`, for the ranks from out.length (or 0 when stable)
   * to numrep-1 (crush_choose_firstn). With `leaves`, also a device below each.
   */
  #firstn(
    start: CrushBucket,
    numrep: number,
    type: number,
    out: number[],
    room: number,
    totalTries: number,
    leafTries: number,
    tries: Tries,
    leaves: number[] | undefined,
    parentR: number,
    depth: number,
  ): void {
    for (let rep = tries.stable ? 0 : out.length; rep < numrep && room > 0; rep++) {
      const failures = this.#firstnRank(
        start,
        rep,
        type,
        out,
        room,
        totalTries,
        leafTries,
        tries,
        leaves,
        parentR,
        depth,
      );
      if (failures < 0) continue;
      room -= 1;
      this.#countTries(failures);
    }
  }

  /** Chooses for one rank; returns the failed attempts before it, or -1 when it gave up. */
  #firstnRank(
    start: CrushBucket,
    rep: number,
    type: number,
    out: number[],
    room: number,
    totalTries: number,
    leafTries: number,
    tries: Tries,
    leaves: number[] | undefined,
    parentR: number,
    depth: number,
  ): number {
    let failures = 0;
    for (;;) {
      let bucket = start;
      let localFailures = 0;
      let level = depth;
      for (;;) {
        const r = rep + parentR + failures;
        let collides = false;
        if (bucket.items.length > 0) {
          const item =
            tries.localFallback > 0 && localFailures >= bucket.items.length >> 1 && localFailures > tries.localFallback
              ? this.#permutations.choose(bucket, this.#x, r)
              : this.#chooseItem(bucket, r, out.length);
          if (item >= this.#map.maxDevices) return -1;
          const below = item < 0 ? this.#bucket(item) : undefined;
          if (item < 0 && below === undefined) return -1;
          if ((below?.type ?? 0) !== type) {
            if (below === undefined || ++level > MAX_DEPTH) return -1;
            bucket = below;
            continue;
          }
          collides = out.includes(item);
          if (!collides && this.#acceptFirstn(item, below, r, room, leafTries, tries, out, leaves, level)) {
            out.push(item);
            return failures;
          }
        }
        failures += 1;
        localFailures += 1;
        if (collides && localFailures <= tries.local) continue;
        if (tries.localFallback > 0 && localFailures <= bucket.items.length + tries.localFallback) continue;
        if (failures >= totalTries) return -1;
        break;
      }
    }
  }

  /** Whether `item` will do at rank out.length: not out, and with a device below it when leaves are asked for. */
  #acceptFirstn(
    item: number,
    below: CrushBucket | undefined,
    r: number,
    room: number,
    leafTries: number,
    tries: Tries,
    out: number[],
    leaves: number[] | undefined,
    level: number,
  ): boolean {
    if (leaves !== undefined) {
      if (below === undefined) {
        leaves.length = out.length;
        leaves.push(item);
      } else {
        if (level >= MAX_DEPTH) return false;
        leaves.length = out.length;
        const subR = tries.varyR > 0 ? r >> (tries.varyR - 1) : 0;
        const ranks = tries.stable ? 1 : out.length + 1;
        this.#firstn(below, ranks, 0, leaves, room, leafTries, 0, tries, undefined, subR, level + 1);
        if (leaves.length <= out.length) return false;
      }
    }
    return below !== undefined || !this.#isOut(item);
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
    out: number[],
    first: number,
    totalTries: number,
    leafTries: number,
    leaves: number[] | undefined,
    parentR: number,
    depth: number,
  ): void {
    const end = first + left;
    for (let rep = first; rep < end; rep++) {
      out[rep] = CRUSH_ITEM_UNDEF;
      if (leaves !== undefined) leaves[rep] = CRUSH_ITEM_UNDEF;
    }
    let failures = 0;
    for (; left > 0 && failures < totalTries; failures++) {
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
        if (item === undefined) continue;
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

  /** One attempt at one place: an item, CRUSH_ITEM_NONE when the map leads nowhere, undefined to try again. */
  #indepPlace(
    start: CrushBucket,
    rep: number,
    numrep: number,
    type: number,
    out: readonly number[],
    first: number,
    end: number,
    failures: number,
    leafTries: number,
    leaves: number[] | undefined,
    parentR: number,
    depth: number,
  ): number | undefined {
    let bucket = start;
    for (let level = depth; level < MAX_DEPTH; level++) {
      const size = bucket.items.length;
      // A uniform bucket whose size the ranks divide would meet the same items again: shift by one more each time.
      const stride = bucket.alg === BucketAlg.uniform && size % numrep === 0 ? numrep + 1 : numrep;
      const r = rep + parentR + stride * failures;
      if (size === 0) return undefined;
      const item = this.#chooseItem(bucket, r, first);
      if (item >= this.#map.maxDevices) return CRUSH_ITEM_NONE;
      const below = item < 0 ? this.#bucket(item) : undefined;
      if (item < 0 && below === undefined) return CRUSH_ITEM_NONE;
      if ((below?.type ?? 0) !== type) {
        if (below === undefined) return CRUSH_ITEM_NONE;
        bucket = below;
        continue;
      }
      for (let i = first; i < end; i++) if (out[i] === item) return undefined;
      if (leaves !== undefined) {
        if (below === undefined) {
          leaves[rep] = item;
        } else {
          this.#indep(below, 1, numrep, 0, leaves, rep, leafTries, 0, undefined, r, level + 1);
          if (leaves[rep] === CRUSH_ITEM_NONE) return undefined;
        }
      }
      return below === undefined && this.#isOut(item) ? undefined : item;
    }
    return CRUSH_ITEM_NONE;
  }

  #chooseItem(bucket: CrushBucket, r: number, position: number): number {
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
