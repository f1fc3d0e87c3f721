import { Errno } from '@spirula/encoding';
import { type WeightedItem, withItems } from './bucket-weights.ts';
import { devicesOf } from './codec.ts';
import {
  BucketAlg,
  type CrushBucket,
  type CrushChooseArg,
  type CrushMap,
  type CrushRule,
  type CrushTunables,
} from './crush-map.ts';

/** CRUSH_HASH_RJENKINS1. */
const HASH_RJENKINS1 = 0;
/** Slots for buckets double from here. */
const FIRST_SLOTS = 8;
/** More slots than this are refused: a map writes four bytes for each. */
const MOST_SLOTS = 1 << 24;

const NONE: ReadonlySet<number> = new Set();

/** A negative errno of Ceph's. */
export type EditFailure = number;

/** Best first (get_default_bucket_alg). */
const BEST_ALGS = [BucketAlg.straw2, BucketAlg.straw, BucketAlg.tree, BucketAlg.list, BucketAlg.uniform];

/**
 * A CRUSH map under edit (CrushWrapper). Its collections change in place; what they hold (buckets, rules, weight sets) is
 * replaced, never changed, so that a draft is cheap to make and the map that it was made of stays as it is.
 */
export class CrushDraft {
  maxDevices: number;
  tunables: CrushTunables;
  readonly buckets: (CrushBucket | undefined)[];
  readonly rules: (CrushRule | undefined)[];
  readonly typeNames: Map<number, string>;
  readonly ruleNames: Map<number, string>;
  readonly deviceClass: Map<number, number>;
  readonly classNames: Map<number, string>;
  readonly classBuckets: Map<number, Map<number, number>>;
  readonly chooseArgs: Map<number, Map<number, CrushChooseArg>>;
  readonly #names: Map<number, string>;
  #idByName: Map<string, number> | undefined;
  /** Item -> the buckets that hold it; made when it is asked for. */
  #holders: Map<number, Set<number>> | undefined;
  /** choose_args set -> buckets that had no weight sets there when that was asked for. */
  #unweighed = new WeakMap<object, readonly number[]>();

  constructor(map: CrushMap) {
    this.maxDevices = map.maxDevices;
    this.tunables = map.tunables;
    this.buckets = [...map.buckets];
    this.rules = [...map.rules];
    this.typeNames = byKey(map.typeNames);
    this.#names = new Map(map.names);
    this.ruleNames = new Map(map.ruleNames);
    this.deviceClass = new Map(map.deviceClass);
    this.classNames = byKey(map.classNames);
    this.classBuckets = new Map([...map.classBuckets].map(([id, shadows]) => [id, new Map(shadows)]));
    this.chooseArgs = new Map([...byKey(map.chooseArgs)].map(([set, args]) => [set, new Map(args)]));
  }

  toMap(): CrushMap {
    return {
      maxDevices: this.maxDevices,
      buckets: this.buckets,
      rules: this.rules,
      typeNames: this.typeNames,
      names: byKey(this.#names),
      ruleNames: byKey(this.ruleNames),
      tunables: this.tunables,
      deviceClass: byKey(this.deviceClass),
      classNames: byKey(this.classNames),
      classBuckets: byKey(new Map([...this.classBuckets].map(([id, shadows]) => [id, byKey(shadows)]))),
      chooseArgs: new Map([...this.chooseArgs].map(([set, args]) => [set, byKey(args)])),
    };
  }

  get names(): ReadonlyMap<number, string> {
    return this.#names;
  }

  nameOf(id: number): string | undefined {
    return this.#names.get(id);
  }

  idOf(name: string): number | undefined {
    this.#idByName ??= new Map([...byKey(this.#names)].map(([id, each]) => [each, id]));
    return this.#idByName.get(name);
  }

  setName(id: number, name: string): void {
    if (this.#names.has(id)) this.#idByName = undefined;
    this.#names.set(id, name);
    this.#idByName?.set(name, id);
  }

  /** The same for a name of a user's; false when it may not be one (set_item_name). */
  nameItem(id: number, name: string): boolean {
    if (!isValidCrushName(name)) return false;
    this.setName(id, name);
    return true;
  }

  deleteName(id: number): void {
    this.#names.delete(id);
    this.#idByName = undefined;
  }

  /** Whether the item is the shadow of a bucket for a device class: no name that a user may give has a `~`. */
  isShadow(id: number): boolean {
    const name = this.#names.get(id);
    return name !== undefined && !isValidCrushName(name);
  }

  typeOf(name: string): number | undefined {
    return lastNamed(this.typeNames, name);
  }

  classOf(className: string): number | undefined {
    return lastNamed(this.classNames, className);
  }

  /** The number of a class, which is made where there is none (get_or_create_class_id). */
  requireClass(className: string): number {
    const known = this.classOf(className);
    if (known !== undefined) return known;
    const id = Math.max(-1, ...this.classNames.keys()) + 1;
    this.classNames.set(id, className);
    return id;
  }

  bucket(id: number): CrushBucket | undefined {
    return id < 0 ? this.buckets[-1 - id] : undefined;
  }

  bucketList(): CrushBucket[] {
    return this.buckets.filter((bucket) => bucket !== undefined);
  }

  /** Puts a bucket in place of the one that has its id. */
  replaceBucket(bucket: CrushBucket): void {
    if (this.buckets[-1 - bucket.id]?.items !== bucket.items) this.#forgetHolders();
    this.buckets[-1 - bucket.id] = bucket;
  }

  removeBucket(id: number): void {
    this.#forgetHolders();
    this.buckets[-1 - id] = undefined;
  }

  /** Puts a bucket in its free slot, making more slots where there are too few (crush_add_bucket). */
  putBucket(bucket: CrushBucket): EditFailure | undefined {
    const slot = -1 - bucket.id;
    if (slot >= MOST_SLOTS) return Errno.ENOMEM;
    while (slot >= this.buckets.length) {
      const slots = this.buckets.length === 0 ? FIRST_SLOTS : this.buckets.length * 2;
      while (this.buckets.length < slots) this.buckets.push(undefined);
    }
    if (this.buckets[slot] !== undefined) return Errno.EEXIST;
    this.#forgetHolders();
    this.buckets[slot] = bucket;
    return undefined;
  }

  /** The lowest bucket id that is free, and not among `reserved`. */
  freeBucketId(reserved?: ReadonlySet<number>): number {
    let id = -1;
    while (this.buckets[-1 - id] !== undefined || reserved?.has(id)) id -= 1;
    return id;
  }

  /**
   * Adds a bucket with items (CrushWrapper::add_bucket), under the lowest free id unless one is given, with the best
   * algorithm that the tunables allow unless one is given. A bucket with items gets weight sets where others may have them.
   */
  addBucket(
    type: number,
    entries: readonly WeightedItem[],
    given: { id?: number; alg?: number; hash?: number } = {},
  ): { id: number } | { failure: EditFailure } {
    const alg = given.alg ?? BEST_ALGS.find((each) => (this.tunables.allowedBucketAlgs >> each) & 1);
    if (alg === undefined) return { failure: Errno.EINVAL };
    const id = given.id ?? this.freeBucketId();
    const failure = this.putBucket(this.makeBucket(id, type, alg, given.hash ?? HASH_RJENKINS1, entries));
    if (failure !== undefined) return { failure };
    if (entries.length === 0) return { id };
    for (const args of this.chooseArgs.values()) {
      const weights = Uint32Array.from(entries, ([, weight]) => weight);
      const weightSets = Array.from({ length: positionsOf(args) }, () => weights);
      args.set(-1 - id, { weightSets, ids: new Int32Array(0) });
    }
    return { id };
  }

  makeBucket(id: number, type: number, alg: number, hash: number, entries: readonly WeightedItem[]): CrushBucket {
    const none = { items: new Int32Array(0), itemWeights: new Uint32Array(0), sums: new Uint32Array(0) };
    return withItems({ id, type, alg, hash, weight: 0, ...none }, entries, this.tunables);
  }

  /** Ids of the buckets that none holds, the most negative first (find_roots). */
  roots(): number[] {
    const held = new Set<number>();
    for (const bucket of this.bucketList()) for (const item of bucket.items) held.add(item);
    return this.bucketList()
      .map(({ id }) => id)
      .filter((id) => !held.has(id))
      .sort((a, b) => a - b);
  }

  #forgetHolders(): void {
    this.#holders = undefined;
    this.#unweighed = new WeakMap();
  }

  /** Ids of the buckets without weight sets in a choose_args set, and of some that have got them since. */
  withoutWeightSets(args: ReadonlyMap<number, CrushChooseArg>): readonly number[] {
    const known = this.#unweighed.get(args);
    if (known !== undefined) return known;
    const ids = this.bucketList().map(({ id }) => id);
    const lacking = ids.filter((id) => !hasWeightSets(args, id));
    this.#unweighed.set(args, lacking);
    return lacking;
  }

  /** Ids of the buckets that hold an item, in the order of their slots. */
  holdersOf(item: number): ReadonlySet<number> {
    this.#holders ??= this.#findHolders();
    return this.#holders.get(item) ?? NONE;
  }

  #findHolders(): Map<number, Set<number>> {
    const holders = new Map<number, Set<number>>();
    for (const { id, items } of this.bucketList()) {
      for (const item of items) {
        const known = holders.get(item);
        if (known === undefined) holders.set(item, new Set([id]));
        else known.add(id);
      }
    }
    return holders;
  }

  /** Whether any bucket holds the item (_search_item_exists). */
  isHeld(item: number): boolean {
    return this.holdersOf(item).size > 0;
  }

  /** The first bucket that holds an item, shadows apart (get_immediate_parent_id). */
  parentOf(item: number): CrushBucket | undefined {
    const id = [...this.holdersOf(item)].find((each) => !this.isShadow(each));
    return id === undefined ? undefined : this.bucket(id);
  }

  /** Whether `item` is `root` or stands somewhere below it (subtree_contains). */
  contains(root: number, item: number, seen = new Set<number>()): boolean {
    if (root === item) return true;
    // A damaged map may run in circles.
    if (seen.has(root)) return false;
    seen.add(root);
    return (this.bucket(root)?.items ?? new Int32Array(0)).some((each) => this.contains(each, item, seen));
  }

  /**
   * Drops replacements of buckets that are gone or not straw2, and gives weight sets as many weights as there are items
   * (update_choose_args).
   */
  tidyChooseArgs(): void {
    this.#unweighed = new WeakMap();
    for (const args of this.chooseArgs.values()) {
      for (const [slot, { weightSets, ids }] of args) {
        const bucket = this.buckets[slot];
        if (bucket?.alg !== BucketAlg.straw2) {
          args.delete(slot);
          continue;
        }
        const size = bucket.items.length;
        if (weightSets.every(({ length }) => length === size)) continue;
        args.set(slot, { ids, weightSets: weightSets.map((weights) => resized(weights, size)) });
      }
    }
  }

  /** `maxDevices` is one more than the last device that is held or named (finalize). */
  finalize(): void {
    this.maxDevices = devicesOf(this.buckets, this.#names);
  }
}

/** Whether users may give the name to an item: letters, digits, `-`, `_` and `.` (is_valid_crush_name). */
export function isValidCrushName(name: string): boolean {
  return /^[-_.0-9A-Za-z]+$/.test(name);
}

/** How many positions the weight sets have: those of the first bucket that has any, else 1 (get_choose_args_positions). */
export function positionsOf(args: ReadonlyMap<number, CrushChooseArg>): number {
  for (const [, { weightSets }] of byKey(args)) if (weightSets.length > 0) return weightSets.length;
  return 1;
}

/** Where a name was given twice, the later number has it. */
function lastNamed(names: ReadonlyMap<number, string>, name: string): number | undefined {
  let found: number | undefined;
  for (const [id, each] of names) if (each === name) found = id;
  return found;
}

export function hasWeightSets(args: ReadonlyMap<number, CrushChooseArg>, bucketId: number): boolean {
  return (args.get(-1 - bucketId)?.weightSets.length ?? 0) > 0;
}

function resized(weights: Uint32Array, size: number): Uint32Array {
  return Uint32Array.from({ length: size }, (_, i) => weights[i] ?? 0);
}

/** Entries by ascending key, as Ceph's maps are. */
function byKey<V>(entries: ReadonlyMap<number, V>): Map<number, V> {
  return new Map([...entries].sort(([a], [b]) => a - b));
}
