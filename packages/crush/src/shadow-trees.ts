/**
 * The shadow trees of device classes in a draft (CrushWrapper::rebuild_roots_with_classes): for each class, each root has one
 * that holds only the devices of that class. What shadows are is told in `device-class.ts`.
 */
import { Errno } from '@spirula/encoding';
import type { WeightedItem } from './bucket-weights.ts';
import { BucketAlg, type CrushBucket, type CrushChooseArg, RuleOp } from './crush-map.ts';
import type { CrushDraft, EditFailure } from './draft.ts';
import { weightAt } from './hierarchy.ts';

/** bucket -> class -> shadow bucket. */
type ClassBuckets = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** Derives all shadow trees anew; drops classes that no device has and no rule takes. Shadows keep their ids. */
export function rebuildShadowTrees(draft: CrushDraft): EditFailure | undefined {
  const former = new Map([...draft.classBuckets].map(([id, shadows]) => [id, new Map(shadows)]));
  for (const classId of [...draft.classNames.keys()]) {
    if (!isClassUsed(draft, classId)) draft.classNames.delete(classId);
  }
  const shadowRoots = draft.roots().filter((id) => draft.isShadow(id));
  for (const root of shadowRoots) removeTree(draft, root);
  if (shadowRoots.length > 0) draft.tidyChooseArgs();
  draft.classBuckets.clear();
  return populateShadowTrees(draft, former);
}

/** Makes the shadow trees of all classes under the ids they had, or under free ones (populate_classes). */
export function populateShadowTrees(draft: CrushDraft, former: ClassBuckets): EditFailure | undefined {
  if (draft.classNames.size === 0) return undefined;
  const reserved = new Set([...former.values()].flatMap((shadows) => [...shadows.values()]));
  const maker = new ShadowMaker(draft, former, reserved);
  for (const root of draft.roots().filter((id) => !draft.isShadow(id))) {
    for (const classId of [...draft.classNames.keys()].sort((a, b) => a - b)) {
      const made = maker.make(root, classId);
      if ('failure' in made) return made.failure;
    }
  }
  return undefined;
}

/** Whether a device has the class, or a rule takes a shadow for it (_class_is_dead). */
function isClassUsed(draft: CrushDraft, classId: number): boolean {
  for (const [item, each] of draft.deviceClass) if (item >= 0 && each === classId) return true;
  const shadows = new Set([...draft.classBuckets.values()].map((byClass) => byClass.get(classId)));
  return draft.rules.some((rule) => rule?.steps.some(({ op, arg1 }) => op === RuleOp.take && shadows.has(arg1)));
}

/** Removes a bucket and all below it (remove_root). */
function removeTree(draft: CrushDraft, id: number): void {
  const bucket = draft.bucket(id);
  if (bucket === undefined) return;
  draft.removeBucket(id);
  for (const item of bucket.items) if (item < 0) removeTree(draft, item);
  draft.deleteName(id);
  draft.classBuckets.delete(id);
  draft.deviceClass.delete(id);
}

class ShadowMaker {
  readonly #draft: CrushDraft;
  readonly #former: ClassBuckets;
  readonly #reserved: ReadonlySet<number>;
  /** choose_args set -> shadow -> its weight by position. */
  readonly #sums = new Map<number, Map<number, readonly number[]>>();
  /** Originals being copied: a damaged map may run in circles. */
  readonly #open = new Set<number>();

  constructor(draft: CrushDraft, former: ClassBuckets, reserved: ReadonlySet<number>) {
    this.#draft = draft;
    this.#former = former;
    this.#reserved = reserved;
  }

  /** Makes the shadow of a bucket for a class, those below it first, unless it is there (device_class_clone). */
  make(originalId: number, classId: number): { id: number } | { failure: EditFailure } {
    const draft = this.#draft;
    const originalName = draft.nameOf(originalId);
    // ECHILD.
    if (originalName === undefined) return { failure: -10 };
    const name = `${originalName}~${draft.classNames.get(classId)}`;
    const existing = draft.idOf(name);
    if (existing !== undefined) return { id: existing };
    const original = draft.bucket(originalId);
    if (original === undefined || this.#open.has(originalId)) return { failure: Errno.ELOOP };
    this.#open.add(originalId);
    const copied = this.#copyItems(original, classId);
    this.#open.delete(originalId);
    if ('failure' in copied) return copied;
    const id = this.#former.get(originalId)?.get(classId) ?? draft.freeBucketId(this.#reserved);
    const { type, alg, hash } = original;
    const failure = draft.putBucket(draft.makeBucket(id, type, alg, hash, copied.entries));
    if (failure !== undefined) return { failure };
    draft.deviceClass.set(id, classId);
    draft.setName(id, name);
    draft.classBuckets.set(originalId, new Map(draft.classBuckets.get(originalId)).set(classId, id));
    this.#copyWeightSets(original, id, copied);
    return { id };
  }

  #copyItems(original: CrushBucket, classId: number): Copied | { failure: EditFailure } {
    const draft = this.#draft;
    const entries: WeightedItem[] = [];
    const places: number[] = [];
    for (const [place, item] of original.items.entries()) {
      if (item >= 0) {
        if (draft.deviceClass.get(item) !== classId) continue;
        entries.push([item, weightAt(original, place)]);
      } else {
        const child = this.make(item, classId);
        if ('failure' in child) return child;
        entries.push([child.id, draft.bucket(child.id)!.weight]);
      }
      places.push(place);
      // A uniform bucket begins without weight, and takes no item of another weight than its own.
      if (original.alg === BucketAlg.uniform && entries.at(-1)![1] !== 0) return { failure: Errno.EINVAL };
    }
    return { entries, places };
  }

  /**
   * A shadow's weight sets: devices have those of the original, shadows below the sum of theirs. 16.2.15 remembers that sum
   * for the last position only: at the others, shadows below weigh nothing.
   */
  #copyWeightSets(original: CrushBucket, id: number, { entries, places }: Copied): void {
    for (const [set, args] of this.#draft.chooseArgs) {
      const from = args.get(-1 - original.id);
      if (from === undefined || from.weightSets.length === 0) continue;
      const below = this.#sums.get(set) ?? new Map<number, readonly number[]>();
      this.#sums.set(set, below);
      const weightSets = from.weightSets.map((weights, position) =>
        Uint32Array.from(entries, ([item], i) =>
          item >= 0 ? (weights[places[i]!] ?? 0) : (below.get(item)?.[position] ?? 0),
        ),
      );
      const last = weightSets.length - 1;
      below.set(
        id,
        weightSets.map((weights, position) => (position === last ? weights.reduce((sum, each) => sum + each, 0) : 0)),
      );
      const made: CrushChooseArg = { weightSets, ids: new Int32Array(0) };
      args.set(-1 - id, made);
    }
  }
}

interface Copied {
  readonly entries: readonly WeightedItem[];
  /** Where each entry stands in the original. */
  readonly places: readonly number[];
}
