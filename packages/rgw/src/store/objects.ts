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
import {
  type EntryMeta,
  encodeRemoveObjectInput,
  encodeStorePgVersionInput,
  ModifyOp,
  NO_META,
  ObjectCategory,
} from '@spirula/cls';
import { type Bytes, bytesFromRaw, Errno, type RawString, toHex, type UTime } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { type Acl, decodeAcl, encodeAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import { encodeManifest, type Manifest } from '../formats/manifest.ts';
import { stripesOf, wholeManifest } from '../formats/manifest-stripes.ts';
import type { BucketObject, ObjectKey } from '../formats/object.ts';
import { formatUserId } from '../formats/user-id.ts';
import type { DataPools } from './data-pools.ts';
import { randomTag } from './entropy.ts';
import type { Garbage } from './garbage.ts';
import { etagOf, garbageTag, type Head, readHead } from './head.ts';
import { radosNameOf } from './layout.ts';
import { Attr, attrText, OLH_PREFIX, textAttr } from './object-attrs.ts';
import { ObjectIndex, type PreparedChange } from './object-index.ts';
import { writeStripes } from './stripe-writer.ts';

/** rgw_max_chunk_size: bytes in a head, and read or written at once. */
export const CHUNK_BYTES = 4 << 20;
/** rgw_obj_stripe_size */
export const STRIPE_BYTES = 4 << 20;
const TAG_LENGTH = 32;
/** Stripes that are read ahead of who takes them: what rgw_get_obj_window_size (16 MiB) holds. */
const READ_AHEAD = 4;
/** How often a conditional write that others get in the way of looks again. */
const MAX_TRIES = 20;

/** The head is not the one that was seen: replaced, removed, or made meanwhile. */
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, Errno.EEXIST]);
/** Whether it was done nobody knows. */
const UNKNOWN: ReadonlySet<number> = new Set([Errno.ETIMEDOUT, Errno.ESHUTDOWN]);

/** What is asked of an object before it is replaced; what it throws ends the write. */
export type HeadCheck = (found: Head | undefined) => void | Promise<void>;

/** An object that a request is about: a head, and what its bucket is. */
export interface FoundObject {
  readonly object: BucketObject;
  readonly head: Head;
}

export interface WriteOptions {
  /** More xattrs of the head. */
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly acl: Acl;
  readonly contentType: RawString;
  /** Called with the object that is there, before it is replaced; what it throws ends the write. */
  readonly check?: (found: Head | undefined) => void;
  /** Called when all bytes have come, with their MD5: more xattrs; what it throws ends the write. */
  readonly finish?: (md5: Bytes) => ReadonlyMap<RawString, Bytes>;
}

export interface Written {
  /** MD5 in hex. */
  readonly etag: string;
  readonly mtime: UTime;
  readonly size: number;
}

/** What becomes of a head. */
export interface HeadContent {
  readonly data: Bytes;
  readonly manifest: Manifest;
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly etag: RawString;
  readonly contentType: RawString;
  readonly acl: Acl;
  /** Entries of the index that go when this object appears. */
  readonly replaces?: readonly ObjectKey[];
}

export interface ObjectStoreOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly pools: DataPools;
  readonly garbage: Garbage;
  /** Called before a head that an upload became is replaced or removed: from then on nobody makes it of the same parts again. */
  readonly beforeLetGo: (bucket: BucketInfo, key: ObjectKey, manifest: Manifest) => Promise<void>;
}

export class ObjectStore {
  readonly #world: ObjectStoreOptions['world'];
  readonly #pools: DataPools;
  readonly #garbage: Garbage;
  readonly #beforeLetGo: ObjectStoreOptions['beforeLetGo'];

  constructor({ world, pools, garbage, beforeLetGo }: ObjectStoreOptions) {
    this.#world = world;
    this.#pools = pools;
    this.#garbage = garbage;
    this.#beforeLetGo = beforeLetGo;
  }

  index(bucket: BucketInfo): ObjectIndex {
    return new ObjectIndex(this.#pools.index(bucket), bucket.bucket.bucketId, bucket.layout.current.shards.count);
  }

  /** Number of the pool of the bucket's heads. */
  dataPoolOf(bucket: BucketInfo): number {
    return this.#pools.data(bucket.placement).pool;
  }

  /** Undefined: there is no such object. */
  async find(bucket: BucketInfo, key: ObjectKey, prefetch = 0): Promise<FoundObject | undefined> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#place(object, bucket);
    const head = await readHead(io, oid, prefetch);
    return head && { object, head };
  }

  /**
   * Stores a stream as an object, replacing the one of this name.
   *
   * @throws what the stream, a check or RADOS fails with: nothing has changed then, nothing remains. But for a RadosError that
   *   leaves open whether the head was written
   */
  async write(bucket: BucketInfo, key: ObjectKey, body: AsyncIterable<Bytes>, options: WriteOptions): Promise<Written> {
    const object = { bucket: bucket.bucket, key };
    const hasher = this.#world.crypto.hasher('md5');
    const begun = wholeManifest(
      {
        object,
        objectSize: 0,
        prefix: `.${randomTag(this.#world.crypto, TAG_LENGTH)}_`,
        stripeSize: STRIPE_BYTES,
        headPlacement: bucket.placement,
      },
      CHUNK_BYTES,
    );
    const tails: BucketObject[] = [];
    try {
      const { head, size } = await writeStripes(body, {
        headBytes: CHUNK_BYTES,
        stripeBytes: STRIPE_BYTES,
        hasher,
        write: (stripe, data) => {
          const tail = stripeObject(begun, stripe);
          tails.push(tail);
          return this.writeStripe(bucket, tail, data);
        },
      });
      const md5 = hasher.digest();
      const etag = toHex(md5);
      const attrs = new Map([...options.attrs, ...(options.finish?.(md5) ?? [])]);
      const manifest = { ...begun, objectSize: size, headSize: head.length };
      const { contentType, acl } = options;
      const content = { data: head, manifest, attrs, etag, contentType, acl };
      const { mtime, replaced } = await this.putHead(bucket, key, content, options.check);
      // Somebody else's write came first, and is the object: this one was replaced before anybody saw it.
      if (!replaced) await this.#discard(bucket, tails);
      return { etag, mtime, size };
    } catch (error) {
      // A head that may be there needs them.
      if (!(error instanceof RadosError) || !UNKNOWN.has(error.code)) await this.#discard(bucket, tails);
      throw error;
    }
  }

  /** Bytes `from` up to `to` (exclusive), as they are asked for and some ahead. */
  async *read(bucket: BucketInfo, { head, object }: FoundObject, from: number, to: number): AsyncGenerator<Bytes> {
    const { manifest, data } = head;
    if (from >= to) return;
    let at = from;
    if (at < data.length && at < (manifest?.headSize ?? data.length)) {
      const end = Math.min(to, data.length, manifest?.headSize ?? data.length);
      yield data.subarray(at, end);
      at = end;
    }
    if (at >= to) return;
    const pieces = manifest ? piecesOf(manifest, at, to) : [{ object, offset: at, length: to - at }];
    const ahead: Promise<Bytes>[] = [];
    try {
      for (const piece of pieces) {
        const reading = this.#readPiece(bucket, piece);
        // Whoever stops half-way does not wait for it.
        reading.catch(() => {});
        ahead.push(reading);
        if (ahead.length >= READ_AHEAD) yield await ahead.shift()!;
      }
      while (ahead.length > 0) yield await ahead.shift()!;
    } finally {
      ahead.length = 0;
    }
  }

  /**
   * Removes an object. False: there is none.
   *
   * @param check called with the object before it is removed; what it throws ends the removal
   */
  async remove(bucket: BucketInfo, key: ObjectKey, check?: (found: Head) => void): Promise<boolean> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#place(object, bucket);
    const index = this.index(bucket);
    let seen: Head | undefined;
    for (let tries = 1; ; tries++) {
      const head = await readHead(io, oid);
      if (!head) return seen !== undefined;
      // Replaced meanwhile. Taken for one that came after this removal, unless this one has a condition.
      if (seen && !check && !isSameWrite(seen, head)) return true;
      seen = head;
      check?.(head);
      await this.#letGo(bucket, key, head);
      const prepared = await index.prepare(key, ModifyOp.delete, this.#newTag());
      const operation = requireHead(new ObjectOperation(), head);
      removeHead(operation);
      const reply = await io.submit(oid, operation);
      if (reply.result >= 0) {
        const gone = { ...NO_META, mtime: head.mtime };
        await this.#complete(index, prepared, { pool: io.pool, version: reply.userVersion }, gone);
        await this.#discardTailOf(bucket, object, head);
        return true;
      }
      await this.#cancel(index, prepared);
      // Gone already: by this very request sent twice, or by another.
      if (reply.result === Errno.ENOENT) return true;
      if (reply.result !== Errno.ECANCELED || tries >= MAX_TRIES) throw new RadosError(reply.result, oid);
    }
  }

  /**
   * Makes a head what is given, replacing the object of this name.
   *
   * `replaced`: false when another write of it came between, and stays.
   */
  async putHead(
    bucket: BucketInfo,
    key: ObjectKey,
    content: HeadContent,
    check?: HeadCheck,
  ): Promise<{ readonly mtime: UTime; readonly replaced: boolean }> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#place(object, bucket);
    const index = this.index(bucket);
    let seen: Head | undefined;
    for (let tries = 1; ; tries++) {
      const tag = this.#newTag();
      const mtime = this.#world.clock.wall();
      const [head, prepared] = await this.#announce(index, key, tag, () => readHead(io, oid));
      if (tries > 1 && !check && !(seen && head && isSameWrite(seen, head))) {
        await this.#cancel(index, prepared);
        return { mtime, replaced: false };
      }
      seen = head;
      try {
        if (head) await this.#letGo(bucket, key, head, content.manifest);
        await check?.(head);
      } catch (error) {
        await this.#cancel(index, prepared);
        throw error;
      }
      const operation = headOperation(head, content, tag).at(mtime);
      const reply = await io.submit(oid, operation);
      if (reply.result >= 0) {
        const meta = entryMeta(content, mtime);
        await this.#complete(index, prepared, { pool: io.pool, version: reply.userVersion }, meta, content.replaces);
        if (head) await this.#discardTailOf(bucket, object, head, content.manifest);
        return { mtime, replaced: true };
      }
      await this.#cancel(index, prepared);
      if (!OVERTAKEN.has(reply.result)) throw new RadosError(reply.result, oid);
      if (tries >= MAX_TRIES) throw new RadosError(Errno.ECANCELED, oid);
    }
  }

  /** Changes who may do what with an object that was found. @throws RadosError ECANCELED when it was replaced meanwhile */
  async setAttrs(
    bucket: BucketInfo,
    { object, head }: FoundObject,
    attrs: ReadonlyMap<RawString, Bytes | undefined>,
  ): Promise<void> {
    const { io, oid } = this.#place(object, bucket);
    const index = this.index(bucket);
    const tag = this.#newTag();
    const prepared = await index.prepare(object.key, ModifyOp.add, tag);
    const operation = requireHead(new ObjectOperation(), head).setXattr(Attr.idTag, textAttr(tag));
    for (const [name, value] of attrs) {
      if (value === undefined) operation.rmXattr(name);
      else operation.setXattr(name, value);
    }
    const reply = await io.submit(oid, operation.at(head.mtime));
    if (reply.result < 0) {
      await this.#cancel(index, prepared);
      throw new RadosError(reply.result, oid);
    }
    const acl = attrs.get(Attr.acl) ?? head.attrs.get(Attr.acl);
    const meta = entryMetaOf(head, acl && decoded(decodeAcl, acl));
    await index.complete(prepared, { pool: io.pool, version: reply.userVersion }, meta);
  }

  /** The head is read while the change is announced; when reading fails, the announcement is taken back. */
  async #announce(
    index: ObjectIndex,
    key: ObjectKey,
    tag: RawString,
    read: () => Promise<Head | undefined>,
  ): Promise<[Head | undefined, PreparedChange]> {
    const reading = read();
    reading.catch(() => {});
    const prepared = await index.prepare(key, ModifyOp.add, tag);
    try {
      return [await reading, prepared];
    } catch (error) {
      await this.#cancel(index, prepared);
      throw error;
    }
  }

  /** The change is made: whoever lists next finds the announcement and mends the entry, if the index cannot be told. */
  async #complete(...[index, prepared, ...told]: [ObjectIndex, ...Parameters<ObjectIndex['complete']>]): Promise<void> {
    try {
      await index.complete(prepared, ...told);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('the index could not be told of an object', { oid: prepared.oid, error: error.message });
    }
  }

  /** Not of the parts that it has itself. */
  async #letGo(bucket: BucketInfo, key: ObjectKey, { manifest }: Head, by?: Manifest): Promise<void> {
    if (manifest && manifest.prefix !== by?.prefix) await this.#beforeLetGo(bucket, key, manifest);
  }

  async #cancel(index: ObjectIndex, prepared: PreparedChange): Promise<void> {
    try {
      await index.cancel(prepared);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('an announcement could not be taken back', { oid: prepared.oid, error: error.message });
    }
  }

  async writeStripe(bucket: BucketInfo, tail: BucketObject, data: Bytes): Promise<void> {
    const { io, oid } = this.#place(tail, bucket);
    await io.operate(oid, new ObjectOperation().writeFull(data));
  }

  /** False: there is one of this name. */
  async writeNewStripe(bucket: BucketInfo, tail: BucketObject, data: Bytes): Promise<boolean> {
    const { io, oid } = this.#place(tail, bucket);
    const { result } = await io.submit(oid, new ObjectOperation().create(true).writeFull(data));
    if (result < 0 && result !== Errno.EEXIST) throw new RadosError(result, oid);
    return result >= 0;
  }

  /** Of one that nobody has ever seen: it goes at once. */
  async removeStripe(bucket: BucketInfo, tail: BucketObject): Promise<void> {
    const { io, oid } = this.#place(tail, bucket);
    const { result } = await io.submit(oid, new ObjectOperation().remove());
    if (result < 0 && result !== Errno.ENOENT) this.#world.log.warn('an unused stripe stays behind', { oid, result });
  }

  async #readPiece(bucket: BucketInfo, { object, offset, length }: Piece): Promise<Bytes> {
    const { io, oid } = this.#place(object, bucket);
    const data = await io.read(oid, offset, length);
    if (data.length < length) throw new RadosError(Errno.EIO, `${oid}: shorter than the manifest says`);
    return data;
  }

  async #discard(bucket: BucketInfo, tails: readonly BucketObject[]): Promise<void> {
    for (const tail of tails) await this.removeStripe(bucket, tail);
  }

  /** Readers of the old head may still be at it: it is removed when they have had their time. */
  async #discardTailOf(bucket: BucketInfo, object: BucketObject, head: Head, by?: Manifest): Promise<void> {
    if (!head.manifest) return;
    const names = tailNames(head.manifest, object);
    // The same upload completed once more has the same tail.
    if (by) for (const oid of tailNames(by, object).keys()) names.delete(oid);
    if (names.size === 0) return;
    const pool = this.#pools.dataPoolName(bucket.placement);
    const tail = [...names].map(([oid, locator]) => ({ pool, oid, locator }));
    try {
      await this.#garbage.add(garbageTag(head), tail);
    } catch (error) {
      // The object has changed, which is what was asked for.
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('a tail that nobody needs stays behind', { oid: tail[0]!.oid, error: error.message });
    }
  }

  #newTag(): RawString {
    return randomTag(this.#world.crypto, TAG_LENGTH);
  }

  #place(object: BucketObject, bucket: BucketInfo): { readonly io: IoCtx; readonly oid: RawString } {
    const { oid, locator } = radosNameOf(object);
    const io = this.#pools.data(bucket.placement);
    return { io: locator === '' ? io : io.with({ locatorKey: locator }), oid };
  }
}

/** The RADOS objects of a tail, and their locators. */
function tailNames(manifest: Manifest, object: BucketObject): Map<RawString, RawString> {
  const own = radosNameOf(object).oid;
  const names = new Map<RawString, RawString>();
  for (const stripe of stripesOf(manifest)) {
    const { oid, locator } = radosNameOf(stripe.object);
    if (oid !== own) names.set(oid, locator);
  }
  return names;
}

interface Piece {
  readonly object: BucketObject;
  readonly offset: number;
  readonly length: number;
}

/** Stripes, none longer than what is read at once. */
function* piecesOf(manifest: Manifest, from: number, to: number): Generator<Piece> {
  for (const { object, offset, length } of stripesOf(manifest, from, to)) {
    for (let done = 0; done < length; done += CHUNK_BYTES) {
      yield { object, offset: offset + done, length: Math.min(CHUNK_BYTES, length - done) };
    }
  }
}

/** The object of a stripe behind the head. */
function stripeObject(manifest: Manifest, stripe: number): BucketObject {
  const start = manifest.maxHeadSize + stripe * STRIPE_BYTES;
  const whole = { ...manifest, headSize: manifest.maxHeadSize, objectSize: start + 1 };
  const [found] = stripesOf(whole, start, start + 1);
  return found!.object;
}

/** Whether nobody has written the object between the two looks; attributes may have changed. */
function isSameWrite(before: Head, now: Head): boolean {
  return garbageTag(before) === garbageTag(now);
}

/** Fails when the head is not the one that was seen. */
function requireHead(operation: ObjectOperation, { attrs }: Head): ObjectOperation {
  const tag = attrs.get(Attr.idTag);
  return tag === undefined ? operation.stat() : operation.requireXattr(Attr.idTag, tag);
}

/** Of a head that bears the versions of an object, what tells of these stays. */
function removeHead(operation: ObjectOperation): void {
  operation.exec('rgw', 'obj_remove', encodeRemoveObjectInput([OLH_PREFIX]), 'write');
}

function headOperation(found: Head | undefined, content: HeadContent, tag: RawString): ObjectOperation {
  const operation = new ObjectOperation();
  if (found) {
    requireHead(operation, found);
    operation.create(false);
    removeHead(operation);
  } else {
    operation.create(true);
  }
  operation.writeFull(content.data);
  const attrs = new Map<RawString, Bytes>([
    [Attr.idTag, textAttr(tag)],
    [Attr.tailTag, textAttr(tag)],
    [Attr.manifest, encoded(encodeManifest, content.manifest)],
    [Attr.acl, encoded(encodeAcl, content.acl)],
    [Attr.sourceZone, new Uint8Array(4)],
    [Attr.etag, bytesFromRaw(content.etag)],
    ...content.attrs,
  ]);
  for (const [name, value] of attrs) operation.setXattr(name, value);
  return operation.exec('rgw', 'obj_store_pg_ver', encodeStorePgVersionInput(Attr.pgVersion), 'write');
}

function entryMeta({ manifest, etag, contentType, acl }: HeadContent, mtime: UTime): EntryMeta {
  return {
    ...NO_META,
    category: ObjectCategory.main,
    size: BigInt(manifest.objectSize),
    accountedSize: BigInt(manifest.objectSize),
    mtime,
    etag,
    contentType,
    owner: formatUserId(acl.owner.id),
    ownerDisplayName: acl.owner.displayName,
  };
}

/** What the index should say of an object, by its head. */
export function entryMetaOf(head: Head, acl: Acl | undefined): EntryMeta {
  const contentType = head.attrs.get(Attr.contentType);
  return {
    ...NO_META,
    category: ObjectCategory.main,
    size: BigInt(head.size),
    accountedSize: BigInt(head.size),
    mtime: head.mtime,
    etag: etagOf(head),
    contentType: contentType === undefined ? '' : attrText(contentType),
    owner: acl === undefined ? '' : formatUserId(acl.owner.id),
    ownerDisplayName: acl?.owner.displayName ?? '',
  };
}
