/** What an image's header says of its object maps (include/rbd/features.h, RBD_FLAG_*). */
import { RbdFeature as Feature, NOSNAP } from '@spirula/cls';
import type { IoCtx, ObjectOperation } from '@spirula/rados';
import { change } from './class-calls.ts';
import type { ImageHeader } from './image-header.ts';
import { headerObject } from './names.ts';

/** RBD_FLAG_* */
export const Flag = { objectMapInvalid: 1n, fastDiffInvalid: 2n } as const;

/**
 * Nobody trusts the object map any more, until it is rebuilt.
 *
 * @param io where the header is
 * @param snapId of which snapshot; left out: of the image itself
 */
export async function invalidateObjectMap(io: IoCtx, { id, features }: ImageHeader, snapId = NOSNAP): Promise<void> {
  const flags = Flag.objectMapInvalid | ((features & Feature.fastDiff) === 0n ? 0n : Flag.fastDiffInvalid);
  await io.operate(headerObject(id), setFlags(flags, flags, snapId));
}

export async function validateObjectMap(io: IoCtx, { id }: ImageHeader, snapId: bigint): Promise<void> {
  await io.operate(headerObject(id), setFlags(0n, Flag.objectMapInvalid | Flag.fastDiffInvalid, snapId));
}

/** @param snapId `NOSNAP`: the image itself */
export function setFlags(flags: bigint, mask: bigint, snapId: bigint): ObjectOperation {
  return change('set_flags', (to) => {
    to.u64big(flags);
    to.u64big(mask);
    to.u64big(snapId);
  });
}
