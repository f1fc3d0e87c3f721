/** Commands about how much a pool may hold (OSDMonitor: `osd pool set-quota`, `get-quota`). */
import { Errno } from '@spirula/encoding';
import { formatBytes, formatCount } from '@spirula/formatter';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  type MonCommandEntry,
  output,
  refuse,
  succeed,
  text,
} from './command.ts';
import { findPool, POOL, parseBytes, parseCount, unrecognizedPool } from './pool-arguments.ts';

export const poolQuotaCommands: readonly MonCommandEntry[] = [
  command(
    [
      'osd',
      'pool',
      'set-quota',
      POOL,
      { name: 'field', type: 'CephChoices', strings: 'max_objects|max_bytes' },
      { name: 'val', type: 'CephString' },
    ],
    'bound what a pool may hold; 0 takes the bound away',
    'rw',
    setQuota,
    'osd',
  ),
  command(['osd', 'pool', 'get-quota', POOL], 'show what a pool may hold', 'r', getQuota, 'osd'),
];

function setQuota(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(osd.map, name);
  if (id === undefined) return unrecognizedPool(name);
  const field = text(args, 'field') ?? '';
  const value = text(args, 'val') ?? '';
  if (field !== 'max_bytes' && field !== 'max_objects') {
    return invalid(`unrecognized field '${field}'; should be 'max_bytes' or 'max_objects'`);
  }
  const parsed = field === 'max_bytes' ? parseBytes(value) : parseCount(value);
  if ('problem' in parsed) return invalid(`error parsing value '${value}': ${parsed.problem}`);
  const quota = Number(parsed.value);
  if (!Number.isSafeInteger(quota)) return refuse(Errno.ERANGE, `a quota of more than ${Number.MAX_SAFE_INTEGER}`);
  const pool = osd.pendingPool(id)!;
  osd.setPool(id, field === 'max_bytes' ? { ...pool, quotaMaxBytes: quota } : { ...pool, quotaMaxObjects: quota });
  return changed(`set-quota ${field} = ${quota} for pool ${name}`);
}

function getQuota(args: CommandArgs, { osd: { map }, mgrStat }: CommandContext): CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(map, name);
  if (id === undefined) return unrecognizedPool(name);
  const { quotaMaxObjects, quotaMaxBytes } = map.pools.get(id)!;
  const { objects = 0, bytes = 0 } = mgrStat.digest?.pools.get(id)?.sum ?? {};
  const json = {
    pool_name: name,
    pool_id: id,
    quota_max_objects: quotaMaxObjects,
    current_num_objects: objects,
    quota_max_bytes: quotaMaxBytes,
    current_num_bytes: bytes,
  };
  const ofObjects =
    quotaMaxObjects === 0
      ? 'N/A'
      : `${formatCount(quotaMaxObjects)} objects  (current num objects: ${objects} objects)`;
  const ofBytes = quotaMaxBytes === 0 ? 'N/A' : `${formatBytes(quotaMaxBytes)}  (current num bytes: ${bytes} bytes)`;
  const lines = `quotas for pool '${name}':\n  max objects: ${ofObjects}\n  max bytes  : ${ofBytes}\n`;
  return args['format'] === 'json-pretty'
    ? succeed(`${JSON.stringify(json, null, 4)}\n\n`)
    : output(args, json, lines, '\n');
}
