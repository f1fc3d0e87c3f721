/** `osd pool create` (OSDMonitor::prepare_command_impl, prepare_new_pool). */
import type { CrushMap, CrushRule } from '@spirula/crush';
import { Errno, type PoolId } from '@spirula/encoding';
import { AUTOSCALE_MODES, newPool, osdExists, osdIn, PoolFlag, PoolOpt, PoolType } from '@spirula/maps';
import type { Config } from '@spirula/world';
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
  const pgNum = number(args, 'pg_num') || undefined;
  const pgpNum = number(args, 'pgp_num') || undefined;
  const outOfRange = pgNumProblem(pgNum ?? config.osd_pool_default_pg_num, pgpNum);
  if (outOfRange !== undefined) return outOfRange;
  const type = text(args, 'pool_type') ?? 'replicated';
  const id = findPool(osd.map, name);
  if (id !== undefined || isPending(osd, name)) {
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
  const rule = ruleName === undefined ? undefined : ruleByName(osd.map.crush, ruleName);
  if (ruleName !== undefined && rule === undefined) {
    return refuse(Errno.ENOENT, `specified rule ${ruleName} doesn't exist`);
  }
  const bounds = new Map<number, bigint>();
  for (const [key, bound] of [
    [PoolOpt.pgNumMin, number(args, 'pg_num_min')],
    [PoolOpt.pgNumMax, number(args, 'pg_num_max')],
  ] as const) {
    if (bound) bounds.set(key, BigInt(Math.trunc(bound)));
  }
  const size = number(args, 'size') || undefined;
  const autoscaleMode = text(args, 'autoscale_mode');
  return createPool(context, { name, pgNum, pgpNum, size, rule, autoscaleMode, expectedNumObjects, opts: bounds });
}

export interface PoolRequest {
  readonly name: string;
  /** Without: as the options say. */
  readonly pgNum?: number | undefined;
  readonly pgpNum?: number | undefined;
  readonly size?: number | undefined;
  /** The number of a CRUSH rule. */
  readonly rule?: number | undefined;
  readonly autoscaleMode?: string | undefined;
  readonly expectedNumObjects?: number;
  readonly opts?: ReadonlyMap<number, bigint>;
}

/** Where pools are made: by commands and by clients' pool_op messages. */
export type PoolMaker = Pick<CommandContext, 'osd' | 'config' | 'wallSeconds'>;

/** A replicated pool, ordered; or why not (OSDMonitor::prepare_new_pool). */
export function createPool({ osd, config, wallSeconds }: PoolMaker, request: PoolRequest): CommandOutcome {
  const { name } = request;
  if (name === '') return invalid(INVALID);
  const pgNum = request.pgNum ?? config.osd_pool_default_pg_num;
  const pgpNum = request.pgpNum ?? (config.osd_pool_default_pgp_num || pgNum);
  const outOfRange = pgNumProblem(pgNum, pgpNum);
  if (outOfRange !== undefined) return outOfRange;
  const ruleNo = request.rule ?? defaultRule(osd.map.crush, config);
  const rule = ruleNo === undefined ? undefined : osd.map.crush.rules[ruleNo];
  if (ruleNo === undefined || !rule) {
    return refuse(
      Errno.ENOENT,
      ruleNo === undefined
        ? "No suitable CRUSH rule exists, check 'osd pool default crush *' config options"
        : `CRUSH rule ${ruleNo} not found`,
    );
  }
  const size = request.size ?? config.osd_pool_default_size;
  const problem = sizeProblem(size, rule, config) ?? tooManyPgs(osd, undefined, pgNum, size, config);
  if (problem !== undefined) return problem;
  if (isPending(osd, name)) return changed('');
  const mode = AUTOSCALE_MODES.indexOf(request.autoscaleMode ?? config.osd_pool_default_pg_autoscale_mode);
  const pool = newPool({
    size,
    minSize: defaultMinSize(size, config),
    crushRule: ruleNo,
    pgNum,
    pgpNum,
    flags: defaultFlags(config),
    pgAutoscaleMode: Math.max(0, mode),
    epoch: osd.map.epoch + 1,
    createTime: { sec: wallSeconds(), nsec: 0 },
    expectedNumObjects: request.expectedNumObjects ?? 0,
    opts: request.opts ?? new Map(),
  });
  const id = Math.max(osd.map.poolMax, osd.pending.newPoolMax) + 1;
  osd.pending.newPoolMax = id;
  osd.pending.newPoolNames.set(id, name);
  osd.setPool(id, pool);
  return changed(`pool '${name}' created`);
}

function isPending(osd: OsdMonitor, name: string): boolean {
  return [...osd.pending.newPoolNames.values()].includes(name);
}

/** The rule that the options name, or the first for replicated pools (CrushWrapper::get_osd_pool_default_crush_replicated_rule). */
function defaultRule(crush: CrushMap, { osd_pool_default_crush_rule: wanted }: Config): number | undefined {
  if (wanted >= 0) return crush.rules[wanted] ? wanted : undefined;
  const first = crush.rules.findIndex((rule) => rule?.type === PoolType.replicated);
  return first < 0 ? undefined : first;
}

function defaultFlags(config: Config): bigint {
  let flags = 0n;
  if (config.osd_pool_default_flag_hashpspool) flags |= PoolFlag.hashpspool;
  if (config.osd_pool_default_flag_nodelete) flags |= PoolFlag.nodelete;
  if (config.osd_pool_default_flag_nopgchange) flags |= PoolFlag.nopgchange;
  if (config.osd_pool_default_flag_nosizechange) flags |= PoolFlag.nosizechange;
  return flags;
}

/**
 * Without a profile, which is for erasure-coded pools, its place on the command line is the rule's, and the rule's that of the
 * expected number of objects.
 */
function ruleAndObjects(
  args: CommandArgs,
): { ruleName: string | undefined; expectedNumObjects: number } | CommandOutcome {
  const profile = text(args, 'erasure_code_profile') ?? '';
  const rule = text(args, 'rule') ?? '';
  let expectedNumObjects = number(args, 'expected_num_objects') ?? 0;
  if (profile !== '' && rule !== '') {
    const parsed = parseInteger(rule);
    if ('problem' in parsed) return invalid(`error parsing integer value '${rule}': ${parsed.problem}`);
    expectedNumObjects = Number(parsed.value);
  }
  if (expectedNumObjects < 0) return invalid("'expected_num_objects' must be non-negative");
  return { ruleName: profile || rule || undefined, expectedNumObjects };
}

function pgNumProblem(pgNum: number, pgpNum: number = pgNum): CommandOutcome | undefined {
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
