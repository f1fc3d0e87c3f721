/** What a write does to an object's clones before it changes the head (PrimaryLogPG::make_writeable). */
import type { EVersion } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import type { ObjectChange } from '@spirula/messages';
import { bytesOfExtents, type Extents, extent, intersectExtents, subtractExtents } from '@spirula/objectstore';
import { encodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import { cloneOid, SNAPSET_ATTR, type SnapClone, type SnapContext, type SnapSet } from './snap-set.ts';

export interface HeadBefore {
  readonly oid: HObject;
  /** Undefined: there was none, or it was deleted. */
  readonly info: ObjectInfo | undefined;
  readonly snapset: SnapSet;
}

export interface Writeable {
  readonly snapset: SnapSet;
  /** The clone that is made; its log entry comes before that of the head. */
  readonly clone: { readonly oid: HObject; readonly info: ObjectInfo } | undefined;
  /** To be made before those of the write. */
  readonly changes: readonly ObjectChange[];
  /** What clones have to themselves from now on, and had not before. */
  readonly bytes: number;
}

/**
 * @param version that of the clone, if there is to be one
 * @param modified bytes of the head that the write changes
 */
export function makeWriteable(
  { oid, info, snapset }: HeadBefore,
  snapc: SnapContext,
  version: EVersion,
  modified: Extents,
): Writeable {
  const clones: SnapClone[] = [...snapset.clones];
  let clone: Writeable['clone'];
  if (info && needsClone(snapset, snapc)) {
    const snaps = snapc.snaps.filter((snap) => snap > snapset.seq);
    clone = {
      oid: cloneOid(oid, snapc.seq),
      info: { ...info, version, priorVersion: info.version, watchers: [], snaps },
    };
    clones.push({ id: snapc.seq, snaps, size: info.size, overlap: extent(0, info.size) });
  }
  const newest = clones.pop();
  let bytes = 0;
  if (newest) {
    bytes = bytesOfExtents(intersectExtents(newest.overlap, modified));
    clones.push({ ...newest, overlap: subtractExtents(newest.overlap, modified) });
  }
  const isNewer = snapc.seq > snapset.seq;
  return {
    snapset: { seq: isNewer ? snapc.seq : snapset.seq, clones },
    clone,
    changes: clone ? cloneChanges(oid, clone) : [],
    bytes,
  };
}

/** Whether there are snapshots that the head has not been cloned for, if it is there. */
export function needsClone({ seq }: SnapSet, { snaps: [newest] }: SnapContext): boolean {
  return newest !== undefined && newest > seq;
}

function cloneChanges(head: HObject, { oid, info }: NonNullable<Writeable['clone']>): ObjectChange[] {
  return [
    { op: 'clone', oid: head, to: oid },
    { op: 'setAttrs', oid, attrs: new Map([[OBJECT_INFO_ATTR, encodeObjectInfo(info)]]) },
    { op: 'rmAttr', oid, name: SNAPSET_ATTR },
  ];
}
