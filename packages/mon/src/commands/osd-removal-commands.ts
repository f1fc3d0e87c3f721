/**
 * Commands by which OSDs end (OSDMonitor::prepare_command_osd_remove, _destroy, _purge): `rm` forgets an OSD, `destroy`
 * keeps its number and its place for the one that replaces it, `purge` gives both up. The manager serves `osd destroy` and
 * `osd purge`; it looks whether they are safe, and asks for the `-actual` commands here.
 */
import { itemByName, removeItem } from '@spirula/crush';
import { Errno, type OsdId } from '@spirula/encoding';
import { OsdState, osdExists, osdUp } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  flag,
  invalid,
  type MonCommandEntry,
  refuse,
  text,
  texts,
  unchanged,
} from './command.ts';
import { forEachOsd, ID, IDS, parseOsd } from './osd-arguments.ts';

const SURE = { name: 'yes_i_really_mean_it', type: 'CephBool', req: 'false' } as const;
/** In descriptions: no user types it (MonCommand::FLAG_HIDDEN). */
const HIDDEN = 32;
const UNSURE =
  "Are you SURE?  Did you verify with 'ceph osd safe-to-destroy'?  This will mean real, permanent data loss, as well as " +
  'deletion of cephx and lockbox keys. Pass --yes-i-really-mean-it if you really do.';
const UNSURE_LOST =
  'are you SURE?  this might mean real, permanent data loss.  pass --yes-i-really-mean-it if you really do.';

export const osdRemovalCommands: readonly MonCommandEntry[] = [
  command(['osd', 'rm', IDS], 'remove OSDs that are down', 'rw', osdRm, 'osd'),
  command(
    ['osd', 'lost', ID, SURE],
    'give up what only this OSD has: placement groups no longer wait for it',
    'rw',
    osdLost,
    'osd',
  ),
  hidden(
    command(
      ['osd', 'destroy-actual', ID, SURE],
      'mark an OSD as destroyed; another may be made under its number',
      'rw',
      (args, context) => endOsd(args, context, destroy),
      'osd',
    ),
  ),
  hidden(
    command(
      ['osd', 'purge-actual', ID, SURE],
      'remove an OSD, its number and its place',
      'rw',
      (args, context) => endOsd(args, context, purge),
      'osd',
    ),
  ),
  command(
    ['osd', 'purge-new', ID, SURE],
    'remove an OSD that was registered and never started',
    'rw',
    (args, context) => endOsd(args, context, purgeNew),
    'osd',
  ),
];

function hidden(entry: MonCommandEntry): MonCommandEntry {
  return { ...entry, description: { ...entry.description, flags: HIDDEN } };
}

function osdRm(args: CommandArgs, context: CommandContext): CommandOutcome {
  const { osd } = context;
  const up = texts(args, 'ids')
    .map(parseOsd)
    .find((id) => id !== undefined && osdUp(osd.map, id));
  if (up !== undefined) return refuse(Errno.EBUSY, `osd.${up} is still up; must be down before removal. `);
  return forEachOsd(args, context, (id) => {
    osd.unregister(id);
    return { says: `removed osd.${id}`, changes: true };
  });
}

function osdLost(args: CommandArgs, { osd }: CommandContext): CommandOutcome {
  const id = parseOsd(text(args, 'id'));
  if (id === undefined) return invalid(`invalid osd id ${text(args, 'id') ?? ''}`);
  if (!flag(args, 'yes_i_really_mean_it')) return refuse(Errno.EPERM, UNSURE_LOST);
  if (!osdExists(osd.map, id)) return refuse(Errno.ENOENT, `osd.${id} does not exist`);
  if (osdUp(osd.map, id)) return refuse(Errno.EBUSY, `osd.${id} is not down`);
  const { downAt } = osd.map.osdInfo[id]!;
  osd.pending.newLost.set(id, downAt);
  osd.propose();
  return changed(`marked osd lost in epoch ${downAt}`);
}

type Ending = (id: OsdId, context: CommandContext) => CommandOutcome;

/** What the commands that end an OSD have in common. One that is gone already is no error. */
function endOsd(args: CommandArgs, context: CommandContext, end: Ending): CommandOutcome {
  const id = parseOsd(text(args, 'id'));
  if (id === undefined) return invalid(`invalid osd id ${text(args, 'id') ?? ''}`);
  if (!flag(args, 'yes_i_really_mean_it')) return refuse(Errno.EPERM, UNSURE);
  const { map } = context.osd;
  if (!osdExists(map, id)) return unchanged(`osd.${id} does not exist`);
  if (osdUp(map, id)) return refuse(Errno.EBUSY, `osd.${id} is not \`down\`.`);
  return end(id, context);
}

function destroy(id: OsdId, { osd }: CommandContext): CommandOutcome {
  if ((osd.map.osdState[id]! & OsdState.destroyed) === 0) osd.destroy(id);
  return changed(`destroyed osd.${id}`);
}

function purge(id: OsdId, { osd }: CommandContext): CommandOutcome {
  const item = itemByName(osd.pendingCrush, `osd.${id}`);
  if (item !== undefined) osd.setCrush(removeItem(osd.pendingCrush, item));
  osd.unregister(id);
  return changed(`purged osd.${id}`);
}

function purgeNew(id: OsdId, context: CommandContext): CommandOutcome {
  const isNew = (context.osd.map.osdState[id]! & OsdState.new) !== 0;
  return isNew ? purge(id, context) : refuse(Errno.EPERM, `osd.${id} is not new`);
}
