/** Commands that a monitor answers itself, by `tell` and over its admin socket (Monitor::do_admin_command). */
import { type AdminCommand, adminCommand, refuse, say, sayText, textOf } from '@spirula/admin-socket';
import { Errno, formatAddrVec } from '@spirula/encoding';
import { type CommandDescription, parseSignature } from '@spirula/messages';
import type { MonSession } from './session.ts';

export interface MonView {
  status(): object;
  sessions(): Iterable<MonSession>;
  /** Whether to take part in elections, from now on. */
  setParticipating(isParticipating: boolean): void;
  /** The store is to be copied anew from another monitor at the next start. */
  forceSync(): void;
}

const SURE = '--yes-i-really-mean-it';
const SYNC_FORCE_WARNING =
  'are you SURE? this will mean the monitor store will be erased the next time the monitor is restarted.  ' +
  `pass '${SURE}' if you really do.`;
const BY_RANK = 'elections go by rank: connections have no scores';
const NOT_TRACKED = 'requests to monitors are not tracked';
const HINT_IGNORED = 'mon already active; ignoring bootstrap hint\n';

export function monTellCommands(mon: MonView): readonly AdminCommand[] {
  return [
    adminCommand(sig('mon_status'), 'show how this monitor is', () => say(mon.status())),
    adminCommand(sig('sessions'), 'list the sessions', () => say([...mon.sessions()].map(describeSession))),
    adminCommand(
      sig('quorum enter'),
      'take part in elections again',
      () => {
        mon.setParticipating(true);
        return sayText('started responding to quorum, initiated new election\n');
      },
      'rw',
    ),
    adminCommand(
      sig('quorum exit'),
      'leave the quorum, and take part in no election',
      () => {
        mon.setParticipating(false);
        return sayText('stopped responding to quorum, initiated new election\n');
      },
      'rw',
    ),
    adminCommand(
      sig(`sync_force [validate:=${SURE}]`),
      'copy the store of another monitor at the next start',
      (args) => {
        const isSure = textOf(args, 'validate') === SURE || args['yes_i_really_mean_it'] === true;
        if (!isSure) return refuse(Errno.EPERM, SYNC_FORCE_WARNING);
        mon.forceSync();
        return say({ ret: 0, msg: 'forcing store sync the next time the monitor starts' });
      },
      'rw',
    ),
    adminCommand(sig('add_bootstrap_peer_hint <addr:addr>'), 'ignored: monitors know one another by their map', () =>
      sayText(HINT_IGNORED),
    ),
    adminCommand(sig('add_bootstrap_peer_hintv <addrv>'), 'ignored: monitors know one another by their map', () =>
      sayText(HINT_IGNORED),
    ),
    adminCommand(sig('smart [devid]'), 'show the health of devices, of which nothing is known', () =>
      sayText('{\n}\n'),
    ),
    refused('heap <heapcmd:dump|start_profiler|stop_profiler|release|stats> [value]', NO_HEAP),
    refused('compact', 'the store compacts itself'),
    refused('connection scores dump', BY_RANK),
    refused('connection scores reset', BY_RANK),
    refused('ops', NOT_TRACKED),
    refused('dump_historic_ops', NOT_TRACKED),
    refused('dump_historic_slow_ops', NOT_TRACKED),
  ];
}

/** As Ceph built without that allocator says. */
const NO_HEAP = 'could not issue heap profiler command -- not using tcmalloc!';

function sig(signature: string): CommandDescription['sig'] {
  return parseSignature(signature);
}

function refused(signature: string, reason: string): AdminCommand {
  return adminCommand(sig(signature), `refused: ${reason}`, () => refuse(Errno.EOPNOTSUPP, reason));
}

function describeSession({ peer }: MonSession) {
  return {
    name: `${peer.entity.type}.${peer.entity.id}`,
    addrs: formatAddrVec(peer.addrs),
    global_id: Number(peer.globalId),
  };
}
