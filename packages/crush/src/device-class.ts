/**
 * Device classes (CrushWrapper::rebuild_roots_with_classes): for each class, each root has a shadow tree that holds only
 * the devices of that class, which rules take by `default~ssd`. Shadows are ordinary buckets, derived anew after each edit;
 * a shadow keeps its id, as long as its original lives, so that rules go on naming it.
 *
 *   default(-1)            default~ssd(-3)
 *     host0(-2)       ->     host0~ssd(-4)
 *       osd.0 ssd              osd.0
 *       osd.1 hdd
 */
import { type WeightedItem, withItems } from './bucket-weights.ts';
import { type CrushBucket, type CrushChooseArg, type CrushMap, RuleOp } from './crush-map.ts';
import { bucketOf, freeBucketId, isShadow, itemByName, rootsOf, weightAt, withBucket } from './hierarchy.ts';

/** The shadow of a bucket for a class by name: what a rule for that class takes. */
export function shadowOf(map: CrushMap, bucket: number, className: string): number | undefined {
  const classId = classByName(map, className);
  return classId === undefined ? undefined : map.classBuckets.get(bucket)?.get(classId);
}

/** Name of the device class of an OSD, or of the class that a shadow is for. */
export function deviceClassOf(map: CrushMap, item: number): string | undefined {
  const classId = map.deviceClass.get(item);
  return classId === undefined ? undefined : map.classNames.get(classId);
}

/** The shadows of a bucket, one for each device class. */
export function shadowsOf(map: CrushMap, bucket: number): CrushBucket[] {
  const ids = [...(map.classBuckets.get(bucket)?.values() ?? [])];
  return ids.map((id) => bucketOf(map, id)).filter((each) => each !== undefined);
}

export function classByName(map: CrushMap, className: string): number | undefined {
  for (const [id, each] of map.classNames) if (each === className) return id;
  return undefined;
}

/** Makes a class that no device has: it lasts until the map changes otherwise (get_or_create_class_id). */
export function createDeviceClass(map: CrushMap, className: string): [CrushMap, number] {
  const known = classByName(map, className);
  if (known !== undefined) return [map, known];
  const classId = Math.max(-1, ...map.classNames.keys()) + 1;
  return [{ ...map, classNames: new Map([...map.classNames, [classId, className]]) }, classId];
}

/** Takes a class away from all devices that have it, and the class with it. */
export function dropDeviceClass(map: CrushMap, className: string): CrushMap {
  const classId = classByName(map, className);
  if (classId === undefined) return map;
  const deviceClass = new Map([...map.deviceClass].filter(([item, each]) => item < 0 || each !== classId));
  if (deviceClass.size < map.deviceClass.size) return rebuildShadows({ ...map, deviceClass });
  const classNames = new Map(map.classNames);
  classNames.delete(classId);
  return { ...map, classNames };
}

/** Gives a class, and the shadows made for it, another name (rename_class). */
export function renameDeviceClass(map: CrushMap, from: string, to: string): CrushMap {
  const classId = classByName(map, from);
  if (classId === undefined) return map;
  const names = new Map(map.names);
  for (const [item, each] of map.deviceClass) {
    if (item < 0 && each === classId) names.set(item, `${(names.get(item) ?? '').split('~')[0]}~${to}`);
  }
  return { ...map, names, classNames: new Map(map.classNames).set(classId, to) };
}

/** Numbers of the rules that take a root for a class. */
export function rulesOfClass(map: CrushMap, className: string): number[] {
  const classId = classByName(map, className);
  if (classId === undefined) return [];
  const shadows = new Set([...map.classBuckets.values()].map((byClass) => byClass.get(classId)));
  return [...map.rules.keys()].filter((id) =>
    map.rules[id]?.steps.some(({ op, arg1 }) => op === RuleOp.take && shadows.has(arg1)),
  );
}

/** Gives a device a class, in place of any it has (`osd crush set-device-class`). */
export function setDeviceClass(map: CrushMap, osd: number, className: string): CrushMap {
  const known = classByName(map, className);
  const classId = known ?? Math.max(-1, ...map.classNames.keys()) + 1;
  const classNames = known === undefined ? new Map([...map.classNames, [classId, className]]) : map.classNames;
  return rebuildShadows({ ...map, classNames, deviceClass: new Map([...map.deviceClass, [osd, classId]]) });
}

/** Takes a device's class away (`osd crush rm-device-class`). */
export function removeDeviceClass(map: CrushMap, osd: number): CrushMap {
  const deviceClass = new Map(map.deviceClass);
  deviceClass.delete(osd);
  return rebuildShadows({ ...map, deviceClass });
}

/** Derives all shadow trees anew; drops classes that no device has and no rule takes. */
export function rebuildShadows(map: CrushMap): CrushMap {
  if (map.classNames.size === 0 && map.classBuckets.size === 0) return map;
  const classNames = new Map([...map.classNames].filter(([id]) => isClassUsed(map, id)).sort(([a], [b]) => a - b));
  const reserved = new Set([...map.classBuckets.values()].flatMap((shadows) => [...shadows.values()]));
  const bare = { ...withoutShadows(map), classNames };
  const sums: ShadowSums = new Map();
  let next: CrushMap = bare;
  for (const root of rootsOf(bare).sort((a, b) => a.id - b.id)) {
    for (const classId of classNames.keys()) {
      next = makeShadow(next, root, classId, map.classBuckets, reserved, sums)[0];
    }
  }
  return next;
}

function isClassUsed(map: CrushMap, classId: number): boolean {
  for (const [item, each] of map.deviceClass) if (item >= 0 && each === classId) return true;
  const shadows = new Set([...map.classBuckets.values()].map((byClass) => byClass.get(classId)));
  return map.rules.some((rule) => rule?.steps.some(({ op, arg1 }) => op === RuleOp.take && shadows.has(arg1)));
}

function withoutShadows(map: CrushMap): CrushMap {
  const kept = <V>(entries: ReadonlyMap<number, V>) => new Map([...entries].filter(([id]) => !isShadow(map, id)));
  return {
    ...map,
    buckets: map.buckets.map((bucket) => (bucket !== undefined && isShadow(map, bucket.id) ? undefined : bucket)),
    names: kept(map.names),
    deviceClass: kept(map.deviceClass),
    classBuckets: new Map(),
    chooseArgs: new Map(
      [...map.chooseArgs].map(([set, replacements]) => [
        set,
        new Map([...replacements].filter(([slot]) => !isShadow(map, -1 - slot))),
      ]),
    ),
  };
}

/** choose_args set -> shadow -> its weight by position. */
type ShadowSums = Map<number, Map<number, readonly number[]>>;

/** Makes the shadow of a bucket for a class, those below it first, unless it is there; returns its id (device_class_clone). */
function makeShadow(
  map: CrushMap,
  original: CrushBucket,
  classId: number,
  formerShadows: CrushMap['classBuckets'],
  reserved: ReadonlySet<number>,
  sums: ShadowSums,
): [CrushMap, number] {
  const name = `${map.names.get(original.id) ?? ''}~${map.classNames.get(classId)}`;
  const existing = itemByName(map, name);
  if (existing !== undefined) return [map, existing];
  const entries: WeightedItem[] = [];
  const places: number[] = [];
  let next = map;
  original.items.forEach((item, place) => {
    if (item >= 0) {
      if (map.deviceClass.get(item) !== classId) return;
      entries.push([item, weightAt(original, place)]);
    } else {
      const child = bucketOf(map, item);
      if (child === undefined) return;
      const [made, shadow] = makeShadow(next, child, classId, formerShadows, reserved, sums);
      next = made;
      entries.push([shadow, bucketOf(made, shadow)!.weight]);
    }
    places.push(place);
  });
  const id = formerShadows.get(original.id)?.get(classId) ?? freeBucketId(next, reserved);
  const empty = { ...original, id, items: new Int32Array(0), itemWeights: new Uint32Array(0) };
  next = withBucket(next, withItems(empty, entries, map.tunables));
  const shadows = new Map([...(next.classBuckets.get(original.id) ?? []), [classId, id] as const]);
  next = {
    ...next,
    names: new Map([...next.names, [id, name]]),
    deviceClass: new Map([...next.deviceClass, [id, classId]]),
    classBuckets: new Map([...next.classBuckets, [original.id, shadows]]),
    chooseArgs: new Map(
      [...next.chooseArgs].map(([set, replacements]) => {
        const from = replacements.get(-1 - original.id);
        if (from === undefined || from.weightSets.length === 0) return [set, replacements];
        const made = shadowWeights(set, from, id, entries, places, sums);
        return [set, new Map([...replacements, [-1 - id, made]])];
      }),
    ),
  };
  return [next, id];
}

/**
 * A shadow's weight sets: devices have those of the original, shadows below the sum of theirs. 16.2.15 remembers that sum
 * for the last position only: at the others, shadows below weigh nothing.
 */
function shadowWeights(
  set: number,
  from: CrushChooseArg,
  id: number,
  entries: readonly WeightedItem[],
  places: readonly number[],
  sums: ShadowSums,
): CrushChooseArg {
  const below = sums.get(set) ?? new Map<number, readonly number[]>();
  sums.set(set, below);
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
  return { weightSets, ids: new Int32Array(0) };
}
