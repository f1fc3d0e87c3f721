/** Commands of Ceph's manager for what is not here: each is refused, and says why. */
import { type MgrCommandEntry, unsupported } from './command.ts';

const NO_SCRUB = 'scrub is not supported';
const NO_FORCE = 'no placement group is recovered before others because it is asked for';
const FORCES = ['force-recovery', 'force-backfill', 'cancel-force-recovery', 'cancel-force-backfill'];
const SCRUBS = ['scrub', 'deep-scrub', 'repair'];

export const unsupportedCommands: readonly MgrCommandEntry[] = [
  ...unsupported(
    [
      'r balancer status',
      'rw balancer mode <mode:none|crush-compat|upmap>',
      'rw balancer on',
      'rw balancer off',
      'r balancer pool ls',
      'rw balancer pool add <pools...>',
      'rw balancer pool rm <pools...>',
      'r balancer eval [option]',
      'r balancer eval-verbose [option]',
      'rw balancer optimize <plan> [pools...]',
      'r balancer show <plan>',
      'rw balancer rm <plan>',
      'rw balancer reset',
      'r balancer dump <plan>',
      'r balancer ls',
      'rw balancer execute <plan>',
    ],
    'there is no balancer: osd reweight-by-pg, osd pg-upmap-items and osd crush reweight move placement groups',
  ),
  ...unsupported(
    ['r progress', 'r progress json', 'rw progress clear', 'rw progress on', 'rw progress off'],
    'progress is not estimated: ceph status shows what is being recovered',
  ),
  ...unsupported(
    [
      'r telemetry status',
      'rw telemetry send [endpoint:ceph|device...] [license]',
      'r telemetry show [channels...]',
      'r telemetry show-device',
      'r telemetry show-all',
      'rw telemetry on [license]',
      'rw telemetry off',
    ],
    'nothing is ever sent to anybody',
  ),
  ...unsupported(['r iostat [width:int] [print_header:bool]'], 'there is no iostat: ceph status shows the rates'),
  ...unsupported(
    [
      'r osd pool autoscale-status [format]',
      'w osd pool get noautoscale',
      'w osd pool set noautoscale',
      'w osd pool unset noautoscale',
    ],
    'there is no pg_autoscaler',
  ),
  ...unsupported(
    SCRUBS.map((verb) => `rw pg ${verb} <pgid:pgid>`),
    NO_SCRUB,
    'pg',
  ),
  ...unsupported(
    SCRUBS.flatMap((verb) => [`rw osd ${verb} <who>`, `rw osd pool ${verb} <who:pool...>`]),
    NO_SCRUB,
    'osd',
  ),
  ...unsupported(
    FORCES.map((verb) => `rw pg ${verb} <pgid:pgid...>`),
    NO_FORCE,
    'pg',
  ),
  ...unsupported(
    FORCES.map((verb) => `rw osd pool ${verb} <who:pool...>`),
    NO_FORCE,
    'osd',
  ),
  ...unsupported(
    ['r osd status [bucket]'],
    'operations are not counted OSD by OSD: osd df, osd perf and osd tree show OSDs',
  ),
  ...unsupported(['r pg getmap'], 'the PG map is kept in no form of its own: pg dump shows it', 'pg'),
];
