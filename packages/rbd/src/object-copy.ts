/** Copies an object of an image with all that snapshots have of it (librbd/deep_copy/ObjectCopyRequest.cc). */
import { RbdFeature as Feature, NOSNAP } from '@spirula/cls';
import { type Bytes, Errno } from '@spirula/encoding';
import { ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { Image } from './image.ts';
import type { ImageHeader } from './image-header.ts';
import { bytesOf, type ImageLayout, imageRanges, objectCount, objectExtents, type Range } from './image-layout.ts';
import { assertWritten, type SnapshotNumbers, WrittenWith } from './migration.ts';
import { dataObject } from './names.ts';
import { type Delta, type Deltas, imageDeltas, isInitial } from './object-delta.ts';
import { markInSnapshot, ObjectState } from './object-map.ts';
import { RangeSet } from './range-set.ts';
import type { SnapshotScene } from './snapshot-changes.ts';

/** A stretch of an object that gets other bytes; without them, zeros. */
interface Change extends Range {
  readonly bytes?: Bytes;
}

/** What becomes of an object by one snapshot. */
interface Step {
  /** Number in the copy. */
  readonly snapId: bigint;
  /** In order. */
  readonly changes: readonly Change[];
  /** In the snapshot's object map; undefined: there is nothing, as before. */
  readonly state: number | undefined;
}

/** What was written by a snapshot, in bytes of the image. */
interface Written {
  readonly data: (Range & { readonly bytes: Bytes })[];
  readonly zeros: RangeSet;
}

export class ObjectCopy {
  readonly #rados: Rados;
  readonly #source: Image;
  /** Oldest first: of the source, and of the copy. */
  readonly #numbers: readonly (readonly [bigint, bigint])[];
  readonly #isFlat: boolean;
  /** Only what nobody has copied or written meanwhile. */
  readonly #isGuarded: boolean;
  /** The source as it was at its snapshots. */
  readonly #opened = new Map<bigint, Promise<Image>>();

  constructor(
    rados: Rados,
    source: Image,
    numbers: SnapshotNumbers,
    { isFlat, isGuarded = false }: { readonly isFlat: boolean; readonly isGuarded?: boolean },
  ) {
    this.#rados = rados;
    this.#source = source;
    this.#numbers = [...numbers];
    this.#isFlat = isFlat;
    this.#isGuarded = isGuarded;
  }

  /** @param scene of the copy, whose lock is held */
  async copy(object: number, scene: SnapshotScene): Promise<void> {
    const ranges = imageRanges(scene.header.layout, object);
    const snapIds = [0n, ...this.#numbers.map(([id]) => id)];
    const deltas = await imageDeltas(this.#source, ranges, { snapIds, withParent: false, isWhole: false });
    const steps = this.#stepsOf(object, scene.header, deltas, await this.#read(object, scene.header, deltas));
    const left = this.#isGuarded ? await this.#unwritten(object, steps, scene) : steps;
    for (const { snapId, state } of left) if (state !== undefined) await mark(scene, snapId, object, state);
    for (const step of left) await this.#write(object, step, scene);
  }

  async #read(object: number, header: ImageHeader, deltas: Deltas): Promise<ReadonlyMap<bigint, Written>> {
    const written = new Map<bigint, Written>();
    const of = (snapId: bigint) => {
      const found = written.get(snapId) ?? { data: [], zeros: new RangeSet() };
      written.set(snapId, found);
      return found;
    };
    for (const delta of deltas) {
      const copyOf = this.#numbers.find(([id]) => id === delta.written)?.[1];
      if (copyOf === undefined || !mayExist(header, copyOf, object)) continue;
      const image = await this.#at(delta.readable);
      for (const { state, ...range } of delta.extents.extents) {
        if (state === 'data') of(delta.written).data.push(await readRange(image, range));
      }
    }
    const [first] = this.#numbers[0]!;
    const shown = await this.#shownByParent(first, deltas);
    for (const range of shown.data.ranges) of(first).data.push(await readRange(await this.#at(first), range));
    if (!shown.zeros.isEmpty) of(first).zeros.add(...shown.zeros.ranges);
    return written;
  }

  /** What the parent shows of an object that is there by now, or is to be whole without the parent. */
  async #shownByParent(first: bigint, deltas: Deltas): Promise<{ readonly data: RangeSet; readonly zeros: RangeSet }> {
    const extents = deltas.flatMap((delta) =>
      delta.extents.extents.map((extent) => ({ ...extent, isInitial: isInitial(delta) })),
    );
    const isAbsent = extents.every(({ state }) => state === 'absent');
    const { parentImage, header } = this.#source;
    if (!parentImage || (isAbsent && !this.#isFlat)) return { data: new RangeSet(), zeros: new RangeSet() };
    const overlap = overlapAt(header, first);
    const shown = new RangeSet(extents.filter((each) => each.state === 'absent' && each.isInitial));
    const zeros = shown.within([{ offset: 0, length: overlap }]);
    const found = await imageDeltas(parentImage, zeros.ranges, {
      snapIds: [0n, parentImage.snapshot?.id ?? NOSNAP],
      withParent: true,
      isWhole: false,
      ignoresZeroes: true,
    });
    const data = new RangeSet(found.flatMap((delta) => delta.extents.extents));
    zeros.remove(...data.ranges);
    return { data, zeros };
  }

  #at(snapId: bigint): Promise<Image> {
    const { header, snapshot, io } = this.#source;
    if (snapId === (snapshot?.id ?? NOSNAP)) return Promise.resolve(this.#source);
    const opening = this.#opened.get(snapId) ?? Image.openSnapshot(this.#rados, io, header.id, snapId);
    this.#opened.set(snapId, opening);
    return opening;
  }

  #stepsOf(
    object: number,
    header: ImageHeader,
    deltas: Deltas,
    written: ReadonlyMap<bigint, Written>,
  ): readonly Step[] {
    const { layout, features } = header;
    const [first] = this.#numbers[0]!;
    const steps: Step[] = [];
    let hidesParent = this.#source.parentImage !== undefined;
    let exists = false;
    let endBefore = 0;
    for (const [sourceId, snapId] of this.#numbers) {
      if (!mayExist(header, snapId, object) && exists) {
        steps.push({ snapId, changes: [{ offset: 0, length: layout.objectSize }], state: undefined });
        exists = false;
        endBefore = 0;
        continue;
      }
      hidesParent &&= imageRanges(layout, object).some(({ offset }) => offset < overlapAt(header, snapId));
      const { data = [], zeros: unread } = written.get(sourceId) ?? {};
      const zeros = new RangeSet(unread?.ranges);
      for (const delta of deltas) {
        const counts = delta.written === sourceId || (hidesParent && sourceId === first && delta.written < first);
        if (counts && (hidesParent || !isInitial(delta))) zeros.add(...zeroed(delta));
      }
      zeros.remove(...data);
      const changes: Change[] = data.flatMap((range) => changesOf(layout, range));
      exists ||= changes.length > 0;
      let end = Math.max(endBefore, ...changes.map(({ offset, length }) => offset + length));
      for (const { offset, length } of zeros.ranges.flatMap((range) =>
        objectExtents(layout, range.offset, range.length),
      )) {
        if (offset + length < end) {
          changes.push({ offset, length });
          exists = true;
          continue;
        }
        const isCut = (offset === 0 && hidesParent) || offset < endBefore;
        if (isCut) changes.push({ offset, length: layout.objectSize - offset });
        exists = offset > 0 || hidesParent;
        end = Math.min(end, offset);
      }
      const isClean = (features & Feature.fastDiff) !== 0n && changes.length === 0;
      const state = isClean ? ObjectState.existsClean : ObjectState.exists;
      steps.push({
        snapId,
        changes: changes.sort((a, b) => a.offset - b.offset),
        state: exists ? state : undefined,
      });
      endBefore = end;
    }
    return steps;
  }

  /** Those behind which nothing of the object was written. */
  async #unwritten(object: number, steps: readonly Step[], { header, data }: SnapshotScene): Promise<readonly Step[]> {
    try {
      const { seq } = await data.snapSet(dataObject(header.objectPrefix, object));
      return steps.filter(({ snapId }) => this.#seqBefore(snapId) > seq);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return steps;
      throw error;
    }
  }

  /** The snapshot before. */
  #seqBefore(snapId: bigint): bigint {
    return this.#numbers.findLast(([, id]) => id < snapId)?.[1] ?? 0n;
  }

  /** So that it is of this snapshot, and of those that come after it. */
  async #write(object: number, { snapId, changes }: Step, { header, data }: SnapshotScene): Promise<void> {
    if (changes.length === 0) return;
    const older = this.#numbers
      .map(([, id]) => id)
      .filter((id) => id < snapId)
      .reverse();
    const seq = older[0] ?? 0n;
    const operation = this.#isGuarded ? assertWritten(seq, WrittenWith.older) : new ObjectOperation();
    for (const { offset, length, bytes } of changes) {
      if (bytes) operation.write(bytes, offset);
      else if (offset + length < header.layout.objectSize) operation.zero(offset, length);
      else if (offset > 0) operation.truncate(offset);
      else if (this.#source.parentImage) operation.create(false).truncate(0);
      else operation.remove();
    }
    const oid = dataObject(header.objectPrefix, object);
    const snapContext = { seq, snaps: older };
    const { result } = await data.with({ snapContext }).submit(oid, operation);
    const isDone = result >= 0 || result === Errno.ENOENT || (this.#isGuarded && result === Errno.ERANGE);
    if (!isDone) throw new RadosError(result, oid);
  }
}

function mayExist(header: ImageHeader, snapId: bigint, object: number): boolean {
  const snapshot = header.snapshots.find(({ id }) => id === snapId);
  return object < objectCount(header.layout, snapshot ? Number(snapshot.imageSize) : header.size);
}

function overlapAt({ parent, snapshots }: ImageHeader, snapId: bigint): number {
  const overlap = snapId === NOSNAP ? parent?.overlap : snapshots.find(({ id }) => id === snapId)?.parentOverlap;
  return overlap ?? 0;
}

function zeroed({ extents }: Delta): readonly Range[] {
  return extents.extents.filter(({ state }) => state === 'zeroed');
}

async function readRange(image: Image, { offset, length }: Range): Promise<Range & { readonly bytes: Bytes }> {
  const bytes = await image.read(offset, length);
  return { offset, length: bytes.length, bytes };
}

/** Bytes of an image, as stretches of the object that they are in. */
function changesOf(
  layout: ImageLayout,
  { offset, bytes }: { readonly offset: number; readonly bytes: Bytes },
): Change[] {
  return objectExtents(layout, offset, bytes.length).map((extent) => ({
    offset: extent.offset,
    length: extent.length,
    bytes: bytesOf(extent.image, offset, bytes),
  }));
}

async function mark({ io, header, map }: SnapshotScene, snapId: bigint, object: number, state: number): Promise<void> {
  if ((header.features & Feature.objectMap) === 0n) return;
  if (snapId === NOSNAP) await map?.set(object, state);
  else await markInSnapshot(io, header.id, snapId, object, state);
}
