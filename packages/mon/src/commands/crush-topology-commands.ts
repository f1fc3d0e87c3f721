/** Commands that change what hangs where in the CRUSH map, and how much it weighs (OSDMonitor::prepare_command_impl). */
import {
  addBucket,
  bucketOf,
  bucketsBelow,
  type CrushMap,
  createOrMove,
  detach,
  devicesBelow,
  findMisfit,
  isTakenByRule,
  itemByName,
  type Misfit,
  moveBucket,
  reweightAll,
  reweightItem,
  standsAt,
  typeByName,
  unlinkItem,
} from '@spirula/crush';
import { Errno, formatFloat } from '@spirula/encoding';

import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  deprecated,
  invalid,
  type MonCommandEntry,
  number,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { CRUSH_NAME, formatLocation, LOCATION, parseLocation } from './crush-location.ts';
import { BUSY, INVALID, LOOP, NOT_EMPTY, TOO_LARGE } from './errno-text.ts';

/** A weight of 1, in fixed point. */
const ONE = 0x10000;
const MAX_WEIGHT = 0x7fff_ffff;
const NAME = { name: 'name', ...CRUSH_NAME } as const;
const WEIGHT = { name: 'weight', type: 'CephFloat', range: '0.0' } as const;
const ANCESTOR = { name: 'ancestor', ...CRUSH_NAME, req: 'false' } as const;

export const crushTopologyCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'crush', 'reweight-all'],
    'work all weights out anew from those of the OSDs',
    'rw',
    (_, { osd }) => {
      osd.setCrush(reweightAll(osd.pendingCrush));
      return changed('reweighted crush hierarchy');
    },
    'osd',
  ),
  command(['osd', 'crush', 'reweight', NAME, WEIGHT], 'give an OSD another weight', 'rw', crushReweight, 'osd'),
  command(
    ['osd', 'crush', 'reweight-subtree', NAME, WEIGHT],
    'give all OSDs below a bucket the same weight',
    'rw',
    crushReweightSubtree,
    'osd',
  ),
  command(
    ['osd', 'crush', 'rm', NAME, ANCESTOR],
    'remove an OSD or an empty bucket from the CRUSH map, or from below one bucket',
    'rw',
    (args, context) => crushRm(args, context, false),
    'osd',
  ),
  deprecated(
    command(
      ['osd', 'crush', 'remove', NAME, ANCESTOR],
      'remove an OSD or an empty bucket from the CRUSH map, or from below one bucket',
      'rw',
      (args, context) => crushRm(args, context, false),
      'osd',
    ),
  ),
  command(
    ['osd', 'crush', 'unlink', NAME, ANCESTOR],
    'take an OSD or a bucket from where it stands, or from below one bucket; the bucket stays in the CRUSH map',
    'rw',
    (args, context) => crushRm(args, context, true),
    'osd',
  ),
  command(['osd', 'crush', 'move', NAME, LOCATION], 'move an OSD or a bucket elsewhere', 'rw', crushMove, 'osd'),
  command(
    ['osd', 'crush', 'add-bucket', NAME, { name: 'type', type: 'CephString' }, { ...LOCATION, req: 'false' }],
    'add an empty bucket, as a root or at a place',
    'rw',
    crushAddBucket,
    'osd',
  ),
];

/** A weight in fixed point, or the refusal. */
function fixedWeight(args: CommandArgs): number | CommandOutcome {
  const weight = number(args, 'weight');
  if (weight === undefined) return invalid(INVALID);
  const fixed = Math.trunc(Math.fround(weight) * ONE);
  return fixed < 0 || fixed > MAX_WEIGHT ? refuse(Errno.EOVERFLOW, TOO_LARGE) : fixed;
}

function shownWeight(args: CommandArgs): string {
  return formatFloat(number(args, 'weight')!);
}

function crushReweight(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const item = itemByName(osd.pendingCrush, name);
  if (item === undefined) return refuse(Errno.ENOENT, `device '${name}' does not appear in the crush map`);
  if (item < 0) return invalid(`device '${name}' is not a leaf in the crush map`);
  const weight = fixedWeight(args);
  if (typeof weight !== 'number') return weight;
  osd.setCrush(reweightItem(osd.pendingCrush, item, weight));
  return changed(`reweighted item id ${item} name '${name}' to ${shownWeight(args)} in crush map`);
}

function crushReweightSubtree(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  let crush = osd.pendingCrush;
  const bucket = itemByName(crush, name);
  if (bucket === undefined) return refuse(Errno.ENOENT, `device '${name}' does not appear in the crush map`);
  if (bucket >= 0) return invalid(`device '${name}' is not a subtree in the crush map`);
  const weight = fixedWeight(args);
  if (typeof weight !== 'number') return weight;
  for (const device of devicesBelow(crush, bucket)) crush = reweightItem(crush, device, weight);
  osd.setCrush(crush);
  return changed(`reweighted subtree id ${bucket} name '${name}' to ${shownWeight(args)} in crush map`);
}

function crushRm(args: CommandArgs, { osd }: CommandContext, unlinkOnly: boolean): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const crush = osd.pendingCrush;
  const item = itemByName(crush, name);
  if (item === undefined) return unchanged(`device '${name}' does not appear in the crush map`);
  const ancestorName = text(args, 'ancestor');
  const ancestor = ancestorName === undefined ? undefined : itemByName(crush, ancestorName);
  if (ancestorName !== undefined && ancestor === undefined) {
    return refuse(Errno.ENOENT, `ancestor item '${ancestorName}' does not appear in the crush map`);
  }
  const under = ancestor === undefined ? undefined : [ancestor, ...bucketsBelow(crush, ancestor)];
  if (under !== undefined && !under.some((id) => bucketOf(crush, id)?.items.includes(item))) {
    return unchanged(`item ${item} does not appear in that position`);
  }
  if (!unlinkOnly && (bucketOf(crush, item)?.items.length ?? 0) > 0) return refuse(Errno.ENOTEMPTY, NOT_EMPTY);
  if (!unlinkOnly && isTakenByRule(crush, item)) return refuse(Errno.EBUSY, BUSY);
  osd.setCrush(unlinkItem(crush, item, ancestor, unlinkOnly));
  return changed(`removed item id ${item} name '${name}' from crush map`);
}

function refuseMisfit(misfit: Misfit): CommandOutcome {
  return misfit === 'loop' ? refuse(Errno.ELOOP, LOOP) : invalid(INVALID);
}

function crushMove(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const location = parseLocation(args);
  if (location === undefined) return invalid(INVALID);
  const crush = osd.pendingCrush;
  const item = itemByName(crush, name);
  if (item === undefined) return refuse(Errno.ENOENT, `item ${name} does not exist`);
  const shown = `item id ${item} name '${name}' to location ${formatLocation(location)} in crush map`;
  if (standsAt(crush, item, location)) return unchanged(`no need to move ${shown}`);
  const misfit = findMisfit(detach(crush, item), item, location);
  if (misfit !== undefined) return refuseMisfit(misfit);
  osd.setCrush(item >= 0 ? createOrMove(crush, item, 0, location) : moveBucket(crush, item, location));
  return changed(`moved ${shown}`);
}

/** Nothing changes when there is a bucket of that name, whatever its type. */
function crushAddBucket(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'name') ?? '';
  const typeName = text(args, 'type') ?? '';
  const location = parseLocation(args);
  if (location === undefined) return invalid(INVALID);
  const crush: CrushMap = osd.pendingCrush;
  if (itemByName(crush, name) !== undefined) return unchanged(`bucket '${name}' already exists`);
  const type = typeByName(crush, typeName);
  if (type === undefined) return invalid(`type '${typeName}' does not exist`);
  if (type === 0) return invalid(`type '${typeName}' is for devices, not buckets`);
  const [made, id] = addBucket(crush, name, type);
  if (location.size === 0) {
    osd.setCrush(made);
    return changed(`added bucket ${name} type ${typeName} to crush map`);
  }
  const misfit = findMisfit(made, id, location);
  if (misfit !== undefined) return refuseMisfit(misfit);
  osd.setCrush(moveBucket(made, id, location));
  return changed(`added bucket ${name} type ${typeName} to location ${formatLocation(location)}`);
}
