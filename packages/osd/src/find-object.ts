/** Which object a request at a snapshot is about (PrimaryLogPG::find_object_context). */
import { type HObject, hasSnap } from '@spirula/maps';
import { readObjectInfo } from './object-part.ts';
import type { PgCore } from './pg-core.ts';
import { cloneOid, readSnapSet, type SnapSet } from './snap-set.ts';

/** `missing`: it is known to be, and is to be recovered here first. */
export type FoundObject = { readonly kind: 'found' | 'missing'; readonly oid: HObject } | { readonly kind: 'absent' };

const ABSENT: FoundObject = { kind: 'absent' };

/**
 * What `head` was when `snap` was taken: a clone, or the head itself when it has not been written since.
 *
 * @param head is not missing here
 * @param isCloneId `snap` names a clone itself (CEPH_OSD_FLAG_MAP_SNAP_CLONE)
 */
export function findObject(pg: PgCore, head: HObject, snap: bigint, isCloneId = false): FoundObject {
  const { store } = pg.host;
  if (!readObjectInfo(store, pg.cid, head)) return ABSENT;
  const snapset = readSnapSet(store, pg.cid, head);
  if (snap > snapset.seq) return { kind: 'found', oid: head };
  const clone = isCloneId ? snapset.clones.find(({ id }) => id === snap) : cloneOf(snapset, snap);
  if (!clone) return ABSENT;
  const oid = cloneOid(head, clone.id);
  if (pg.missing.has(oid)) return { kind: 'missing', oid };
  if (isCloneId) return { kind: 'found', oid };
  // What is being trimmed is gone for everybody, however far trimming has come.
  const isRemoved = hasSnap(pg.map.removedSnapsQueue.get(pg.pgid.pool) ?? [], snap);
  return clone.snaps.includes(snap) && !isRemoved ? { kind: 'found', oid } : ABSENT;
}

/** The oldest clone that is not older than the snapshot. */
function cloneOf({ clones }: SnapSet, snap: bigint) {
  return clones.find(({ id }) => id >= snap);
}
