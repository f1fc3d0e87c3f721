/** `ceph rbd …` of a manager that does no tasks and keeps no schedules (pybind/mgr/rbd_support). */
import { Errno } from '@spirula/encoding';
import { alike, formatJson, type MgrCommandEntry, refuse, succeed, unsupported } from './command.ts';

const NO_TASKS = 'the manager does no tasks for images';
const NO_SCHEDULES = 'the manager does nothing for images at set times';
const SORT = '[sort_by:write_ops|write_bytes|write_latency|read_ops|read_bytes|read_latency]';

export const rbdCommands: readonly MgrCommandEntry[] = [
  ...alike(['r rbd task list [task_id]'], 'list the tasks: there are none', (args) => {
    const id = args['task_id'];
    return id === undefined ? succeed('[]\n') : noTask(id);
  }),
  ...alike(['r rbd task cancel <task_id>'], 'answered as Ceph does for a task that is not there', (args) =>
    noTask(args['task_id']),
  ),
  ...alike(
    ['r rbd mirror snapshot schedule list [level_spec]', 'r rbd trash purge schedule list [level_spec]'],
    'list the schedules: there are none',
    () => succeed('{}\n'),
  ),
  ...alike(['r rbd mirror snapshot schedule status [level_spec]'], 'list what is due: nothing', () =>
    succeed(formatJson({ format: 'json-pretty' }, { scheduled_images: [] })),
  ),
  ...alike(['r rbd trash purge schedule status [level_spec]'], 'list what is due: nothing', () =>
    succeed(formatJson({ format: 'json-pretty' }, { scheduled: [] })),
  ),
  ...unsupported(
    [
      'w rbd task add flatten <image_spec>',
      'w rbd task add remove <image_spec>',
      'w rbd task add trash remove <image_id_spec>',
      'w rbd task add migration execute <image_spec>',
      'w rbd task add migration commit <image_spec>',
      'w rbd task add migration abort <image_spec>',
    ],
    NO_TASKS,
  ),
  ...unsupported(
    [
      'w rbd mirror snapshot schedule add <level_spec> <interval> [start_time]',
      'w rbd mirror snapshot schedule remove <level_spec> [interval] [start_time]',
      'w rbd trash purge schedule add <level_spec> <interval> [start_time]',
      'w rbd trash purge schedule remove <level_spec> [interval] [start_time]',
    ],
    NO_SCHEDULES,
  ),
  ...unsupported(
    [`r rbd perf image stats [pool_spec] ${SORT}`, `r rbd perf image counters [pool_spec] ${SORT}`],
    'operations are not counted image by image',
  ),
];

function noTask(id: unknown) {
  return refuse(Errno.ENOENT, `No such task ${String(id)}`);
}
