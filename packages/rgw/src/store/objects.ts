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
import { ModifyOp, NO_META } from '@spirula/cls';
import { type Bytes, Errno, type RawString, toHex, type UTime } from '@spirula/encoding';
import { ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { type Acl, decodeAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded } from '../formats/encoded.ts';
import type { Manifest } from '../formats/manifest.ts';
import { wholeManifest } from '../formats/manifest-stripes.ts';
import type { BucketObject, ObjectKey } from '../formats/object.ts';
import type { DataPools } from './data-pools.ts';
import { randomTag } from './entropy.ts';
import { type Head, readHead } from './head.ts';
import {
  entryMeta,
  entryMetaOf,
  type HeadContent,
  headOperation,
  isSameWrite,
  removeHead,
  requireHead,
} from './head-write.ts';
import { Attr, textAttr } from './object-attrs.ts';
import { ObjectIndex, type PreparedChange } from './object-index.ts';
import { writeStripes } from './stripe-writer.ts';
import { CHUNK_BYTES, type FoundObject, STRIPE_BYTES, type Stripes, stripeObject } from './stripes.ts';

const TAG_LENGTH = 32;
/** How often a conditional write that others get in the way of looks again. */
const MAX_TRIES = 20;

/** The head is not the one that was seen: replaced, removed, or made meanwhile. */
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, Errno.EEXIST]);
/** Whether it was done nobody knows. */
const UNKNOWN: ReadonlySet<number> = new Set([Errno.ETIMEDOUT, Errno.ESHUTDOWN]);

/** What is asked of an object before it is replaced; what it throws ends the write. */
export type HeadCheck = (found: Head | undefined) => void | Promise<void>;

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

export interface ObjectStoreOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly pools: DataPools;
  readonly stripes: Stripes;
  /** Called before a head that an upload became is replaced or removed: from then on nobody makes it of the same parts again. */
  readonly beforeLetGo: (bucket: BucketInfo, key: ObjectKey, manifest: Manifest) => Promise<void>;
}

export class ObjectStore {
  readonly #world: ObjectStoreOptions['world'];
  readonly #pools: DataPools;
  readonly #stripes: Stripes;
  readonly #beforeLetGo: ObjectStoreOptions['beforeLetGo'];

  constructor({ world, pools, stripes, beforeLetGo }: ObjectStoreOptions) {
    this.#world = world;
    this.#pools = pools;
    this.#stripes = stripes;
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
    const { io, oid } = this.#stripes.place(object, bucket);
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
          return this.#stripes.write(bucket, tail, data);
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
      if (!replaced) await this.#stripes.discard(bucket, tails);
      return { etag, mtime, size };
    } catch (error) {
      // A head that may be there needs them.
      if (!(error instanceof RadosError) || !UNKNOWN.has(error.code)) await this.#stripes.discard(bucket, tails);
      throw error;
    }
  }

  /** Bytes `from` up to `to` (exclusive), as they are asked for and some ahead. */
  read(bucket: BucketInfo, found: FoundObject, from: number, to: number): AsyncGenerator<Bytes> {
    return this.#stripes.read(bucket, found, from, to);
  }

  /**
   * Removes an object. False: there is none.
   *
   * @param check called with the object before it is removed; what it throws ends the removal
   */
  async remove(bucket: BucketInfo, key: ObjectKey, check?: (found: Head) => void): Promise<boolean> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#stripes.place(object, bucket);
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
        await this.#stripes.discardTailOf(bucket, object, head);
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
    const { io, oid } = this.#stripes.place(object, bucket);
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
        if (head) await this.#stripes.discardTailOf(bucket, object, head, content.manifest);
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
    const { io, oid } = this.#stripes.place(object, bucket);
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

  #newTag(): RawString {
    return randomTag(this.#world.crypto, TAG_LENGTH);
  }
}
