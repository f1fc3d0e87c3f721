/**
 * Objects of a bucket in RADOS: whole writes, reads, removals (RGWRados::Object).
 *
 *   write    tail stripes ... all durable --> announce in the index --> head: data, xattrs, manifest --> tell the index
 *                                                                      ^ requires the head that was seen before
 *   read     head: xattrs and first bytes at once --> stripes, some ahead of the reader
 *   remove   announce --> remove the head that was seen --> tell; the tail becomes garbage
 *
 * The head is the object: it changes in one operation, and nothing counts before it. Tails have names of their own in each write,
 * and the old ones become garbage later than any reader of the old head needs them.
 */
import { type Bytes, compareUTimes, type RawString, toHex, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { Decompression } from '../decompression.ts';
import type { BlockCipher } from '../encryption/block-cipher.ts';
import type { Acl } from '../formats/acl.ts';
import { type BucketInfo, isVersioned } from '../formats/bucket-info.ts';
import type { Manifest } from '../formats/manifest.ts';
import { wholeManifest } from '../formats/manifest-stripes.ts';
import type { ObjectKey } from '../formats/object.ts';
import { readCompressed, requireReadable } from './compressed-read.ts';
import type { DataPools } from './data-pools.ts';
import { randomTag } from './entropy.ts';
import { deleteAtOf, isOver } from './expiry.ts';
import type { ExpiryHints } from './expiry-hints.ts';
import { type Head, readHead } from './head.ts';
import type { HeadContent } from './head-write.ts';
import { type HeadCheck, Heads, UNKNOWN } from './heads.ts';
import { IndexChanges } from './index-changes.ts';
import { NULL_INSTANCE } from './layout.ts';
import { Attr } from './object-attrs.ts';
import { type IndexMoves, ObjectIndex } from './object-index.ts';
import { hasObject, olhOf } from './olh-head.ts';
import { tailPlacementOf } from './placement.ts';
import { writeStripes } from './stripe-writer.ts';
import { type FoundObject, type PlacedStripe, STRIPE_BYTES, type Stripes, stripeBehindHead } from './stripes.ts';
import { Transitions } from './transitions.ts';
import { type MarkerOwner, NOTHING_REMOVED, type Removed, VersionWrites } from './version-writes.ts';
import { Versions } from './versions.ts';

const PREFIX_LENGTH = 32;
/** How often the way to a version is looked for again, when the version that it leads to is gone. */
const MAX_LOOKS = 5;

export interface WriteOptions {
  /** More xattrs of the head. */
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly acl: Acl;
  readonly contentType: RawString;
  /** Of the bucket's placement target; '' or left out: the bucket's own. */
  readonly storageClass?: RawString;
  /** Instead of the MD5 of the bytes. */
  readonly etag?: RawString;
  /** How the bytes are encrypted; `attrs` say how they are read again. */
  readonly cipher?: BlockCipher | undefined;
  /** Called with the object that is there, before it is replaced; what it throws ends the write. */
  readonly check?: HeadCheck;
  /** Called when all bytes have come, with their MD5: more xattrs; what it throws ends the write. */
  readonly finish?: (md5: Bytes) => ReadonlyMap<RawString, Bytes>;
}

export interface Written {
  /** MD5 in hex. */
  readonly etag: string;
  readonly mtime: UTime;
  readonly size: number;
  /** Undefined: version null, or one of a bucket without versions. */
  readonly versionId: RawString | undefined;
}

/** What a key leads to. */
export interface Look {
  readonly found?: FoundObject;
  /** The version that is a delete marker, in place of an object. */
  readonly deleteMarker?: RawString;
}

export interface ObjectStoreOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log' | 'memory'>;
  readonly pools: DataPools;
  readonly stripes: Stripes;
  readonly hints: ExpiryHints;
  /** Follows the index of a bucket. */
  readonly follow: (bucket: BucketInfo) => IndexMoves;
  /** Called when an object was written. */
  readonly onWritten: (bucket: BucketInfo) => void;
  /** Called before a head that an upload became is replaced or removed: from then on nobody makes it of the same parts again. */
  readonly beforeLetGo: (bucket: BucketInfo, key: ObjectKey, manifest: Manifest) => Promise<void>;
  /** Without it, nothing compressed is read. */
  readonly decompression?: Decompression | undefined;
}

class NothingThere extends Error {
  override readonly name = 'NothingThere';
}

export class ObjectStore {
  readonly #world: ObjectStoreOptions['world'];
  readonly #pools: DataPools;
  readonly #stripes: Stripes;
  readonly #hints: ExpiryHints;
  readonly #follow: ObjectStoreOptions['follow'];
  readonly #onWritten: ObjectStoreOptions['onWritten'];
  readonly #heads: Heads;
  readonly #versions: Versions;
  readonly #versionWrites: VersionWrites;
  readonly #transitions: Transitions;
  readonly #decompression: Decompression | undefined;
  readonly #indexChanges = new IndexChanges();

  constructor(options: ObjectStoreOptions) {
    const { world, pools, stripes, hints, follow, onWritten, beforeLetGo, decompression } = options;
    this.#decompression = decompression;
    this.#world = world;
    this.#pools = pools;
    this.#stripes = stripes;
    this.#hints = hints;
    this.#follow = follow;
    this.#onWritten = onWritten;
    const index = (bucket: BucketInfo) => this.index(bucket);
    const heads = new Heads({ world, stripes, index, beforeLetGo });
    this.#heads = heads;
    const removeObject = heads.removeVersion.bind(heads);
    this.#versions = new Versions({ world, stripes, index, removeObject });
    this.#versionWrites = new VersionWrites({ world, stripes, heads, versions: this.#versions, index });
    this.#transitions = new Transitions({ world, stripes, heads, versions: this.#versions, index });
  }

  index(bucket: BucketInfo): ObjectIndex {
    const place = { bucketId: bucket.bucket.bucketId, shardCount: bucket.layout.current.shards.count };
    return new ObjectIndex(this.#pools.index(bucket), this.#indexChanges, place, this.#follow(bucket));
  }

  /** Number of the pool of the bucket's heads. */
  dataPoolOf(bucket: BucketInfo): number {
    return this.#pools.data(bucket.placement).pool;
  }

  /** Undefined: there is no such object. */
  async find(bucket: BucketInfo, key: ObjectKey, prefetch = 0): Promise<FoundObject | undefined> {
    return (await this.look(bucket, key, prefetch)).found;
  }

  /** What a key leads to: without an instance, to the current version. @throws RadosError */
  async look(bucket: BucketInfo, key: ObjectKey, prefetch = 0): Promise<Look> {
    const look = await this.lookAtAny(bucket, key, prefetch);
    return look.found && this.#isOver(look.found.head) ? {} : look;
  }

  /** As `look`; also an object whose end has come, until it is removed. */
  async lookAtAny(bucket: BucketInfo, key: ObjectKey, prefetch = 0): Promise<Look> {
    if (key.instance !== '' && key.instance !== NULL_INSTANCE) return await this.#lookAtVersion(bucket, key, prefetch);
    const plain = { ...key, instance: '' };
    for (let looks = 1; ; looks++) {
      const head = await this.#versions.readOlh(bucket, key.name, prefetch);
      if (!head) return {};
      const target = olhOf(head)?.target;
      const isNull = !target || target.key.instance === '';
      if (key.instance === '' && target?.isDeleteMarker) {
        return { deleteMarker: isNull ? NULL_INSTANCE : target.key.instance };
      }
      if (key.instance === NULL_INSTANCE || isNull) {
        if (!hasObject(head)) return {};
        // As radosgw, version null is only named to who names it.
        const versionId = key.instance === '' ? undefined : NULL_INSTANCE;
        return { found: { object: { bucket: bucket.bucket, key: plain }, head, versionId } };
      }
      const found = await this.#readVersion(bucket, target.key, prefetch);
      if (found || looks === MAX_LOOKS) return { ...(found && { found }) };
    }
  }

  /** One that was removed is not there, also when whoever removed it did not live to do so. */
  async #lookAtVersion(bucket: BucketInfo, key: ObjectKey, prefetch: number): Promise<Look> {
    // In the name of its RADOS object it would be another version of another key.
    if (key.instance.includes('_')) return {};
    await this.#versions.readOlh(bucket, key.name);
    const found = await this.#readVersion(bucket, key, prefetch);
    if (found) return { found };
    return (await this.#versionWrites.isDeleteMarker(bucket, key)) ? { deleteMarker: key.instance } : {};
  }

  /** The RADOS object of a key, whatever it is. */
  async headOf(bucket: BucketInfo, key: ObjectKey): Promise<Head | undefined> {
    const { io, oid } = this.#stripes.place({ bucket: bucket.bucket, key }, bucket);
    return await readHead(io, oid);
  }

  /** An object as it is stored, whatever is known of its versions. */
  async peek(bucket: BucketInfo, key: ObjectKey): Promise<Head | undefined> {
    const head = await this.headOf(bucket, key);
    return head && hasObject(head) ? head : undefined;
  }

  async #readVersion(bucket: BucketInfo, key: ObjectKey, prefetch: number): Promise<FoundObject | undefined> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#stripes.place(object, bucket);
    const head = await readHead(io, oid, prefetch);
    return head && { object, head, versionId: key.instance };
  }

  /**
   * Stores a stream as an object, replacing the one of this name.
   *
   * @throws what the stream, a check or RADOS fails with: nothing has changed then, nothing remains. But for a RadosError that
   *   leaves open whether the head was written
   */
  async write(
    bucket: BucketInfo,
    name: RawString,
    body: AsyncIterable<Bytes>,
    options: WriteOptions,
  ): Promise<Written> {
    const key = { name, instance: this.newInstance(bucket), ns: '' };
    const object = { bucket: bucket.bucket, key };
    const hasher = this.#world.crypto.hasher('md5');
    const tailPlacement = tailPlacementOf(bucket, options.storageClass);
    const headBytes = this.#stripes.headBytes(bucket, tailPlacement);
    const begun = wholeManifest(
      {
        object,
        objectSize: 0,
        prefix: `.${randomTag(this.#world.crypto, PREFIX_LENGTH)}_`,
        stripeSize: STRIPE_BYTES,
        headPlacement: bucket.placement,
        tailPlacement,
      },
      headBytes,
    );
    const tails: PlacedStripe[] = [];
    try {
      const { head, size } = await writeStripes(body, {
        headBytes,
        stripeBytes: STRIPE_BYTES,
        hasher,
        cipher: options.cipher,
        memory: this.#world.memory,
        write: (stripe, data) => {
          const tail = stripeBehindHead(begun, stripe);
          tails.push(tail);
          return this.#stripes.write(bucket, tail, data);
        },
      });
      const md5 = hasher.digest();
      const etag = options.etag ?? toHex(md5);
      const attrs = new Map([...options.attrs, ...(options.finish?.(md5) ?? [])]);
      const manifest = { ...begun, objectSize: size, headSize: head.length };
      const { contentType, acl } = options;
      const content = { data: head, manifest, attrs, etag, contentType, acl };
      const { mtime, replaced } = await this.putHead(bucket, key, content, options.check);
      this.#world.memory?.giveBack(head);
      // Somebody else's write came first, and is the object: this one was replaced before anybody saw it.
      if (!replaced) await this.#stripes.discard(bucket, tails);
      return { etag, mtime, size, versionId: versionIdOf(key) };
    } catch (error) {
      // A head that may be there needs them.
      if (!(error instanceof RadosError) || !UNKNOWN.has(error.code)) await this.#stripes.discard(bucket, tails);
      throw error;
    }
  }

  /** Bytes `from` up to `to` (exclusive), as they are asked for and some ahead. @throws CannotDecompress, at once */
  read(bucket: BucketInfo, found: FoundObject, from: number, to: number): AsyncGenerator<Bytes> {
    const asStored = (first: number, last: number) => this.#stripes.read(bucket, found, first, last);
    const { compression } = found.head;
    if (!compression) return asStored(from, to);
    return readCompressed(compression, requireReadable(compression, this.#decompression), asStored, from, to);
  }

  /** Moves an object to another storage class. @throws RadosError; see `Transitions.move` */
  async transition(bucket: BucketInfo, key: ObjectKey, mtime: UTime, storageClass: RawString): Promise<boolean> {
    return await this.#transitions.move(bucket, key, mtime, tailPlacementOf(bucket, storageClass));
  }

  /** Writes an object anew where it is, in stripes as new objects have them (RGWRados::rewrite_obj). @throws as `transition` */
  async rewrite(bucket: BucketInfo, { object, head }: FoundObject): Promise<boolean> {
    const to = head.manifest?.tailPlacement ?? bucket.placement;
    return await this.#transitions.move(bucket, object.key, head.mtime, to, true);
  }

  /** The instance of a new object: '' where the bucket keeps no versions. */
  newInstance(bucket: BucketInfo): RawString {
    return this.#versionWrites.newInstance(bucket);
  }

  /**
   * Makes a head what is given: a version of its own, or replacing the object of this name.
   *
   * `replaced`: false when another write of it came between, and stays.
   */
  async putHead(
    bucket: BucketInfo,
    key: ObjectKey,
    content: HeadContent,
    check?: HeadCheck,
  ): Promise<{ readonly mtime: UTime; readonly replaced: boolean }> {
    const put = await this.#withHint(bucket, key, content.attrs, () => this.#putHead(bucket, key, content, check));
    this.#onWritten(bucket);
    return put;
  }

  async #putHead(bucket: BucketInfo, key: ObjectKey, content: HeadContent, check?: HeadCheck) {
    const checkCurrent = check && (async () => check((await this.find(bucket, { ...key, instance: '' }))?.head));
    if (key.instance !== '') {
      await checkCurrent?.();
      return { mtime: await this.#versionWrites.putVersion(bucket, key, content, checkCurrent), replaced: true };
    }
    const checkSeen = check && ((seen: Head | undefined) => check(seen && this.#isOver(seen) ? undefined : seen));
    const put = isVersioned(bucket) ? undefined : await this.#heads.put(bucket, key, content, checkSeen);
    return put ?? (await this.#versionWrites.putNull(bucket, key, content, checkCurrent));
  }

  /** An object that is to be removed at some time is noted before, and again when that time came before it did. */
  async #withHint<T>(
    bucket: BucketInfo,
    key: ObjectKey,
    attrs: ReadonlyMap<RawString, Bytes | undefined>,
    change: () => Promise<T>,
  ): Promise<T> {
    const given = attrs.get(Attr.deleteAt);
    const deleteAt = given && deleteAtOf(new Map([[Attr.deleteAt, given]]));
    if (!deleteAt) return await change();
    await this.#hints.add(bucket, key, deleteAt);
    const changed = await change();
    if (compareUTimes(deleteAt, this.#world.clock.wall()) <= 0) await this.#hints.add(bucket, key, deleteAt);
    return changed;
  }

  #isOver({ attrs }: Head): boolean {
    return isOver(attrs, this.#world.clock.wall());
  }

  /**
   * Removes an object, or a version. Where there are versions, an object is hidden behind a delete marker.
   *
   * @param check called with the object before it is removed, undefined when it is a delete marker; what it throws ends the removal
   */
  async remove(
    bucket: BucketInfo,
    key: ObjectKey,
    owner: MarkerOwner,
    check?: (found: Head | undefined) => void,
  ): Promise<Removed> {
    if (!isVersioned(bucket)) {
      if (key.instance !== '' && key.instance !== NULL_INSTANCE) return NOTHING_REMOVED;
      const removed = await this.#heads.remove(bucket, { ...key, instance: '' }, check);
      if (removed !== undefined) return NOTHING_REMOVED;
    }
    const checkSeen =
      check &&
      (async () => {
        const { found, deleteMarker } = await this.lookAtAny(bucket, key);
        // Nothing is what the check asks for: nor is it hidden.
        if (!found && deleteMarker === undefined) throw new NothingThere();
        check(found?.head);
      });
    try {
      // Before anything is begun that would be taken back.
      await checkSeen?.();
      if (key.instance !== '') return await this.#versionWrites.removeVersion(bucket, key, checkSeen);
      return await this.#versionWrites.putDeleteMarker(bucket, key.name, owner, checkSeen);
    } catch (error) {
      if (error instanceof NothingThere) return NOTHING_REMOVED;
      throw error;
    }
  }

  /** Changes who may do what with an object that was found. @throws ObjectGone; RadosError ECANCELED: it was replaced meanwhile */
  async setAttrs(
    bucket: BucketInfo,
    found: FoundObject,
    attrs: ReadonlyMap<RawString, Bytes | undefined>,
  ): Promise<void> {
    await this.#withHint(bucket, found.object.key, attrs, () => this.#heads.setAttrs(bucket, found, attrs));
  }
}

/** Of what was written, as answers name it. */
export function versionIdOf({ instance }: ObjectKey): RawString | undefined {
  return instance === '' ? undefined : instance;
}
