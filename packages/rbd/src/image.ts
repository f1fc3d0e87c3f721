/**
 * An image, or a snapshot of one, that is read.
 *
 *   image bytes --> stretches of data objects --> an object that is not there: the parent's bytes, up to what is shown of it
 *                                            \--> there and too short, or no parent: zeros
 */
import { RbdFeature as Feature, NOSNAP, type RbdMigration } from '@spirula/cls';
import { type Bytes, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, type Rados, RadosError } from '@spirula/rados';
import { type HeaderSnapshot, type ImageHeader, isUserSnapshot, type ParentLink, readHeader } from './image-header.ts';
import { imageRanges, type ObjectExtent, objectExtents, type Range } from './image-layout.ts';
import { imageIdOf } from './images.ts';
import { readMigration, shownSource, showsSource } from './migration.ts';
import { dataObject } from './names.ts';

/** A clone of a clone of a clone …: one that is its own ancestor ends here. */
const MAX_GENERATIONS = 64;

/** Stripes that are asked for at once. */
const MAX_ASKED = 64;

interface Opened {
  readonly io: IoCtx;
  readonly header: ImageHeader;
  readonly snapshot: HeaderSnapshot | undefined;
  readonly data: IoCtx;
  readonly link: ParentLink | undefined;
  readonly parent: Image | undefined;
  readonly migration: RbdMigration | undefined;
}

export class Image {
  /** Where its header and object maps are. */
  readonly io: IoCtx;
  readonly header: ImageHeader;
  /** Of which reads are; undefined: of the image itself, as large as it was when it was opened. */
  readonly snapshot: HeaderSnapshot | undefined;
  /** Where it comes from, or goes to; undefined: it stays where it is. */
  readonly migration: RbdMigration | undefined;
  readonly #data: IoCtx;
  readonly #link: ParentLink | undefined;
  readonly #parent: Image | undefined;

  private constructor({ io, header, snapshot, data, link, parent, migration }: Opened) {
    this.io = io;
    this.header = header;
    this.snapshot = snapshot;
    this.#data = data;
    this.#link = link;
    this.#parent = parent;
    this.migration = migration;
  }

  /**
   * @param snapshot the name of one that users made
   * @throws RadosError ENOENT: there is no such image, or no such snapshot
   */
  static async open(rados: Rados, io: IoCtx, name: RawString, snapshot?: RawString): Promise<Image> {
    return await Image.openId(rados, io, await imageIdOf(io, name), snapshot);
  }

  /** As `open`, of the image that has this id, also in the trash. */
  static async openId(rados: Rados, io: IoCtx, id: RawString, snapshot?: RawString): Promise<Image> {
    const isAsked = (each: HeaderSnapshot) => isUserSnapshot(each) && each.name === snapshot;
    return await Image.#open(rados, io, id, snapshot === undefined ? undefined : isAsked, 0);
  }

  /** A snapshot of that image, whatever it is for, by its number. */
  static async openSnapshot(rados: Rados, io: IoCtx, id: RawString, snapId: bigint): Promise<Image> {
    return await Image.#open(rados, io, id, (each) => each.id === snapId, 0);
  }

  static async #open(
    rados: Rados,
    io: IoCtx,
    id: RawString,
    isAsked: ((snapshot: HeaderSnapshot) => boolean) | undefined,
    generation: number,
  ): Promise<Image> {
    if (generation > MAX_GENERATIONS) throw new RadosError(Errno.ELOOP, `the ancestors of image ${id}`);
    const header = await readHeader(io, id);
    const snapshot = isAsked && header.snapshots.find(isAsked);
    if (isAsked && !snapshot) throw new RadosError(Errno.ENOENT, `the snapshot of image ${id}`);
    const dataIo = await openDataPool(rados, io, header);
    const migration = (header.features & Feature.migrating) === 0n ? undefined : await readMigration(io, id);
    const source = migration && shownSource(migration, header, snapshot);
    const link = source ?? shownParent(header, snapshot);
    return new Image({
      io,
      header,
      snapshot,
      data: snapshot ? dataIo.with({ snapid: snapshot.id }) : dataIo,
      link,
      parent: link && (await Image.#openParent(rados, link, generation)),
      migration,
    });
  }

  static async #openParent(rados: Rados, link: ParentLink, generation: number): Promise<Image> {
    const io = (await rados.ioctx(Number(link.poolId))).with({ nspace: link.namespace });
    const isShown = link.snapId === NOSNAP ? undefined : ({ id }: HeaderSnapshot) => id === link.snapId;
    return await Image.#open(rados, io, link.imageId, isShown, generation + 1);
  }

  /** Bytes. */
  get size(): number {
    return this.snapshot ? Number(this.snapshot.imageSize) : this.header.size;
  }

  /** What is shown of the image that this is a clone of, or that it comes from; undefined: of none. */
  get parent(): ParentLink | undefined {
    return this.#link;
  }

  /** Whether what it comes from shows where it has nothing itself. */
  get isMigrating(): boolean {
    return this.migration !== undefined && showsSource(this.migration);
  }

  /** The snapshot that it shows, opened. */
  get parentImage(): Image | undefined {
    return this.#parent;
  }

  /** Where its data are, as it is read. */
  get data(): IoCtx {
    return this.#data;
  }

  /** What shows of the parent where an object would be: as long as the object, or shorter where all that follows is zero. */
  async readParentOf(object: number): Promise<Bytes> {
    const { layout } = this.header;
    const bytes = new Uint8Array(layout.objectSize);
    let at = 0;
    let end = 0;
    for (const { offset, length } of imageRanges(layout, object)) {
      const shown = Math.max(0, Math.min(length, (this.parent?.overlap ?? 0) - offset));
      if (shown > 0 && this.#parent) {
        bytes.set(await this.#parent.read(offset, shown), at);
        end = at + shown;
      }
      at += length;
    }
    return bytes.subarray(0, bytes.subarray(0, end).findLastIndex((byte) => byte !== 0) + 1);
  }

  /** Whether anything of the parent may show where an object would be. */
  showsParentAt(object: number): boolean {
    const [first] = imageRanges(this.header.layout, object);
    return first!.offset < (this.parent?.overlap ?? 0);
  }

  /** Shorter where the image ends. @throws RadosError */
  async read(offset: number, length: number): Promise<Bytes> {
    const end = Math.min(offset + length, this.size);
    const count = Math.max(0, end - offset);
    const extents = objectExtents(this.header.layout, offset, count);
    const pieces = await Promise.all(extents.map((extent) => this.#readObject(extent)));
    const [first] = pieces;
    if (first?.length === count) return first;
    const bytes = new Uint8Array(count);
    await Promise.all(extents.map((extent, i) => this.#place(extent, pieces[i], offset, bytes)));
    return bytes;
  }

  /**
   * Which bytes from `offset` on may hold something, and which are zeros that take no room; of what follows the first so many
   * objects nothing is said.
   */
  async allocation(
    offset: number,
    length: number,
  ): Promise<readonly { readonly length: number; readonly isHole: boolean }[]> {
    const { layout, objectPrefix } = this.header;
    const end = Math.min(offset + length, this.size, offset + MAX_ASKED * layout.stripeUnit);
    const extents = objectExtents(layout, offset, end - offset);
    const objects = [...new Set(extents.map(({ object }) => object))];
    const holes = new Set<number>();
    await Promise.all(
      objects.map(async (object) => {
        const { result } = await this.#data.submit(dataObject(objectPrefix, object), new ObjectOperation().stat());
        if (result === Errno.ENOENT && !this.showsParentAt(object)) holes.add(object);
        else if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, dataObject(objectPrefix, object));
      }),
    );
    const found: { length: number; isHole: boolean }[] = [];
    for (const { object, range } of inOrder(extents)) {
      const isHole = holes.has(object);
      const last = found.at(-1);
      if (last?.isHole === isHole) last.length += range.length;
      else found.push({ length: range.length, isHole });
    }
    return found;
  }

  /** Shorter where the object ends; undefined: there is none. */
  async #readObject({ object, offset, length }: ObjectExtent): Promise<Bytes | undefined> {
    try {
      return await this.#data.read(dataObject(this.header.objectPrefix, object), offset, length);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ENOENT) return undefined;
      throw error;
    }
  }

  /** Puts what the stretch holds where it belongs in `into`, which is zeros and begins at `base` of the image. */
  async #place({ image }: ObjectExtent, data: Bytes | undefined, base: number, into: Uint8Array): Promise<void> {
    if (data === undefined) {
      await Promise.all(image.map((range) => this.#readParent(range.offset, range.length, base, into)));
      return;
    }
    let at = 0;
    for (const range of image) {
      into.set(data.subarray(at, at + range.length), range.offset - base);
      at += range.length;
    }
  }

  async #readParent(offset: number, length: number, base: number, into: Uint8Array): Promise<void> {
    const end = Math.min(offset + length, this.parent?.overlap ?? 0);
    if (!this.#parent || end <= offset) return;
    into.set(await this.#parent.read(offset, end - offset), offset - base);
  }
}

/** Where an image's data are. @throws RadosError */
export async function openDataPool(rados: Rados, io: IoCtx, { dataPool }: ImageHeader): Promise<IoCtx> {
  return dataPool === undefined ? io : (await rados.ioctx(Number(dataPool))).with({ nspace: io.nspace });
}

function shownParent({ parent }: ImageHeader, snapshot: HeaderSnapshot | undefined): ParentLink | undefined {
  const overlap = snapshot ? (snapshot.parentOverlap ?? 0) : (parent?.overlap ?? 0);
  return parent && overlap > 0 ? { ...parent, overlap } : undefined;
}

function inOrder(extents: readonly ObjectExtent[]): readonly { readonly object: number; readonly range: Range }[] {
  const ranges = extents.flatMap(({ object, image }) => image.map((range) => ({ object, range })));
  return ranges.sort((a, b) => a.range.offset - b.range.offset);
}
