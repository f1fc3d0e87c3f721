/** The CRUSH hierarchy as people and programs see it: `ceph osd tree`, `ceph osd crush tree` (CrushTreeDumper, osd/OSDMap.cc). */
import {
  bucketOf,
  COMPAT_WEIGHT_SET,
  type CrushBucket,
  type CrushMap,
  deviceClassOf,
  itemWeight,
  rootsOf,
  shadowsOf,
} from '@spirula/crush';
import type { OsdId } from '@spirula/encoding';
import { type OsdMap, OsdState, osdExists, osdUp } from '@spirula/maps';
import { column, formatTable } from './text-table.ts';

/** A weight of 1, in fixed point. */
const ONE = 0x10000;

export interface TreeItem {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly typeId: number;
  readonly depth: number;
  readonly weight: number;
  readonly children: readonly number[];
  /** Weight set -> weights of the item in the bucket above, by position; empty for roots. */
  readonly poolWeights: ReadonlyMap<number, readonly number[]>;
}

/**
 * Buckets before what they hold, roots by id, what they hold by class and name (CrushTreeDumper). With `shadows`, the trees of
 * device classes too.
 */
export function treeOf(map: OsdMap, shadows: boolean, from?: number): { items: TreeItem[]; stray: OsdId[] } {
  const { crush } = map;
  const items: TreeItem[] = [];
  const seen = new Set<number>();
  const nameOf = (id: number) => crush.names.get(id) ?? (id >= 0 ? `osd.${id}` : String(id));
  const sortKey = (id: number) => {
    return id >= 0 ? `${classOf(map, id)}_osd.${String(id).padStart(8, '0')}` : `_${nameOf(id)}`;
  };
  const above = new Set<number>();
  const visit = (bucket: CrushBucket, depth: number, weight: number, poolWeights: TreeItem['poolWeights']) => {
    const children = Array.from(bucket.items).sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    const type = crush.typeNames.get(bucket.type) ?? '';
    items.push({
      id: bucket.id,
      name: nameOf(bucket.id),
      type,
      typeId: bucket.type,
      depth,
      weight,
      children,
      poolWeights,
    });
    above.add(bucket.id);
    for (const child of children) {
      const below = bucketOf(crush, child);
      // A damaged map may run in circles.
      if (above.has(child)) continue;
      const weights = poolWeightsOf(crush, bucket, child);
      if (below !== undefined) visit(below, depth + 1, singly(itemWeight(crush, child, bucket)), weights);
      else {
        seen.add(child);
        const itemType = crush.typeNames.get(0) ?? 'osd';
        items.push({
          id: child,
          name: nameOf(child),
          type: itemType,
          typeId: 0,
          depth: depth + 1,
          weight: singly(itemWeight(crush, child, bucket)),
          children: [],
          poolWeights: weights,
        });
      }
    }
    above.delete(bucket.id);
  };
  const shadowRoots = shadows ? rootsOf(crush).flatMap(({ id }) => shadowsOf(crush, id)) : [];
  const roots = [...rootsOf(crush), ...shadowRoots].sort((a, b) => a.id - b.id);
  const top = from === undefined ? undefined : bucketOf(crush, from);
  for (const root of top === undefined ? roots : [top]) visit(root, 0, singly(root.weight), new Map());
  return { items, stray: existing(map).filter((osd) => !seen.has(osd)) };
}

/** Ceph reckons with weights in single precision. */
const singly = Math.fround;

function poolWeightsOf(crush: CrushMap, bucket: CrushBucket, item: number): TreeItem['poolWeights'] {
  const place = bucket.items.indexOf(item);
  return new Map(
    [...crush.chooseArgs].map(([set, replacements]) => [
      set,
      (replacements.get(-1 - bucket.id)?.weightSets ?? []).map((weights) => (weights[place] ?? 0) / ONE),
    ]),
  );
}

function existing(map: OsdMap): OsdId[] {
  return Array.from({ length: map.maxOsd }, (_, osd) => osd).filter((osd) => osdExists(map, osd));
}

/** `(compat)`, or the name of the pool it is for. */
export function weightSetName(poolNames: ReadonlyMap<number, string>, id: number): string {
  return id === COMPAT_WEIGHT_SET ? '(compat)' : (poolNames.get(id) ?? String(id));
}

/** The table of `ceph osd tree`. */
export function printOsdTree(map: OsdMap, items: readonly TreeItem[], stray: readonly OsdId[]): string {
  const columns = [
    column('ID', 'right'),
    column('CLASS', 'right'),
    column('WEIGHT', 'right'),
    column('TYPE NAME', 'left'),
    column('STATUS', 'right'),
    column('REWEIGHT', 'right'),
    column('PRI-AFF', 'right'),
  ];
  const rows = [
    ...items.map((item) => [
      item.id,
      classOf(map, item.id),
      weightText(item.weight),
      indented(item),
      ...osdCells(map, item.id),
    ]),
    ...stray.map((osd) => [osd, '', '0', `osd.${osd}`, ...osdCells(map, osd)]),
  ];
  return formatTable(columns, rows);
}

/** The nodes of `ceph osd tree -f json`. */
export function dumpOsdTree(map: OsdMap, items: readonly TreeItem[]) {
  return items.map((item) => nodeJson(map, item, true));
}

/** OSDs that stand nowhere, as nodes. */
export function dumpStray(map: OsdMap, stray: readonly OsdId[]) {
  return stray.map((osd) => strayJson(map, osd));
}

/** The table of `ceph osd crush tree`. */
export function printCrushTree(map: OsdMap, items: readonly TreeItem[]): string {
  const sets = [...map.crush.chooseArgs.keys()];
  const columns = [
    column('ID', 'right'),
    column('CLASS', 'right'),
    column('WEIGHT', 'right'),
    ...sets.map((set) => column(weightSetName(map.poolNames, set), 'right')),
    column('TYPE NAME', 'left'),
  ];
  const rows = items.map((item) => [
    item.id,
    classOf(map, item.id),
    weightText(item.weight),
    ...sets.map((set) => (item.poolWeights.has(set) ? weightText((item.poolWeights.get(set)?.[0] ?? 0) * ONE) : '')),
    indented(item),
  ]);
  return formatTable(columns, rows);
}

/** The nodes of `ceph osd crush tree -f json`. */
export function dumpCrushTree(map: OsdMap, items: readonly TreeItem[]) {
  return items.map((item) => nodeJson(map, item, false));
}

export function isDestroyed(map: OsdMap, osd: OsdId): boolean {
  return (map.osdState[osd]! & OsdState.destroyed) !== 0;
}

function statusOf(map: OsdMap, osd: OsdId): string {
  if (osdUp(map, osd)) return 'up';
  return isDestroyed(map, osd) ? 'destroyed' : 'down';
}

function indented(item: TreeItem): string {
  return `${'    '.repeat(item.depth)}${item.id < 0 ? `${item.type} ` : ''}${item.name}`;
}

/** weightf_t. */
function weightText(weight: number): string {
  return weight === 0 ? '0' : (weight / ONE).toFixed(5);
}

function classOf(map: OsdMap, id: number): string {
  return deviceClassOf(map.crush, id) ?? '';
}

function osdCells(map: OsdMap, id: number): string[] {
  if (id < 0) return ['', '', ''];
  if (!osdExists(map, id)) return ['DNE', '0', ''];
  const affinity = map.primaryAffinity[id] ?? ONE;
  return [statusOf(map, id), weightText(map.osdWeight[id]!), weightText(affinity)];
}

function poolWeightsJson(map: OsdMap, { poolWeights }: TreeItem) {
  return Object.fromEntries([...poolWeights].map(([set, weights]) => [weightSetName(map.poolNames, set), weights]));
}

function nodeJson(map: OsdMap, item: TreeItem, withState: boolean) {
  const { id, name, type, typeId } = item;
  const deviceClass = classOf(map, id);
  const named = deviceClass === '' ? { id } : { id, device_class: deviceClass };
  if (id < 0) {
    return {
      ...named,
      name,
      type,
      type_id: typeId,
      ...(item.depth > 0 ? { pool_weights: poolWeightsJson(map, item) } : {}),
      children: [...item.children].reverse(),
    };
  }
  return {
    ...named,
    name,
    type,
    type_id: typeId,
    crush_weight: item.weight / ONE,
    depth: item.depth,
    pool_weights: poolWeightsJson(map, item),
    ...(withState ? stateJson(map, id) : {}),
  };
}

function stateJson(map: OsdMap, id: OsdId) {
  return {
    exists: osdExists(map, id) ? 1 : 0,
    status: statusOf(map, id),
    reweight: (map.osdWeight[id] ?? 0) / ONE,
    primary_affinity: (map.primaryAffinity[id] ?? ONE) / ONE,
  };
}

function strayJson(map: OsdMap, osd: OsdId) {
  return { id: osd, name: `osd.${osd}`, type: 'osd', type_id: 0, crush_weight: 0, depth: 0, ...stateJson(map, osd) };
}
