/**
 * Device classes: for each class, each root has a shadow tree that holds only the devices of that class, which rules take by
 * `default~ssd`. Shadows are ordinary buckets, derived anew after each edit (`shadow-trees.ts`); a shadow keeps its id, as
 * long as its original lives, so that rules go on naming it.
 *
 *   default(-1)            default~ssd(-3)
 *     host0(-2)       ->     host0~ssd(-4)
 *       osd.0 ssd              osd.0
 *       osd.1 hdd
 */
import { type CrushBucket, type CrushMap, RuleOp } from './crush-map.ts';
import { CrushDraft } from './draft.ts';
import { bucketOf } from './hierarchy.ts';
import { rebuildShadowTrees } from './shadow-trees.ts';

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
  const draft = new CrushDraft(map);
  rebuildShadowTrees(draft);
  return draft.toMap();
}
