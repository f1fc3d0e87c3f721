/**
 * Heads of objects: written, removed and changed, each in one operation that requires the head that was seen, between an announcement
 * in the index and its completion.
 */
import { ModifyOp, NO_META } from '@spirula/cls';
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { decodeAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded } from '../formats/encoded.ts';
import type { Manifest } from '../formats/manifest.ts';
import type { ObjectKey } from '../formats/object.ts';
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
import { BucketBusy, BucketGone, type ObjectIndex, type PreparedChange } from './object-index.ts';
import { hasObject, olhOf } from './olh-head.ts';
import type { FoundObject, Stripes } from './stripes.ts';

const TAG_LENGTH = 32;
/** How often a conditional write that others get in the way of looks again. */
const MAX_TRIES = 20;

/** The head is not the one that was seen: replaced, removed, or made meanwhile. */
export const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, Errno.EEXIST]);
/** Whether it was done nobody knows. */
export const UNKNOWN: ReadonlySet<number> = new Set([Errno.ETIMEDOUT, Errno.ESHUTDOWN]);

/** What is asked of an object before it is replaced; what it throws ends the write. */
export type HeadCheck = (found: Head | undefined) => void | Promise<void>;

/** It was removed while it was to be changed. */
export class ObjectGone extends Error {
  override readonly name = 'ObjectGone';
}

export interface HeadsOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly stripes: Stripes;
  readonly index: (bucket: BucketInfo) => ObjectIndex;
  /** Called before a head that an upload became is replaced or removed: from then on nobody makes it of the same parts again. */
  readonly beforeLetGo: (bucket: BucketInfo, key: ObjectKey, manifest: Manifest) => Promise<void>;
}

export class Heads {
  readonly #world: HeadsOptions['world'];
  readonly #stripes: Stripes;
  readonly #index: HeadsOptions['index'];
  readonly #beforeLetGo: HeadsOptions['beforeLetGo'];

  constructor({ world, stripes, index, beforeLetGo }: HeadsOptions) {
    this.#world = world;
    this.#stripes = stripes;
    this.#index = index;
    this.#beforeLetGo = beforeLetGo;
  }

  /**
   * Makes a head what is given, replacing the object of this name. Of a name that has no versions.
   *
   * `replaced`: false when another write of it came between, and stays. Undefined: there are versions of it.
   */
  async put(
    bucket: BucketInfo,
    key: ObjectKey,
    content: HeadContent,
    check?: HeadCheck,
  ): Promise<{ readonly mtime: UTime; readonly replaced: boolean } | undefined> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#stripes.place(object, bucket);
    const index = this.#index(bucket);
    for (let tries = 1; ; tries++) {
      const tag = this.newTag();
      const mtime = this.#world.clock.wall();
      const [head, prepared] = await this.#announce(index, key, tag, () => readHead(io, oid));
      if (head && olhOf(head)) {
        await this.cancel(index, prepared);
        return undefined;
      }
      try {
        if (head) await this.letGo(bucket, key, head, content.manifest);
        await check?.(head);
      } catch (error) {
        await this.cancel(index, prepared);
        throw error;
      }
      const operation = headOperation(head, content, tag).at(mtime);
      const reply = await io.submit(oid, operation);
      if (reply.result >= 0) {
        const meta = entryMeta(content, mtime);
        try {
          await this.#complete(index, prepared, { pool: io.pool, version: reply.userVersion }, meta, content.replaces);
        } catch (error) {
          if (error instanceof BucketGone) await this.takeBack(bucket, key, tag);
          throw error;
        }
        if (head) await this.#stripes.discardTailOf(bucket, object, head, content.manifest);
        return { mtime, replaced: true };
      }
      const isOvertaken = OVERTAKEN.has(reply.result);
      const isReplaced = isOvertaken && !check && (await this.#isReplaced(io, oid, head));
      await this.cancel(index, prepared);
      if (!isOvertaken) throw new RadosError(reply.result, oid);
      if (isReplaced) return { mtime, replaced: false };
      if (tries >= MAX_TRIES) throw new RadosError(Errno.ECANCELED, oid);
    }
  }

  /** Whether another write of a head that was seen came between: a write that was to replace it may count as the one before. */
  async #isReplaced(io: IoCtx, oid: RawString, seen: Head | undefined): Promise<boolean> {
    try {
      const now = await readHead(io, oid);
      return !(now && olhOf(now)) && !(seen && now && isSameWrite(seen, now));
    } catch {
      // The next try meets it again.
      return false;
    }
  }

  /**
   * Removes an object that has no versions. False: there is none. Undefined: there are versions of it.
   *
   * @param check called with the object before it is removed; what it throws ends the removal
   */
  async remove(bucket: BucketInfo, key: ObjectKey, check?: (found: Head) => void): Promise<boolean | undefined> {
    const { io, oid } = this.#stripes.place({ bucket: bucket.bucket, key }, bucket);
    let seen: Head | undefined;
    for (let tries = 1; ; tries++) {
      const head = await readHead(io, oid);
      if (!head) return seen !== undefined;
      if (olhOf(head)) return undefined;
      // Replaced meanwhile. Taken for one that came after this removal, unless this one has a condition.
      if (seen && !check && !isSameWrite(seen, head)) return true;
      seen = head;
      check?.(head);
      const result = await this.#removeSeen(bucket, key, head);
      // Gone already: by this very request sent twice, or by another.
      if (result >= 0 || result === Errno.ENOENT) return true;
      if (result !== Errno.ECANCELED || tries >= MAX_TRIES) throw new RadosError(result, oid);
    }
  }

  /**
   * Removes the object of a version, and tells the index; one that is not there is told of only.
   *
   * @param seen of version null: what is to go. False: something else is there
   */
  async removeVersion(bucket: BucketInfo, key: ObjectKey, seen: Head | undefined): Promise<boolean> {
    const { io, oid } = this.#stripes.place({ bucket: bucket.bucket, key }, bucket);
    const head = seen ?? (await readHead(io, oid));
    if (!head || !hasObject(head)) {
      const index = this.#index(bucket);
      const prepared = await index.prepare(key, ModifyOp.delete, this.newTag());
      // What was written later was told later.
      await this.#completeRemoval(index, prepared, { pool: io.pool, version: head?.version ?? 0 }, NO_META);
      return true;
    }
    const result = await this.#removeSeen(bucket, key, head);
    if (OVERTAKEN.has(result)) return false;
    if (result < 0) throw new RadosError(result, oid);
    return true;
  }

  /** The code of the operation. */
  async #removeSeen(bucket: BucketInfo, key: ObjectKey, head: Head): Promise<number> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#stripes.place(object, bucket);
    const index = this.#index(bucket);
    await this.letGo(bucket, key, head);
    const prepared = await index.prepare(key, ModifyOp.delete, this.newTag());
    const operation = requireHead(new ObjectOperation(), head);
    removeHead(operation);
    const reply = await io.submit(oid, operation);
    if (reply.result < 0) {
      await this.cancel(index, prepared);
      return reply.result;
    }
    const gone = { ...NO_META, mtime: head.mtime };
    await this.#completeRemoval(index, prepared, { pool: io.pool, version: reply.userVersion }, gone);
    await this.#stripes.discardTailOf(bucket, object, head);
    return reply.result;
  }

  /** Changes who may do what with an object that was found. @throws ObjectGone; RadosError ECANCELED: it was replaced meanwhile */
  async setAttrs(
    bucket: BucketInfo,
    { object, head }: FoundObject,
    attrs: ReadonlyMap<RawString, Bytes | undefined>,
  ): Promise<void> {
    const { io, oid } = this.#stripes.place(object, bucket);
    const index = this.#index(bucket);
    const tag = this.newTag();
    const prepared = await index.prepare(object.key, ModifyOp.add, tag);
    const operation = requireHead(new ObjectOperation(), head).setXattr(Attr.idTag, textAttr(tag));
    for (const [name, value] of attrs) {
      if (value === undefined) operation.rmXattr(name);
      else operation.setXattr(name, value);
    }
    const reply = await io.submit(oid, operation.at(head.mtime));
    if (reply.result < 0) {
      await this.cancel(index, prepared);
      throw reply.result === Errno.ENOENT ? new ObjectGone() : new RadosError(reply.result, oid);
    }
    const acl = attrs.get(Attr.acl) ?? head.attrs.get(Attr.acl);
    const meta = entryMetaOf(head, acl && decoded(decodeAcl, acl));
    try {
      await index.complete(prepared, { pool: io.pool, version: reply.userVersion }, meta);
    } catch (error) {
      // Version null was replaced meanwhile, and the announcement went with its entry.
      if (!(error instanceof RadosError) || error.code !== Errno.EINVAL) throw error;
    }
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
      await this.cancel(index, prepared);
      throw error;
    }
  }

  /** The change is made: whoever lists next finds the announcement and mends the entry, if the index cannot be told. */
  async #complete(...[index, prepared, ...told]: [ObjectIndex, ...Parameters<ObjectIndex['complete']>]): Promise<void> {
    try {
      await index.complete(prepared, ...told);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('the index could not be told of an object', {
        name: prepared.key.name,
        error: error.message,
      });
    }
  }

  /** What was removed is removed, whether or not its bucket is there still. */
  async #completeRemoval(...told: [ObjectIndex, ...Parameters<ObjectIndex['complete']>]): Promise<void> {
    try {
      await this.#complete(...told);
    } catch (error) {
      if (!(error instanceof BucketGone)) throw error;
    }
  }

  /** The bucket was removed while an object was written into it: of the write nothing stays. Never rejects. */
  async takeBack(bucket: BucketInfo, key: ObjectKey, tag: RawString): Promise<void> {
    const { io, oid } = this.#stripes.place({ bucket: bucket.bucket, key }, bucket);
    const { result } = await io.submit(oid, new ObjectOperation().requireXattr(Attr.idTag, textAttr(tag)).remove());
    if (result < 0 && !OVERTAKEN.has(result)) {
      this.#world.log.warn('an object of a bucket that was removed stays behind', { oid, error: String(result) });
    }
  }

  /** Not of the parts that it has itself. */
  async letGo(bucket: BucketInfo, key: ObjectKey, { manifest }: Head, by?: Manifest): Promise<void> {
    if (manifest && manifest.prefix !== by?.prefix) await this.#beforeLetGo(bucket, key, manifest);
  }

  async cancel(index: ObjectIndex, prepared: PreparedChange): Promise<void> {
    try {
      await index.cancel(prepared);
    } catch (error) {
      // It went with the bucket.
      if (error instanceof BucketGone) return;
      if (!(error instanceof RadosError || error instanceof BucketBusy)) throw error;
      this.#world.log.warn('an announcement could not be taken back', {
        name: prepared.key.name,
        error: error.message,
      });
    }
  }

  newTag(): RawString {
    return randomTag(this.#world.crypto, TAG_LENGTH);
  }
}
