/** One clone gives up a snapshot that was removed (PrimaryLogPG::trim_object). */
import type { EVersion, UTime } from '@spirula/encoding';
import { type HObject, hasSnap } from '@spirula/maps';
import { NO_REQUEST, type ObjectChange, type PgCounts, type PgLogEntry } from '@spirula/messages';
import { intersectExtents } from '@spirula/objectstore';
import { encodeObjectInfo, OBJECT_INFO_ATTR, type ObjectInfo } from './object-info.ts';
import { readObjectInfo } from './object-part.ts';
import type { PgCore } from './pg-core.ts';
import { cloneBytes, encodeSnapSet, headOf, readSnapSet, SNAPSET_ATTR, type SnapClone } from './snap-set.ts';

export interface ObjectWrite {
  readonly head: HObject;
  /** The clone's, then the head's. */
  readonly entries: readonly PgLogEntry[];
  readonly changes: readonly ObjectChange[];
  readonly delta: PgCounts;
}

/**
 * The write that takes `snap`, and whatever else was removed meanwhile, from a clone; the clone goes with its last snapshot,
 * and a deleted head with its last clone.
 *
 * @param version of the first entry
 * @returns undefined when clone and head contradict each other: there is nothing to be done that would be right
 */
export function trimObject(
  pg: PgCore,
  oid: HObject,
  snap: bigint,
  version: EVersion,
  mtime: UTime,
): ObjectWrite | undefined {
  const { store } = pg.host;
  const head = headOf(oid);
  const info = readObjectInfo(store, pg.cid, oid);
  const headInfo = readObjectInfo(store, pg.cid, head);
  const { seq, clones: before } = readSnapSet(store, pg.cid, head);
  const at = before.findIndex(({ id }) => id === oid.snap);
  const clone = before[at];
  if (!info || !headInfo || !clone) return undefined;
  const removed = pg.map.removedSnapsQueue.get(pg.pgid.pool) ?? [];
  const snaps = clone.snaps.filter((each) => each !== snap && !hasSnap(removed, each));
  const clones = snaps.length > 0 ? before.with(at, { ...clone, snaps }) : withoutClone(before, at);
  const entry = (kind: PgLogEntry['kind'], of: HObject, { version: prior }: ObjectInfo, n: number): PgLogEntry => ({
    kind,
    oid: of,
    version: { ...version, version: version.version + n },
    priorVersion: prior,
    userVersion: 0,
    reqid: NO_REQUEST,
    mtime,
    result: 0,
  });
  const ofClone = entry(snaps.length > 0 ? 'modify' : 'delete', oid, info, 0);
  const isHeadGone = clones.length === 0 && headInfo.whiteout;
  const ofHead = entry(isHeadGone ? 'delete' : 'modify', head, headInfo, 1);
  const next = (of: ObjectInfo, { version: newest }: PgLogEntry) => ({
    ...of,
    version: newest,
    priorVersion: of.version,
  });
  const changes: ObjectChange[] = [
    snaps.length > 0
      ? {
          op: 'setAttrs',
          oid,
          attrs: new Map([[OBJECT_INFO_ATTR, encodeObjectInfo({ ...next(info, ofClone), snaps })]]),
        }
      : { op: 'remove', oid },
    isHeadGone
      ? { op: 'remove', oid: head }
      : {
          op: 'setAttrs',
          oid: head,
          attrs: new Map([
            [OBJECT_INFO_ATTR, encodeObjectInfo(next(headInfo, ofHead))],
            [SNAPSET_ATTR, encodeSnapSet({ seq, clones })],
          ]),
        },
  ];
  const gone = Number(snaps.length === 0);
  const bytesOf = (all: readonly SnapClone[]) => all.reduce((sum, each) => sum + cloneBytes(each), 0);
  const delta = {
    objects: 0 - gone - Number(isHeadGone),
    bytes: bytesOf(clones) - bytesOf(before),
    clones: 0 - gone,
    whiteouts: 0 - Number(isHeadGone),
  };
  return { head, entries: [ofClone, ofHead], changes, delta };
}

/** The next older one shares with what comes after it what it shared with the one that goes. */
function withoutClone(clones: readonly SnapClone[], at: number): readonly SnapClone[] {
  const gone = clones[at]!;
  const left = clones.toSpliced(at, 1);
  const older = left[at - 1];
  return older ? left.with(at - 1, { ...older, overlap: intersectExtents(older.overlap, gone.overlap) }) : left;
}
