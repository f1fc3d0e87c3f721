/** What of an image differs from an older snapshot of it, or from nothing (librbd/api/DiffIterate.cc). */
import { NOSNAP } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { ahead, OPERATIONS_AT_ONCE } from './ahead.ts';
import { ExtentMap } from './extent-map.ts';
import type { Image } from './image.ts';
import { objectExtents, type Range, stripePeriod } from './image-layout.ts';
import { type Deltas, imageDeltas, isInitial } from './object-delta.ts';
import { diffObjectMaps, ObjectDiff } from './object-map-diff.ts';
import { RangeSet } from './range-set.ts';
import { snapshotNamed } from './snapshot-changes.ts';

export interface DiffOptions {
  /** Name of a snapshot; left out: all that there is. */
  readonly from?: RawString;
  /** Also what it shows of the image that it is a clone of. */
  readonly withParent: boolean;
  /** Objects that differ differ all over, and object maps tell where they can. */
  readonly isWhole: boolean;
}

export interface DiffExtent extends Range {
  /** Whether there is something now. */
  readonly exists: boolean;
}

/**
 * In order, from byte 0 to the end of the image. What is read at a time is bounded.
 *
 * @throws RadosError ENOENT: there is no such snapshot; EINVAL: it is newer than what is compared with it
 */
export async function* diffImage(
  image: Image,
  { from, withParent, isWhole }: DiffOptions,
): AsyncGenerator<DiffExtent, void, undefined> {
  const start = from === undefined ? 0n : snapshotNamed(image.header, from).id;
  const end = image.snapshot?.id ?? NOSNAP;
  if (start === end) return;
  if (start > end) throw new RadosError(Errno.EINVAL, `snapshot ${from}`);
  const known = isWhole ? await diffObjectMaps(image, start, end, 'compare') : undefined;
  if (known) yield* diffByMaps(image, known, withParent && start === 0n);
  else yield* diffByClones(image, [start, end], { withParent: withParent && start === 0n, isWhole });
}

function* periodsOf({ header, size }: Image, end = size): Generator<Range, void, undefined> {
  const period = stripePeriod(header.layout);
  for (let offset = 0; offset < end; offset += period) yield { offset, length: Math.min(period, end - offset) };
}

async function* diffByMaps(
  image: Image,
  states: Uint8Array,
  withParent: boolean,
): AsyncGenerator<DiffExtent, void, undefined> {
  const shown = withParent ? await parentData(image) : new RangeSet();
  for (const { offset, length } of periodsOf(image)) {
    const found = new ExtentMap();
    for (const { object, image: ranges } of objectExtents(image.header.layout, offset, length)) {
      const state = states[object];
      const isUpdated = state === ObjectDiff.holeUpdated || state === ObjectDiff.dataUpdated;
      const some = isUpdated ? ranges : state === ObjectDiff.hole ? shown.within(ranges).ranges : [];
      for (const range of some) found.set(range, state === ObjectDiff.holeUpdated ? 'zeroed' : 'data');
    }
    yield* diffExtents(found);
  }
}

/** What the parent has of what it shows. */
async function parentData({ parentImage, parent }: Image): Promise<RangeSet> {
  const data = new RangeSet();
  if (!parentImage || !parent) return data;
  const found: Range[] = [];
  for await (const extent of diffImage(parentImage, { withParent: true, isWhole: true })) {
    if (extent.exists) found.push(extent);
  }
  data.add(...found);
  return data.within([{ offset: 0, length: parent.overlap }]);
}

async function* diffByClones(
  image: Image,
  snapIds: readonly bigint[],
  options: { readonly withParent: boolean; readonly isWhole: boolean },
): AsyncGenerator<DiffExtent, void, undefined> {
  const pieces = function* () {
    for (const range of periodsOf(image)) yield () => imageDeltas(image, [range], { ...options, snapIds });
  };
  for await (const deltas of ahead(pieces(), OPERATIONS_AT_ONCE)) yield* diffExtents(merge(deltas));
}

/** What newer ones say counts. */
function merge(deltas: Deltas): ExtentMap {
  const merged = new ExtentMap();
  for (const delta of deltas) {
    for (const extent of delta.extents.extents) {
      const isNothing = extent.state === 'absent' || (extent.state === 'zeroed' && isInitial(delta));
      if (!isNothing) merged.set(extent, extent.state);
    }
  }
  return merged;
}

function* diffExtents({ extents }: ExtentMap): Generator<DiffExtent, void, undefined> {
  for (const { offset, length, state } of extents) yield { offset, length, exists: state === 'data' };
}
