/**
 * Writes and removals in buckets that have, or had, versions (RGWRados::Object::Write::_do_write_meta, Delete::delete_obj).
 *
 *   enabled     write: a version of its own, which then is linked         remove: a delete marker is linked
 *   suspended   write: version null, in the head object, then linked      remove: version null becomes a delete marker
 */
import { isDeleteMarker, ModifyOp, NO_META } from '@spirula/cls';
import { Errno, type RawString, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { type BucketInfo, keepsVersions } from '../formats/bucket-info.ts';
import type { ObjectKey } from '../formats/object.ts';
import { randomAlphanumeric } from './entropy.ts';
import { readHead } from './head.ts';
import { entryMeta, type HeadContent, headOperation } from './head-write.ts';
import { type HeadCheck, type Heads, OVERTAKEN, UNKNOWN } from './heads.ts';
import { NULL_INSTANCE } from './layout.ts';
import { OlhAttr } from './object-attrs.ts';
import {
  BucketBusy,
  BucketGone,
  type HeadWrite,
  type ObjectIndex,
  type PreparedChange,
  type WrittenEntry,
} from './object-index.ts';
import { hasObject, olhOf } from './olh-head.ts';
import { OlhIndex } from './olh-index.ts';
import type { Stripes } from './stripes.ts';
import type { VersionCheck, Versions } from './versions.ts';

const INSTANCE_LENGTH = 31;
const MAX_TRIES = 20;

export interface VersionWritesOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly stripes: Stripes;
  readonly heads: Heads;
  readonly versions: Versions;
  readonly index: (bucket: BucketInfo) => ObjectIndex;
}

/** Whose a delete marker is. */
export interface MarkerOwner {
  readonly id: RawString;
  readonly displayName: RawString;
}

export interface Removed {
  /** The version that went, or the delete marker that was made. Undefined: neither. */
  readonly versionId: RawString | undefined;
  /** It is a delete marker. */
  readonly isDeleteMarker: boolean;
}

export const NOTHING_REMOVED: Removed = { versionId: undefined, isDeleteMarker: false };

export class VersionWrites {
  readonly #world: VersionWritesOptions['world'];
  readonly #stripes: Stripes;
  readonly #heads: Heads;
  readonly #versions: Versions;
  readonly #index: VersionWritesOptions['index'];

  constructor({ world, stripes, heads, versions, index }: VersionWritesOptions) {
    this.#world = world;
    this.#stripes = stripes;
    this.#heads = heads;
    this.#versions = versions;
    this.#index = index;
  }

  /** What a new object of a name is called; '' for version null. */
  newInstance(bucket: BucketInfo): RawString {
    return keepsVersions(bucket) ? randomAlphanumeric(this.#world.crypto, INSTANCE_LENGTH) : '';
  }

  /**
   * Makes a version of its own, and the current one. One that is there already is of the same content: an upload's.
   *
   * @param check see `Versions.link`
   * @throws RadosError, and what the check throws; but for ETIMEDOUT and ESHUTDOWN nothing remains of it
   */
  async putVersion(bucket: BucketInfo, key: ObjectKey, content: HeadContent, check?: VersionCheck): Promise<UTime> {
    const { io, oid } = this.#stripes.place({ bucket: bucket.bucket, key }, bucket);
    const index = this.#index(bucket);
    const tag = this.#heads.newTag();
    let mtime = this.#world.clock.wall();
    const prepared = await index.prepare(key, ModifyOp.add, tag);
    const reply = await io.submit(oid, headOperation(undefined, content, tag).at(mtime));
    let version = reply.userVersion;
    if (reply.result === Errno.EEXIST) {
      const before = await readHead(io, oid);
      version = before?.version ?? 0;
      mtime = before?.mtime ?? mtime;
    } else if (reply.result < 0) {
      await this.#heads.cancel(index, prepared);
      throw new RadosError(reply.result, oid);
    }
    try {
      await index.complete(prepared, { pool: io.pool, version }, entryMeta(content, mtime), content.replaces);
      const isLinked = await this.#versions.link(bucket, key, undefined, check);
      if (!isLinked) throw new RadosError(Errno.ECANCELED, oid);
      return mtime;
    } catch (error) {
      if (error instanceof BucketGone) await this.#heads.takeBack(bucket, key, tag);
      else if (isUnseen(error, reply.result)) await this.#withdraw(bucket, key);
      throw error;
    }
  }

  async #withdraw(bucket: BucketInfo, key: ObjectKey): Promise<void> {
    try {
      await this.#heads.removeVersion(bucket, key, undefined);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('a version that was not linked stays behind', { name: key.name, problem: error.message });
    }
  }

  /**
   * Makes version null, and makes it the current one.
   *
   * `replaced`: false when another write of it came between, and stays.
   */
  async putNull(
    bucket: BucketInfo,
    key: ObjectKey,
    content: HeadContent,
    check?: HeadCheck,
  ): Promise<{ readonly mtime: UTime; readonly replaced: boolean }> {
    const object = { bucket: bucket.bucket, key };
    const { io, oid } = this.#stripes.place(object, bucket);
    const index = this.#index(bucket);
    for (let tries = 1; ; tries++) {
      // A removal of version null that the log still holds must not meet what is written now.
      const head = await this.#versions.readOlh(bucket, key.name);
      const olh = head && olhOf(head);
      const before = head && hasObject(head) ? head : undefined;
      if (before) await this.#heads.letGo(bucket, key, before, content.manifest);
      await check?.(before);
      const mtime = this.#world.clock.wall();
      const opTag = this.#versions.changes.newTag();
      const { attrs } = this.#versions.changes.begunWith(head, opTag);
      const prepared = await index.prepare(key, ModifyOp.add, opTag);
      const begun = { ...content, attrs: new Map([...content.attrs, ...attrs]) };
      const operation = headOperation(head, begun, opTag, olh && [OlhAttr.tag, OlhAttr.version]).at(mtime);
      const reply = await io.submit(oid, operation);
      if (reply.result < 0) {
        await this.#heads.cancel(index, prepared);
        if (!OVERTAKEN.has(reply.result)) throw new RadosError(reply.result, oid);
        if (tries >= MAX_TRIES) throw new RadosError(Errno.ECANCELED, oid);
        continue;
      }
      const entry = { meta: entryMeta(content, mtime), removed: content.replaces ?? [] };
      let replaced: boolean;
      try {
        const isTold = await this.#tell(index, prepared, { pool: io.pool, version: reply.userVersion }, entry);
        replaced = await this.#versions.linkNull(bucket, key, opTag, isTold ? undefined : entry);
      } catch (error) {
        if (error instanceof BucketGone) await this.#heads.takeBack(bucket, key, opTag);
        throw error;
      }
      if (before) await this.#stripes.discardTailOf(bucket, object, before, content.manifest);
      return { mtime, replaced };
    }
  }

  /** False: whoever removed version null meanwhile has taken the entry away, and the announcement with it. */
  async #tell(index: ObjectIndex, prepared: PreparedChange, head: HeadWrite, entry: WrittenEntry): Promise<boolean> {
    try {
      await index.complete(prepared, head, entry.meta, entry.removed);
      return true;
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.EINVAL) return false;
      throw error;
    }
  }

  /** Hides an object behind a delete marker. Nothing is removed where one is current already. @param check see `Versions.link` */
  async putDeleteMarker(
    bucket: BucketInfo,
    name: RawString,
    owner: MarkerOwner,
    check?: VersionCheck,
  ): Promise<Removed> {
    const key = { name, instance: this.newInstance(bucket), ns: '' };
    if (key.instance === '') await this.#settleNull(bucket, name);
    const mtime = this.#world.clock.wall();
    const meta = { ...NO_META, mtime, owner: owner.id, ownerDisplayName: owner.displayName };
    if (!(await this.#versions.link(bucket, key, meta, check))) return NOTHING_REMOVED;
    return { versionId: key.instance === '' ? NULL_INSTANCE : key.instance, isDeleteMarker: true };
  }

  /** A version null that was written and never linked comes before what follows: it would come back afterwards. */
  async #settleNull(bucket: BucketInfo, name: RawString): Promise<void> {
    await this.#versions.readOlh(bucket, name);
  }

  async isDeleteMarker(bucket: BucketInfo, key: ObjectKey): Promise<boolean> {
    const entry = await new OlhIndex(this.#index(bucket)).readVersion(key);
    return entry !== undefined && isDeleteMarker(entry);
  }

  /** @param check see `Versions.link` */
  async removeVersion(bucket: BucketInfo, key: ObjectKey, check?: VersionCheck): Promise<Removed> {
    if (key.instance === '' || key.instance === NULL_INSTANCE) await this.#settleNull(bucket, key.name);
    const entry = await new OlhIndex(this.#index(bucket)).readVersion(key);
    if (!entry) return NOTHING_REMOVED;
    const plain = { ...key, instance: key.instance === NULL_INSTANCE ? '' : key.instance };
    await this.#versions.unlink(bucket, plain, check);
    return { versionId: key.instance, isDeleteMarker: isDeleteMarker(entry) };
  }
}

/** Nobody has seen it. But whoever made it before, of the same upload, may have linked it: that is what a check met, then. */
function isUnseen(error: unknown, result: number): boolean {
  if (error instanceof RadosError) return !UNKNOWN.has(error.code);
  return !(error instanceof BucketBusy) && result !== Errno.EEXIST;
}
