/** `osd reweight-by-utilization`, `reweight-by-pg`, and what they would do (mgr/DaemonServer.cc). */
import { Errno, formatFloat } from '@spirula/encoding';

import {
  alike,
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  type Delegated,
  formatJson,
  invalid,
  listArgument,
  type MgrCommandEntry,
  refuse,
  wantsJson,
} from './command.ts';
import { reweight } from './reweight.ts';

const DEFAULT_OVERLOAD = 120;
const COMMON = '[oload:int] [max_change:float] [max_osds:int]';

export const reweightCommands: readonly MgrCommandEntry[] = [
  ...alike(
    [`rw osd reweight-by-utilization ${COMMON} [no_increasing:=--no-increasing]`],
    'change weights so that OSDs fill evenly',
    (args, context) => run(args, context, { byPg: false, isDry: false }),
    'osd',
  ),
  ...alike(
    [`r osd test-reweight-by-utilization ${COMMON} [no_increasing:bool]`],
    'show what osd reweight-by-utilization would do',
    (args, context) => run(args, context, { byPg: false, isDry: true }),
    'osd',
  ),
  ...alike(
    [`rw osd reweight-by-pg ${COMMON} [pools:pool...]`],
    'change weights so that placement groups lie evenly',
    (args, context) => run(args, context, { byPg: true, isDry: false }),
    'osd',
  ),
  ...alike(
    [`r osd test-reweight-by-pg ${COMMON} [pools:pool...]`],
    'show what osd reweight-by-pg would do',
    (args, context) => run(args, context, { byPg: true, isDry: true }),
    'osd',
  ),
];

interface Kind {
  readonly byPg: boolean;
  readonly isDry: boolean;
}

function run(args: CommandArgs, context: CommandContext, { byPg, isDry }: Kind): CommandOutcome | Delegated {
  const { map, pgMap, config } = context;
  const ids = new Map([...map.poolNames].map(([id, name]) => [name, id]));
  const names = byPg ? listArgument(args, 'pools') : [];
  const unknown = names.find((name) => !ids.has(name));
  if (unknown !== undefined) return refuse(Errno.ENOENT, `pool '${unknown}' does not exist`);
  const maxChange = numberOr(args['max_change'], config.mon_reweight_max_change);
  if (maxChange <= 0) return invalid(`max_change ${formatFloat(maxChange)} must be positive`);
  const maxOsds = numberOr(args['max_osds'], config.mon_reweight_max_osds);
  if (maxOsds <= 0) return invalid(`max_osds ${maxOsds} must be positive`);
  const result = reweight({
    ...{ map, pgMap, config, maxChange, maxOsds, byPg },
    overload: numberOr(args['oload'], DEFAULT_OVERLOAD),
    pools: names.length > 0 ? names.map((name) => ids.get(name)!) : undefined,
    mayIncrease: ![true, 'true', '--no-increasing'].includes(args['no_increasing'] as string | boolean),
  });
  if ('code' in result) return refuse(result.code, `${result.status}FAILED reweight-by-pg`);
  const output = wantsJson(args) ? formatJson(args, result.json) : result.text;
  // The number of changes goes back as the code, as in 16.2.
  if (isDry || result.weights.size === 0) return { code: result.weights.size, status: 'no change', output };
  const weights = [...result.weights].map(([osd, weight]) => [String(osd), String(weight)] as const);
  return { delegate: { prefix: 'osd reweightn', weights: JSON.stringify(Object.fromEntries(weights)) }, output };
}

function numberOr(value: unknown, otherwise: number): number {
  return value === undefined ? otherwise : Number(value);
}
