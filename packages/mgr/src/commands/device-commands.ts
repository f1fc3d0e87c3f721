/** `ceph device …` of a cluster whose daemons name no devices (mgr/DaemonServer.cc, pybind/mgr/devicehealth). */
import { Errno } from '@spirula/encoding';
import { column, formatTable } from '@spirula/formatter';
import {
  alike,
  type CommandArgs,
  type CommandOutcome,
  formatJson,
  type MgrCommandEntry,
  refuse,
  succeed,
  unsupported,
  wantsJson,
} from './command.ts';
import { noOrchestrator } from './orch-commands.ts';

const HELP = 'list devices: daemons name none';
const UNKNOWN = 'answered as Ceph does for a device that is not there';
const NO_HEALTH = 'devices tell nothing of their health';

export const deviceCommands: readonly MgrCommandEntry[] = [
  ...alike(['r device ls'], HELP, list('DEVICE', 'HOST:DEV', 'DAEMONS', 'WEAR', 'LIFE EXPECTANCY')),
  ...alike(['r device ls-by-daemon <who>'], HELP, list('DEVICE', 'HOST:DEV', 'EXPECTED FAILURE')),
  ...alike(['r device ls-by-host <host>'], HELP, list('DEVICE', 'DEV', 'DAEMONS', 'EXPECTED FAILURE')),
  ...alike(['r device ls-lights'], 'list lit devices: daemons name none', () =>
    succeed(formatJson({ format: 'json-pretty' }, { fault: [], ident: [] })),
  ),
  ...alike(
    ['r device info <devid>', 'r device get-health-metrics <devid> [sample]', 'r device scrape-health-metrics [devid]'],
    UNKNOWN,
    (args) => (args['devid'] === undefined ? succeed('') : unknown(args)),
  ),
  ...alike(['rw device light <enable:on|off> <devid> [light_type:ident|fault] [force:bool]'], UNKNOWN, noOrchestrator),
  ...alike(['rw device check-health'], 'nothing is known of the health of devices', () => succeed('')),
  ...unsupported(
    [
      'rw device set-life-expectancy <devid> <from> [to]',
      'rw device rm-life-expectancy <devid>',
      'r device predict-life-expectancy <devid>',
      'r device query-daemon-health-metrics <who>',
      'r device scrape-daemon-health-metrics <who>',
      'rw device monitoring on',
      'rw device monitoring off',
    ],
    NO_HEALTH,
  ),
];

function list(...headings: string[]): MgrCommandEntry['run'] {
  return (args) =>
    succeed(
      wantsJson(args)
        ? formatJson(args, [])
        : formatTable(
            headings.map((each) => column(each, 'left')),
            [],
          ),
    );
}

function unknown(args: CommandArgs): CommandOutcome {
  return refuse(Errno.ENOENT, `device ${String(args['devid'])} not found`);
}
