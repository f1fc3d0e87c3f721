/** Clients' operations on pools that are no commands: to make and remove them, and their snapshots (OSDMonitor::prepare_pool_op). */
import { type Bytes, Encoder, Errno } from '@spirula/encoding';
import { PoolFlag } from '@spirula/maps';
import { PoolOpCode, type PoolOpMessage } from '@spirula/messages';
import { findPool } from './commands/pool-arguments.ts';
import { removePool } from './commands/pool-commands.ts';
import { createPool, type PoolMaker } from './commands/pool-create.ts';

/** What an operation came to. A client waits until it has the map of the answer. */
export interface PoolOpOutcome {
  readonly code: number;
  readonly response: Bytes | undefined;
  /** The change must be committed before the answer leaves. */
  readonly commit: boolean;
}

const DONE: PoolOpOutcome = { code: 0, response: undefined, commit: false };

export function refusedPoolOp(code: number): PoolOpOutcome {
  return { ...DONE, code };
}

export function runPoolOp(message: PoolOpMessage, maker: PoolMaker): PoolOpOutcome {
  const { op, pool: id, snapid, name } = message;
  const { osd } = maker;
  if (op === PoolOpCode.create) return makePool(message, maker);
  const pool = osd.map.pools.has(id) ? osd.pendingPool(id) : undefined;
  if (!pool) return op === PoolOpCode.delete ? DONE : refusedPoolOp(Errno.ENOENT);
  const hasPoolSnaps = (pool.flags & PoolFlag.poolSnaps) !== 0n;
  const isSelfManaged = (pool.flags & PoolFlag.selfmanagedSnaps) !== 0n;
  const { snaps } = osd;
  // What is in the pending change only is answered with it: others must not see it before.
  const unchanged = { ...DONE, commit: osd.dirty };
  switch (op) {
    case PoolOpCode.delete: {
      if (osd.pending.oldPools.has(id)) return unchanged;
      const { code, commit } = removePool(maker, id);
      return { ...DONE, code, commit };
    }
    case PoolOpCode.createSnap:
      if (isSelfManaged) return refusedPoolOp(Errno.EINVAL);
      if (snaps.find(id, name) !== undefined) return unchanged;
      snaps.make(id, name);
      return { ...DONE, commit: true };
    case PoolOpCode.deleteSnap: {
      if (isSelfManaged) return refusedPoolOp(Errno.EINVAL);
      const snap = snaps.find(id, name);
      if (snap === undefined) return unchanged;
      snaps.remove(id, snap);
      return { ...DONE, commit: true };
    }
    case PoolOpCode.createUnmanagedSnap: {
      if (hasPoolSnaps) return refusedPoolOp(Errno.EINVAL);
      const response = new Encoder(8);
      response.u64big(snaps.allocate(id));
      return { code: 0, response: response.finish(), commit: true };
    }
    case PoolOpCode.deleteUnmanagedSnap:
      if (hasPoolSnaps) return refusedPoolOp(Errno.EINVAL);
      if (snaps.isRemoved(id, snapid)) return unchanged;
      if (!isSelfManaged) return refusedPoolOp(Errno.EOPNOTSUPP);
      if (snapid > pool.snapSeq) return refusedPoolOp(Errno.ENOENT);
      snaps.release(id, snapid);
      return { ...DONE, commit: true };
    default:
      return refusedPoolOp(Errno.EOPNOTSUPP);
  }
}

/** One that is there already is as good as made. The rule is by number; a negative one stands for the default. */
function makePool({ name, crushRule }: PoolOpMessage, maker: PoolMaker): PoolOpOutcome {
  if (findPool(maker.osd.map, name) !== undefined) return DONE;
  const { code, commit } = createPool(maker, { name, rule: crushRule < 0 ? undefined : crushRule });
  return { ...DONE, code, commit };
}
