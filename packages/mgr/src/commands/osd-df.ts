/** `ceph osd df` (OSDUtilizationDumper, osd/OSDMap.cc): what every OSD stores, flat or along the CRUSH tree. */

import { deviceClassOf, rootsOf } from '@spirula/crush';
import { Errno, type OsdId } from '@spirula/encoding';
import { column, formatBytes, formatFixed, formatLowPrecision, formatTable } from '@spirula/formatter';
import { mapPg, type OsdMap, osdExists, osdUp } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  formatJson,
  invalid,
  refuse,
  succeed,
  wantsJson,
} from './command.ts';

const KIB = 1024;

interface Usage {
  kb: number;
  used: number;
  data: number;
  omap: number;
  meta: number;
  avail: number;
}

/** A bucket or an OSD, in the order it is printed. */
interface Node {
  readonly id: number;
  readonly depth: number;
  /** 16.16. */
  readonly weight: number;
  readonly usage: Usage;
  readonly children: readonly number[];
}

function emptyUsage(): Usage {
  return { kb: 0, used: 0, data: 0, omap: 0, meta: 0, avail: 0 };
}

function addUsage(total: Usage, part: Usage): void {
  for (const key of Object.keys(total) as (keyof Usage)[]) total[key] += part[key];
}

function percentUsed({ kb, used }: Usage): number {
  return kb > 0 ? (100 * used) / kb : 0;
}

export function osdDf(args: CommandArgs, context: CommandContext): CommandOutcome {
  const filter = findFilter(args, context.map);
  if ('code' in filter) return filter;
  const nodes = walk(context, filter.osds);
  const total = emptyUsage();
  for (const node of nodes) if (node.id >= 0) addUsage(total, node.usage);
  const average = percentUsed(total);
  const tree = args['output_method'] === 'tree';
  const report = { context, nodes, total, average, tree };
  return succeed(wantsJson(args) ? formatJson(args, dfJson(report)) : dfText(report));
}

interface DfReport {
  readonly context: CommandContext;
  readonly nodes: readonly Node[];
  readonly total: Usage;
  /** Percent of the whole that is used. */
  readonly average: number;
  readonly tree: boolean;
}

/** Which OSDs are asked for: undefined for all. */
function findFilter(args: CommandArgs, map: OsdMap): { osds: ReadonlySet<OsdId> | undefined } | CommandOutcome {
  if (args['filter'] === undefined) return { osds: undefined };
  const filter = String(args['filter']);
  const by = args['filter_by'];
  const classId = [...map.crush.classNames].find(([, name]) => name === filter)?.[0];
  const ofClass = () => new Set([...map.crush.deviceClass].filter(([, id]) => id === classId).map(([osd]) => osd));
  if (by === 'class') {
    return classId === undefined ? invalid(`specified class '${filter}' does not exist`) : { osds: ofClass() };
  }
  const pool = [...map.poolNames].find(([, name]) => name === filter)?.[0];
  if (pool !== undefined) return { osds: osdsOfPool(map, pool) };
  const item = [...map.crush.names].find(([, name]) => name === filter)?.[0];
  if (item !== undefined) return { osds: osdsBelow(map, item) };
  if (by === 'name') return refuse(Errno.EINVAL, `specified name '${filter}' does not exist`);
  if (classId !== undefined) return { osds: ofClass() };
  return invalid(`'${filter}' not a pool, crush node or device class name`);
}

function osdsOfPool(map: OsdMap, pool: number): ReadonlySet<OsdId> {
  const osds = new Set<OsdId>();
  const pgNum = map.pools.get(pool)?.pgNum ?? 0;
  for (let seed = 0; seed < pgNum; seed++) for (const osd of mapPg(map, { pool, seed }).acting) osds.add(osd);
  return osds;
}

function osdsBelow(map: OsdMap, item: number): ReadonlySet<OsdId> {
  if (item >= 0) return new Set([item]);
  const osds = new Set<OsdId>();
  for (const child of map.crush.buckets[-1 - item]?.items ?? []) for (const osd of osdsBelow(map, child)) osds.add(osd);
  return osds;
}

/** OSDs by class and number, buckets by name: what Ceph's tree dumper sorts by. */
function sortKey(map: OsdMap, id: number): string {
  if (id >= 0) return `${className(map, id)}_osd.${String(id).padStart(8, '0')}`;
  return `_${map.crush.names.get(id) ?? ''}`;
}

function walk({ map, pgMap }: CommandContext, wanted: ReadonlySet<OsdId> | undefined): readonly Node[] {
  const roots = rootsOf(map.crush).sort((a, b) => a.id - b.id);
  const nodes: Node[] = [];
  const visit = (id: number, depth: number, weight: number): Usage | undefined => {
    const usage = emptyUsage();
    const at = nodes.length;
    if (id >= 0) {
      if (!osdExists(map, id) || (wanted && !wanted.has(id))) return undefined;
      const stat = pgMap.osdStats.get(id);
      if (stat) {
        const { kb, kbUsed: used, kbUsedData: data, kbUsedOmap: omap, kbUsedMeta: meta, kbAvail: avail } = stat;
        addUsage(usage, { kb, used, data, omap, meta, avail });
      }
      nodes.push({ id, depth, weight, usage, children: [] });
      return usage;
    }
    const bucket = map.crush.buckets[-1 - id];
    if (!bucket) return undefined;
    const children = [...bucket.items];
    nodes.push({ id, depth, weight, usage, children: children.toReversed() });
    const slots = children.map(
      (item, i) => [item, bucket.itemWeights[bucket.itemWeights.length === 1 ? 0 : i] ?? 0] as const,
    );
    slots.sort(([a], [b]) => (sortKey(map, a) < sortKey(map, b) ? -1 : 1));
    let any = false;
    for (const [item, itemWeight] of slots) {
      const part = visit(item, depth + 1, itemWeight);
      if (part) {
        addUsage(usage, part);
        any = true;
      }
    }
    if (wanted && !any) nodes.length = at;
    return usage;
  };
  for (const root of roots) visit(root.id, 0, root.weight);
  return nodes;
}

function osdStatus(map: OsdMap, osd: OsdId): string {
  return osdUp(map, osd) ? 'up' : 'down';
}

/** How the fullest and the emptiest compare with the average, and the standard deviation in percent. */
function spread({ nodes, average }: DfReport): { min: number; max: number; deviation: number } {
  const osds = nodes.filter(({ id, usage }) => id >= 0 && usage.kb > 0);
  if (osds.length === 0) return { min: 0, max: 0, deviation: 0 };
  const variances = osds.map(({ usage }) => (average > 0 ? percentUsed(usage) / average : 0));
  const squares = osds.reduce((sum, { usage }) => sum + (percentUsed(usage) - average) ** 2, 0);
  return { min: Math.min(...variances), max: Math.max(...variances), deviation: Math.sqrt(squares / osds.length) };
}

function className(map: OsdMap, osd: OsdId): string {
  return deviceClassOf(map.crush, osd) ?? '';
}

function dfText(report: DfReport): string {
  const { context, nodes, total, average, tree } = report;
  const { map } = context;
  const pgs = context.pgMap.pgsPerOsd();
  const bytes = ({ kb, used, data, omap, meta, avail }: Usage) =>
    [kb, used, data, omap, meta, avail].map((each) => formatBytes(each * KIB));
  const usageCells = (usage: Usage) => [
    ...bytes(usage),
    formatLowPrecision(percentUsed(usage)),
    formatLowPrecision(average > 0 ? percentUsed(usage) / average : 0),
  ];
  const typeName = ({ id, depth }: Node) => {
    const name = map.crush.names.get(id) ?? `osd.${id}`;
    const type = map.crush.typeNames.get(map.crush.buckets[-1 - id]?.type ?? 0) ?? '';
    return `${'    '.repeat(depth)}${id >= 0 ? name : `${type} ${name}`}`;
  };
  const rows = nodes
    .filter(({ id }) => tree || id >= 0)
    .map((node) => {
      const { id, weight, usage } = node;
      const isOsd = id >= 0;
      return [
        id,
        isOsd ? className(map, id) : '',
        formatFixed(weight / 0x10000, 5),
        isOsd ? formatFixed((map.osdWeight[id] ?? 0) / 0x10000, 5) : '-',
        ...usageCells(usage),
        isOsd ? (pgs.get(id) ?? 0) : '-',
        isOsd ? osdStatus(map, id) : '',
        typeName(node),
      ];
    });
  const right = [
    'ID',
    'CLASS',
    'WEIGHT',
    'REWEIGHT',
    'SIZE',
    'RAW USE',
    'DATA',
    'OMAP',
    'META',
    'AVAIL',
    '%USE',
    'VAR',
    'PGS',
    'STATUS',
  ];
  const columns = right.map((heading) => column(heading, 'right'));
  if (tree) columns.push(column('TYPE NAME', 'left'));
  const { min, max, deviation } = spread(report);
  const sum = ['', '', '', 'TOTAL', ...bytes(total), formatLowPrecision(average)];
  return (
    formatTable(columns, [...rows, sum]) +
    `MIN/MAX VAR: ${formatLowPrecision(min)}/${formatLowPrecision(max)}  STDDEV: ${formatLowPrecision(deviation)}\n`
  );
}

function dfJson(report: DfReport): object {
  const { context, nodes, total, average, tree } = report;
  const { map } = context;
  const pgs = context.pgMap.pgsPerOsd();
  const dump = ({ id, depth, weight, usage, children }: Node) => {
    const { kb, used, data, omap, meta, avail } = usage;
    const measures = {
      kb,
      kb_used: used,
      kb_used_data: data,
      kb_used_omap: omap,
      kb_used_meta: meta,
      kb_avail: avail,
      utilization: percentUsed(usage),
      var: average > 0 ? percentUsed(usage) / average : 0,
      pgs: id >= 0 ? (pgs.get(id) ?? 0) : 0,
    };
    const name = map.crush.names.get(id) ?? `osd.${id}`;
    if (id < 0) {
      const type = map.crush.buckets[-1 - id]?.type ?? 0;
      const typeName = map.crush.typeNames.get(type) ?? '';
      const weights = depth === 0 ? {} : { pool_weights: {} };
      return { id, name, type: typeName, type_id: type, ...weights, reweight: -1, ...measures, children };
    }
    return {
      id,
      device_class: className(map, id),
      name,
      type: 'osd',
      type_id: 0,
      crush_weight: weight / 0x10000,
      depth,
      pool_weights: {},
      reweight: (map.osdWeight[id] ?? 0) / 0x10000,
      ...measures,
      status: osdStatus(map, id),
    };
  };
  const { min, max, deviation } = spread(report);
  return {
    nodes: nodes.filter(({ id }) => tree || id >= 0).map(dump),
    stray: [],
    summary: {
      total_kb: total.kb,
      total_kb_used: total.used,
      total_kb_used_data: total.data,
      total_kb_used_omap: total.omap,
      total_kb_used_meta: total.meta,
      total_kb_avail: total.avail,
      average_utilization: average,
      min_var: min,
      max_var: max,
      dev: deviation,
    },
  };
}
