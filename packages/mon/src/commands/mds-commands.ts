/** `ceph mds …` of a cluster without metadata servers (mon/MDSMonitor.cc). */
import { Errno } from '@spirula/encoding';
import {
  alike,
  allUnsupported,
  type CommandArgs,
  type CommandOutcome,
  deprecated,
  flag,
  flagged,
  invalid,
  jsonAlways,
  type MonCommandEntry,
  obsolete,
  output,
  refuse,
  succeed,
  text,
  texts,
  unchanged,
} from './command.ts';
import { COMPAT, COMPAT_TEXT, FS_MAP, FS_MAP_EPOCH } from './fs-map.ts';

/** In descriptions: people are not shown it (MonCommand::FLAG_HIDDEN). */
const HIDDEN = 32;
const NO_SERVERS = 'there are no metadata servers';
const HELP = 'answered as Ceph does where there are no metadata servers';
const SURE = '[yes_i_really_mean_it:bool]';
const NO_FS = 'No filesystem selected';
const RMFAILED_WARNING =
  'WARNING: this can make your filesystem inaccessible! Add --yes-i-really-mean-it if you are sure you wish to continue.';

export const mdsCommands: readonly MonCommandEntry[] = [
  ...flagged(alike(['r mds stat'], 'show the metadata servers in one line: there are none', mdsStat, 'mds'), HIDDEN),
  ...alike(['r mds metadata [who]'], 'show what metadata servers say of themselves: there are none', metadata, 'mds'),
  ...alike(
    ['r mds count-metadata <property>', 'r mds versions'],
    'count metadata servers: there are none',
    (args) => jsonAlways(args, {}),
    'mds',
  ),
  ...alike(
    ['r mds ok-to-stop <ids...>'],
    HELP,
    (args) => unchanged(`should be safe to stop [${texts(args, 'ids').join(',')}]`),
    'mds',
  ),
  ...alike(['rw mds fail <role_or_gid>'], HELP, mdsFail, 'mds'),
  ...alike(['rw mds repaired <role>'], HELP, () => refuse(Errno.ENOENT, NO_FS), 'mds'),
  ...alike(['rw mds rm <gid:count>'], HELP, (args) => unchanged(`mds gid ${text(args, 'gid')} does not exist`), 'mds'),
  ...alike(
    ['r mds compat show'],
    'show what metadata servers must understand',
    (args) => output(args, COMPAT, `${COMPAT_TEXT}\n`, '\n'),
    'mds',
  ).map(deprecated),
  ...flagged(
    [
      ...alike([`rw mds rmfailed <role> ${SURE}`], HELP, rmFailed, 'mds'),
      ...alike(['rw mds freeze <role_or_gid> <val>'], HELP, () => invalid(''), 'mds'),
      ...alike(['rw mds set_state <gid:count> <state:count>'], HELP, () => succeed(''), 'mds'),
    ],
    HIDDEN,
  ),
  ...allUnsupported(
    ['rw mds compat rm_compat <feature:count>', 'rw mds compat rm_incompat <feature:count>'],
    NO_SERVERS,
    'mds',
  ).map(deprecated),
  ...obsolete(
    [
      'r mds dump [epoch:count]',
      'r mds getmap [epoch:count]',
      'rw mds tell <who> <args...>',
      'rw mds stop <role>',
      'rw mds deactivate <role>',
      'rw mds set_max_mds <maxmds:count>',
      `rw mds set <var:max_mds|max_file_size|inline_data|allow_new_snaps|allow_multimds|allow_multimds_snaps|allow_dirfrags> <val> ${SURE}`,
      'rw mds cluster_down',
      'rw mds cluster_up',
      'rw mds add_data_pool <pool>',
      'rw mds rm_data_pool <pool>',
      'rw mds remove_data_pool <pool>',
      `rw mds newfs <metadata:count> <data:count> ${SURE}`,
    ],
    'mds',
  ),
];

function mdsStat(args: CommandArgs): CommandOutcome {
  const json = { fsmap: FS_MAP, mdsmap_first_committed: FS_MAP_EPOCH, mdsmap_last_committed: FS_MAP_EPOCH };
  return output(args, json, '', '\n');
}

function metadata(args: CommandArgs): CommandOutcome {
  const who = text(args, 'who');
  if (who === undefined) return jsonAlways(args, []);
  return { ...jsonAlways(args, {}), code: Errno.EINVAL, status: noServer(who) };
}

/** What is said of a name; a number may be a rank or an id, of which nothing is said. */
function noServer(who: string): string {
  return /^\d+$/.test(who) ? '' : `MDS named '${who}' does not exist, or is not up`;
}

function mdsFail(args: CommandArgs): CommandOutcome {
  const who = text(args, 'role_or_gid') ?? '';
  return unchanged(`${noServer(who)}MDS named '${who}' does not exist, is not up or you lack the permission to see.`);
}

function rmFailed(args: CommandArgs): CommandOutcome {
  if (!flag(args, 'yes_i_really_mean_it')) return refuse(Errno.EPERM, RMFAILED_WARNING);
  return invalid(`${NO_FS}invalid role '${text(args, 'role')}'`);
}
