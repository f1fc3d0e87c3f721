/** `osd pool set` (OSDMonitor::prepare_command_pool_set). */
import type { CrushMap } from '@spirula/crush';
import { Errno, type PoolId } from '@spirula/encoding';
import { AUTOSCALE_MODES, type Pool, PoolFlag, PoolOpt, poolOptionKey } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  type MonCommandEntry,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { ruleByName } from './crush-rule-commands.ts';
import { INVALID, PERMISSION_DENIED } from './errno-text.ts';
import {
  findPool,
  type Parsed,
  POOL,
  parseBytes,
  parseFloatingPoint,
  parseInteger,
  SURE,
  unrecognizedPool,
} from './pool-arguments.ts';
import { defaultMinSize, tooManyPgs } from './pool-create.ts';
import { NO_AUTOSCALER, POOL_FLAGS, POOL_OPTIONS, type PoolOption, SET_KEYS, TIER_KEYS } from './pool-options.ts';

const MAX_SIZE = 10;
const MAX_PG_NUM = 65_536;
const UNSURE_SIZE_ONE =
  'WARNING: setting pool size 1 could lead to data loss without recovery. If you are *ABSOLUTELY CERTAIN* that is what ' +
  'you want, pass the flag --yes-i-really-mean-it.';
const UNSURE_HASHPSPOOL =
  'are you SURE?  this will remap all placement groups in this pool, this triggers large data movement, pass ' +
  '--yes-i-really-mean-it if you really do.';

export const poolSetCommand: MonCommandEntry = command(
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
);

interface Setting {
  readonly id: PoolId;
  readonly pool: Pool;
  readonly key: string;
  readonly value: string;
  readonly sure: boolean;
  readonly context: CommandContext;
}

/** The pool as it is to be, or the answer without a change. */
type Next = Pool | CommandOutcome;

function poolSet(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd } = context;
  const name = text(args, 'pool');
  const id = findPool(osd.map, name);
  if (id === undefined) return unrecognizedPool(name);
  const key = text(args, 'var') ?? '';
  const value = text(args, 'val') ?? '';
  const sure = flag(args, 'yes_i_really_mean_it');
  const next = changedPool({ id, pool: osd.pendingPool(id)!, key, value, sure, context });
  if ('code' in next) return next;
  osd.setPool(id, next);
  return changed(value === 'unset' ? `unset pool ${id} ${key}` : `set pool ${id} ${key} to ${value}`);
}

function changedPool(setting: Setting): Next {
  const { pool, key, value, context } = setting;
  if (TIER_KEYS.includes(key) || key === 'use_gmt_hitset') return refuse(Errno.EACCES, PERMISSION_DENIED);
  switch (key) {
    case 'size':
      return withSize(setting);
    case 'min_size':
      return withMinSize(setting);
    case 'pg_num':
    case 'pg_num_actual':
      return withPgNum(setting);
    case 'pgp_num':
    case 'pgp_num_actual':
      return withPgpNum(setting);
    case 'crush_rule':
      return withRule(pool, value, context.osd.pendingCrush);
    case 'pg_autoscale_mode': {
      const mode = AUTOSCALE_MODES.indexOf(value);
      return mode < 0 ? invalid(`specified invalid mode ${value}`) : { ...pool, pgAutoscaleMode: mode };
    }
    case 'allow_ec_overwrites':
      return invalid('ec overwrites can only be enabled for an erasure coded pool');
    case 'fast_read':
      return invalid('fast read is not supported in replication pool');
    default:
  }
  const option = POOL_OPTIONS.get(key);
  if (option !== undefined) return withOption(setting, option);
  const bit = POOL_FLAGS[key];
  return bit === undefined ? invalid(`unrecognized variable '${key}'`) : withFlag(setting, bit);
}

/** A whole number, or the refusal. */
function integer(value: string, kind = 'integer'): number | CommandOutcome {
  const parsed = parseInteger(value);
  return 'problem' in parsed
    ? invalid(`error parsing ${kind} value '${value}': ${parsed.problem}`)
    : Number(parsed.value);
}

function withSize({ id, pool, value, sure, context }: Setting): Next {
  const { osd, config } = context;
  if ((pool.flags & PoolFlag.nosizechange) !== 0n) {
    return refuse(Errno.EPERM, 'pool size change is disabled; you must unset nosizechange flag for the pool first');
  }
  const size = integer(value);
  if (typeof size !== 'number') return size;
  if (size < 1 || size > MAX_SIZE) return invalid(`pool size must be between 1 and ${MAX_SIZE}`);
  if (size === 1 && !config.mon_allow_pool_size_one) {
    return refuse(Errno.EPERM, 'configuring pool size as 1 is disabled by default.');
  }
  if (size === 1 && !sure) return refuse(Errno.EPERM, UNSURE_SIZE_ONE);
  const tooMany = size > pool.size ? tooManyPgs(osd, id, pool.pgNum, size, config) : undefined;
  return tooMany ?? { ...pool, size, minSize: defaultMinSize(size, config) };
}

function withMinSize({ pool, value }: Setting): Next {
  if ((pool.flags & PoolFlag.nosizechange) !== 0n) {
    return refuse(Errno.EPERM, 'pool min size change is disabled; you must unset nosizechange flag for the pool first');
  }
  const minSize = integer(value);
  if (typeof minSize !== 'number') return minSize;
  if (minSize < 1 || minSize > pool.size) {
    return invalid(`pool min_size must be between 1 and size, which is set to ${pool.size}`);
  }
  return { ...pool, minSize };
}

/** The number of PGs stays what it is: PGs can be neither split nor merged. What Ceph refuses is refused in its words. */
function withPgNum({ id, pool, value, context }: Setting): Next {
  if ((pool.flags & PoolFlag.nopgchange) !== 0n) {
    return refuse(Errno.EPERM, 'pool pg_num change is disabled; you must unset nopgchange flag for the pool first');
  }
  const pgNum = integer(value);
  if (typeof pgNum !== 'number') return pgNum;
  if (pgNum === pool.pgNumTarget) return unchanged('');
  if (pgNum < 1 || pgNum > MAX_PG_NUM) {
    return refuse(
      Errno.ERANGE,
      `'pg_num' must be greater than 0 and less than or equal to ${MAX_PG_NUM} (you may adjust 'mon max pool pg num' for higher values)`,
    );
  }
  const tooMany = pgNum > pool.pgNumTarget ? tooManyPgs(context.osd, id, pgNum, pool.size, context.config) : undefined;
  if (tooMany !== undefined) return tooMany;
  const least = Number(pool.opts.get(PoolOpt.pgNumMin) ?? 0);
  const most = Number(pool.opts.get(PoolOpt.pgNumMax) ?? 0);
  if (least > 0 && pgNum < least) return invalid(`specified pg_num ${pgNum} < pg_num_min ${least}`);
  // 16.2 says `<` here, too.
  if (most > 0 && pgNum > most) return invalid(`specified pg_num ${pgNum} < pg_num_max ${most}`);
  return refuse(Errno.EOPNOTSUPP, 'placement groups can be neither split nor merged: pg_num stays as it is');
}

/** In one step: in Ceph, the manager follows the target little by little. */
function withPgpNum({ pool, value }: Setting): Next {
  if ((pool.flags & PoolFlag.nopgchange) !== 0n) {
    return refuse(Errno.EPERM, 'pool pgp_num change is disabled; you must unset nopgchange flag for the pool first');
  }
  const pgpNum = integer(value);
  if (typeof pgpNum !== 'number') return pgpNum;
  if (pgpNum <= 0) return invalid(`specified pgp_num must > 0, but you set to ${pgpNum}`);
  if (pgpNum > pool.pgNum) return invalid(`specified pgp_num ${pgpNum} > pg_num ${pool.pgNum}`);
  return { ...pool, pgpNum, pgpNumTarget: pgpNum };
}

function withRule(pool: Pool, name: string, crush: CrushMap): Next {
  const number = ruleByName(crush, name);
  const rule = number === undefined ? undefined : crush.rules[number];
  if (number === undefined || rule === undefined) return refuse(Errno.ENOENT, `crush rule ${name} does not exist`);
  if (rule.type !== pool.type) return invalid(INVALID);
  if (pool.size < rule.minSize) return invalid('pool size is smaller than the crush rule min size');
  if (pool.size > rule.maxSize) return invalid('pool size is bigger than the crush rule max size');
  return { ...pool, crushRule: number };
}

function withFlag({ pool, key, value, sure }: Setting, bit: bigint): Next {
  if (key === 'hashpspool' && !sure) return refuse(Errno.EPERM, UNSURE_HASHPSPOOL);
  const on = value === 'true' || value === '1';
  if (!on && value !== 'false' && value !== '0') return invalid("expecting value 'true', 'false', '0', or '1'");
  if (on && key === 'bulk') return refuse(Errno.EOPNOTSUPP, `${key}: ${NO_AUTOSCALER}`);
  return { ...pool, flags: on ? pool.flags | bit : pool.flags & ~bit };
}

/** Nothing is unset by `unset` for texts, by zero for numbers. */
function withOption(setting: Setting, option: PoolOption): Next {
  const { pool, key, value } = setting;
  const parsed = optionValue(setting, option);
  if ('code' in parsed) return parsed;
  const opts = new Map(pool.opts);
  opts.delete(poolOptionKey(key)!);
  const isUnset = parsed.value === undefined || Number(parsed.value) === 0;
  if (isUnset) return { ...pool, opts };
  if (option.unsupported !== undefined) return refuse(Errno.EOPNOTSUPP, `${key}: ${option.unsupported}`);
  const target = pool.pgNumTarget;
  if (key === 'pg_num_min' && Number(value) > target) {
    return invalid(`specified pg_num_min ${value} > pg_num ${target}`);
  }
  if (key === 'pg_num_max' && Number(value) < target) {
    return invalid(`specified pg_num_max ${value} < pg_num ${target}`);
  }
  return { ...pool, opts: opts.set(poolOptionKey(key)!, parsed.value!) };
}

/** Undefined for a text that is unset. */
function optionValue(
  setting: Setting,
  option: PoolOption,
): { value: bigint | number | string | undefined } | CommandOutcome {
  const { key, value, context } = setting;
  if (key === 'dedup_tier') {
    if ('value' in parseInteger(value)) return invalid("expecting value 'pool name'");
    const tier = findPool(context.osd.map, value);
    return tier === undefined ? unrecognizedPool(value) : { value: BigInt(tier) };
  }
  if (option.type === 'text') {
    if (value === 'unset') return { value: undefined };
    if (option.choices !== undefined && !option.choices.includes(value)) {
      const what = key === 'compression_mode' ? 'compression mode' : key;
      return invalid(`unrecognized ${what} '${value}'`);
    }
    return { value };
  }
  const parsed: Parsed<bigint | number> =
    option.type === 'double'
      ? parseFloatingPoint(value)
      : option.type === 'bytes'
        ? parseBytes(value)
        : parseInteger(value);
  const number = 'value' in parsed ? Number(parsed.value) : 0;
  const outside = number < (option.least ?? number) || number > (option.most ?? number);
  if (outside) return invalid(outOfRange(key, value));
  return 'problem' in parsed
    ? invalid(`error parsing ${kindOf(key, option)} value '${value}': ${parsed.problem}`)
    : parsed;
}

function outOfRange(key: string, value: string): string {
  switch (key) {
    case 'compression_required_ratio':
      return `compression_required_ratio is out of range (0-1): '${value}'`;
    case 'recovery_priority':
      return 'pool recovery_priority must be between -10 and 10';
    case 'pg_autoscale_bias':
      return 'pg_autoscale_bias must be between 0 and 1000';
    default:
      return `${key} cannot be negative`;
  }
}

/** What Ceph calls the value when it cannot be read. */
function kindOf(key: string, { type }: PoolOption): string {
  if (key === 'compression_required_ratio') return 'float';
  if (key === 'target_size_bytes') return 'unit';
  if (type === 'double') return 'floating point';
  return key.endsWith('_priority') && key !== 'recovery_priority' ? 'integer' : 'int';
}
