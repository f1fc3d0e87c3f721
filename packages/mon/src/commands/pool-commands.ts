/** Commands about pools. */
import type { CrushMap } from '@spirula/crush';
import { Errno, type PoolId } from '@spirula/encoding';
import { dumpPool, type OsdMap, type Pool, PoolFlag, printPool } from '@spirula/maps';
import { newPool } from '../new-pool.ts';
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
  number,
  output,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { ruleByName } from './crush-rule-commands.ts';

const POOL = { name: 'pool', type: 'CephPoolname' } as const;
const SURE = { name: 'yes_i_really_mean_it', type: 'CephBool', req: 'false' } as const;
const REALLY_SURE = { name: 'yes_i_really_really_mean_it', type: 'CephBool', req: 'false' } as const;
const GET_KEYS = [
  'size',
  'min_size',
  'pg_num',
  'pgp_num',
  'crush_rule',
  'hashpspool',
  'nodelete',
  'nopgchange',
  'nosizechange',
  'write_fadvise_dontneed',
  'noscrub',
  'nodeep-scrub',
  'use_gmt_hitset',
  'fast_read',
  'pg_autoscale_mode',
  'bulk',
] as const;
const SET_KEYS = [
  'size',
  'min_size',
  'crush_rule',
  'nodelete',
  'nosizechange',
  'nopgchange',
  'write_fadvise_dontneed',
  'noscrub',
  'nodeep-scrub',
  'pg_autoscale_mode',
] as const;
const AUTOSCALE_MODES = ['off', 'warn', 'on'];
const MAX_SIZE = 10;
const MAX_PG_NUM = 65_536;

const FLAGS: Readonly<Record<string, bigint>> = {
  hashpspool: PoolFlag.hashpspool,
  nodelete: PoolFlag.nodelete,
  nopgchange: PoolFlag.nopgchange,
  nosizechange: PoolFlag.nosizechange,
  write_fadvise_dontneed: PoolFlag.writeFadviseDontneed,
  noscrub: PoolFlag.noscrub,
  'nodeep-scrub': PoolFlag.nodeepScrub,
};

export const poolCommands: readonly MonCommandEntry[] = [
  command(
    ['osd', 'lspools'],
    'list the pools with their ids',
    'r',
    (args, { osd: { map } }) => {
      const pools = [...map.poolNames];
      const json = pools.map(([poolnum, poolname]) => ({ poolnum, poolname }));
      return output(args, json, pools.map(([id, name]) => `${id} ${name}\n`).join(''));
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
  command(
    [
      'osd',
      'pool',
      'create',
      POOL,
      { name: 'pg_num', type: 'CephInt', range: '0', req: 'false' },
      { name: 'pgp_num', type: 'CephInt', range: '0', req: 'false' },
      { name: 'pool_type', type: 'CephChoices', strings: 'replicated|erasure', req: 'false' },
      { name: 'erasure_code_profile', type: 'CephString', req: 'false', goodchars: '[A-Za-z0-9-_.]' },
      { name: 'rule', type: 'CephString', req: 'false' },
      { name: 'expected_num_objects', type: 'CephInt', range: '0', req: 'false' },
      { name: 'size', type: 'CephInt', range: '0', req: 'false' },
      { name: 'pg_num_min', type: 'CephInt', range: '0', req: 'false' },
      { name: 'pg_num_max', type: 'CephInt', range: '0', req: 'false' },
      { name: 'autoscale_mode', type: 'CephChoices', strings: 'on|off|warn', req: 'false' },
    ],
    'make a pool',
    'rw',
    poolCreate,
    'osd',
  ),
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
  command(
    ['osd', 'pool', 'get', POOL, { name: 'var', type: 'CephChoices', strings: [...GET_KEYS, 'all'].join('|') }],
    'show how a pool is set',
    'r',
    poolGet,
    'osd',
  ),
  command(
    [
      'osd',
      'pool',
      'set',
      POOL,
      { name: 'var', type: 'CephChoices', strings: SET_KEYS.join('|') },
      { name: 'val', type: 'CephString' },
      SURE,
    ],
    'change how a pool is set',
    'rw',
    poolSet,
    'osd',
  ),
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

function findPool(map: OsdMap, name: string | undefined): PoolId | undefined {
  return [...map.poolNames].find(([, each]) => each === name)?.[0];
}

function unrecognized(name: string | undefined): CommandOutcome {
  return refuse(Errno.ENOENT, `unrecognized pool '${name ?? ''}'`);
}

function poolLs(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const names = [...map.poolNames.values()];
  if (text(args, 'detail') !== 'detail') return output(args, names, names.map((name) => `${name}\n`).join(''));
  const json = [...map.pools].map(([id, pool]) => {
    const { pool: poolId, ...rest } = dumpPool(map, id, pool);
    return { pool_id: poolId, ...rest };
  });
  const lines = [...map.pools].flatMap(([id, pool]) => printPool(map, id, pool));
  return output(args, json, `${lines.join('\n')}\n\n`);
}

function poolCreate(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd, config } = context;
  const { map } = osd;
  const name = text(args, 'pool') ?? '';
  if (name === '') return invalid('a pool name is needed');
  if (findPool(map, name) !== undefined || [...osd.pending.newPoolNames.values()].includes(name)) {
    return { ...unchanged(`pool '${name}' already exists`), commit: osd.dirty };
  }
  if (text(args, 'pool_type') === 'erasure') {
    return refuse(Errno.EOPNOTSUPP, 'erasure-coded pools are not supported yet; make a replicated one');
  }
  const pgNum = number(args, 'pg_num') || config.osd_pool_default_pg_num;
  const pgpNum = number(args, 'pgp_num') || pgNum;
  if (!Number.isInteger(pgNum) || pgNum < 1 || pgNum > MAX_PG_NUM)
    return refuse(
      Errno.ERANGE,
      `'pg_num' must be greater than 0 and less than or equal to ${MAX_PG_NUM} (you may adjust 'mon max pool pg num' for higher values)`,
    );
  if (pgpNum < 1 || pgpNum > pgNum)
    return refuse(
      Errno.ERANGE,
      `'pgp_num' must be greater than 0 and lower or equal than 'pg_num', which in this case is ${pgNum}`,
    );
  const size = number(args, 'size') || config.osd_pool_default_size;
  const problem = sizeProblem(size, config.mon_allow_pool_size_one);
  if (problem !== undefined) return problem;
  const ruleName = text(args, 'rule') ?? 'replicated_rule';
  const rule = ruleByName(map.crush, ruleName);
  if (rule === undefined) return refuse(Errno.ENOENT, `specified rule ${ruleName} doesn't exist`);
  const osds = Math.max(1, map.osdState.filter((state, id) => (state & 1) !== 0 && map.osdWeight[id]! > 0).length);
  const projected = [...map.pools.values()].reduce((sum, pool) => sum + pool.pgNum * pool.size, pgNum * size);
  if (projected > config.mon_max_pg_per_osd * osds) {
    return refuse(
      Errno.ERANGE,
      ` pg_num ${pgNum} size ${size} would mean ${projected} total pgs, which exceeds max ${config.mon_max_pg_per_osd * osds} (mon_max_pg_per_osd ${config.mon_max_pg_per_osd} * num_in_osds ${osds})`,
    );
  }
  const minSize =
    config.osd_pool_default_min_size > 0
      ? Math.min(config.osd_pool_default_min_size, size)
      : size - Math.floor(size / 2);
  const mode = text(args, 'autoscale_mode') ?? config.osd_pool_default_pg_autoscale_mode;
  const id = Math.max(map.poolMax, osd.pending.newPoolMax) + 1;
  osd.pending.newPoolMax = id;
  osd.pending.newPoolNames.set(id, name);
  osd.setPool(
    id,
    newPool({
      size,
      minSize,
      crushRule: rule,
      pgNum,
      pgpNum,
      pgAutoscaleMode: Math.max(0, AUTOSCALE_MODES.indexOf(mode)),
      epoch: map.epoch + 1,
      createTime: { sec: context.wallSeconds(), nsec: 0 },
    }),
  );
  return changed(`pool '${name}' created`);
}

function sizeProblem(size: number, allowOne: boolean): CommandOutcome | undefined {
  if (!Number.isInteger(size) || size < 1 || size > MAX_SIZE)
    return invalid(`pool size must be between 1 and ${MAX_SIZE}`);
  if (size === 1 && !allowOne) {
    return refuse(Errno.EPERM, 'configuring pool size as 1 is disabled by default.');
  }
  return undefined;
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
  if (!config.mon_allow_pool_delete) {
    return refuse(
      Errno.EPERM,
      'pool deletion is disabled; you must first set the mon_allow_pool_delete config option to true before you can destroy a pool',
    );
  }
  if ((osd.map.pools.get(id)!.flags & PoolFlag.nodelete) !== 0n) {
    return refuse(Errno.EPERM, 'pool deletion is disabled; you must unset nodelete flag for the pool first');
  }
  osd.pending.oldPools.add(id);
  for (const key of osd.map.pgTemp.keys()) {
    if (Math.floor(key / 2 ** 32) === id) osd.pending.newPgTemp.set(key, []);
  }
  osd.propose();
  return changed(`pool '${name}' removed`);
}

function poolRename(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const from = text(args, 'srcpool') ?? '';
  const to = text(args, 'destpool') ?? '';
  const id = findPool(osd.map, from);
  if (id === undefined) return unrecognized(from);
  if (findPool(osd.map, to) !== undefined) return refuse(Errno.EEXIST, `pool '${to}' already exists`);
  osd.pending.newPoolNames.set(id, to);
  osd.propose();
  return changed(`pool '${from}' renamed to '${to}'`);
}

function poolGet(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(map, name);
  if (id === undefined) return unrecognized(name);
  const pool = map.pools.get(id)!;
  const wanted = text(args, 'var') ?? 'all';
  const keys = wanted === 'all' ? GET_KEYS : [wanted];
  const values = keys.map((key) => [key, settingOf(map, pool, key)] as const);
  if (values.some(([, value]) => value === undefined)) return invalid(`unrecognized variable '${wanted}'`);
  const lines = values.map(([key, value]) => `${key}: ${key === 'use_gmt_hitset' ? Number(value) : value}\n`);
  return output(args, { pool: name, pool_id: id, ...Object.fromEntries(values) }, lines.join(''));
}

function settingOf(map: OsdMap, pool: Pool, key: string): string | number | boolean | undefined {
  switch (key) {
    case 'size':
      return pool.size;
    case 'min_size':
      return pool.minSize;
    case 'pg_num':
      return pool.pgNum;
    case 'pgp_num':
      return pool.pgpNum;
    case 'crush_rule':
      return map.crush.ruleNames.get(pool.crushRule) ?? String(pool.crushRule);
    case 'use_gmt_hitset':
      return pool.useGmtHitset;
    case 'fast_read':
      return Number(pool.fastRead);
    case 'pg_autoscale_mode':
      return AUTOSCALE_MODES[pool.pgAutoscaleMode] ?? 'off';
    case 'bulk':
      return false;
    default: {
      const bit = FLAGS[key];
      return bit === undefined ? undefined : (pool.flags & bit) !== 0n;
    }
  }
}

function poolSet(args: CommandArgs, { osd, config }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(osd.map, name);
  if (id === undefined) return unrecognized(name);
  const pool = osd.pendingPool(id)!;
  const key = text(args, 'var') ?? '';
  const value = text(args, 'val') ?? '';
  const next =
    key === 'crush_rule'
      ? withRule(pool, value, osd.pendingCrush)
      : withValue(pool, key, value, config.mon_allow_pool_size_one);
  if ('code' in next) return next;
  osd.setPool(id, next);
  return changed(`set pool ${id} ${key} to ${value}`);
}

function withValue(pool: Pool, key: string, value: string, allowOne: boolean): Pool | CommandOutcome {
  const whole = Number(value);
  if (key === 'size') {
    if ((pool.flags & PoolFlag.nosizechange) !== 0n)
      return refuse(Errno.EPERM, 'pool size change is disabled; you must unset nosizechange flag for the pool first');
    const problem = sizeProblem(whole, allowOne);
    if (problem !== undefined) return problem;
    return {
      ...pool,
      size: whole,
      minSize: Math.min(
        whole,
        whole < pool.size ? pool.minSize : Math.max(pool.minSize, whole - Math.floor(whole / 2)),
      ),
    };
  }
  if (key === 'min_size') {
    if (!Number.isInteger(whole) || whole < 1 || whole > pool.size)
      return invalid(`pool min_size must be between 1 and size, which is set to ${pool.size}`);
    return { ...pool, minSize: whole };
  }
  if (key === 'pg_autoscale_mode') {
    const mode = AUTOSCALE_MODES.indexOf(value);
    return mode < 0 ? invalid(`specified invalid mode ${value}`) : { ...pool, pgAutoscaleMode: mode };
  }
  const bit = FLAGS[key];
  if (bit === undefined) return invalid(`unrecognized variable '${key}'`);
  if (value === 'true' || value === '1') return { ...pool, flags: pool.flags | bit };
  if (value === 'false' || value === '0') return { ...pool, flags: pool.flags & ~bit };
  return invalid("expecting value 'true', 'false', '0', or '1'");
}

function withRule(pool: Pool, name: string, crush: CrushMap): Pool | CommandOutcome {
  const number = ruleByName(crush, name);
  const rule = number === undefined ? undefined : crush.rules[number];
  if (number === undefined || rule === undefined) return refuse(Errno.ENOENT, `crush rule ${name} does not exist`);
  if (rule.type !== pool.type) return invalid('(22) Invalid argument');
  if (pool.size < rule.minSize) return invalid('pool size is smaller than the crush rule min size');
  if (pool.size > rule.maxSize) return invalid('pool size is bigger than the crush rule max size');
  return { ...pool, crushRule: number };
}

function applicationEnable(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(osd.map, name);
  if (id === undefined) return unrecognized(name);
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
  if (id === undefined) return unrecognized(name);
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
  return id === undefined ? unrecognized(name) : jsonAlways(args, dump(map.pools.get(id)!));
}
