/** Prints the map: as a document, a tree, text, or parts of it. */
import {
  COMPAT_WEIGHT_SET,
  type CrushMap,
  decompileCrushMap,
  deviceClassOf,
  devicesBelow,
  dumpCrushMap,
  dumpWeightSets,
  findNamelessItem,
  findOverlappingRules,
  itemByName,
  locationOf,
  type TreeRow,
  treeRows,
  weightText,
} from '@spirula/crush';
import { utf8 } from '@spirula/encoding';
import { column, formatSection, formatTable, sectionOf } from '@spirula/formatter';
import { requireFewDevices } from './device-weights.ts';
import type { Request } from './request.ts';
import { type CrushToolIo, Ending } from './tool-io.ts';

/** Below this, Ceph shows a weight as 0: 10^-6 of 1. */
const LEAST_SHOWN = 0.000001 * 0x10000;

export function display(map: CrushMap, request: Request, io: CrushToolIo): void {
  if (request.showLocation >= 0) showLocation(map, request.showLocation, io);
  if (request.tree) io.stdout(treeText(map));
  if (request.bucketTree) showBucketTree(map, request.bucketName, io);
  if (request.dump) io.stdout(`${formatSection('crush_map', documentOf(map), request.format)}\n`);
  if (request.decompile) writeText(map, request.output, io);
  if (request.check) checkMap(map, request.checkMaxId, io);
}

function showLocation(map: CrushMap, device: number, io: CrushToolIo): void {
  if (!map.names.has(device)) return;
  const places = [...locationOf(map, device)].sort(([a], [b]) => (a < b ? -1 : 1));
  io.stdout(places.map(([type, name]) => `${type}\t${name}\n`).join(''));
}

function treeText(map: CrushMap): string {
  const sets = [...map.chooseArgs.keys()].sort((a, b) => a - b);
  const columns = [
    column('ID', 'right'),
    column('CLASS', 'right'),
    column('WEIGHT', 'right'),
    ...sets.map((set) => column(set === COMPAT_WEIGHT_SET ? '(compat)' : String(set), 'right')),
    column('TYPE NAME', 'left'),
  ];
  const rows = treeRows(map, true).map((row) => [
    row.id,
    deviceClassOf(map, row.id) ?? '',
    shownWeight(row.weight),
    ...sets.map((set) => setWeight(map, set, row)),
    `${'    '.repeat(row.depth)}${shownName(map, row.id)}`,
  ]);
  return formatTable(columns, rows);
}

/** The item's weight in the first position of a set, where the bucket above has one. */
function setWeight(map: CrushMap, set: number, { id, parent }: TreeRow): string {
  const [weights] = map.chooseArgs.get(set)?.get(-1 - parent)?.weightSets ?? [];
  const place = map.buckets[-1 - parent]?.items.indexOf(id) ?? -1;
  return parent === 0 || weights === undefined ? '' : shownWeight(weights[place] ?? 0);
}

/** weightf_t. */
function shownWeight(weight16: number): string {
  const signed = weight16 | 0;
  if (signed < -0.01 * 0x10000) return '-';
  return signed < LEAST_SHOWN ? '0' : weightText(weight16, 5);
}

function shownName(map: CrushMap, id: number): string {
  if (id >= 0) return `osd.${id}`;
  const type = map.buckets[-1 - id]?.type ?? 0;
  return `${map.typeNames.get(type) ?? ''} ${map.names.get(id) ?? ''}`;
}

function showBucketTree(map: CrushMap, name: string, io: CrushToolIo): void {
  if (name === '') {
    io.stderr(': error bucket_name is empty\n');
    return;
  }
  const id = itemByName(map, name);
  if (id === undefined) return;
  const devices = id >= 0 ? [id] : devicesBelow(map, id);
  io.stdout(
    devices
      .sort((a, b) => a - b)
      .map((osd) => `osd.${osd}\n`)
      .join(''),
  );
}

/** What stands in each list; a list of weight sets is named by the set. */
const LISTED: Readonly<Record<string, string>> = {
  devices: 'device',
  types: 'type',
  buckets: 'bucket',
  items: 'item',
  rules: 'rule',
  steps: 'step',
  weight_set: 'weights',
  weights: 'weight',
  ids: 'id',
};

function documentOf(map: CrushMap) {
  requireFewDevices(map);
  const sets = dumpWeightSets(map);
  const chooseArgs = [...map.chooseArgs.keys()].sort((a, b) => a - b).map((set) => [String(set), sets[set]] as const);
  const document = { ...dumpCrushMap(map), choose_args: new Map(chooseArgs) };
  return sectionOf(document, (list) => LISTED[list] ?? 'choose_args');
}

function writeText(map: CrushMap, output: string, io: CrushToolIo): void {
  const { text, complaint } = decompileCrushMap(map);
  if (output === '') io.stdout(text);
  else {
    try {
      io.writeFile(output, utf8(text));
    } catch {
      throw new Ending(`crushtool: error writing '${output}'\n`);
    }
  }
  io.stderr(complaint);
}

function checkMap(map: CrushMap, maxId: number, io: CrushToolIo): void {
  for (const { ruleset, names } of findOverlappingRules(map)) {
    io.stdout(`overlapped rules in ruleset ${ruleset}: ${names.join(', ')}\n`);
  }
  const lack = maxId >= 0 ? findNamelessItem(map, maxId) : undefined;
  if (lack === undefined) return;
  io.stdout(`${lack}\n`);
  throw new Ending('');
}
