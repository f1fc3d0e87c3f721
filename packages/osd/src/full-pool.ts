import { EntityType, Errno } from '@spirula/encoding';
import { PoolFlag } from '@spirula/maps';
import { OsdFlag } from '@spirula/messages';

/** What becomes of a write to a pool that is full: it goes on, it fails with an errno, or it is dropped. */
export type FullPoolVerdict = 'goes on' | 'dropped' | number;

/**
 * Whether a write may go on that adds so many objects and bytes (negative: takes away) to a pool of these flags
 * (PrimaryLogPG::prepare_transaction). One that only takes away may; so may one with FULL_FORCE, and what a metadata server
 * writes; FULL_TRY asks for an answer, EDQUOT when the pool's quota is used up. That is answered at once, before writes of the
 * same client that are under way: who sends the next without waiting for the last knows no order of answers. Any other client holds its writes by itself once it has the map that says full, and
 * sends them again when a later one does not.
 */
export function judgeFullPool(
  poolFlags: bigint,
  requestFlags: number,
  added: { readonly objects: number; readonly bytes: number },
  entityType: number,
): FullPoolVerdict {
  if ((poolFlags & PoolFlag.full) === 0n) return 'goes on';
  if (added.objects <= 0 && added.bytes <= 0) return 'goes on';
  if ((requestFlags & OsdFlag.fullForce) !== 0 || entityType === EntityType.mds) return 'goes on';
  if ((requestFlags & OsdFlag.fullTry) === 0) return 'dropped';
  return (poolFlags & PoolFlag.fullQuota) !== 0n ? Errno.EDQUOT : Errno.ENOSPC;
}
