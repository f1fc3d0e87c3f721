/** Commands of Ceph's module that are refused, or answered as where nothing of the kind was set up. */
import { Errno } from '@spirula/encoding';
import { type ModuleCommand, moduleCommand, refuse, succeed } from '@spirula/mgr';

const NO_PERF = 'operations are not counted image by image';
const NO_MIRRORING = 'the manager takes no snapshots for mirroring';
const NO_TASK = 'the manager migrates no images';
const SORT = '[sort_by:write_ops|write_bytes|write_latency|read_ops|read_bytes|read_latency]';

export const refusedCommands: readonly ModuleCommand[] = [
  ...['execute', 'commit', 'abort'].map((step) => refused(`w rbd task add migration ${step} <image_spec>`, NO_TASK)),
  refused('w rbd mirror snapshot schedule add <level_spec> <interval> [start_time]', NO_MIRRORING),
  refused('w rbd mirror snapshot schedule remove <level_spec> [interval] [start_time]', NO_MIRRORING),
  moduleCommand('r rbd mirror snapshot schedule list [level_spec]', 'list the schedules: there are none', async () =>
    succeed('{}\n'),
  ),
  moduleCommand('r rbd mirror snapshot schedule status [level_spec]', 'list what is due: nothing', async () =>
    succeed('{\n    "scheduled_images": []\n}\n'),
  ),
  ...['stats', 'counters'].map((what) => refused(`r rbd perf image ${what} [pool_spec] ${SORT}`, NO_PERF)),
];

function refused(line: string, reason: string): ModuleCommand {
  return {
    ...moduleCommand(line, `refused: ${reason}`, async () => refuse(Errno.EOPNOTSUPP, reason)),
    unsupported: reason,
  };
}
