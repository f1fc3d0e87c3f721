/** Commands about pools as a whole: which there are, their coming and going. */
import { removeWeightSet } from '@spirula/crush';
import { Errno, type PoolId } from '@spirula/encoding';
import { dumpPool, PoolFlag, pgOfKey, printPool } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  type MonCommandEntry,
  output,
  outputNames,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { findPool, POOL, unrecognizedPool } from './pool-arguments.ts';
import { poolCreateCommand } from './pool-create.ts';
import { poolGetCommand } from './pool-get.ts';
import { poolSetCommand } from './pool-set.ts';

const REALLY_SURE = { name: 'yes_i_really_really_mean_it', type: 'CephBool', req: 'false' } as const;

export const poolCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'lspools'],
    'list the pools with their ids',
    'r',
    (args, { osd: { map } }) => {
      const pools = [...map.poolNames];
      const json = pools.map(([poolnum, poolname]) => ({ poolnum, poolname }));
      return output(args, json, pools.map(([id, name]) => `${id} ${name}\n`).join(''), '\n');
    },
    'osd',
  ),
  command(
    ['osd', 'pool', 'ls', { name: 'detail', type: 'CephChoices', strings: 'detail', req: 'false' }],
    'list the pools',
    'r',
    poolLs,
    'osd',
  ),
  poolCreateCommand,
  command(
    [
      'osd',
      'pool',
      'rm',
      POOL,
      { ...POOL, name: 'pool2', req: 'false' },
      REALLY_SURE,
      { ...REALLY_SURE, name: 'yes_i_really_really_mean_it_not_faking' },
    ],
    'remove a pool and all it holds',
    'rw',
    poolRm,
    'osd',
  ),
  command(
    [
      'osd',
      'pool',
      'delete',
      POOL,
      { ...POOL, name: 'pool2', req: 'false' },
      REALLY_SURE,
      { ...REALLY_SURE, name: 'yes_i_really_really_mean_it_not_faking' },
    ],
    'remove a pool and all it holds',
    'rw',
    poolRm,
    'osd',
  ),
  command(
    ['osd', 'pool', 'rename', { ...POOL, name: 'srcpool' }, { ...POOL, name: 'destpool' }],
    'give a pool another name',
    'rw',
    poolRename,
    'osd',
  ),
  poolGetCommand,
  poolSetCommand,
];

function poolLs(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const names = [...map.poolNames.values()];
  if (text(args, 'detail') !== 'detail') return outputNames(args, names);
  const json = [...map.pools].map(([id, pool]) => {
    const { pool: poolId, ...rest } = dumpPool(map, id, pool);
    return { pool_id: poolId, ...rest };
  });
  const lines = [...map.pools].flatMap(([id, pool]) => printPool(map, id, pool));
  return output(args, json, `${lines.join('\n')}\n\n`);
}

function poolRm(args: CommandArgs, { osd, config }: CommandContext): CommandOutcome {
  const name = text(args, 'pool') ?? '';
  const id = findPool(osd.map, name);
  if (id === undefined) return unchanged(`pool '${name}' does not exist`);
  const notFaking = flag(args, 'yes_i_really_really_mean_it_not_faking');
  if (!notFaking && (text(args, 'pool2') !== name || !flag(args, 'yes_i_really_really_mean_it'))) {
    return refuse(
      Errno.EPERM,
      `WARNING: this will *PERMANENTLY DESTROY* all data stored in pool ${name}.  If you are *ABSOLUTELY CERTAIN* that is what you want, pass the pool name *twice*, followed by --yes-i-really-really-mean-it.`,
    );
  }
  return removePool({ osd, config }, id);
}

/** Orders that a pool goes, with all that the maps say of it; or says why not (OSDMonitor::_prepare_remove_pool). */
export function removePool({ osd, config }: Pick<CommandContext, 'osd' | 'config'>, id: PoolId): CommandOutcome {
  const name = osd.map.poolNames.get(id)!;
  if (!config.mon_allow_pool_delete) {
    return refuse(
      Errno.EPERM,
      'pool deletion is disabled; you must first set the mon_allow_pool_delete config option to true before you can destroy a pool',
    );
  }
  if ((osd.map.pools.get(id)!.flags & PoolFlag.nodelete) !== 0n) {
    return refuse(Errno.EPERM, 'pool deletion is disabled; you must unset nodelete flag for the pool first');
  }
  const { map, pending } = osd;
  pending.oldPools.add(id);
  const ofPool = (table: ReadonlyMap<number, unknown>) => [...table.keys()].filter((key) => pgOfKey(key).pool === id);
  for (const key of ofPool(map.pgTemp)) pending.newPgTemp.set(key, []);
  for (const key of ofPool(map.primaryTemp)) pending.newPrimaryTemp.set(key, -1);
  for (const key of ofPool(map.pgUpmap)) pending.oldPgUpmap.add(key);
  for (const key of ofPool(map.pgUpmapItems)) pending.oldPgUpmapItems.add(key);
  if (osd.pendingCrush.chooseArgs.has(id)) osd.setCrush(removeWeightSet(osd.pendingCrush, id));
  osd.propose();
  return changed(`pool '${name}' removed`);
}

function poolRename(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const from = text(args, 'srcpool') ?? '';
  const to = text(args, 'destpool') ?? '';
  const id = findPool(osd.map, from);
  const taken = findPool(osd.map, to) !== undefined;
  if (id === undefined) {
    return taken
      ? unchanged(`pool '${from}' does not exist; pool '${to}' does -- assuming successful rename`)
      : unrecognizedPool(from);
  }
  if (taken) return refuse(Errno.EEXIST, `pool '${to}' already exists`);
  osd.pending.newPoolNames.set(id, to);
  osd.propose();
  return changed(`pool '${from}' renamed to '${to}'`);
}
