/** `ceph crash …` of a cluster that keeps no reports of crashes (pybind/mgr/crash). */
import {
  alike,
  type CommandArgs,
  type CommandOutcome,
  type MgrCommandEntry,
  POSITIVE_EINVAL,
  refuse,
  succeed,
  unsupported,
  wantsJson,
} from './command.ts';

const NONE_KEPT = 'reports of crashes are not kept';

export const crashCommands: readonly MgrCommandEntry[] = [
  ...alike(['r crash ls', 'r crash ls-new'], 'list the crashes: none are kept', (args) =>
    succeed(wantsJson(args) ? '[]\n' : ''),
  ),
  ...alike(['r crash stat'], 'count the crashes: none are kept', () => succeed('0 crashes recorded\n')),
  ...alike(
    ['r crash info <id>', 'w crash archive <id>'],
    'answered as Ceph does for a crash that is not there',
    unknown,
  ),
  ...alike(['rw crash rm <id>', 'w crash archive-all'], 'nothing is there to be removed', () => succeed('')),
  ...alike(['rw crash prune <keep>'], 'nothing is there to be removed', (args) =>
    whenInteger(args['keep'], 'keep argument', succeed('')),
  ),
  ...alike(['r crash json_report <hours>'], 'count the crashes: none are kept', (args) =>
    whenInteger(args['hours'], '<hours> argument', succeed('', '{}')),
  ),
  ...unsupported(['rw crash post'], NONE_KEPT),
];

function unknown(args: CommandArgs): CommandOutcome {
  return refuse(POSITIVE_EINVAL, `crash info: ${String(args['id'])} not found`);
}

function whenInteger(value: unknown, what: string, outcome: CommandOutcome): CommandOutcome {
  const isInteger = /^\s*[+-]?\d+\s*$/.test(String(value));
  return isInteger ? outcome : refuse(POSITIVE_EINVAL, `${what} must be integer`);
}
