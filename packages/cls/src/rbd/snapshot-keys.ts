/** Where a header keeps its snapshots: an omap value each, under the id in hexadecimal. */
import type { RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { decodeStored } from '../object-class.ts';
import { entriesFrom, hex16, readKey, writeKey } from '../stored-key.ts';
import { found } from './header-keys.ts';
import {
  decodeParent,
  decodeSnapshot,
  encodeParent,
  encodeSnapshot,
  NO_PARENT,
  type Parent,
  parentExists,
  type Snapshot,
} from './snapshot-codec.ts';

const SNAPSHOT_PREFIX = 'snapshot_';

export function snapshotKey(id: bigint): RawString {
  return SNAPSHOT_PREFIX + hex16(id);
}

/** @throws ClassError ENOENT */
export function readSnapshot(object: MethodContext, id: bigint): Snapshot {
  return found(readKey(object, snapshotKey(id), decodeSnapshot));
}

/** All there were before the request, by ascending ids. @throws ClassError EIO: one does not parse */
export function* snapshotsOf(object: MethodContext): Generator<Snapshot> {
  for (const [, value] of entriesFrom(object, SNAPSHOT_PREFIX)) yield decodeStored(value, decodeSnapshot);
}

export function readParent(object: MethodContext): Parent | undefined {
  return readKey(object, 'parent', decodeParent);
}

export function writeParent(object: MethodContext, parent: Parent): void {
  writeKey(object, 'parent', (encoder) => encodeParent(encoder, parent));
}

/**
 * Stores a snapshot. One that has a parent of its own, as before Nautilus, gives it to the image and keeps the overlap
 * (image::snapshot::write).
 */
export function writeSnapshot(object: MethodContext, snapshot: Snapshot): void {
  let kept = snapshot;
  if (parentExists(snapshot.parent)) {
    const stored = readParent(object);
    if (stored === undefined || !parentExists(stored)) {
      writeParent(object, { ...snapshot.parent, overlap: undefined });
    }
    kept = { ...snapshot, parentOverlap: snapshot.parent.overlap, parent: NO_PARENT };
  }
  writeKey(object, snapshotKey(snapshot.id), (encoder) => encodeSnapshot(encoder, kept));
}

/** Whether a snapshot shows anything of the image's parent. */
export function showsParent({ parent, parentOverlap }: Snapshot): boolean {
  return parent.poolId !== NO_PARENT.poolId || parentOverlap !== undefined;
}
