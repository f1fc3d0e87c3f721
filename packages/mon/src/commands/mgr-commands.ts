/** Commands about the managers (mon/MgrMonitor.cc). */
import { dumpMgrMap } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  jsonAlways,
  type MonCommandEntry,
  text,
  unchanged,
} from './command.ts';

export const mgrCommands: readonly MonCommandEntry[] = [
  command(
    ['mgr', 'dump', { name: 'epoch', type: 'CephInt', range: '0', req: 'false' }],
    'show the manager map',
    'r',
    (args, { mgr }) => jsonAlways(args, dumpMgrMap(mgr.map)),
    'mgr',
  ),
  command(
    ['mgr', 'stat'],
    'show the active manager in short',
    'r',
    (args, { mgr: { map } }) =>
      jsonAlways(args, {
        epoch: map.epoch,
        available: map.available,
        active_name: map.activeName,
        num_standby: map.standbys.size,
      }),
    'mgr',
  ),
  command(
    ['mgr', 'services'],
    'show where the manager serves',
    'r',
    (args, { mgr: { map } }) => jsonAlways(args, Object.fromEntries(map.services)),
    'mgr',
  ),
  command(
    ['mgr', 'fail', { name: 'who', type: 'CephString', req: 'false' }],
    'let a standby take over',
    'rw',
    mgrFail,
    'mgr',
  ),
];

/** MgrMonitor::prepare_command: the active manager, or one of those that stand by, by name or gid. */
function mgrFail(args: CommandArgs, { mgr }: CommandContext): CommandOutcome {
  const who = text(args, 'who');
  const { activeGid, activeName, standbys } = mgr.map;
  if (who === undefined && activeGid === 0n) return unchanged('Currently no active mgr');
  if (who === undefined || who === activeName || who === String(activeGid)) {
    mgr.fail();
    return changed('');
  }
  const standby = [...standbys.values()].find(({ gid, name }) => who === name || who === String(gid));
  if (standby === undefined) return unchanged(`Daemon not found '${who}', already failed?`);
  mgr.failStandby(standby.gid);
  return changed('');
}
