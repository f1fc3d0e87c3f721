/** Commands about pool snapshots (OSDMonitor::prepare_command, osd pool mksnap and rmsnap). */
import type { PoolId } from '@spirula/encoding';
import { PoolFlag } from '@spirula/maps';
import {
  type CommandArgs,
  type CommandContext,
  type CommandOutcome,
  changed,
  command,
  invalid,
  type MonCommandEntry,
  text,
  unchanged,
} from './command.ts';
import { findPool, POOL, unrecognizedPool } from './pool-arguments.ts';

const SIGNATURE = [POOL, { name: 'snap', type: 'CephString' }] as const;

export const poolSnapCommands: readonly MonCommandEntry[] = [
  command(['osd', 'pool', 'mksnap', ...SIGNATURE], 'make snapshot <snap> in <pool>', 'rw', makeSnap, 'osd'),
  command(['osd', 'pool', 'rmsnap', ...SIGNATURE], 'remove snapshot <snap> from <pool>', 'rw', removeSnap, 'osd'),
];

/** Finds the pool, unless its snapshots are its clients' own. */
function poolWithSnaps(args: CommandArgs, { osd }: CommandContext): { readonly id: PoolId } | CommandOutcome {
  const name = text(args, 'pool');
  const id = findPool(osd.map, name);
  if (id === undefined) return unrecognizedPool(name);
  if ((osd.pendingPool(id)!.flags & PoolFlag.selfmanagedSnaps) !== 0n) {
    return invalid(`pool ${name} is in unmanaged snaps mode`);
  }
  return { id };
}

function makeSnap(args: CommandArgs, context: CommandContext): CommandOutcome {
  const found = poolWithSnaps(args, context);
  if ('code' in found) return found;
  const { osd } = context;
  const [pool, snap] = [text(args, 'pool'), text(args, 'snap') ?? ''];
  if (osd.snaps.find(found.id, snap) !== undefined) {
    return { ...unchanged(`pool ${pool} snap ${snap} already exists`), commit: osd.dirty };
  }
  osd.snaps.make(found.id, snap);
  return changed(`created pool ${pool} snap ${snap}`);
}

function removeSnap(args: CommandArgs, context: CommandContext): CommandOutcome {
  const found = poolWithSnaps(args, context);
  if ('code' in found) return found;
  const { osd } = context;
  const [pool, snap] = [text(args, 'pool'), text(args, 'snap') ?? ''];
  const id = osd.snaps.find(found.id, snap);
  if (id === undefined) return { ...unchanged(`pool ${pool} snap ${snap} does not exist`), commit: osd.dirty };
  osd.snaps.remove(found.id, id);
  return changed(`removed pool ${pool} snap ${snap}`);
}
