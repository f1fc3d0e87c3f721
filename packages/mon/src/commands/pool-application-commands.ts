/** Commands about what pools are for (OSDMonitor::_command_pool_application). */
import { Errno } from '@spirula/encoding';
import type { Pool } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  refuse,
  text,
} from './command.ts';
import { findPool, POOL, SURE, unrecognizedPool } from './pool-arguments.ts';

export const poolApplicationCommands: readonly MonCommandEntry[] = [
  command(
    [
      'osd',
      'pool',
      'application',
      'enable',
      POOL,
      { name: 'app', type: 'CephString', goodchars: '[A-Za-z0-9-_.]' },
      SURE,
    ],
    'say what a pool is for',
    'rw',
    applicationEnable,
    'osd',
  ),
  command(
    ['osd', 'pool', 'application', 'disable', POOL, { name: 'app', type: 'CephString' }, SURE],
    'no longer say what a pool is for',
    'rw',
    applicationDisable,
    'osd',
  ),
  command(
    [
      'osd',
      'pool',
      'application',
      'get',
      { ...POOL, req: 'false' },
      { name: 'app', type: 'CephString', req: 'false' },
      { name: 'key', type: 'CephString', req: 'false' },
    ],
    'show what pools are for',
    'r',
    applicationGet,
    'osd',
  ),
];

function applicationEnable(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(osd.map, name);
  if (id === undefined) return unrecognizedPool(name);
  const app = text(args, 'app') ?? '';
  if (app === '') return invalid('a name for the application is needed');
  const pool = osd.pendingPool(id)!;
  const applications = new Map(pool.applicationMetadata);
  if (applications.size > 0 && !applications.has(app) && !flag(args, 'yes_i_really_mean_it')) {
    return refuse(
      Errno.EPERM,
      `Are you SURE? Pool '${name}' already has an enabled application; pass --yes-i-really-mean-it to proceed anyway`,
    );
  }
  if (!applications.has(app)) applications.set(app, new Map());
  osd.setPool(id, { ...pool, applicationMetadata: new Map([...applications].sort(([a], [b]) => (a < b ? -1 : 1))) });
  return changed(`enabled application '${app}' on pool '${name}'`);
}

function applicationDisable(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(osd.map, name);
  if (id === undefined) return unrecognizedPool(name);
  const app = text(args, 'app') ?? '';
  if (!flag(args, 'yes_i_really_mean_it')) {
    return refuse(
      Errno.EPERM,
      `Are you SURE? Disabling an application within a pool might result in loss of application functionality; pass --yes-i-really-mean-it to proceed anyway`,
    );
  }
  const pool = osd.pendingPool(id)!;
  const applications = new Map(pool.applicationMetadata);
  applications.delete(app);
  osd.setPool(id, { ...pool, applicationMetadata: applications });
  return changed(`disable application '${app}' on pool '${name}'`);
}

function applicationGet(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const dump = (pool: Pool) =>
    Object.fromEntries([...pool.applicationMetadata].map(([app, values]) => [app, Object.fromEntries(values)]));
  const name = text(args, 'pool');
  if (name === undefined) {
    return jsonAlways(
      args,
      Object.fromEntries([...map.pools].map(([id, pool]) => [map.poolNames.get(id) ?? '', dump(pool)])),
    );
  }
  const id = findPool(map, name);
  return id === undefined ? unrecognizedPool(name) : jsonAlways(args, dump(map.pools.get(id)!));
}
