/** Objects that an image in migration gets from where it comes from, with all that snapshots have of them (librbd/io/CopyupRequest.cc). */
import { RbdFeature as Feature, NOSNAP } from '@spirula/cls';
import { Errno } from '@spirula/encoding';
import { type Rados, RadosError } from '@spirula/rados';
import type { Image } from './image.ts';
import { imageRanges, objectCount } from './image-layout.ts';
import { assertWritten, migratedSnapshots, WrittenWith } from './migration.ts';
import { dataObject } from './names.ts';
import { ObjectCopy } from './object-copy.ts';
import { markInSnapshot, ObjectState } from './object-map.ts';
import type { SnapshotScene } from './snapshot-changes.ts';

export class MigrationCopy {
  readonly #image: Image;
  readonly #whole: ObjectCopy;
  readonly #alike: ObjectCopy;
  /** Snapshots that it alone has, oldest first. */
  readonly #newer: readonly bigint[];
  /** Bytes of the image of which the old one, or a snapshot of it, may have something. */
  readonly #end: number;

  /** @param image what it comes from shows */
  constructor(rados: Rados, image: Image) {
    const { header, migration, parentImage, parent } = image;
    const numbers = migratedSnapshots(migration!, header);
    const copied = [...numbers.values()];
    const sizes = header.snapshots.filter(({ id }) => copied.includes(id)).map(({ imageSize }) => Number(imageSize));
    const first = numbers.get(NOSNAP)!;
    this.#image = image;
    this.#whole = new ObjectCopy(rados, parentImage!, numbers, { isFlat: true, isGuarded: true });
    this.#alike = new ObjectCopy(rados, parentImage!, numbers, { isFlat: migration!.flatten, isGuarded: true });
    this.#newer = [...header.snapshots.map(({ id }) => id)].reverse().filter((id) => id >= first);
    this.#end = Math.max(parent?.overlap ?? 0, ...sizes);
  }

  /** How many there are. */
  get count(): number {
    return objectCount(this.#image.header.layout, this.#end);
  }

  /** @param isWhole it is changed next: it has what it shows of its parent, too */
  async take(object: number, isWhole: boolean, scene: SnapshotScene): Promise<void> {
    const { header, data } = this.#image;
    const [first] = imageRanges(header.layout, object);
    if (first!.offset >= this.#end) return;
    const { snapSeq: seq, snapshots } = header;
    const oid = dataObject(header.objectPrefix, object);
    const writes = data.with({ snapContext: { seq, snaps: snapshots.map(({ id }) => id) } });
    const { result } = await writes.submit(oid, assertWritten(seq, WrittenWith.same));
    if (result >= 0) return;
    if (result !== Errno.ERANGE) throw new RadosError(result, oid);
    await (isWhole ? this.#whole : this.#alike).copy(object, scene);
    if (this.#newer.length > 0) await this.#markNewer(object, scene);
  }

  /** What the oldest of them has the others have, too, and the image. */
  async #markNewer(object: number, { io, header, data, map }: SnapshotScene): Promise<void> {
    if ((header.features & Feature.objectMap) === 0n) return;
    const [oldest, ...newer] = this.#newer;
    if (object >= objectCount(header.layout, header.size)) return;
    try {
      await data.with({ snapid: oldest! }).stat(dataObject(header.objectPrefix, object));
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return;
      throw error;
    }
    const isClean = (header.features & Feature.fastDiff) !== 0n;
    const state = isClean ? ObjectState.existsClean : ObjectState.exists;
    for (const id of newer) await markInSnapshot(io, header.id, id, object, state);
    await map?.set(object, state);
  }
}
