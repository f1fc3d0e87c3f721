/**
 * Maps in which trees made by hand stand for kinds of devices become maps with device classes (CrushWrapper::reclassify), and
 * inputs go on being mapped as before: the old buckets become shadows, and keep their ids.
 */
import { Errno } from '@spirula/encoding';
import { RuleOp } from './crush-map.ts';
import type { CrushDraft, EditFailure } from './draft.ts';
import { weightAt } from './hierarchy.ts';
import { insertItem, throughFloat } from './item-places.ts';
import { rebuildShadowTrees } from './shadow-trees.ts';

/** Who is told what is done. */
export interface Listener {
  /** Takes a line, newline included. */
  say(line: string): void;
  /** `(22) Invalid argument`, of an errno. */
  describe(failure: EditFailure): string;
}

/** Buckets named `%suffix`, `prefix%` or exactly so become shadows, for a class, of those without suffix or prefix. */
export interface BucketMatch {
  readonly className: string;
  /** Where buckets that are missing are put; what an exact match becomes a shadow of. */
  readonly parent: string;
}

/** Gives all devices below a bucket a class (set_subtree_class). Shadow trees stay as they are. */
export function setSubtreeClass(draft: CrushDraft, subtree: string, className: string): void {
  const root = draft.idOf(subtree);
  if (root === undefined) return;
  const classId = draft.requireClass(className);
  const seen = new Set([root]);
  // Each bucket that is found is looked into after those found before it.
  for (const id of seen) {
    const bucket = draft.bucket(id);
    if (bucket === undefined) return;
    for (const item of bucket.items) {
      if (item >= 0) draft.deviceClass.set(item, classId);
      else seen.add(item);
    }
  }
}

/** Roots first, then buckets, each in the order given. The listener is told what Ceph says. */
export function reclassify(
  draft: CrushDraft,
  roots: readonly (readonly [string, string])[],
  buckets: readonly (readonly [string, BucketMatch])[],
  listener: Listener,
): EditFailure | undefined {
  for (const [root, className] of roots) {
    const failure = classifyRoot(draft, root, className, listener);
    if (failure !== undefined) return failure;
  }
  return new BucketClassifier(draft, listener).run(buckets);
}

/** All buckets below a root get new ids; under the old ones stand their shadows for the class. */
function classifyRoot(draft: CrushDraft, root: string, className: string, listener: Listener): EditFailure | undefined {
  const rootId = draft.idOf(root);
  if (rootId === undefined) {
    listener.say(`root ${root} does not exist\n`);
    return Errno.EINVAL;
  }
  const classId = draft.requireClass(className);
  listener.say(`classify_root ${root} (${rootId}) as ${className}\n`);
  const refused = findTakeOfClass(draft, root, rootId, listener);
  if (refused !== undefined) return refused;
  const renumbered = new Map<number, number>();
  const waiting = [rootId];
  while (waiting.length > 0) {
    const id = waiting.pop()!;
    // Linked twice, or a circle.
    if (renumbered.has(id)) continue;
    const bucket = draft.bucket(id);
    if (bucket === undefined) {
      listener.say(`cannot find bucket ${id}: ${listener.describe(Errno.ENOENT)}\n`);
      return Errno.ENOENT;
    }
    const newId = freshBucketId(draft);
    listener.say(`  renumbering bucket ${id} -> ${newId}\n`);
    renumbered.set(id, newId);
    draft.replaceBucket({ ...bucket, id: newId });
    draft.replaceBucket(draft.makeBucket(id, bucket.type, bucket.alg, bucket.hash, []));
    moveReplacements(draft, id, newId);
    draft.classBuckets.delete(id);
    draft.classBuckets.set(newId, new Map(draft.classBuckets.get(newId)).set(classId, id));
    const name = draft.nameOf(id) ?? '';
    draft.setName(newId, name);
    draft.setName(id, `${name}~${className}`);
    waiting.push(...bucket.items.filter((item) => item < 0));
  }
  for (const bucket of draft.bucketList()) {
    if (!bucket.items.some((item) => renumbered.has(item))) continue;
    draft.replaceBucket({ ...bucket, items: bucket.items.map((item) => renumbered.get(item) ?? item) });
  }
  const failure = rebuildShadowTrees(draft);
  if (failure !== undefined) listener.say(rebuildFailed(listener, failure));
  return failure;
}

/** A rule that takes the root for a class already is in the way. */
function findTakeOfClass(draft: CrushDraft, root: string, rootId: number, listener: Listener): EditFailure | undefined {
  for (const [ruleNo, rule] of draft.rules.entries()) {
    for (const { op, arg1 } of rule?.steps ?? []) {
      if (op !== RuleOp.take) continue;
      const name = draft.nameOf(arg1);
      if (name === undefined) return Errno.EINVAL;
      const [plain = '', className] = name.split(/~(.*)/s);
      if (className === undefined) continue;
      const original = draft.idOf(plain);
      const classId = draft.classOf(className);
      if (original === undefined || classId === undefined) return Errno.ENOENT;
      if (original !== rootId) continue;
      listener.say(`  rule ${ruleNo} includes take on root ${root} class ${classId}\n`);
      return Errno.EINVAL;
    }
  }
  return undefined;
}

function moveReplacements(draft: CrushDraft, from: number, to: number): void {
  for (const args of draft.chooseArgs.values()) {
    const arg = args.get(-1 - from);
    args.delete(-1 - from);
    if (arg === undefined) args.delete(-1 - to);
    else args.set(-1 - to, arg);
  }
}

/** The lowest free id; where there is none, room for one more (get_new_bucket_id). */
function freshBucketId(draft: CrushDraft): number {
  const id = draft.freeBucketId();
  if (-1 - id >= draft.buckets.length) draft.buckets.push(undefined);
  return id;
}

class BucketClassifier {
  readonly #draft: CrushDraft;
  readonly #listener: Listener;
  /** Old bucket -> the bucket that it becomes a shadow of. */
  readonly #targets = new Map<number, number>();
  /** Bucket -> class -> the old bucket. */
  readonly #shadows = new Map<number, Map<number, number>>();
  readonly #shadowNames = new Map<number, string>();
  /** Buckets made here, and where they belong unless something links them: id -> type, name. */
  readonly #places = new Map<number, readonly [string, string]>();
  readonly #made = new Map<string, number>();

  constructor(draft: CrushDraft, listener: Listener) {
    this.#draft = draft;
    this.#listener = listener;
  }

  run(matches: readonly (readonly [string, BucketMatch])[]): EditFailure | undefined {
    for (const [pattern, match] of matches) {
      const failure = this.#match(pattern, match);
      if (failure !== undefined) return failure;
    }
    return this.#moveItems() ?? this.#placeMade() ?? this.#nameShadows();
  }

  #match(pattern: string, { className, parent }: BucketMatch): EditFailure | undefined {
    const draft = this.#draft;
    const parentId = draft.idOf(parent);
    if (parentId === undefined || this.#made.has(parent)) {
      this.#listener.say(`default parent ${parent} does not exist\n`);
      return Errno.EINVAL;
    }
    const parentType = draft.typeNames.get(draft.bucket(parentId)?.type ?? 0) ?? '';
    this.#listener.say(`classify_bucket ${pattern} as ${className} default bucket ${parent} (${parentType})\n`);
    const classId = draft.requireClass(className);
    for (let slot = 0; slot < draft.buckets.length; slot++) {
      const bucket = draft.buckets[slot];
      if (bucket === undefined || draft.isShadow(bucket.id)) continue;
      const name = draft.nameOf(bucket.id) ?? '';
      const base = baseName(pattern, name, parent);
      if (base === undefined) continue;
      this.#listener.say(`match ${pattern} to ${name} basename ${base}\n`);
      const baseId = this.#requireBase(base, bucket.id, [parentType, parent]);
      this.#targets.set(bucket.id, baseId);
      this.#shadows.set(baseId, new Map(this.#shadows.get(baseId)).set(classId, bucket.id));
      this.#shadowNames.set(bucket.id, `${base}~${className}`);
      for (const item of bucket.items) if (item >= 0) draft.deviceClass.set(item, classId);
    }
    return undefined;
  }

  #requireBase(base: string, model: number, place: readonly [string, string]): number {
    const draft = this.#draft;
    const made = this.#made.get(base);
    if (made !== undefined) {
      this.#listener.say(`  already creating base ${made}\n`);
      return made;
    }
    const known = draft.idOf(base);
    if (known !== undefined) {
      this.#listener.say(`  have base ${known}\n`);
      return known;
    }
    const id = freshBucketId(draft);
    const { alg, hash, type } = draft.bucket(model)!;
    draft.replaceBucket(draft.makeBucket(id, type, alg, hash, []));
    draft.setName(id, base);
    this.#made.set(base, id);
    this.#listener.say(`  created base ${id}\n`);
    this.#places.set(id, place);
    return id;
  }

  /** What old buckets hold is also put into those that they become shadows of. */
  #moveItems(): EditFailure | undefined {
    const draft = this.#draft;
    const moves = [...this.#targets].sort(([a], [b]) => a - b);
    for (const [fromId, toId] of moves) {
      const from = draft.bucket(fromId)!;
      const to = draft.bucket(toId)!;
      this.#listener.say(`moving items from ${fromId} (${draft.nameOf(fromId)}) to ${toId} (${draft.nameOf(toId)})\n`);
      const location = new Map([[draft.typeNames.get(to.type) ?? '', draft.nameOf(toId) ?? '']]);
      for (const [place, item] of from.items.entries()) {
        const target = item >= 0 ? item : this.#targets.get(item);
        if (target === undefined) return Errno.EINVAL;
        if (draft.contains(toId, target)) continue;
        const weight = item >= 0 ? weightAt(from, place) : draft.bucket(target)!.weight;
        const failure = insertItem(draft, target, throughFloat(weight), draft.nameOf(target) ?? '', location);
        if (failure !== undefined) return this.#insertFailed(failure);
      }
    }
    return undefined;
  }

  #placeMade(): EditFailure | undefined {
    const draft = this.#draft;
    for (const [id, [type, parent]] of [...this.#places].sort(([a], [b]) => a - b)) {
      if (draft.parentOf(id) !== undefined) continue;
      this.#listener.say(`new bucket ${id} missing parent, adding at {${type}=${parent}}\n`);
      const weight = throughFloat(draft.bucket(id)!.weight);
      const failure = insertItem(draft, id, weight, draft.nameOf(id) ?? '', new Map([[type, parent]]));
      if (failure !== undefined) return this.#insertFailed(failure);
    }
    return undefined;
  }

  #nameShadows(): EditFailure | undefined {
    const draft = this.#draft;
    for (const [id, shadows] of this.#shadows) {
      draft.classBuckets.set(id, new Map([...(draft.classBuckets.get(id) ?? []), ...shadows]));
    }
    for (const [id, name] of this.#shadowNames) draft.setName(id, name);
    const failure = rebuildShadowTrees(draft);
    if (failure !== undefined) this.#listener.say(rebuildFailed(this.#listener, failure));
    return failure;
  }

  #insertFailed(failure: EditFailure): EditFailure {
    this.#listener.say(`reclassify err from insert_item: ${this.#listener.describe(failure)}\n`);
    return failure;
  }
}

function rebuildFailed(listener: Listener, failure: EditFailure): string {
  return `failed to rebuild_roots_with_classes: ${listener.describe(failure)}\n`;
}

/** What remains of a name that fits; undefined when it does not. */
function baseName(pattern: string, name: string, parent: string): string | undefined {
  if (pattern.startsWith('%')) {
    const suffix = pattern.slice(1);
    return name.length >= pattern.length && name.endsWith(suffix)
      ? name.slice(0, name.length - suffix.length)
      : undefined;
  }
  if (pattern.endsWith('%')) {
    const prefix = pattern.slice(0, -1);
    return name.length >= pattern.length && name.startsWith(prefix) ? name.slice(prefix.length) : undefined;
  }
  return pattern === name ? parent : undefined;
}
