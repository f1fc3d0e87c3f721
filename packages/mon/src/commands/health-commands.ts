/** `ceph health` (mon/HealthMonitor.cc). */
import { Errno } from '@spirula/encoding';
import { dumpHealth, leftByWall, printHealth } from '../health/health-text.ts';
import { parseTimespan } from '../health/timespan.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  type MonCommandEntry,
  output,
  refuse,
  text,
} from './command.ts';

export const healthCommands: readonly MonCommandEntry[] = [
  command(
    ['health', { name: 'detail', type: 'CephChoices', strings: 'detail', req: 'false' }],
    'show what is not well',
    'r',
    health,
  ),
  command(
    [
      'health',
      'mute',
      { name: 'code', type: 'CephString' },
      { name: 'ttl', type: 'CephString', req: 'false' },
      { name: 'sticky', type: 'CephBool', req: 'false' },
    ],
    'do not show an alert any more, for a time or until it clears or gets worse',
    'rw',
    mute,
  ),
  command(
    ['health', 'unmute', { name: 'code', type: 'CephString', req: 'false' }],
    'show a muted alert again; without a code all of them',
    'rw',
    unmute,
  ),
];

function health(args: CommandArgs, { health, wall }: CommandContext): CommandOutcome {
  const detail = text(args, 'detail') === 'detail';
  return output(args, dumpHealth(health(), detail), printHealth(health(), detail, leftByWall(wall())));
}

function mute(args: CommandArgs, { health, healthMonitor }: CommandContext): CommandOutcome {
  const code = text(args, 'code') ?? '';
  if (code === '') return invalid('must specify an alert code to mute');
  const ttl = text(args, 'ttl');
  const span = ttl === undefined ? undefined : parseTimespan(ttl);
  if (span !== undefined && 'problem' in span) return invalid(`invalid duration: ${ttl} (${span.problem})`);
  if (span?.seconds === 0) return invalid(`invalid duration: ${ttl} (timespan = 0)`);
  const check = flag(args, 'sticky') ? undefined : health().checks.get(code);
  if (check === undefined && !flag(args, 'sticky')) {
    return refuse(Errno.ENOENT, `health alert ${code} is not currently raised`);
  }
  healthMonitor.mute(code, span?.seconds, check);
  return changed('');
}

function unmute(args: CommandArgs, { healthMonitor }: CommandContext): CommandOutcome {
  healthMonitor.unmute(text(args, 'code'));
  return changed('');
}
