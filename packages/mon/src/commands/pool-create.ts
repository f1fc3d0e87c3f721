/** `osd pool create` (OSDMonitor::prepare_command_impl, prepare_new_pool). */
import type { CrushRule } from '@spirula/crush';
import { Errno, type PoolId } from '@spirula/encoding';
import { AUTOSCALE_MODES, osdExists, osdIn, PoolOpt } from '@spirula/maps';
import type { Config } from '@spirula/world';
import { newPool } from '../new-pool.ts';
import type { OsdMonitor } from '../osd-monitor.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  type MonCommandEntry,
  number,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { ruleByName } from './crush-rule-commands.ts';
import { INVALID } from './errno-text.ts';
import { findPool, POOL, parseInteger } from './pool-arguments.ts';
import { NO_AUTOSCALER } from './pool-options.ts';

const MAX_PG_NUM = 65_536;

export const poolCreateCommand: MonCommandEntry = command(
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
    { name: 'bulk', type: 'CephBool', req: 'false' },
    { name: 'target_size_bytes', type: 'CephInt', range: '0', req: 'false' },
    { name: 'target_size_ratio', type: 'CephFloat', range: '0.0', req: 'false' },
  ],
  'make a pool',
  'rw',
  poolCreate,
  'osd',
);

function poolCreate(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd, config } = context;
  const name = text(args, 'pool') ?? '';
  const pgNum = number(args, 'pg_num') || config.osd_pool_default_pg_num;
  const pgpNum = number(args, 'pgp_num') || pgNum;
  const outOfRange = pgNumProblem(pgNum, pgpNum);
  if (outOfRange !== undefined) return outOfRange;
  const type = text(args, 'pool_type') ?? 'replicated';
  const id = findPool(osd.map, name);
  if (id !== undefined || [...osd.pending.newPoolNames.values()].includes(name)) {
    if (type !== 'replicated') return invalid(`pool '${name}' cannot change to type ${type}`);
    return { ...unchanged(`pool '${name}' already exists`), commit: osd.dirty };
  }
  if (type !== 'replicated' && type !== 'erasure') return invalid(`unknown pool type '${type}'`);
  if (type === 'erasure') return refuse(Errno.EOPNOTSUPP, 'erasure coding is not supported: make a replicated pool');
  if (flag(args, 'bulk') || number(args, 'target_size_bytes') || number(args, 'target_size_ratio')) {
    return refuse(Errno.EOPNOTSUPP, `bulk, target_size_bytes and target_size_ratio: ${NO_AUTOSCALER}`);
  }
  const placed = ruleAndObjects(args);
  if ('code' in placed) return placed;
  const { ruleName, expectedNumObjects } = placed;
  const ruleNo = ruleByName(osd.map.crush, ruleName);
  if (ruleNo === undefined) return refuse(Errno.ENOENT, `specified rule ${ruleName} doesn't exist`);
  if (name === '') return invalid(INVALID);
  const rule = osd.map.crush.rules[ruleNo]!;
  const size = number(args, 'size') || config.osd_pool_default_size;
  const problem = sizeProblem(size, rule, config) ?? tooManyPgs(osd, undefined, pgNum, size, config);
  if (problem !== undefined) return problem;
  const mode = AUTOSCALE_MODES.indexOf(text(args, 'autoscale_mode') ?? config.osd_pool_default_pg_autoscale_mode);
  const opts = new Map<number, bigint>();
  for (const [key, bound] of [
    [PoolOpt.pgNumMin, number(args, 'pg_num_min')],
    [PoolOpt.pgNumMax, number(args, 'pg_num_max')],
  ] as const) {
    if (bound) opts.set(key, BigInt(Math.trunc(bound)));
  }
  const pool = newPool({
    size,
    minSize: defaultMinSize(size, config),
    crushRule: ruleNo,
    pgNum,
    pgpNum,
    pgAutoscaleMode: Math.max(0, mode),
    epoch: osd.map.epoch + 1,
    createTime: { sec: context.wallSeconds(), nsec: 0 },
    expectedNumObjects,
    opts,
  });
  const newId = Math.max(osd.map.poolMax, osd.pending.newPoolMax) + 1;
  osd.pending.newPoolMax = newId;
  osd.pending.newPoolNames.set(newId, name);
  osd.setPool(newId, pool);
  return changed(`pool '${name}' created`);
}

/**
 * Without a profile, which is for erasure-coded pools, its place on the command line is the rule's, and the rule's that of the
 * expected number of objects.
 */
function ruleAndObjects(args: CommandArgs): { ruleName: string; expectedNumObjects: number } | CommandOutcome {
  const profile = text(args, 'erasure_code_profile') ?? '';
  const rule = text(args, 'rule') ?? '';
  let expectedNumObjects = number(args, 'expected_num_objects') ?? 0;
  if (profile !== '' && rule !== '') {
    const parsed = parseInteger(rule);
    if ('problem' in parsed) return invalid(`error parsing integer value '${rule}': ${parsed.problem}`);
    expectedNumObjects = Number(parsed.value);
  }
  if (expectedNumObjects < 0) return invalid("'expected_num_objects' must be non-negative");
  return { ruleName: profile || rule || 'replicated_rule', expectedNumObjects };
}

function pgNumProblem(pgNum: number, pgpNum: number): CommandOutcome | undefined {
  if (!Number.isInteger(pgNum) || pgNum < 1 || pgNum > MAX_PG_NUM) {
    return refuse(
      Errno.ERANGE,
      `'pg_num' must be greater than 0 and less than or equal to ${MAX_PG_NUM} (you may adjust 'mon max pool pg num' for higher values)`,
    );
  }
  if (!Number.isInteger(pgpNum) || pgpNum < 1 || pgpNum > pgNum) {
    return refuse(
      Errno.ERANGE,
      `'pgp_num' must be greater than 0 and lower or equal than 'pg_num', which in this case is ${pgNum}`,
    );
  }
  return undefined;
}

function sizeProblem(size: number, rule: CrushRule, config: Config): CommandOutcome | undefined {
  if (!Number.isInteger(size)) return invalid(INVALID);
  if (size === 1 && !config.mon_allow_pool_size_one) {
    return refuse(Errno.EPERM, 'configuring pool size as 1 is disabled by default.');
  }
  if (size > rule.maxSize) return invalid('pool size is bigger than the crush rule max size');
  if (size < rule.minSize) return invalid('pool size is smaller than the crush rule min size');
  return undefined;
}

/** get_osd_pool_default_min_size. */
export function defaultMinSize(size: number, config: Config): number {
  const { osd_pool_default_min_size: wanted } = config;
  return wanted > 0 ? Math.min(wanted, size) : size - Math.floor(size / 2);
}

/** Whether there would be more PG replicas than the OSDs that are in may have (OSDMonitor::check_pg_num). */
export function tooManyPgs(
  osd: OsdMonitor,
  id: PoolId | undefined,
  pgNum: number,
  size: number,
  { mon_max_pg_per_osd: perOsd }: Config,
): CommandOutcome | undefined {
  const { map } = osd;
  const inOsds = map.osdState.filter((_, each) => osdExists(map, each) && osdIn(map, each)).length;
  const max = perOsd * Math.max(1, inOsds);
  let projected = pgNum * size;
  for (const [each, pool] of map.pools) if (each !== id) projected += pool.pgNumTarget * pool.size;
  if (projected <= max) return undefined;
  const which = id === undefined ? '' : `pool id ${id}`;
  return refuse(
    Errno.ERANGE,
    `${which} pg_num ${pgNum} size ${size} would mean ${projected} total pgs, which exceeds max ${max} (mon_max_pg_per_osd ${perOsd} * num_in_osds ${Math.max(1, inOsds)})`,
  );
}
