/** What an object goes back to when it is rolled back to a snapshot. */
import type { OsdOp } from '@spirula/messages';
import { type Extents, extent, intersectExtents, subtractExtents } from '@spirula/objectstore';
import type { StoredObject } from './object-draft.ts';
import type { SnapSet } from './snap-set.ts';

/** A clone; `head`: nothing was written since; `absent`: there was no object. */
export type RollbackSource = StoredObject | 'absent' | 'head';

/** For the rollback ops of a request. */
export type Rollbacks = ReadonlyMap<OsdOp, RollbackSource>;
export const NO_ROLLBACKS: Rollbacks = new Map();

/** Bytes of the head, `size` long, that are no longer those of the clone `id` (PrimaryLogPG::_do_rollback_to). */
export function changedSince({ clones }: SnapSet, id: bigint, size: number): Extents {
  const shared = clones
    .filter((clone) => clone.id >= id)
    .reduce<Extents>((rest, { overlap }) => intersectExtents(rest, overlap), extent(0, size));
  return subtractExtents(extent(0, size), shared);
}
