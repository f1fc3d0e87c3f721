/** `ceph fs …` of a manager in a cluster without file systems (pybind/mgr/volumes, pybind/mgr/status). */
import { Errno } from '@spirula/encoding';
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

const HELP = 'answered as Ceph does for a file system that is not there';

const ofVolume = [
  'r fs volume info <vol_name> [human_readable:bool]',
  'r fs subvolumegroup ls <vol_name>',
  'rw fs subvolumegroup create <vol_name> <group_name:word> [size:int] [pool_layout] [uid:int] [gid:int] [mode]',
  'rw fs subvolumegroup rm <vol_name> <group_name> [force:bool]',
  'r fs subvolumegroup info <vol_name> <group_name>',
  'rw fs subvolumegroup resize <vol_name> <group_name> <new_size> [no_shrink:bool]',
  'r fs subvolumegroup exist <vol_name>',
  'r fs subvolume ls <vol_name> [group_name]',
  'rw fs subvolume create <vol_name> <sub_name:word> [size:int] [group_name] [pool_layout] [uid:int] [gid:int] [mode] [namespace_isolated:bool]',
  'rw fs subvolume rm <vol_name> <sub_name> [group_name] [force:bool] [retain_snapshots:bool]',
  'rw fs subvolume authorize <vol_name> <sub_name> <auth_id> [group_name] [access_level] [tenant_id] [allow_existing_id:bool]',
  'rw fs subvolume deauthorize <vol_name> <sub_name> <auth_id> [group_name]',
  'r fs subvolume authorized_list <vol_name> <sub_name> [group_name]',
  'rw fs subvolume evict <vol_name> <sub_name> <auth_id> [group_name]',
  'r fs subvolumegroup getpath <vol_name> <group_name>',
  'rw fs subvolume getpath <vol_name> <sub_name> [group_name]',
  'r fs subvolume info <vol_name> <sub_name> [group_name]',
  'r fs subvolume exist <vol_name> [group_name]',
  'rw fs subvolume metadata set <vol_name> <sub_name> <key_name> <value> [group_name]',
  'r fs subvolume metadata get <vol_name> <sub_name> <key_name> [group_name]',
  'r fs subvolume metadata ls <vol_name> <sub_name> [group_name]',
  'rw fs subvolume metadata rm <vol_name> <sub_name> <key_name> [group_name] [force:bool]',
  'rw fs subvolumegroup pin <vol_name> <group_name> <pin_type:export|distributed|random> <pin_setting>',
  'r fs subvolumegroup snapshot ls <vol_name> <group_name>',
  'rw fs subvolumegroup snapshot create <vol_name> <group_name> <snap_name>',
  'rw fs subvolumegroup snapshot rm <vol_name> <group_name> <snap_name> [force:bool]',
  'r fs subvolume snapshot ls <vol_name> <sub_name> [group_name]',
  'rw fs subvolume snapshot create <vol_name> <sub_name> <snap_name> [group_name]',
  'r fs subvolume snapshot info <vol_name> <sub_name> <snap_name> [group_name]',
  'rw fs subvolume snapshot metadata set <vol_name> <sub_name> <snap_name> <key_name> <value> [group_name]',
  'r fs subvolume snapshot metadata get <vol_name> <sub_name> <snap_name> <key_name> [group_name]',
  'r fs subvolume snapshot metadata ls <vol_name> <sub_name> <snap_name> [group_name]',
  'rw fs subvolume snapshot metadata rm <vol_name> <sub_name> <snap_name> <key_name> [group_name] [force:bool]',
  'rw fs subvolume snapshot rm <vol_name> <sub_name> <snap_name> [group_name] [force:bool]',
  'rw fs subvolume resize <vol_name> <sub_name> <new_size> [group_name] [no_shrink:bool]',
  'rw fs subvolume pin <vol_name> <sub_name> <pin_type:export|distributed|random> <pin_setting> [group_name]',
  'rw fs subvolume snapshot protect <vol_name> <sub_name> <snap_name> [group_name]',
  'rw fs subvolume snapshot unprotect <vol_name> <sub_name> <snap_name> [group_name]',
  'rw fs subvolume snapshot clone <vol_name> <sub_name> <snap_name> <target_sub_name> [pool_layout] [group_name] [target_group_name]',
  'r fs clone status <vol_name> <clone_name> [group_name]',
  'r fs clone cancel <vol_name> <clone_name> [group_name]',
];

export const volumeCommands: readonly MgrCommandEntry[] = [
  ...alike(['r fs status [fs]'], 'show the file systems: there are none', fsStatus),
  ...alike(['r fs volume ls'], 'list the file systems: there are none', () => succeed('[]\n')),
  ...unsupported(['rw fs volume create <name:word> [placement]'], 'there are no file systems'),
  ...alike(['rw fs volume rm <vol_name> [yes-i-really-mean-it]'], HELP, volumeRm),
  ...alike(ofVolume, HELP, noVolume),
];

function fsStatus(args: CommandArgs): CommandOutcome {
  const name = args['fs'];
  if (name !== undefined) return refuse(POSITIVE_EINVAL, `Invalid filesystem: ${String(name)}`);
  return succeed(wantsJson(args) ? '{}\n' : '');
}

function noVolume(args: CommandArgs): CommandOutcome {
  return refuse(Errno.ENOENT, `FS '${String(args['vol_name'])}' not found`);
}

function volumeRm(args: CommandArgs): CommandOutcome {
  const name = String(args['vol_name']);
  if (args['yes-i-really-mean-it'] === '--yes-i-really-mean-it') {
    return refuse(Errno.ENOENT, `volume ${name} doesn't exist`);
  }
  return refuse(
    Errno.EPERM,
    `WARNING: this will *PERMANENTLY DESTROY* all data stored in the filesystem '${name}'. If you are *ABSOLUTELY ` +
      'CERTAIN* that is what you want, re-issue the command followed by --yes-i-really-mean-it.',
  );
}
