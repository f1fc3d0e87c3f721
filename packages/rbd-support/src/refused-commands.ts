/** Commands of Ceph's module that are refused. */
import { Errno } from '@spirula/encoding';
import { type ModuleCommand, moduleCommand, refuse } from '@spirula/mgr';

const NO_PERF = 'operations are not counted image by image';
const SORT = '[sort_by:write_ops|write_bytes|write_latency|read_ops|read_bytes|read_latency]';

export const refusedCommands: readonly ModuleCommand[] = [
  ...['stats', 'counters'].map((what) => refused(`r rbd perf image ${what} [pool_spec] ${SORT}`, NO_PERF)),
];

function refused(line: string, reason: string): ModuleCommand {
  return {
    ...moduleCommand(line, `refused: ${reason}`, async () => refuse(Errno.EOPNOTSUPP, reason)),
    unsupported: reason,
  };
}
