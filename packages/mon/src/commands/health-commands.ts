/** `ceph health` (mon/HealthMonitor.cc). */
import { dumpHealth, printHealth } from '../health.ts';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  command,
  type MonCommandEntry,
  output,
  text,
} from './command.ts';

export const healthCommands: readonly MonCommandEntry[] = [
  command(
    ['health', { name: 'detail', type: 'CephChoices', strings: 'detail', req: 'false' }],
    'show what is not well',
    'r',
    health,
  ),
];

function health(args: CommandArgs, context: CommandContext): CommandOutcome {
  const detail = text(args, 'detail') === 'detail';
  const report = context.health();
  return output(args, dumpHealth(report, detail), printHealth(report, detail));
}
