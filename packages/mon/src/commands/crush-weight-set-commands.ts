/** Commands about weight sets: weights that placement goes by in place of the items' own, for a pool or for all (compat). */
import {
  COMPAT_WEIGHT_SET,
  createWeightSet,
  dumpWeightSets,
  hasOtherThanStraw2,
  itemByName,
  removeWeightSet,
  reweightInSet,
  weightSetPositions,
} from '@spirula/crush';
import { Errno } from '@spirula/encoding';
import { weightSetName } from '@spirula/formatter';
import { Release, releaseName } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  indented,
  invalid,
  type MonCommandEntry,
  outputNames,
  refuse,
  text,
  texts,
  unchanged,
} from './command.ts';
import { findPool, POOL } from './pool-arguments.ts';

const ONE = 0x10000;
const ITEM = { name: 'item', type: 'CephString' } as const;
const WEIGHTS = { name: 'weight', type: 'CephFloat', range: '0.0', n: 'N' } as const;

export const crushWeightSetCommands: readonly MonCommandEntry[] = [
  command(['osd', 'crush', 'weight-set', 'ls'], 'list the weight sets', 'r', list, 'osd'),
  command(
    ['osd', 'crush', 'weight-set', 'dump'],
    'show the weight sets',
    'r',
    (args, { osd: { map } }) => indented(args, dumpWeightSets(map.crush)),
    'osd',
  ),
  command(
    ['osd', 'crush', 'weight-set', 'create-compat'],
    'make the weight set for all pools that have none',
    'rw',
    (_, context) => create(context, COMPAT_WEIGHT_SET, 1, 'compat weight-set already created'),
    'osd',
  ),
  command(
    ['osd', 'crush', 'weight-set', 'create', POOL, { name: 'mode', type: 'CephChoices', strings: 'flat|positional' }],
    'make a weight set for a pool: one weight an item, or one for each position',
    'rw',
    createForPool,
    'osd',
  ),
  command(
    ['osd', 'crush', 'weight-set', 'rm', POOL],
    'remove the weight set of a pool',
    'rw',
    (args, context) => withPool(args, context, (id) => remove(context, id)),
    'osd',
  ),
  command(
    ['osd', 'crush', 'weight-set', 'rm-compat'],
    'remove the weight set for all pools',
    'rw',
    (_, context) => remove(context, COMPAT_WEIGHT_SET),
    'osd',
  ),
  command(
    ['osd', 'crush', 'weight-set', 'reweight', POOL, ITEM, WEIGHTS],
    'give an item other weights in the weight set of a pool',
    'rw',
    reweightForPool,
    'osd',
  ),
  command(
    ['osd', 'crush', 'weight-set', 'reweight-compat', ITEM, WEIGHTS],
    'give an item another weight in the weight set for all pools',
    'rw',
    (args, context) =>
      context.osd.pendingCrush.chooseArgs.has(COMPAT_WEIGHT_SET)
        ? reweight(args, context, COMPAT_WEIGHT_SET)
        : refuse(Errno.ENOENT, 'no backward-compatible weight-set'),
    'osd',
  ),
];

function list(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const names = [...map.crush.chooseArgs.keys()].map((id) => weightSetName(map.poolNames, id));
  return outputNames(args, names);
}

function withPool(args: CommandArgs, { osd }: CommandContext, act: (id: number) => CommandOutcome): CommandOutcome {
  const name = text(args, 'pool') ?? '';
  const id = findPool(osd.map, name);
  return id === undefined ? refuse(Errno.ENOENT, `pool '${name}' not found`) : act(id);
}

function createForPool(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { map } = context.osd;
  if (hasOtherThanStraw2(context.osd.pendingCrush)) return notStraw2();
  if (map.requireMinCompatClient !== 0 && map.requireMinCompatClient < Release.luminous) {
    return refuse(
      Errno.EPERM,
      `require_min_compat_client ${releaseName(map.requireMinCompatClient)} < luminous, which is required for per-pool ` +
        "weight-sets. Try 'ceph osd set-require-min-compat-client luminous' before using the new interface",
    );
  }
  return withPool(args, context, (id) => {
    const mode = text(args, 'mode') ?? '';
    if (mode !== 'flat' && mode !== 'positional') return invalid(`unrecognized weight-set mode '${mode}'`);
    const positions = mode === 'flat' ? 1 : map.pools.get(id)!.size;
    return create(context, id, positions, `weight-set for pool '${map.poolNames.get(id)}' already created`);
  });
}

function notStraw2(): CommandOutcome {
  return refuse(Errno.EPERM, 'crush map contains one or more bucket(s) that are not straw2');
}

function create({ osd }: CommandContext, id: number, positions: number, already: string): CommandOutcome {
  if (hasOtherThanStraw2(osd.pendingCrush)) return notStraw2();
  const crush = createWeightSet(osd.pendingCrush, id, positions);
  if (crush === undefined) return unchanged(already);
  osd.setCrush(crush);
  return changed('');
}

function remove({ osd }: CommandContext, id: number): CommandOutcome {
  osd.setCrush(removeWeightSet(osd.pendingCrush, id));
  return changed('');
}

function reweightForPool(args: CommandArgs, context: CommandContext): CommandOutcome {
  return withPool(args, context, (id) => {
    const crush = context.osd.pendingCrush;
    if (!crush.chooseArgs.has(id)) {
      return refuse(Errno.ENOENT, `no weight-set for pool '${text(args, 'pool') ?? ''}'`);
    }
    const positions = weightSetPositions(crush, id);
    return texts(args, 'weight').length === positions
      ? reweight(args, context, id)
      : invalid(`must specify exact ${positions} weight values`);
  });
}

function reweight(args: CommandArgs, { osd }: CommandContext, id: number): CommandOutcome {
  const crush = osd.pendingCrush;
  const name = text(args, 'item') ?? '';
  const item = itemByName(crush, name);
  if (item === undefined) return refuse(Errno.ENOENT, `item '${name}' does not exist`);
  const weights = texts(args, 'weight').map((weight) => Math.trunc(Number(weight) * ONE));
  if (weights.some((weight) => !Number.isFinite(weight) || weight < 0)) return invalid('weights must be >= 0');
  const notFound = `item ${item} not found in crush map`;
  if (weights.length !== weightSetPositions(crush, id)) {
    const buckets = crush.buckets.flatMap((bucket) => (bucket === undefined ? [] : [bucket.id]));
    const complaints = buckets.map((bucket) => `weight_set_positions != ${weights.length} for bucket ${bucket}`);
    return refuse(Errno.ENOENT, complaints.join('') + notFound);
  }
  const reweighted = reweightInSet(crush, id, item, weights);
  if (reweighted === undefined) return refuse(Errno.ENOENT, notFound);
  osd.setCrush(reweighted);
  return changed('');
}
