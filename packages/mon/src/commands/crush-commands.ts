/** Commands about the CRUSH map as a whole, and the places of OSDs in it. */
import {
  bucketOf,
  type CrushMap,
  createOrMove,
  decodeCrushMap,
  dumpCrushMap,
  findMisfit,
  insert,
  itemByName,
  itemWeight,
  parentsOf,
  reweightItem,
  standsAt,
  unlinkItem,
} from '@spirula/crush';
import { Errno, formatFloat, MalformedInput } from '@spirula/encoding';
import { osdExists } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  indented,
  invalid,
  type MonCommandEntry,
  number,
  output,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { tooNewForClients } from './crush-changes.ts';
import { formatLocation, LOCATION, parseLocation } from './crush-location.ts';
import { INVALID } from './errno-text.ts';
import { ID, parseOsd } from './osd-arguments.ts';
import { crushTree } from './osd-tree.ts';

/** A weight of 1, in fixed point. */
const ONE = 0x10000;
const PRIOR_VERSION = { name: 'prior_version', type: 'CephInt', req: 'false' } as const;
const WEIGHT = { name: 'weight', type: 'CephFloat', range: '0.0' } as const;

export const crushCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'crush', 'tree', { name: 'shadow', type: 'CephChoices', strings: '--show-shadow', req: 'false' }],
    'show the CRUSH hierarchy',
    'r',
    crushTree,
    'osd',
  ),
  command(
    ['osd', 'crush', 'dump'],
    'show the CRUSH map',
    'r',
    (args, { osd: { map } }) => indented(args, dumpCrushMap(map.crush)),
    'osd',
  ),
  command(
    ['osd', 'crush', 'ls', { name: 'node', type: 'CephString', goodchars: '[A-Za-z0-9-_.]' }],
    'list what a bucket holds',
    'r',
    crushLs,
    'osd',
  ),
  command(['osd', 'setcrushmap', PRIOR_VERSION], 'replace the CRUSH map by another, binary', 'rw', crushSet, 'osd'),
  command(['osd', 'crush', 'set', PRIOR_VERSION], 'replace the CRUSH map by another, binary', 'rw', crushSet, 'osd'),
  command(
    ['osd', 'crush', 'set', ID, WEIGHT, LOCATION],
    'give an OSD in the CRUSH map a weight and a place',
    'rw',
    crushSet,
    'osd',
  ),
  command(['osd', 'crush', 'add', ID, WEIGHT, LOCATION], 'add an OSD to the CRUSH map', 'rw', crushAdd, 'osd'),
  command(
    ['osd', 'crush', 'create-or-move', ID, { name: 'weight', type: 'CephFloat', range: '0.0' }, LOCATION],
    'put an OSD where it stands',
    'rw',
    crushCreateOrMove,
    'osd',
  ),
];

function crushCreateOrMove(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const id = parseOsd(text(args, 'id'));
  const weight = number(args, 'weight');
  if (id === undefined || weight === undefined) return invalid('an OSD and its weight are needed');
  const location = parseLocation(args);
  if (location === undefined) return invalid('a location is words such as host=a');
  const crush = osd.pendingCrush;
  for (const type of location.keys()) {
    if (![...crush.typeNames.values()].includes(type)) return invalid(`'${type}' is no CRUSH type`);
  }
  const shown = formatLocation(location);
  if (standsAt(crush, id, location)) {
    return unchanged(`create-or-move updated item name 'osd.${id}' weight ${weight} at location ${shown} to crush map`);
  }
  osd.setCrush(createOrMove(crush, id, Math.round(weight * ONE), location));
  return changed(`create-or-move updating item name 'osd.${id}' weight ${weight} at location ${shown} to crush map`);
}

function crushLs(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const name = text(args, 'node') ?? '';
  const { crush } = map;
  const item = itemByName(crush, name);
  if (item === undefined) return refuse(Errno.ENOENT, `node '${name}' does not exist`);
  const items = item >= 0 ? [item] : [...(bucketOf(crush, item)?.items ?? [])];
  const names = items.map((each) => crush.names.get(each) ?? String(each));
  return output(args, names, names.map((each) => `${each}\n`).join(''));
}

/** `osd crush set`: with an OSD it places that OSD, without one it takes a whole map. */
function crushSet(args: CommandArgs, context: CommandContext): CommandOutcome {
  return text(args, 'id') === undefined ? setMap(args, context) : place(args, context, 'set');
}

function crushAdd(args: CommandArgs, context: CommandContext): CommandOutcome {
  return place(args, context, 'add');
}

function setMap(args: CommandArgs, { osd, input }: CommandContext): CommandOutcome {
  let crush: CrushMap;
  try {
    crush = decodeCrushMap(input);
  } catch (error) {
    if (!(error instanceof MalformedInput)) throw error;
    const isOther = error.message.startsWith('crush.magic');
    return invalid(`Failed to parse crushmap: ${isOther ? 'bad magic number: Malformed input' : error.message}`);
  }
  const version = osd.map.crushVersion + (osd.pending.crush.length > 0 ? 1 : 0);
  const prior = number(args, 'prior_version');
  if (prior !== undefined && prior !== version) {
    return refuse(Errno.EPERM, `prior_version ${prior} != crush version ${version}`);
  }
  const refusal = tooNewForClients(osd, crush) ?? missingRule(crush, osd.map.pools, osd.map.poolNames);
  if (refusal !== undefined) return refusal;
  osd.setCrush(crush);
  return changed(String(version + 1));
}

/** The refusal of a map that lacks a rule some pool goes by (OSDMap::validate_crush_rules). */
function missingRule(
  crush: CrushMap,
  pools: CommandContext['osd']['map']['pools'],
  names: ReadonlyMap<number, string>,
): CommandOutcome | undefined {
  for (const [id, { crushRule, type, size }] of pools) {
    const rule = crush.rules[crushRule];
    const pool = `pool ${names.get(id) ?? id}`;
    if (rule === undefined) return invalid(`${pool} references crush_rule ${crushRule} but it is not present`);
    if (rule.type !== type) {
      return invalid(`${pool} type does not match rule ${crushRule}`);
    }
    if (size < rule.minSize || size > rule.maxSize) {
      return invalid(
        `${pool} size ${size} does not fall within rule ${crushRule} min_size ${rule.minSize} and max_size ${rule.maxSize}`,
      );
    }
  }
  return undefined;
}

/** An OSD, at a place and of a weight (OSDMonitor: `osd crush set`, `osd crush add`; CrushWrapper::update_item). */
function place(args: CommandArgs, { osd }: CommandContext, verb: 'set' | 'add'): CommandOutcome {
  const id = parseOsd(text(args, 'id'));
  const weight = number(args, 'weight');
  if (id === undefined || weight === undefined) return invalid('an OSD and its weight are needed');
  const name = `osd.${id}`;
  if (!osdExists(osd.map, id)) {
    return refuse(Errno.ENOENT, `${name} does not exist. Create it before updating the crush map`);
  }
  const location = parseLocation(args);
  if (location === undefined) return invalid(INVALID);
  const crush = osd.pendingCrush;
  const shown = `item id ${id} name '${name}' weight ${formatFloat(weight)} at location ${formatLocation(location)}`;
  if (verb === 'set' && !osd.map.crush.names.has(id))
    return refuse(Errno.ENOENT, `unable to set ${shown}: does not exist`);
  const fixed = Math.trunc(Math.fround(weight) * ONE);
  const stands = standsAt(crush, id, location);
  const action = verb === 'set' || stands ? 'set' : 'add';
  if (stands) {
    const holder = parentsOf(crush, id).find((bucket) =>
      [...location.values()].includes(crush.names.get(bucket.id) ?? ''),
    );
    if (holder !== undefined && itemWeight(crush, id, holder) === fixed)
      return unchanged(`${action} ${shown}: no change`);
    osd.setCrush(reweightItem(crush, id, fixed, holder?.id));
    return changed(`${action} ${shown} to crush map`);
  }
  // Setting moves it; adding leaves it where it stands, too.
  const cleared = verb === 'set' && crush.names.has(id) ? unlinkItem(crush, id, undefined, true) : crush;
  const misfit = findMisfit(cleared, id, location);
  if (misfit !== undefined) return invalid(INVALID);
  const named = {
    ...cleared,
    names: new Map([...cleared.names, [id, name]]),
    maxDevices: Math.max(cleared.maxDevices, id + 1),
  };
  osd.setCrush(insert(named, id, fixed, location));
  return changed(`${action} ${shown} to crush map`);
}
