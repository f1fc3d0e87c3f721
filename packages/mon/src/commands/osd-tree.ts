/** The CRUSH hierarchy as people and programs see it. */
import {
  bucketOf,
  type CrushBucket,
  type CrushMap,
  deviceClassOf,
  itemByName,
  itemWeight,
  rootsOf,
  shadowsOf,
} from '@spirula/crush';
import { Errno, type OsdId } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import { type OsdMap, OsdState, osdExists, osdIn, osdUp } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  invalid,
  output,
  refuse,
  text,
  texts,
} from './command.ts';
import { weightSetName } from './crush-weight-set-commands.ts';
import { atEpoch, osdsOf } from './osd-arguments.ts';

/** A weight of 1, in fixed point. */
const ONE = 0x10000;

interface TreeItem {
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
function treeOf(map: OsdMap, shadows: boolean, from?: number): { items: TreeItem[]; stray: OsdId[] } {
  const { crush } = map;
  const items: TreeItem[] = [];
  const seen = new Set<number>();
  const nameOf = (id: number) => crush.names.get(id) ?? (id >= 0 ? `osd.${id}` : String(id));
  const sortKey = (id: number) => {
    return id >= 0 ? `${classOf(map, id)}_osd.${String(id).padStart(8, '0')}` : `_${nameOf(id)}`;
  };
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
    for (const child of children) {
      const below = bucketOf(crush, child);
      const weights = poolWeightsOf(crush, bucket, child);
      if (below !== undefined) visit(below, depth + 1, below.weight, weights);
      else {
        seen.add(child);
        const itemType = crush.typeNames.get(0) ?? 'osd';
        items.push({
          id: child,
          name: nameOf(child),
          type: itemType,
          typeId: 0,
          depth: depth + 1,
          weight: itemWeight(crush, child, bucket),
          children: [],
          poolWeights: weights,
        });
      }
    }
  };
  const shadowRoots = shadows ? rootsOf(crush).flatMap(({ id }) => shadowsOf(crush, id)) : [];
  const roots = [...rootsOf(crush), ...shadowRoots].sort((a, b) => a.id - b.id);
  const top = from === undefined ? undefined : bucketOf(crush, from);
  for (const root of top === undefined ? roots : [top]) visit(root, 0, root.weight, new Map());
  return { items, stray: osdsOf(map).filter((osd) => !seen.has(osd)) };
}

function poolWeightsOf(crush: CrushMap, bucket: CrushBucket, item: number): TreeItem['poolWeights'] {
  const place = bucket.items.indexOf(item);
  return new Map(
    [...crush.chooseArgs].map(([set, replacements]) => [
      set,
      (replacements.get(-1 - bucket.id)?.weightSets ?? []).map((weights) => (weights[place] ?? 0) / ONE),
    ]),
  );
}

/** `osd tree`, and `osd tree-from` with a bucket. */
export function osdTree(args: CommandArgs, context: CommandContext): CommandOutcome {
  return atEpoch(args, context, (map) => {
    const wanted = new Set(texts(args, 'states'));
    const from = text(args, 'bucket');
    const root = from === undefined ? undefined : itemByName(map.crush, from);
    if (from !== undefined && root === undefined) return refuse(Errno.ENOENT, `bucket '${from}' does not exist`);
    if (root !== undefined && root >= 0) return invalid(`"${from}" is not a bucket`);
    const whole = treeOf(map, false, root);
    const { items } = whole;
    const stray = root === undefined ? whole.stray : [];
    const shown = wanted.size === 0 ? items : items.filter((item) => matches(map, items, item, wanted));
    const strays = stray.filter((osd) => wanted.size === 0 || hasState(map, osd, wanted));
    const json = {
      nodes: shown.map((item) => nodeJson(map, item, true)),
      ...(root === undefined && { stray: strays.map((osd) => strayJson(map, osd)) }),
    };
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
      ...shown.map((item) => [
        item.id,
        classOf(map, item.id),
        weightText(item.weight),
        indented(item),
        ...osdCells(map, item.id),
      ]),
      ...strays.map((osd) => [osd, '', '0', `osd.${osd}`, ...osdCells(map, osd)]),
    ];
    return output(args, json, formatTable(columns, rows), '\n');
  });
}

/** `osd crush tree`. */
export function crushTree(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const { items } = treeOf(map, text(args, 'shadow') !== undefined);
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
  const json = { nodes: items.map((item) => nodeJson(map, item, false)), stray: [] };
  return output(args, json, formatTable(columns, rows));
}

function isDestroyed(map: OsdMap, osd: OsdId): boolean {
  return (map.osdState[osd]! & OsdState.destroyed) !== 0;
}

function statusOf(map: OsdMap, osd: OsdId): string {
  if (osdUp(map, osd)) return 'up';
  return isDestroyed(map, osd) ? 'destroyed' : 'down';
}

function hasState(map: OsdMap, osd: OsdId, wanted: ReadonlySet<string>): boolean {
  const up = osdUp(map, osd);
  const isIn = osdIn(map, osd);
  return (
    (wanted.has('up') && up) ||
    (wanted.has('down') && !up) ||
    (wanted.has('in') && isIn) ||
    (wanted.has('out') && !isIn) ||
    (wanted.has('destroyed') && isDestroyed(map, osd))
  );
}

function matches(map: OsdMap, items: readonly TreeItem[], item: TreeItem, wanted: ReadonlySet<string>): boolean {
  if (item.id >= 0) return hasState(map, item.id, wanted);
  return items.some((each) => item.children.includes(each.id) && matches(map, items, each, wanted));
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
