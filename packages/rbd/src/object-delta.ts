/**
 * What came to an object between snapshots of its image: the clones that the pool keeps of it, and what neighbours share, tell
 * (librados/snap_set_diff.cc; librbd/io/ObjectRequest.cc, ObjectListSnapsRequest).
 *
 *     snapshots        4 ---------- 7 ---------- head
 *     clones           [1..4]       [5..7]       8..         of each: its size, and which bytes the next has of it
 */
import { NOSNAP } from '@spirula/cls';
import { Errno } from '@spirula/encoding';
import { type ObjectClone, RadosError, type SnapSet } from '@spirula/rados';
import { ExtentMap } from './extent-map.ts';
import type { Image } from './image.ts';
import type { ImageHeader } from './image-header.ts';
import { imageRanges, objectExtents, type Range } from './image-layout.ts';
import { dataObject } from './names.ts';
import { RangeSet } from './range-set.ts';

/** What came by one snapshot. */
export interface Delta {
  /** It had been written before this snapshot; 0: before all. */
  readonly written: bigint;
  /** The newest snapshot that still has it so. */
  readonly readable: bigint;
  /** Of the object, or of the image. */
  readonly extents: ExtentMap;
}

/** By snapshot. */
export type Deltas = readonly Delta[];

/** What was there, or was not, before the first snapshot that is asked for (INITIAL_WRITE_READ_SNAP_IDS). */
export function isInitial({ written, readable }: Delta): boolean {
  return written === 0n && readable === 0n;
}

export interface DeltaOptions {
  /** Where the object is not there, what the parent has. */
  readonly withParent: boolean;
  /** An object that changed has changed all over. */
  readonly isWhole: boolean;
}

interface DeltaRequest extends DeltaOptions {
  /** The first is where it begins, 0 before all; the others come after it, `NOSNAP` last. */
  readonly snapIds: readonly bigint[];
  readonly ignoresZeroes: boolean;
}

/** Of stretches of an object, in its bytes. @throws RadosError */
async function objectDeltas(
  image: Image,
  object: number,
  ranges: readonly Range[],
  request: DeltaRequest,
): Promise<Deltas> {
  const collected = new DeltaCollection();
  const [first = 0n] = request.snapIds;
  let snapSet: SnapSet;
  try {
    snapSet = await image.data.snapSet(dataObject(image.header.objectPrefix, object));
  } catch (error) {
    if (!(error instanceof RadosError && error.code === Errno.ENOENT)) throw error;
    if (!request.ignoresZeroes) collected.of(first, first, ranges, 'absent');
    return (await parentDeltas(image, object, ranges, request)) ?? collected.deltas;
  }
  const wasThere = collectChanges(collected, snapSet, image.header, ranges, request);
  const isUnchanged = collected.isEmpty;
  if (!wasThere && !request.ignoresZeroes) collected.of(first, first, ranges, first > 0n ? 'absent' : 'zeroed');
  const shown = isUnchanged ? await parentDeltas(image, object, ranges, request) : undefined;
  return shown ?? collected.deltas;
}

/** Whether the object was there before all that was collected. */
function collectChanges(
  collected: DeltaCollection,
  snapSet: SnapSet,
  { layout: { objectSize }, snapshots }: ImageHeader,
  ranges: readonly Range[],
  { snapIds, isWhole, ignoresZeroes }: DeltaRequest,
): boolean {
  // OSDs know removed snapshots for a while; nobody reads at those.
  const isThere = (snapId: bigint) => snapId === NOSNAP || snapshots.some(({ id }) => id === snapId);
  const [first = 0n] = snapIds;
  const newest = snapIds.at(-1)!;
  let wasThere = false;
  let start = 0n;
  let sizeBefore = 0;
  for (const end of snapIds) {
    if (end === start) continue;
    const change = changeBetween(snapSet, start, end);
    const isAll = change.isUnknown || (isWhole && !change.changed.isEmpty);
    const changed = isAll ? new RangeSet([{ offset: 0, length: objectSize }]) : change.changed;
    const size = change.isUnknown ? objectSize : change.size;
    const data = changed.within(ranges);
    const zeroed = new RangeSet(size < sizeBefore ? [{ offset: size, length: sizeBefore - size }] : []).within(ranges);
    data.remove(...zeroed.ranges);
    if (change.exists && start === 0n && !(data.isEmpty && zeroed.isEmpty)) wasThere = true;
    sizeBefore = size;
    start = end;
    // Those before the first only tell whether it was there, and how long.
    if (end <= first) continue;
    if (change.exists) {
      const readable = change.readable > newest ? newest : isThere(change.readable) ? change.readable : end;
      collected.of(end, readable, data.ranges, 'data');
    } else zeroed.add(...data.ranges);
    if (!ignoresZeroes) collected.of(end, end, zeroed.ranges, 'zeroed');
  }
  return wasThere;
}

/** What shows of the parent; undefined: nothing. */
async function parentDeltas(
  image: Image,
  object: number,
  ranges: readonly Range[],
  { snapIds: [first = 0n], withParent, isWhole }: DeltaRequest,
): Promise<Deltas | undefined> {
  const { parentImage, parent, header } = image;
  if (first > 0n || !withParent || !parentImage || !parent) return undefined;
  const shown = new RangeSet(ranges.flatMap((range) => imageRanges(header.layout, object, range))).within([
    { offset: 0, length: parent.overlap },
  ]);
  if (shown.isEmpty) return undefined;
  const snapIds = [0n, parentImage.snapshot?.id ?? NOSNAP];
  const deltas = await imageDeltas(parentImage, shown.ranges, { snapIds, withParent, isWhole, ignoresZeroes: true });
  const collected = new DeltaCollection();
  for (const { extents } of deltas) {
    for (const { offset, length, state } of extents.extents) {
      collected.of(0n, 0n, objectExtents(header.layout, offset, length), state);
    }
  }
  return collected.isEmpty ? undefined : collected.deltas;
}

/** Of stretches of an image, in its bytes. @throws RadosError */
export async function imageDeltas(
  image: Image,
  ranges: readonly Range[],
  request: DeltaOptions & { readonly snapIds: readonly bigint[]; readonly ignoresZeroes?: boolean },
): Promise<Deltas> {
  if (image.isMigrating) throw new RadosError(Errno.EBUSY, `image ${image.header.id} migrates`);
  const { layout } = image.header;
  const byObject = new Map<number, Range[]>();
  for (const { offset, length } of ranges) {
    for (const extent of objectExtents(layout, offset, length)) {
      byObject.set(extent.object, [...(byObject.get(extent.object) ?? []), extent]);
    }
  }
  const found = await Promise.all(
    [...byObject].map(async ([object, parts]) => ({
      object,
      deltas: await objectDeltas(image, object, parts, { ignoresZeroes: false, ...request }),
    })),
  );
  const collected = new DeltaCollection();
  for (const { object, deltas } of found.sort((a, b) => a.object - b.object)) {
    for (const { written, readable, extents } of deltas) {
      for (const extent of extents.extents) {
        collected.of(written, readable, imageRanges(layout, object, extent), extent.state);
      }
    }
  }
  return collected.deltas;
}

class DeltaCollection {
  readonly #deltas = new Map<string, Delta>();

  of(written: bigint, readable: bigint, ranges: readonly Range[], state: 'absent' | 'zeroed' | 'data'): void {
    if (ranges.length === 0) return;
    const key = `${written} ${readable}`;
    const delta = this.#deltas.get(key) ?? { written, readable, extents: new ExtentMap() };
    this.#deltas.set(key, delta);
    for (const range of ranges) delta.extents.set(range, state);
  }

  get isEmpty(): boolean {
    return this.#deltas.size === 0;
  }

  get deltas(): Deltas {
    const order = (a: bigint, b: bigint) => (a < b ? -1 : a > b ? 1 : 0);
    return [...this.#deltas.values()].sort((a, b) => order(a.written, b.written) || order(a.readable, b.readable));
  }
}

/** What an object is at a snapshot, beside another. */
interface ObjectChange {
  readonly changed: RangeSet;
  /** Bytes, at the end. */
  readonly size: number;
  /** At the end. */
  readonly exists: boolean;
  /** The newest snapshot that has the object as it was at the end. */
  readonly readable: bigint;
  /** Nobody knows what has changed. */
  readonly isUnknown: boolean;
}

const GONE = { size: 0, exists: false, readable: 0n, isUnknown: false };

/** @param start 0: before there was anything */
function changeBetween({ clones, seq }: SnapSet, start: bigint, end: bigint): ObjectChange {
  const changed = new RangeSet();
  let sizeAtStart: number | undefined;
  for (const [i, clone] of clones.entries()) {
    const [oldest, newest] = spanOf(clone, seq);
    if (oldest === undefined || newest === undefined) {
      return { changed: new RangeSet(), size: 0, exists: true, readable: end, isUnknown: true };
    }
    if (newest < start) continue;
    if (sizeAtStart === undefined) {
      sizeAtStart = start < oldest ? 0 : clone.size;
      if (start < oldest) changed.add({ offset: 0, length: clone.size });
    }
    if (end < oldest) break;
    if (end <= newest) return { changed, size: clone.size, exists: true, readable: newest, isUnknown: false };
    const next = clones[i + 1];
    if (!next) break;
    // Also what was cut off since.
    const toNext = new RangeSet([{ offset: 0, length: Math.max(clone.size, next.size) }]);
    toNext.remove(...clone.overlap);
    changed.add(...toNext.ranges);
  }
  return { ...GONE, changed: new RangeSet([{ offset: 0, length: sizeAtStart ?? 0 }]) };
}

/** The snapshots, or numbers of them, that see a clone. */
function spanOf({ id, snaps }: ObjectClone, seq: bigint): readonly [bigint | undefined, bigint | undefined] {
  return id === 'head' ? [seq + 1n, NOSNAP] : [snaps[0], snaps.at(-1)];
}
