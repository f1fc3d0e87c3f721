/** `osd pool get` (OSDMonitor::preprocess_command). */
import { Errno, formatFloat } from '@spirula/encoding';
import { autoscaleModeName, type OsdMap, type Pool, poolOptionKey } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  command,
  invalid,
  type MonCommandEntry,
  output,
  refuse,
  text,
} from './command.ts';
import { findPool, POOL, unrecognizedPool } from './pool-arguments.ts';
import { ERASURE_KEYS, GET_KEYS, POOL_FLAGS, POOL_OPTIONS, SHOWN_KEYS, TIER_KEYS } from './pool-options.ts';

export const poolGetCommand: MonCommandEntry = command(
  ['osd', 'pool', 'get', POOL, { name: 'var', type: 'CephChoices', strings: GET_KEYS.join('|') }],
  'show how a pool is set',
  'r',
  poolGet,
  'osd',
);

type Setting = string | number | boolean;

function poolGet(args: CommandArgs, { osd: { map } }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(map, name);
  if (id === undefined) return unrecognizedPool(name);
  const wanted = text(args, 'var') ?? '';
  if (!GET_KEYS.includes(wanted)) return invalid(`pool '${name}': invalid variable: '${wanted}'`);
  if (TIER_KEYS.includes(wanted)) {
    return refuse(Errno.EACCES, `pool '${name}' is not a tier pool: variable not applicable`);
  }
  if (ERASURE_KEYS.includes(wanted)) {
    return refuse(Errno.EACCES, `pool '${name}' is not a erasure pool: variable not applicable`);
  }
  const pool = map.pools.get(id)!;
  const settings: [key: string, value: Setting][] = [];
  for (const key of wanted === 'all' ? SHOWN_KEYS : [wanted]) {
    const value = settingOf(map, pool, key);
    if (value !== undefined) settings.push([key, value]);
  }
  if (settings.length === 0) return refuse(Errno.ENOENT, `option '${wanted}' is not set on pool '${name}'`);
  const lines = settings.map(([key, value]) => `${key}: ${shown(key, value)}\n`);
  return output(args, { pool: name, pool_id: id, ...Object.fromEntries(settings) }, lines.join(''));
}

function shown(key: string, value: Setting): string {
  if (key === 'use_gmt_hitset') return String(Number(value));
  return typeof value === 'number' && !Number.isInteger(value) ? formatFloat(value) : String(value);
}

/** Undefined for an option that is not set. */
function settingOf(map: OsdMap, pool: Pool, key: string): Setting | undefined {
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
      return autoscaleModeName(pool.pgAutoscaleMode);
    default: {
      if (POOL_OPTIONS.has(key)) {
        const value = pool.opts.get(poolOptionKey(key)!);
        return typeof value === 'bigint' ? Number(value) : value;
      }
      return (pool.flags & POOL_FLAGS[key]!) !== 0n;
    }
  }
}
