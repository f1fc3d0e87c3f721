/** In place of an item: nothing could be chosen (CRUSH_ITEM_NONE), or not yet (CRUSH_ITEM_UNDEF). */
export const CRUSH_ITEM_NONE = 0x7fffffff;
export const CRUSH_ITEM_UNDEF = 0x7ffffffe;

export const BucketAlg = { uniform: 1, list: 2, tree: 3, straw: 4, straw2: 5 } as const;

/** One bucket (crush.h): negative id, a type from the map's type names, and weighted items. Weights are 16.16. */
export interface CrushBucket {
  readonly id: number;
  readonly type: number;
  readonly alg: number;
  /** 0: rjenkins1. */
  readonly hash: number;
  readonly weight: number;
  readonly items: Int32Array;
  /** Per item (uniform: one weight shared by all, in `itemWeights[0]`). */
  readonly itemWeights: Uint32Array;
  /** list: weight of the items up to and including each. straw: straw lengths. tree: node weights. Else empty. */
  readonly sums: Uint32Array;
}

export const RuleOp = {
  noop: 0,
  take: 1,
  chooseFirstn: 2,
  chooseIndep: 3,
  emit: 4,
  chooseleafFirstn: 6,
  chooseleafIndep: 7,
  setChooseTries: 8,
  setChooseleafTries: 9,
  setChooseLocalTries: 10,
  setChooseLocalFallbackTries: 11,
  setChooseleafVaryR: 12,
  setChooseleafStable: 13,
} as const;

export interface CrushRuleStep {
  readonly op: number;
  readonly arg1: number;
  readonly arg2: number;
}

export interface CrushRule {
  readonly ruleset: number;
  readonly type: number;
  readonly minSize: number;
  readonly maxSize: number;
  readonly steps: readonly CrushRuleStep[];
}

export interface CrushTunables {
  readonly chooseLocalTries: number;
  readonly chooseLocalFallbackTries: number;
  readonly chooseTotalTries: number;
  readonly chooseleafDescendOnce: number;
  readonly chooseleafVaryR: number;
  readonly strawCalcVersion: number;
  readonly allowedBucketAlgs: number;
  readonly chooseleafStable: number;
}

/** Replacement weights (per position) and ids for one bucket (crush_choose_arg). */
export interface CrushChooseArg {
  readonly weightSets: readonly Uint32Array[];
  readonly ids: Int32Array;
}

/** A CRUSH map (crush/CrushWrapper.h), immutable. Bucket `-1-i` is `buckets[i]`; undefined slots are empty. */
export interface CrushMap {
  readonly maxDevices: number;
  readonly buckets: readonly (CrushBucket | undefined)[];
  readonly rules: readonly (CrushRule | undefined)[];
  readonly typeNames: ReadonlyMap<number, string>;
  /** Items: devices and buckets, shadow buckets (`root~ssd`) included. */
  readonly names: ReadonlyMap<number, string>;
  readonly ruleNames: ReadonlyMap<number, string>;
  readonly tunables: CrushTunables;
  /** device -> class. */
  readonly deviceClass: ReadonlyMap<number, number>;
  readonly classNames: ReadonlyMap<number, string>;
  /** bucket -> class -> shadow bucket. */
  readonly classBuckets: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** set id -> bucket slot -> replacement. Set -1 is the compat weight-set. */
  readonly chooseArgs: ReadonlyMap<number, ReadonlyMap<number, CrushChooseArg>>;
}
