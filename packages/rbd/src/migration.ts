/**
 * An image on its way from one place to another (librbd/image/RefreshRequest.cc, io/CopyupRequest.cc). Where the new one has no object
 * the old one shows, which nobody writes any more; before an object is changed, all that the old one and its snapshots have of it is
 * copied.
 *
 *   prepare: the old one goes into the trash, the new one is made --> execute: all objects are copied --> commit: the old one goes
 *                                                                \--> abort: the new one goes, and the old one comes back
 */
import { decodeRbdMigration, MigrationHeader, MigrationState, NOSNAP, type RbdMigration } from '@spirula/cls';
import type { RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation } from '@spirula/rados';
import { askOne, change, classCall } from './class-calls.ts';
import type { HeaderSnapshot, ImageHeader, ParentLink } from './image-header.ts';
import { headerObject } from './names.ts';

/** Numbers of the source's snapshots, and those of the copy; the last may be the images themselves. */
export type SnapshotNumbers = ReadonlyMap<bigint, bigint>;

/** ASSERT_SNAPC_SEQ_*: of an object, whether something is newer than the newest snapshot that it was written with. */
export const WrittenWith = { older: 0, same: 1 } as const;

const SHOWING: ReadonlySet<number> = new Set([
  MigrationState.prepared,
  MigrationState.executing,
  MigrationState.aborting,
]);

/** @throws RadosError EINVAL: it does not migrate */
export async function readMigration(io: IoCtx, id: RawString): Promise<RbdMigration> {
  const get = classCall('migration_get', decodeRbdMigration);
  return await askOne(io, headerObject(id), get);
}

/** Whether what the image comes from shows where it has nothing itself. */
export function showsSource({ headerType, state }: RbdMigration): boolean {
  return headerType === MigrationHeader.destination && SHOWING.has(state);
}

/** What shows of where the image, or a snapshot of it, comes from. */
export function shownSource(
  migration: RbdMigration,
  { size }: ImageHeader,
  snapshot: HeaderSnapshot | undefined,
): ParentLink | undefined {
  if (!showsSource(migration)) return undefined;
  const { poolId, namespace, imageId, snapSeqs, overlap } = migration;
  const from = snapshot && [...snapSeqs].find(([, copy]) => copy === snapshot.id)?.[0];
  const bytes = snapshot ? Number(snapshot.imageSize) : size;
  const shown = from === undefined ? Math.min(bytes, Number(overlap)) : bytes;
  return { poolId, namespace, imageId, snapId: from ?? NOSNAP, overlap: shown };
}

/** Of the snapshots that both have; what the old one is at last is of the oldest that the new one alone has. */
export function migratedSnapshots({ snapSeqs }: RbdMigration, { snapshots }: ImageHeader): SnapshotNumbers {
  const kept = [...snapSeqs]
    .filter(([, id]) => snapshots.some((each) => each.id === id))
    .sort(([a], [b]) => compare(a, b));
  const last = Math.max(0, ...[...snapSeqs.values()].map(Number));
  const newer = [...snapshots].reverse().find(({ id }) => id > last);
  return new Map([...kept, [NOSNAP, newer?.id ?? NOSNAP]]);
}

/** What follows in the operation is done only if this holds of the object. */
export function assertWritten(seq: bigint, written: number, operation = new ObjectOperation()): ObjectOperation {
  const assertion = change('assert_snapc_seq', (to) => {
    to.u64big(seq);
    to.u8(written);
  });
  return operation.add(assertion.ops[0]!, 'write');
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
