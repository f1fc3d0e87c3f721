/**
 * The clones of an object, oldest first (SnapSet, osd/osd_types.h). The head keeps it in an xattr; a head that never met a
 * snapshot has none.
 *
 *   clone 4 (snaps 4 3 2)    clone 7 (snaps 7)    head
 *   ----- overlap: bytes that a clone shares with what comes after it ----->
 */
import { type Bytes, Decoder, Encoder, type RawString } from '@spirula/encoding';
import type { HObject } from '@spirula/maps';
import { NOSNAP } from '@spirula/messages';
import type { Cid, ObjectStore } from '@spirula/objectstore';
import { bytesOfExtents, type Extents } from '@spirula/objectstore';
import { invariant } from '@spirula/world';

/** The xattr of the head that holds it (SS_ATTR). */
export const SNAPSET_ATTR: RawString = 'snapset';

export interface SnapClone {
  /** The newest snapshot there was when it was made. */
  readonly id: bigint;
  /** The snapshots whose object it is, newest first. Never empty. */
  readonly snaps: readonly bigint[];
  readonly size: number;
  /** What it shares with the next clone, or with the head. */
  readonly overlap: Extents;
}

export interface SnapSet {
  /** The newest snapshot that any write to the head has known of. */
  readonly seq: bigint;
  readonly clones: readonly SnapClone[];
}

/** What a write knows of snapshots: the newest number given out, and those that exist, newest first (SnapContext). */
export interface SnapContext {
  readonly seq: bigint;
  readonly snaps: readonly bigint[];
}

export const NO_SNAPSET: SnapSet = { seq: 0n, clones: [] };
export const NO_SNAPS: SnapContext = { seq: 0n, snaps: [] };

const VERSION = 3;
const COMPAT = 2;

/** As Ceph encodes it. */
export function encodeSnapSet(snapset: SnapSet): Bytes {
  const { seq, clones } = snapset;
  const to = new Encoder(64);
  const id = ({ id: each }: SnapClone) => to.u64big(each);
  const table = (value: (clone: SnapClone) => void) =>
    to.list(clones, (clone) => {
      id(clone);
      value(clone);
    });
  to.struct(VERSION, COMPAT, () => {
    to.u64big(seq);
    to.bool(true); // head_exists
    to.list([], () => {}); // snaps, of releases before Octopus
    to.list(clones, id);
    table(({ overlap }) =>
      to.list(overlap, ({ offset, length }) => {
        to.u64(offset);
        to.u64(length);
      }),
    );
    table(({ size }) => to.u64(size));
    table(({ snaps }) => to.list(snaps, (snap) => to.u64big(snap)));
  });
  return to.finish();
}

/** @throws MalformedInput */
export function decodeSnapSet(bytes: Bytes): SnapSet {
  const from = new Decoder(bytes);
  return from.struct('snapset', VERSION, () => {
    const seq = from.u64big('seq');
    from.bool('head_exists');
    from.list('snaps', 8, () => from.u64big('snap'));
    const ids = from.list('clones', 8, () => from.u64big('clone'));
    const table = <T>(field: string, value: () => T) =>
      new Map(from.list(field, 12, () => [from.u64big(field), value()] as const));
    const overlaps = table('clone_overlap', () =>
      from.list('overlap', 16, () => ({ offset: from.u64('offset'), length: from.u64('length') })),
    );
    const sizes = table('clone_size', () => from.u64('size'));
    const snaps = table('clone_snaps', () => from.list('snaps', 8, () => from.u64big('snap')));
    const clones = ids.map((id) => {
      const [carried, size, overlap] = [snaps.get(id), sizes.get(id), overlaps.get(id)];
      return carried && size !== undefined && overlap
        ? { id, snaps: carried, size, overlap }
        : from.fail('clones', `nothing is said of clone ${id}`);
    });
    return { seq, clones };
  });
}

/** Of a head, as the store has it. */
export function readSnapSet(store: ObjectStore, cid: Cid, head: HObject): SnapSet {
  const encoded = store.getAttr(cid, head, SNAPSET_ATTR);
  return encoded ? decodeSnapSet(encoded) : NO_SNAPSET;
}

/** Whether there is anything in it to be kept. */
export function isEmptySnapSet({ seq, clones }: SnapSet): boolean {
  return seq === 0n && clones.length === 0;
}

/** What a clone has to itself (SnapSet::get_clone_bytes). */
export function cloneBytes({ size, overlap }: SnapClone): number {
  const shared = bytesOfExtents(overlap);
  invariant(shared <= size, 'a clone shares no more than it has');
  return size - shared;
}

export function cloneOid(head: HObject, id: bigint): HObject {
  return { ...head, snap: id };
}

export function isClone({ snap }: HObject): boolean {
  return snap !== NOSNAP;
}

/** The head of a clone; the object itself when it is one. */
export function headOf(oid: HObject): HObject {
  return oid.snap === NOSNAP ? oid : { ...oid, snap: NOSNAP };
}

/** SnapContext::is_valid: newest first, none twice, none newer than `seq`. */
export function isValidSnapContext({ seq, snaps }: SnapContext): boolean {
  let last = seq + 1n;
  for (const snap of snaps) {
    if (snap >= last || snap === 0n) return false;
    last = snap;
  }
  return seq < NOSNAP;
}
