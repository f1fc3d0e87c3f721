/**
 * An image that is written. What resolves is durable, unless the image is opened with a cache: then what a flush has ended with is.
 *
 *   write --> lock of the image --> object map: it exists --> the object: written if it is there
 *                                                        \--> it is not, and the parent shows there: a copy of that, then written
 */

import { RbdFeature as Feature, MigrationHeader, MigrationState } from '@spirula/cls';
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import {
  type IoCtx,
  type ObjectOperation,
  type Rados,
  RadosError,
  type Watch,
  type WatchedNotify,
} from '@spirula/rados';
import { allOf } from './ahead.ts';
import { change } from './class-calls.ts';
import { ExclusiveLock } from './exclusive-lock.ts';
import { Gate } from './gate.ts';
import { Flag, invalidateObjectMap } from './header-flags.ts';
import { tellOfHeader } from './header-update.ts';
import { Image } from './image.ts';
import type { HeaderSnapshot, ImageHeader } from './image-header.ts';
import { bytesOf, type ObjectExtent, objectCount, objectExtents } from './image-layout.ts';
import { imageIdOf } from './images.ts';
import { MigrationCopy } from './migration-copy.ts';
import { headerObject } from './names.ts';
import { type ClientId, decodeNotice, encodeResponse } from './notify-messages.ts';
import { lockObjectMap, ObjectMap } from './object-map.ts';
import { checkObjectMap, type Progress, rebuildObjectMap } from './object-map-check.ts';
import { ObjectWriter, TRIMMED_AT_ONCE } from './object-writer.ts';
import { detachFromParent, removeSnapshot } from './remove-snapshot.ts';
import {
  createSnapshot,
  hasOldChildren,
  limitSnapshots,
  protectSnapshot,
  renameSnapshot,
  type SnapshotScene,
  snapshotNamed,
  snapshotNumbered,
  unprotectSnapshot,
} from './snapshot-changes.ts';
import { WriteBack } from './write-back.ts';

/** What a client of images needs beside the cluster. */
export interface ImageWorld {
  sleep(us: number): Promise<void>;
  randomBytes(count: number): Bytes;
  /** Of the wall clock. */
  wall(): UTime;
}

/** Features of images that are written here: others would be damaged. */
const WRITABLE =
  Feature.layering |
  Feature.stripingV2 |
  Feature.exclusiveLock |
  Feature.objectMap |
  Feature.fastDiff |
  Feature.deepFlatten |
  Feature.dataPool |
  Feature.operations;
/** Bytes of the smallest pieces that are left out. */
const MIN_SPARSE = 4096;
/** Another site writes it: it is opened, and not changed. */
const OF_OTHERS = Feature.nonPrimary;
/** Bytes that are compared at most. */
const SECTOR = 512;
export interface OpenOptions {
  /** Bytes of writes that are held back at most, until a flush (rbd_cache_max_dirty); 0: none. Images without a lock have no cache. */
  readonly cacheBytes?: number;
  /** It is changed also where another site writes it. */
  readonly mayBeOfOthers?: boolean;
  /** Also one that migrates, as if it did not: by who ends that. */
  readonly ignoresMigration?: boolean;
}

/** An image that comes from another is written then. */
const MIGRATING: ReadonlySet<number> = new Set([
  MigrationState.prepared,
  MigrationState.executing,
  MigrationState.executed,
]);

const REWATCH_DELAY_US = 1_000_000;
const FOR_GOOD: ReadonlySet<number> = new Set([Errno.ESHUTDOWN, Errno.ENOENT]);

export class WritableImage {
  readonly #rados: Rados;
  readonly #io: IoCtx;
  readonly #world: ImageWorld;
  #client: ClientId;
  #watch: Watch | undefined;
  readonly #lock: ExclusiveLock;
  /** Features that it may have when it is changed. */
  readonly #permitted: bigint;
  #image: Image;
  readonly #ignoresMigration: boolean;
  /** Where it gets objects from; undefined: it comes from nowhere. */
  #migration: MigrationCopy | undefined;
  #map: ObjectMap | undefined;
  /** The header has changed since it was read. */
  #isStale = false;
  /** The cluster has forgotten that the image is open here: it is told anew before anything is changed. */
  #rewatching: Promise<void> | undefined;
  /** It cannot be told: this client was taken for dead, or the image is no more. */
  #failure: RadosError | undefined;
  #isClosed = false;
  readonly #gate = new Gate();
  #refreshing: Promise<void> | undefined;
  /** Written while the lock is held, and before it is given away, the image gets a snapshot or another size, or is closed. */
  readonly #cache: WriteBack | undefined;

  private constructor(opened: {
    readonly rados: Rados;
    readonly io: IoCtx;
    readonly image: Image;
    readonly world: ImageWorld;
    readonly cacheBytes: number;
    readonly permitted: bigint;
    readonly ignoresMigration: boolean;
  }) {
    const { rados, io, image, world, cacheBytes, permitted, ignoresMigration } = opened;
    this.#permitted = permitted;
    this.#rados = rados;
    this.#io = io;
    this.#image = image;
    this.#ignoresMigration = ignoresMigration;
    this.#migration = image.isMigrating ? new MigrationCopy(rados, image) : undefined;
    this.#world = world;
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = world.randomBytes(6);
    const gid = BigInt(((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f);
    this.#client = { gid, handle: 0n };
    this.#lock = new ExclusiveLock({
      rados,
      io,
      oid: headerObject(image.header.id),
      client: () => this.#client,
      sleep: (us) => world.sleep(us),
      onAcquired: () => this.#begin(),
      beforeRelease: () => this.#end(),
      onLost: () => {
        this.#map = undefined;
        // Others have written meanwhile: what was held back is not the image any more.
        if (this.#cache?.drop()) this.#failure ??= new RadosError(Errno.ESHUTDOWN, 'writes that were held back');
      },
    });
    if (cacheBytes > 0) this.#cache = new WriteBack(cacheBytes, (offset, data) => this.#writeThrough(offset, data));
  }

  /**
   * @throws RadosError ENOENT: there is no such image; EROFS: it has features that are not written here
   */
  static async open(
    rados: Rados,
    io: IoCtx,
    name: RawString,
    world: ImageWorld,
    options: OpenOptions = {},
  ): Promise<WritableImage> {
    return await WritableImage.openId(rados, io, await imageIdOf(io, name), world, options);
  }

  /** As `open`, of the image that has this id, also in the trash. */
  static async openId(
    rados: Rados,
    io: IoCtx,
    id: RawString,
    world: ImageWorld,
    { cacheBytes = 0, mayBeOfOthers = false, ignoresMigration = false }: OpenOptions = {},
  ): Promise<WritableImage> {
    const image = await Image.openId(rados, io, id);
    requireWritable(image, WRITABLE | OF_OTHERS, ignoresMigration);
    const permitted = mayBeOfOthers ? WRITABLE | OF_OTHERS : WRITABLE;
    const opened = new WritableImage({ rados, io, image, world, cacheBytes, permitted, ignoresMigration });
    await opened.#beginWatch();
    return opened;
  }

  /** Where the header is. */
  get io(): IoCtx {
    return this.#io;
  }

  get header(): ImageHeader {
    return this.#image.header;
  }

  get size(): number {
    return this.#image.size;
  }

  async read(offset: number, length: number): Promise<Bytes> {
    return await this.#look(async (image) => {
      const lay = this.#cache?.over({ offset, length });
      const bytes = await image.read(offset, length);
      return lay ? lay(bytes) : bytes;
    });
  }

  /** What was written before is durable when it resolves. @throws RadosError */
  async flush(): Promise<void> {
    if (this.#failure) throw this.#failure;
    const cache = this.#cache;
    if (cache && !cache.isEmpty) await this.#change(() => cache.flush());
  }

  async allocation(offset: number, length: number): ReturnType<Image['allocation']> {
    await this.flush();
    return await this.#look((image) => image.allocation(offset, length));
  }

  /** @throws RadosError EINVAL: it would end behind the image */
  async write(offset: number, data: Bytes): Promise<void> {
    await this.#change(async () => {
      this.#requireWithin(offset, data.length);
      const cache = this.#hasLock ? this.#cache : undefined;
      if (cache?.takes(data.length)) await cache.put(offset, data);
      else {
        await cache?.flush();
        await this.#writeThrough(offset, data);
      }
    });
  }

  async #writeThrough(offset: number, data: Bytes): Promise<void> {
    const extents = objectExtents(this.header.layout, offset, data.length);
    const objects = this.#objects;
    await Promise.all(
      extents.map(({ object, offset: at, image }) => objects.write(object, at, bytesOf(image, offset, data))),
    );
  }

  /** These bytes are zero from then on, and take no room where whole objects go. */
  async discard(offset: number, length: number): Promise<void> {
    await this.#change(async () => {
      this.#requireWithin(offset, length);
      await this.#cache?.flush();
      await this.#discard(offset, length);
    });
  }

  /**
   * As `discard`, up to where the image ends.
   *
   * @param isThick they take room, as if they were written
   * @returns how many bytes that are
   * @throws RadosError EINVAL: it would begin behind the image
   */
  async writeZeroes(offset: number, length: number, isThick = false): Promise<number> {
    return await this.#change(async () => {
      const count = this.#clip(offset, length);
      await this.#cache?.flush();
      if (isThick) await this.#writeRepeated(offset, count, new Uint8Array(SECTOR));
      else await this.#discard(offset, count);
      return count;
    });
  }

  /**
   * The same bytes again and again, up to where the image ends (librbd/io/ImageRequest.cc, ImageWriteSameRequest).
   *
   * @returns how many bytes that are
   * @throws RadosError EINVAL: `length` is no multiple of theirs; it would begin behind the image
   */
  async writeSame(offset: number, length: number, data: Bytes): Promise<number> {
    if (data.length === 0 || length % data.length !== 0) throw new RadosError(Errno.EINVAL, `${length} bytes`);
    return await this.#change(async () => {
      const count = this.#clip(offset, length);
      await this.#cache?.flush();
      await this.#writeRepeated(offset, count, data);
      return count;
    });
  }

  /**
   * Where the image has `expected`, it has `data` instead: all at once, in one object (librbd/io/ImageRequest.cc,
   * ImageCompareAndWriteRequest).
   *
   * @returns the first byte of the image that differs (librbd 16.2 counts from where its object begins); undefined: none, it was written
   * @throws RadosError EINVAL: it is more than a sector of 512 bytes or a stripe, or goes beyond one, or would begin behind the image
   */
  async compareAndWrite(offset: number, expected: Bytes, data: Bytes): Promise<number | undefined> {
    if (expected.length !== data.length) throw new RadosError(Errno.EINVAL, `${expected.length} bytes`);
    return await this.#change(async () => {
      const { layout } = this.header;
      const count = this.#clip(offset, data.length);
      const [extent, another] = objectExtents(layout, offset, count);
      if (!extent) return undefined;
      const isTooLong = [SECTOR, layout.stripeUnit].some((unit) => (extent.offset % unit) + count > unit);
      if (another || isTooLong) throw new RadosError(Errno.EINVAL, `bytes ${offset} to ${offset + count}`);
      await this.#cache?.flush();
      const [was, becomes] = [expected.subarray(0, count), data.subarray(0, count)];
      const at = await this.#objects.compareAndWrite(extent.object, extent.offset, was, becomes);
      return at === undefined ? undefined : offset + at;
    });
  }

  /** @throws RadosError */
  async resize(size: number): Promise<void> {
    await this.#changeAlone(async () => {
      const { layout, id } = this.header;
      if (size < this.size) this.#requireSettled();
      const [before, after] = [objectCount(layout, this.size), objectCount(layout, size)];
      if (size < this.size) await this.#objects.trim(size);
      else await this.#map?.resize(after);
      await this.#io.operate(headerObject(id), setSize(size));
      if (after < before) await this.#map?.resize(after);
    });
  }

  /** Work during which its lock is held: no other client changes the image. */
  async underLock<T>(work: (scene: SnapshotScene) => Promise<T>): Promise<T> {
    return await this.#underLock(() => work(this.#scene));
  }

  /** Work that changes the header: nothing else changes the image meanwhile, and all who have it open are told afterwards. */
  async changeHeader<T>(work: (scene: SnapshotScene) => Promise<T>): Promise<T> {
    return await this.#changeAlone(() => work(this.#scene));
  }

  /** The image has one no more: it is removed next. The lock is held. */
  async forgetObjectMap(): Promise<void> {
    await this.#end();
  }

  /** @throws RadosError EEXIST, EDQUOT */
  async createSnapshot(name: RawString): Promise<void> {
    await this.changeHeader((scene) => createSnapshot(scene, name));
  }

  /** One that has clones of format 2 goes when they do. @throws RadosError ENOENT; EBUSY: it is protected */
  async removeSnapshot(name: RawString): Promise<void> {
    await this.changeHeader((scene) => removeSnapshot(scene, name));
  }

  /** @throws RadosError ENOENT: there is none of the first name; EEXIST: there is one of the second */
  async renameSnapshot(from: RawString, to: RawString): Promise<void> {
    await this.changeHeader((scene) => renameSnapshot(scene, from, to));
  }

  /** @param limit as many at most; `NO_SNAPSHOT_LIMIT`: as many as wanted. @throws RadosError ERANGE: there are more already */
  async limitSnapshots(limit: bigint): Promise<void> {
    await this.changeHeader((scene) => limitSnapshots(scene, limit));
  }

  /** @throws RadosError ENOENT; EBUSY: it is already */
  async protectSnapshot(name: RawString): Promise<void> {
    await this.#changeAlone(() => protectSnapshot(this.#scene, name));
  }

  /** @throws RadosError ENOENT; EINVAL: it is not protected; EBUSY: it has clones */
  async unprotectSnapshot(name: RawString): Promise<void> {
    const isParent = async ({ id }: HeaderSnapshot) => {
      for (const pool of this.#rados.poolList()) {
        const io = await this.#rados.ioctx(pool);
        if (await hasOldChildren(io, this.#io, this.header.id, id)) return true;
      }
      return false;
    };
    await this.#changeAlone(() => unprotectSnapshot(this.#scene, name, isParent));
  }

  /** The image is what it was in the snapshot. @throws RadosError ENOENT */
  async rollBack(name: RawString): Promise<void> {
    await this.rollBackTo(snapshotNamed(this.header, name).id);
  }

  /** As `rollBack`, to whatever snapshot has this number. */
  async rollBackTo(id: bigint): Promise<void> {
    this.#requireSettled();
    const { imageSize } = snapshotNumbered(this.header, id);
    if (Number(imageSize) !== this.size) await this.resize(Number(imageSize));
    await this.#changeAlone(async () => {
      const snapshot = snapshotNumbered(this.header, id);
      // Whoever goes on after a death in the midst of it has a map that knows of every object.
      const isMapped = this.#map !== undefined && (await this.#map.beginRollBack(snapshot.id));
      if (this.#map !== undefined && !isMapped) await invalidateObjectMap(this.#io, this.header);
      const objects = objectCount(this.header.layout, this.size);
      for (let first = 0; first < objects; first += TRIMMED_AT_ONCE) {
        const some = Array.from({ length: Math.min(TRIMMED_AT_ONCE, objects - first) }, (_, i) => first + i);
        await Promise.all(some.map((object) => this.#objects.rollBack(object, snapshot.id)));
      }
      if (isMapped) await this.#map?.rollBack(snapshot.id);
    });
  }

  /**
   * The image has all that it shows of its parent itself, and is no clone any more, nor are its snapshots where it can be flattened with
   * them (`deep-flatten`). It may be written meanwhile.
   *
   * @param onProgress told after each object; the rest is left when it throws
   * @throws RadosError EINVAL: it is no clone
   */
  async flatten(onProgress: (done: number, of: number) => void = () => {}): Promise<void> {
    this.#requireSettled();
    const { parent, layout, id } = this.header;
    if (!parent) throw new RadosError(Errno.EINVAL, `image ${id} is no clone`);
    const objects = objectCount(layout, this.size);
    const take = async (object: number) => {
      await this.#change(() => this.#objects.takeFromParent(object));
      onProgress(object + 1, objects);
    };
    await allOf(Array.from({ length: objects }, (_, object) => () => take(object)));
    await this.#changeAlone(async () => {
      await this.#io.operate(headerObject(id), change('parent_detach'));
    });
    if (!this.header.parent) await detachFromParent(this.#rados, { io: this.#io, id }, parent);
  }

  /** @throws RadosError ENOENT: there is no such snapshot */
  async requireSnapshot(name: RawString): Promise<void> {
    await this.#refresh();
    snapshotNamed(this.header, name);
  }

  /** @param snapshot name of one; '': of the image itself @throws RadosError ENOENT; EINVAL: the image keeps no object map */
  async checkObjectMap(snapshot: RawString = '', onProgress: Progress = () => {}): Promise<void> {
    await this.#changeAlone(async () => checkObjectMap(await this.#openAt(snapshot), onProgress));
  }

  /** As `checkObjectMap`; afterwards the object map is right. */
  async rebuildObjectMap(snapshot: RawString = '', onProgress: Progress = () => {}): Promise<void> {
    await this.#changeAlone(async () => {
      if (snapshot !== '') return await rebuildObjectMap(await this.#openAt(snapshot), onProgress);
      await lockObjectMap(this.#io, this.header.id);
      await rebuildObjectMap(this.#image, onProgress);
      await this.#read();
      await this.#openMap();
    });
  }

  async #openAt(snapshot: RawString): Promise<Image> {
    return snapshot === '' ? this.#image : await Image.openId(this.#rados, this.#io, this.header.id, snapshot);
  }

  get #objects(): ObjectWriter {
    const migration = this.#migration;
    const migrate = migration && ((object: number) => migration.take(object, true, this.#scene));
    return new ObjectWriter(this.#image, this.#map, migrate);
  }

  /**
   * Pieces that are zero take no room, nor do objects of zeros.
   *
   * @param unit bytes of a piece: a power of two, 4096 to those of an object
   * @param onProgress told after each object
   * @throws RadosError EINVAL
   */
  async sparsify(unit: number, onProgress: Progress = () => {}): Promise<void> {
    this.#requireSettled();
    const { layout } = this.header;
    const isPower = Number.isInteger(Math.log2(unit));
    if (!isPower || unit < MIN_SPARSE || unit > layout.objectSize) throw new RadosError(Errno.EINVAL, `${unit} bytes`);
    const objects = objectCount(layout, this.size);
    let done = 0;
    const pieces = function* (image: WritableImage) {
      for (let object = 0; object < objects; object++) {
        yield async () => {
          await image.#change(() => image.#objects.sparsify(object, unit));
          onProgress(++done, objects);
        };
      }
    };
    await allOf(pieces(this));
  }

  /** What the image that it comes from has is its own from then on. @param onProgress told after each object */
  async migrate(onProgress: Progress): Promise<void> {
    const objects = this.#migration?.count ?? 0;
    let done = 0;
    const pieces = function* (image: WritableImage) {
      for (let object = 0; object < objects; object++) {
        yield async () => {
          await image.#change(async () => image.#migration?.take(object, false, image.#scene));
          onProgress(++done, objects);
        };
      }
    };
    await allOf(pieces(this));
  }

  get migration(): Image['migration'] {
    return this.#image.migration;
  }

  /** @throws RadosError EBUSY: what it comes from would show again where its own goes */
  #requireSettled(): void {
    if (this.#migration && !this.#ignoresMigration)
      throw new RadosError(Errno.EBUSY, `image ${this.header.id} migrates`);
  }

  get #scene(): SnapshotScene {
    const pool = this.#rados.snapshots(this.#image.data.pool);
    const { data } = this.#image;
    return { rados: this.#rados, io: this.#io, data, header: this.header, pool, map: this.#map };
  }

  async close(): Promise<void> {
    await this.#rewatching;
    this.#isClosed = true;
    if (this.#failure) return;
    await this.#lock.release();
    await this.#watch?.unwatch();
  }

  async #beginWatch(): Promise<void> {
    this.#watch = await this.#io.watch(headerObject(this.header.id), {
      onNotify: (notify) => this.#onNotify(notify),
      onError: () => this.#watchAnew(),
    });
    this.#client = { ...this.#client, handle: this.#watch.cookie };
  }

  #watchAnew(): void {
    this.#rewatching ??= this.#rewatch().finally(() => {
      this.#rewatching = undefined;
    });
  }

  async #rewatch(): Promise<void> {
    const before = this.#client;
    await this.#watch?.unwatch().catch(() => {});
    for (let isWatching = false; !isWatching && !this.#isClosed; ) {
      try {
        await this.#beginWatch();
        isWatching = true;
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        if (FOR_GOOD.has(error.code)) {
          this.#failure = error;
          return;
        }
        await this.#world.sleep(REWATCH_DELAY_US);
      }
    }
    // What was told meanwhile was not heard.
    this.#isStale = true;
    await this.#lock.rename(before);
  }

  /** The header is another one afterwards, and all who have the image open are told. */
  async #changeAlone<T>(work: () => Promise<T>): Promise<T> {
    const result = await this.#underLock(() =>
      this.#gate.alone(async () => {
        await this.#cache?.flush();
        try {
          return await work();
        } finally {
          await this.#read();
        }
      }),
    );
    await tellOfHeader(this.#io, this.header.id);
    return result;
  }

  async #change<T>(work: () => Promise<T>): Promise<T> {
    return await this.#underLock(() => this.#gate.beside(work));
  }

  get #hasLock(): boolean {
    return (this.header.features & Feature.exclusiveLock) !== 0n;
  }

  /** What follows changes the image: under its lock, where it has one, and knowing of its snapshots. */
  async #underLock<T>(work: () => Promise<T>): Promise<T> {
    const fresh = async () => {
      await this.#rewatching;
      if (this.#failure) throw this.#failure;
      await this.#refresh();
      requireWritable(this.#image, this.#permitted, this.#ignoresMigration);
      return await work();
    };
    requireWritable(this.#image, this.#permitted, this.#ignoresMigration);
    return this.#hasLock ? await this.#lock.use(fresh) : await fresh();
  }

  async #begin(): Promise<void> {
    await this.#read();
    await this.#openMap();
  }

  async #openMap(): Promise<void> {
    const { id, layout, features, flags } = this.header;
    const hasMap = (features & Feature.objectMap) !== 0n && (flags & Flag.objectMapInvalid) === 0n;
    if (!hasMap) return;
    this.#map = await ObjectMap.open(this.#io, id, objectCount(layout, this.size), () => this.#distrustMap());
    // Who has the feature and keeps no map makes it wrong for everybody: it is said so first.
    if (!this.#map) await invalidateObjectMap(this.#io, this.header);
  }

  async #distrustMap(): Promise<void> {
    await invalidateObjectMap(this.#io, this.header);
    this.#map = undefined;
    this.#isStale = true;
  }

  async #end(): Promise<void> {
    await this.#cache?.flush();
    const map = this.#map;
    this.#map = undefined;
    await map?.close();
  }

  async #refresh(): Promise<void> {
    while (this.#isStale || this.#refreshing) {
      this.#refreshing ??= this.#read().finally(() => {
        this.#refreshing = undefined;
      });
      await this.#refreshing;
    }
  }

  /** A clone may be made one no more meanwhile: what it then had of its parent by mistake is read again. */
  async #look<T>(work: (image: Image) => Promise<T>): Promise<T> {
    for (;;) {
      await this.#refresh();
      const image = this.#image;
      const found = await work(image);
      const isCurrent = image === this.#image && !this.#isStale && !this.#refreshing;
      if (isCurrent || image.parent === undefined) return found;
    }
  }

  async #read(): Promise<void> {
    this.#isStale = false;
    const image = await Image.openId(this.#rados, this.#io, this.header.id);
    requireWritable(image, this.#permitted | OF_OTHERS, this.#ignoresMigration);
    this.#image = image;
    this.#migration = image.isMigrating ? new MigrationCopy(this.#rados, image) : undefined;
  }

  #onNotify({ payload }: WatchedNotify): Bytes | undefined {
    const notice = decodeNotice(payload);
    switch (notice?.kind) {
      case 'requestLock':
        return this.#lock.requested() ? encodeResponse(0) : undefined;
      case 'releasedLock':
        this.#lock.releasedByOther();
        return undefined;
      case 'headerUpdate':
        this.#isStale = true;
        return undefined;
      case 'request':
        // They do it themselves, once they have the lock.
        return this.#lock.isHeld ? encodeResponse(Errno.EOPNOTSUPP) : undefined;
      default:
        return undefined;
    }
  }

  async #discard(offset: number, length: number): Promise<void> {
    const objects = this.#objects;
    const extents = objectExtents(this.header.layout, offset, length);
    await Promise.all(extents.map((extent) => objects.discard(extent)));
  }

  async #writeRepeated(offset: number, length: number, data: Bytes): Promise<void> {
    const objects = this.#objects;
    const isAligned = (bytes: number) => bytes % data.length === 0;
    const write = async (extent: ObjectExtent) => {
      const isWhole = extent.image.every((range) => isAligned(range.offset - offset) && isAligned(range.length));
      if (isWhole) await objects.writeSame(extent.object, extent, data);
      else await objects.write(extent.object, extent.offset, repeat(extent, offset, data));
    };
    await Promise.all(objectExtents(this.header.layout, offset, length).map(write));
  }

  /** Bytes from there on that are within the image (librbd/internal.cc, clip_io). */
  #clip(offset: number, length: number): number {
    if (length === 0) return 0;
    if (offset < 0 || offset >= this.size)
      throw new RadosError(Errno.EINVAL, `byte ${offset} of an image of ${this.size}`);
    return Math.min(length, this.size - offset);
  }

  #requireWithin(offset: number, length: number): void {
    if (offset < 0 || offset + length > this.size) {
      throw new RadosError(Errno.EINVAL, `bytes ${offset} to ${offset + length} of an image of ${this.size}`);
    }
  }

  /** All its data go; the header says nothing of it: the image goes next. @param onProgress told after each stretch of objects */
  async trim(onProgress?: (done: number, of: number) => void): Promise<void> {
    await this.#change(() => this.#objects.trim(0, onProgress));
  }
}

/** For which the image is only read here; 0: it is written. */
export function unwritableFeatures({ features }: ImageHeader): bigint {
  return features & ~WRITABLE;
}

function requireWritable({ header, migration }: Image, permitted: bigint, ignoresMigration: boolean): void {
  const { id, features } = header;
  const isNew = migration?.headerType === MigrationHeader.destination && MIGRATING.has(migration.state);
  const allowed = isNew || ignoresMigration ? Feature.migrating : 0n;
  if ((features & ~(permitted | allowed)) !== 0n)
    throw new RadosError(Errno.EROFS, `image ${id} has features that are only read here`);
}

/** The part of `data`, again and again from `base` of the image on, that goes to a stretch of an object. */
function repeat({ image, length }: ObjectExtent, base: number, data: Bytes): Bytes {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const range of image) {
    for (let i = 0; i < range.length; i++) bytes[at++] = data[(range.offset - base + i) % data.length]!;
  }
  return bytes;
}

function setSize(size: number): ObjectOperation {
  return change('set_size', (to) => to.u64(size));
}
