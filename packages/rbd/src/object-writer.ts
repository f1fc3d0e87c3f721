/**
 * Changes of an image's objects (librbd/io/ObjectRequest.cc, CopyupRequest.cc). The image's lock is held.
 *
 *   object map: it exists --> the object: changed if it is there
 *                        \--> it is not, and the parent shows there: a copy of that, then changed
 */
import { RbdFeature as Feature } from '@spirula/cls';
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, mismatchOf, ObjectOperation, RadosError } from '@spirula/rados';
import { CLASS, change } from './class-calls.ts';
import type { Image } from './image.ts';
import type { ObjectExtent, Range } from './image-layout.ts';
import { objectCount, objectExtents } from './image-layout.ts';
import { dataObject } from './names.ts';
import { markInSnapshot, type ObjectMap, ObjectState } from './object-map.ts';

/** Objects that are trimmed at a time (rbd_concurrent_management_ops). */
export const TRIMMED_AT_ONCE = 10;

type Edit = (operation: ObjectOperation) => ObjectOperation;

export class ObjectWriter {
  readonly #image: Image;
  readonly #map: ObjectMap | undefined;
  /** Writes with the snapshots that there are. */
  readonly #data: IoCtx;
  /** Before an object is changed, of which the image that this one comes from has something. */
  readonly #migrate: ((object: number) => Promise<void>) | undefined;

  constructor(image: Image, map: ObjectMap | undefined, migrate?: (object: number) => Promise<void>) {
    const { snapSeq: seq, snapshots } = image.header;
    this.#image = image;
    this.#map = map;
    this.#migrate = migrate;
    this.#data = image.data.with({ snapContext: { seq, snaps: snapshots.map(({ id }) => id) } });
  }

  async write(object: number, offset: number, data: Bytes): Promise<void> {
    await this.#migrate?.(object);
    await this.#map?.exists(object);
    await this.#change(object, (operation) => operation.write(data, offset));
  }

  /** The same bytes again and again; the stretch is as long as some of them. */
  async writeSame(object: number, { offset, length }: Range, data: Bytes): Promise<void> {
    await this.#migrate?.(object);
    await this.#map?.exists(object);
    await this.#change(object, (operation) => operation.writeSame(data, offset, length));
  }

  /** Where the object has `expected`, it has `data` instead. @returns the first byte that differs; undefined: none */
  async compareAndWrite(object: number, offset: number, expected: Bytes, data: Bytes): Promise<number | undefined> {
    await this.#migrate?.(object);
    await this.#map?.exists(object);
    if (this.#image.showsParentAt(object)) await this.#change(object, (operation) => operation.create(false));
    const operation = new ObjectOperation().compareExtent(expected, offset).write(data, offset);
    const { result } = await this.#data.submit(this.#oid(object), operation);
    const mismatch = mismatchOf(result);
    if (result < 0 && mismatch === undefined) throw new RadosError(result, this.#oid(object));
    return mismatch;
  }

  /** These bytes are zero from then on, and take no room where it is the whole object. */
  async discard({ object, offset, length }: ObjectExtent): Promise<void> {
    const { objectSize } = this.#image.header.layout;
    const isToEnd = offset + length === objectSize;
    await this.#migrate?.(object);
    if (this.#image.showsParentAt(object)) {
      await this.#map?.exists(object);
      // An object hides the parent. Snapshots must not lose what they show of it when the image is flattened: they have it first.
      const isWhole = offset === 0 && isToEnd;
      const hide: Edit = (operation) =>
        isWhole ? operation.create(false).truncate(0) : operation.zero(offset, length);
      if (isWhole && this.#image.header.snapshots.length === 0) {
        await this.#data.operate(this.#oid(object), hide(new ObjectOperation()));
      } else await this.#change(object, (operation) => hide(operation.create(false)));
      return;
    }
    if (this.#map && !this.#map.mayExist(object)) return;
    if (offset === 0 && isToEnd) {
      await this.#remove(object);
      return;
    }
    await this.#map?.exists(object);
    const operation = new ObjectOperation().stat();
    if (isToEnd) operation.truncate(offset);
    else operation.zero(offset, length);
    await this.#changeIfThere(object, operation);
  }

  /** Nothing is behind `size` any more. @param onProgress told after each stretch of objects that went */
  async trim(size: number, onProgress?: (done: number, of: number) => void): Promise<void> {
    const { header, size: before } = this.#image;
    const first = objectCount(header.layout, size);
    const extents = objectExtents(header.layout, size, before - size).filter(({ object }) => object < first);
    for (const extent of extents) await this.discard(extent);
    await this.removeObjects(first, objectCount(header.layout, before), onProgress);
  }

  /** @param end the first that stays */
  async removeObjects(
    first: number,
    end: number,
    onProgress: (done: number, of: number) => void = () => {},
  ): Promise<void> {
    for (let object = first; object < end; object += TRIMMED_AT_ONCE) {
      const some = Array.from({ length: Math.min(TRIMMED_AT_ONCE, end - object) }, (_, i) => object + i);
      await Promise.all(some.map((each) => this.#trim(each)));
      onProgress(object + some.length - first, end - first);
    }
  }

  async rollBack(object: number, snapId: bigint): Promise<void> {
    await this.#data.rollback(this.#oid(object), snapId);
  }

  /** What the object shows of the parent is the image's own from then on. */
  async takeFromParent(object: number): Promise<void> {
    if (!this.#image.showsParentAt(object)) return;
    const { result } = await this.#data.submit(this.#oid(object), new ObjectOperation().stat());
    if (result >= 0) return;
    if (result !== Errno.ENOENT) throw new RadosError(result, this.#oid(object));
    const isShown = (await this.#image.readParentOf(object)).length > 0;
    if (!isShown) return;
    await this.#map?.exists(object);
    await this.#copyUp(object, (operation) => operation.create(false));
  }

  /** Pieces of so many bytes that are zero take no room, nor does an object of zeros (librbd/operation/SparsifyRequest.cc). */
  async sparsify(object: number, unit: number): Promise<void> {
    if (this.#map && !this.#map.mayExist(object)) return;
    const removesEmpty = !this.#image.showsParentAt(object);
    const operation = change('sparsify', (to) => {
      to.u64(unit);
      to.bool(removesEmpty);
    });
    if (!(await this.#changeIfThere(object, operation))) return;
    if (!this.#map || !removesEmpty) return;
    await this.#map.pending(object, ObjectState.exists);
    const { result } = await this.#image.data.submit(this.#oid(object), new ObjectOperation().stat());
    if (result >= 0) await this.#map.exists(object, ObjectState.pending);
    else if (result === Errno.ENOENT) await this.#map.gone(object);
    else throw new RadosError(result, this.#oid(object));
  }

  #oid(object: number): RawString {
    return dataObject(this.#image.header.objectPrefix, object);
  }

  /** Where the parent shows, an object that is not there is made of what shows before it is changed. */
  async #change(object: number, edit: Edit): Promise<void> {
    if (!this.#image.showsParentAt(object)) {
      await this.#data.operate(this.#oid(object), edit(new ObjectOperation()));
      return;
    }
    const isThere = await this.#changeIfThere(object, edit(new ObjectOperation().stat()));
    if (!isThere) await this.#copyUp(object, edit);
  }

  /** Whether it was. */
  async #changeIfThere(object: number, operation: ObjectOperation): Promise<boolean> {
    const { result } = await this.#data.submit(this.#oid(object), operation);
    if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, this.#oid(object));
    return result >= 0;
  }

  async #copyUp(object: number, edit: Edit): Promise<void> {
    const oid = this.#oid(object);
    const { io, header, data } = this.#image;
    const shown = await this.#image.readParentOf(object);
    if (shown.length > 0 && header.snapshots.length > 0) {
      // The snapshots have it too, also when the image is made one without a parent.
      for (const [i, snapshot] of [...header.snapshots].reverse().entries()) {
        const isClean = i > 0 && (header.features & Feature.fastDiff) !== 0n;
        const state = isClean ? ObjectState.existsClean : ObjectState.exists;
        if ((header.features & Feature.objectMap) !== 0n) {
          await markInSnapshot(io, header.id, snapshot.id, object, state);
        }
      }
      await data.operate(oid, new ObjectOperation().exec(CLASS, 'copyup', shown, 'write'));
      await this.#data.operate(oid, edit(new ObjectOperation()));
      return;
    }
    const operation = new ObjectOperation();
    if (shown.length > 0) operation.exec(CLASS, 'copyup', shown, 'write');
    await this.#data.operate(oid, edit(operation));
  }

  async #trim(object: number): Promise<void> {
    // What snapshots show of the parent they keep when the image is flattened: whoever does that knows of no object behind its end.
    if (this.#image.header.snapshots.length > 0) await this.takeFromParent(object);
    if (!this.#map || this.#map.mayExist(object)) await this.#remove(object);
  }

  async #remove(object: number): Promise<void> {
    await this.#map?.pending(object);
    await this.#changeIfThere(object, new ObjectOperation().remove());
    await this.#map?.gone(object);
  }
}
