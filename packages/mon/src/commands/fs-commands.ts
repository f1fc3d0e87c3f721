/** `ceph fs …` of a cluster without file systems (mon/FSCommands.cc, mon/MDSMonitor.cc). */
import { Errno } from '@spirula/encoding';
import {
  alike,
  allUnsupported,
  type CommandArgs,
  type CommandOutcome,
  deprecated,
  invalid,
  type MonCommandEntry,
  number,
  output,
  refuse,
  text,
  unchanged,
} from './command.ts';
import { COMPAT_TEXT, FS_MAP, FS_MAP_EPOCH } from './fs-map.ts';

const HELP = 'answered as Ceph does for a file system that is not there';
const NONE = 'there are no file systems';
const SURE = '[yes_i_really_mean_it:bool]';
const VARIABLES =
  'max_mds|max_file_size|allow_new_snaps|inline_data|cluster_down|allow_dirfrags|balancer|standby_count_wanted|' +
  'session_timeout|session_autoclose|allow_standby_replay|down|joinable|min_compat_client';
/** Features of file system clients, from the lowest bit (mds/cephfs_features.cc). */
const CLIENT_FEATURES = [
  ...['reserved', 'reserved', 'reserved', 'reserved', 'reserved', 'jewel', 'kraken', 'luminous', 'mimic'],
  ...['reply_encoding', 'reclaim_client', 'lazy_caps_wanted', 'multi_reconnect', 'deleg_ino', 'metric_collect'],
  ...['alternate_name', 'notify_session_state', 'op_getvxattr', '32bits_retry_fwd'],
];

export const fsCommands: readonly MonCommandEntry[] = [
  ...alike(
    ['r fs ls'],
    'list the file systems: there are none',
    (args) => output(args, [], 'No filesystems enabled\n', '\n'),
    'fs',
  ),
  ...alike(['r fs dump [epoch:count]'], 'show the map of file systems, which is empty', fsDump, 'mds'),
  ...alike(['r fs feature ls'], 'list the features that clients of file systems may have', featureLs, 'mds'),
  ...alike(['r fs get <fs_name>'], HELP, notFound, 'fs'),
  ...alike(['r fs compat show <fs_name>'], HELP, notFound, 'mds'),
  ...alike(
    ['rw fs rm <fs_name> [yes_i_really_mean_it:bool]'],
    HELP,
    (args) => unchanged(`filesystem '${text(args, 'fs_name')}' does not exist`),
    'fs',
  ),
  ...alike(
    [
      'rw fs fail <fs_name>',
      `rw fs reset <fs_name> ${SURE}`,
      'rw fs compat <fs_name> <subop:rm_compat|rm_incompat|add_compat|add_incompat> <feature:int> [feature_str]',
      'rw fs set-default <fs_name>',
    ],
    HELP,
    unknown,
    'fs',
  ),
  ...alike(['rw fs set_default <fs_name>'], HELP, unknown, 'fs').map(deprecated),
  ...alike(
    [
      `rw fs set <fs_name> <var:${VARIABLES}> <val> ${SURE} [yes_i_really_really_mean_it:bool]`,
      'rw fs required_client_features <fs_name> <subop:add|rm> <val>',
      'rw fs add_data_pool <fs_name> <pool>',
      'rw fs rm_data_pool <fs_name> <pool>',
      'rw fs mirror enable <fs_name>',
      'rw fs mirror disable <fs_name>',
      'rw fs mirror peer_add <fs_name> <uuid> <remote_cluster_spec> <remote_fs_name>',
      'rw fs mirror peer_remove <fs_name> <uuid>',
    ],
    HELP,
    unknown,
    'mds',
  ),
  ...alike(
    ['rwx fs authorize <filesystem> <entity> <caps...>'],
    HELP,
    (args) => invalid(`filesystem ${text(args, 'filesystem')} does not exist.`),
    'auth',
  ),
  ...allUnsupported(
    [
      'rw fs new <fs_name:word> <metadata> <data> [force:bool] [allow_dangerous_metadata_overlay:bool] [fscid:count] [recover:bool]',
      `rw fs flag set <flag_name:=enable_multiple> <val> ${SURE}`,
    ],
    NONE,
    'fs',
  ),
];

function unknown(args: CommandArgs): CommandOutcome {
  return refuse(Errno.ENOENT, `Filesystem not found: '${text(args, 'fs_name')}'`);
}

function notFound(args: CommandArgs): CommandOutcome {
  return refuse(Errno.ENOENT, `filesystem '${text(args, 'fs_name')}' not found`);
}

function fsDump(args: CommandArgs): CommandOutcome {
  const epoch = number(args, 'epoch');
  if (epoch !== undefined && epoch !== 0 && epoch !== FS_MAP_EPOCH) return refuse(Errno.ENOENT, '');
  const lines = [
    `e${FS_MAP_EPOCH}`,
    'enable_multiple, ever_enabled_multiple: 1,1',
    `default compat: ${COMPAT_TEXT}`,
    'legacy client fscid: -1',
    ' ',
    'No filesystems configured',
  ];
  const text = lines.map((line) => `${line}\n`).join('');
  return { ...output(args, FS_MAP, text, '\n'), status: `dumped fsmap epoch ${FS_MAP_EPOCH}` };
}

function featureLs(args: CommandArgs): CommandOutcome {
  const json = CLIENT_FEATURES.map((name, index) => ({ index, name }));
  return output(args, json, json.map(({ index, name }) => `${index} ${name}\n`).join(''), '\n');
}
