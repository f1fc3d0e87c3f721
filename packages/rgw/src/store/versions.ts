/**
 * Versions of objects (RGWRados::set_olh, unlink_obj_instance, update_olh, apply_olh_log, follow_olh, repair_olh).
 *
 *   data pool   MARKER__:INSTANCE_key   a version, whole
 *               MARKER_key              the OLH: leads to the current version. Beside that it may be an object: version null
 *   index       which version is current, and a log of what the OLH has not been told
 *
 *   begin        OLH: a pending change is noted      --> a reader who sees one reads the log
 *   link/unlink  index: another version is current   --> from here on it is so, whoever crashes
 *   follow       log --> OLH; versions that were removed go; the log is trimmed
 *
 * Everybody who meets a pending change follows the log, so nobody sees the OLH of before it. What is in the log is done any
 * number of times with one outcome: the OLH tells up to which epoch it was followed, and a removal of version null spares what was
 * written since (see `#removeNull`).
 */
import type { EntryMeta } from '@spirula/cls';
import { type Bytes, bytesFromRaw, Errno, type RawString, type UTime } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { type Acl, decodeAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded, encoded } from '../formats/encoded.ts';
import type { ObjectKey } from '../formats/object.ts';
import { encodeOlhInfo } from '../formats/olh.ts';
import { randomLower } from './entropy.ts';
import { garbageTag, type Head, readHead } from './head.ts';
import { entryMetaOf, requireHead, requireNoOther } from './head-write.ts';
import { keyOfIndex } from './layout.ts';
import { Attr, OLH_PENDING_PREFIX, OlhAttr, textAttr } from './object-attrs.ts';
import type { ObjectIndex, WrittenEntry } from './object-index.ts';
import { begunAttrs, hasObject, type OlhState, olhOf, requireOlh } from './olh-head.ts';
import { type OlhChange, OlhIndex } from './olh-index.ts';
import { applyOlhLog, type FollowedLog, type RemovedVersion } from './olh-log.ts';
import type { Stripes } from './stripes.ts';

const TAG_LENGTH = 32;
const TIME_DIGITS = 16;
/** MAX_ECANCELED_RETRY */
const MAX_TRIES = 100;
/** rgw_olh_pending_timeout_sec: whoever began a change so long ago does not live. */
const PENDING_TIMEOUT_SECONDS = 3600;
/** Whether it was done nobody knows. */
const UNKNOWN: ReadonlySet<number> = new Set([Errno.ETIMEDOUT, Errno.ESHUTDOWN]);
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, Errno.EEXIST]);

export interface VersionsOptions {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
  readonly stripes: Stripes;
  readonly index: (bucket: BucketInfo) => ObjectIndex;
  /**
   * Removes the object of a version, and tells the index; one that is not there is told of only.
   *
   * @param seen of version null: what is to go. False: something else is there
   */
  readonly removeObject: (bucket: BucketInfo, key: ObjectKey, seen: Head | undefined) => Promise<boolean>;
}

export class Versions {
  readonly #world: VersionsOptions['world'];
  readonly #stripes: Stripes;
  readonly #index: VersionsOptions['index'];
  readonly #removeObject: VersionsOptions['removeObject'];

  constructor({ world, stripes, index, removeObject }: VersionsOptions) {
    this.#world = world;
    this.#stripes = stripes;
    this.#index = index;
    this.#removeObject = removeObject;
  }

  /**
   * The head object of a name, after what was pending was followed. Undefined: there is none.
   *
   * @throws RadosError
   */
  async readOlh(bucket: BucketInfo, name: RawString, prefetch = 0): Promise<Head | undefined> {
    const { io, oid } = this.#place(bucket, name);
    const head = await readHead(io, oid, prefetch);
    if (!head || (olhOf(head)?.pending.size ?? 0) === 0) return head;
    await this.follow(bucket, name);
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const followed = await readHead(io, oid, prefetch);
      const olh = followed && olhOf(followed);
      if (!olh || !isUnlinked(followed, olh)) return followed;
      await this.#linkFor(bucket, name, followed);
    }
    throw new RadosError(Errno.ECANCELED, oid);
  }

  /** Version null was written and not linked: whoever wrote it may not live to do so, and what was there before is gone. */
  async #linkFor(bucket: BucketInfo, name: RawString, head: Head): Promise<void> {
    const untold = { meta: entryMetaOf(head, aclOf(head)), removed: [] };
    await this.linkNull(bucket, { name, instance: '', ns: '' }, garbageTag(head), untold);
  }

  /**
   * Makes version null, which was written, the current one: once, whoever does it. A second link would undo what came after the
   * first, so each holds only while the OLH is as it was when it was not linked yet.
   *
   * @param opTag of the change that its write has begun: the write's tag
   * @param untold what the index is still to be told of the write
   * @returns false: another write, or a removal, came after it
   * @throws RadosError as `link`
   */
  async linkNull(bucket: BucketInfo, key: ObjectKey, opTag: RawString, untold?: WrittenEntry): Promise<boolean> {
    const { io, oid } = this.#place(bucket, key.name);
    const index = this.#index(bucket);
    const olhs = new OlhIndex(index);
    let toTell = untold;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      // The index first: what is linked after this look changes it.
      const { entry, guard } = await olhs.readGuarded(key);
      const head = await readHead(io, oid);
      const olh = head && olhOf(head);
      if (!olh || !hasObject(head) || garbageTag(head) !== opTag) {
        if (olh?.pending.has(opTag)) await this.#removePending(bucket, key.name, olh.tag, [opTag]);
        return false;
      }
      if (!olh.pending.has(opTag)) return true;
      const isLinked = [...(entry?.pendingLog.values() ?? [])].some((logged) =>
        logged.some((each) => each.opTag === opTag),
      );
      try {
        if (!isLinked) {
          if (toTell) await index.tell(key, { pool: io.pool, version: head.version }, this.newTag(), toTell, guard);
          toTell = undefined;
          await olhs.link(key, { olhTag: olh.tag, opTag }, undefined, guard);
        }
        await this.#tryToFollow(bucket, key.name);
        return true;
      } catch (error) {
        if (!(error instanceof RadosError) || !OVERTAKEN.has(error.code)) throw error;
        if (error.code === Errno.ENOENT) toTell = { meta: entryMetaOf(head, aclOf(head)), removed: [] };
        else await this.#repair(bucket, key.name);
      }
    }
    throw new RadosError(Errno.ECANCELED, oid);
  }

  /** A tag for a change: those of later seconds are greater. */
  newTag(): RawString {
    const time = this.#world.clock.wall().sec.toString(16).padStart(TIME_DIGITS, '0');
    return time + randomLower(this.#world.crypto, TAG_LENGTH - TIME_DIGITS);
  }

  /** The xattrs by which a write of version null begins its change: `opTag` is the tag of the write. */
  begunWith(
    head: Head | undefined,
    opTag: RawString,
  ): { readonly attrs: Map<RawString, Bytes>; readonly olhTag: RawString } {
    const olh = head && olhOf(head);
    const olhTag = olh?.tag ?? randomLower(this.#world.crypto, TAG_LENGTH);
    return { attrs: begunAttrs(opTag, this.#world.clock.wall(), olhTag, olh === undefined), olhTag };
  }

  /**
   * Makes a version the current one.
   *
   * @returns false: there is no such version any more; of a delete marker, that one is current already
   * @throws RadosError it is not linked; ETIMEDOUT, ESHUTDOWN: perhaps
   */
  async link(bucket: BucketInfo, key: ObjectKey, deleteMarker?: EntryMeta): Promise<boolean> {
    const olhs = new OlhIndex(this.#index(bucket));
    return await this.#change(bucket, key, (change) => olhs.link(key, change, deleteMarker));
  }

  /** Removes a version, a delete marker too. @throws as `link` */
  async unlink(bucket: BucketInfo, key: ObjectKey): Promise<void> {
    const olhs = new OlhIndex(this.#index(bucket));
    await this.#change(bucket, key, (change) => olhs.unlink(key, change));
  }

  async #change(bucket: BucketInfo, key: ObjectKey, tell: (change: OlhChange) => Promise<void>): Promise<boolean> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const change = await this.#begin(bucket, key.name);
      if (!change) continue;
      try {
        await tell(change);
      } catch (error) {
        if (!(error instanceof RadosError) || UNKNOWN.has(error.code)) throw error;
        if (error.code === Errno.ECANCELED) {
          await this.#repair(bucket, key.name);
          continue;
        }
        await this.#takeBack(bucket, key.name, change);
        if (error.code === Errno.ENOENT) return false;
        throw error;
      }
      await this.#tryToFollow(bucket, key.name);
      return true;
    }
    throw new RadosError(Errno.ECANCELED, key.name);
  }

  /** Notes at the OLH, which is made if need be, that a change is under way. Undefined: look again. */
  async #begin(bucket: BucketInfo, name: RawString): Promise<OlhChange | undefined> {
    const { io, oid } = this.#place(bucket, name);
    const head = await readHead(io, oid);
    const olh = head && olhOf(head);
    const opTag = this.newTag();
    const { attrs, olhTag } = this.begunWith(head, opTag);
    const operation = new ObjectOperation();
    if (!head) operation.create(true);
    else if (olh) requireOlh(operation.stat(), olh.tag);
    else requireHead(operation.stat(), head);
    // From now on writes that know nothing of versions see that it was changed.
    if (!olh) operation.setXattr(Attr.idTag, textAttr(randomLower(this.#world.crypto, TAG_LENGTH)));
    for (const [attr, value] of attrs) operation.setXattr(attr, value);
    const { result } = await io.submit(oid, operation.at(head?.mtime ?? this.#world.clock.wall()));
    if (OVERTAKEN.has(result)) return undefined;
    if (result < 0) throw new RadosError(result, oid);
    return { olhTag, opTag };
  }

  /** A change that was begun is not made. */
  async #takeBack(bucket: BucketInfo, name: RawString, { olhTag, opTag }: OlhChange): Promise<void> {
    await this.#removePending(bucket, name, olhTag, [opTag]);
  }

  async #removePending(
    bucket: BucketInfo,
    name: RawString,
    olhTag: RawString,
    tags: readonly RawString[],
  ): Promise<void> {
    const { io, oid } = this.#place(bucket, name);
    const head = await readHead(io, oid);
    if (!head) return;
    const operation = requireOlh(new ObjectOperation().stat(), olhTag);
    for (const tag of tags) operation.rmXattr(OLH_PENDING_PREFIX + tag);
    const { result } = await io.submit(oid, operation.at(head.mtime));
    if (result < 0 && !OVERTAKEN.has(result)) this.#world.log.warn('a pending change stays noted', { oid, result });
  }

  /** It is so in the index: whoever comes next follows, if this cannot. */
  async #tryToFollow(bucket: BucketInfo, name: RawString): Promise<void> {
    try {
      await this.follow(bucket, name);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('the log of versions is not followed yet', { name, problem: error.message });
    }
  }

  /** Brings the OLH to where the index's log ends. @throws RadosError */
  async follow(bucket: BucketInfo, name: RawString): Promise<void> {
    const { io, oid } = this.#place(bucket, name);
    const key = { name, instance: '', ns: '' };
    const olhs = new OlhIndex(this.#index(bucket));
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      // The head first: what is written after this look, no removal in the log is about.
      const head = await readHead(io, oid);
      const olh = head && olhOf(head);
      if (!head || !olh) return;
      let reply: Awaited<ReturnType<OlhIndex['readLog']>>;
      try {
        reply = await olhs.readLog(key, olh.tag);
      } catch (error) {
        if (!(error instanceof RadosError) || error.code !== Errno.ECANCELED) throw error;
        if (await this.#repair(bucket, name)) continue;
        return;
      }
      if (reply.log.size === 0) return await this.#forgetStale(bucket, name, head, olh);
      const followed = applyOlhLog(olh, reply.log);
      if ((await this.#apply(bucket, key, { head, olh, followed, io, oid })) && !reply.truncated) return;
    }
    throw new RadosError(Errno.ECANCELED, oid);
  }

  /** False: another has changed the OLH. */
  async #apply(
    bucket: BucketInfo,
    key: ObjectKey,
    { head, olh, followed, io, oid }: { head: Head; olh: OlhState; followed: FollowedLog; io: IoCtx; oid: RawString },
  ): Promise<boolean> {
    for (const removed of followed.removed) {
      const gone =
        removed.key.instance === ''
          ? await this.#removeNull(bucket, removed, head, olh)
          : await this.#removeObject(bucket, removed.key, undefined);
      if (!gone) return false;
    }
    const olhs = new OlhIndex(this.#index(bucket));
    if (followed.isNew) {
      const operation = requireOlh(new ObjectOperation().stat(), olh.tag);
      operation.requireXattrAtMost(OlhAttr.version, followed.epoch);
      operation.setXattr(OlhAttr.version, bytesFromRaw(String(followed.epoch)));
      if (followed.target) {
        const { key: target, isDeleteMarker } = followed.target;
        const info = { target: { bucket: bucket.bucket, key: target }, removed: isDeleteMarker };
        operation.setXattr(OlhAttr.info, encoded(encodeOlhInfo, info));
      }
      for (const opTag of followed.opTags) operation.rmXattr(OLH_PENDING_PREFIX + opTag);
      const { result } = await io.submit(oid, operation.at(head.mtime));
      if (OVERTAKEN.has(result)) return false;
      if (result < 0) throw new RadosError(result, oid);
    }
    try {
      await olhs.trimLog(key, olh.tag, followed.epoch);
      if (followed.isEmpty) await this.#removeOlh(olhs, key, { olh, epoch: followed.epoch, io, oid });
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ECANCELED) return false;
      throw error;
    }
    return true;
  }

  /**
   * Removes the object of version null, unless it is of a write that has still to be linked: the write's own tag is pending then,
   * and it is no link in the log before the removal.
   */
  async #removeNull(
    bucket: BucketInfo,
    { key, linkedBefore }: RemovedVersion,
    head: Head,
    olh: OlhState,
  ): Promise<boolean> {
    if (isUnlinked(head, olh) && !linkedBefore.includes(garbageTag(head))) return true;
    return await this.#removeObject(bucket, key, head);
  }

  /** No version is left: the OLH goes, unless somebody has begun another change, or written version null. */
  async #removeOlh(
    olhs: OlhIndex,
    key: ObjectKey,
    { olh, epoch, io, oid }: { olh: OlhState; epoch: bigint; io: IoCtx; oid: RawString },
  ): Promise<void> {
    const operation = requireOlh(new ObjectOperation().stat(), olh.tag);
    operation.requireXattr(OlhAttr.version, bytesFromRaw(String(epoch)));
    const { result } = await io.submit(oid, requireNoOther(operation).remove());
    if (result === Errno.ECANCELED) return;
    if (result < 0 && result !== Errno.ENOENT) throw new RadosError(result, oid);
    await olhs.clear(key, olh.tag);
  }

  /** Changes of which the index knows nothing, begun so long ago that nobody will make them. */
  async #forgetStale(bucket: BucketInfo, name: RawString, head: Head, olh: OlhState): Promise<void> {
    const now = this.#world.clock.wall().sec;
    const written = isUnlinked(head, olh) ? garbageTag(head) : undefined;
    const isStale = (opTag: RawString, { sec }: UTime) => now - sec >= PENDING_TIMEOUT_SECONDS && opTag !== written;
    const stale = [...olh.pending].filter(([opTag, begun]) => isStale(opTag, begun)).map(([opTag]) => opTag);
    if (stale.length > 0) await this.#removePending(bucket, name, olh.tag, stale);
  }

  /** The OLH becomes the one that the index knows, if it knows one. False: it does not. */
  async #repair(bucket: BucketInfo, name: RawString): Promise<boolean> {
    const { io, oid } = this.#place(bucket, name);
    const head = await readHead(io, oid);
    const olh = head && olhOf(head);
    if (!head || !olh) return false;
    const entry = await new OlhIndex(this.#index(bucket)).read({ name, instance: '', ns: '' });
    if (!entry?.exists || entry.pendingRemoval) return false;
    if (entry.tag === olh.tag) return true;
    const target = { bucket: bucket.bucket, key: keyOfIndex(entry.key) };
    const operation = requireOlh(new ObjectOperation().stat(), olh.tag)
      .setXattr(OlhAttr.tag, bytesFromRaw(entry.tag))
      .setXattr(OlhAttr.info, encoded(encodeOlhInfo, { target, removed: entry.deleteMarker }));
    const { result } = await io.submit(oid, operation.at(head.mtime));
    if (result < 0 && !OVERTAKEN.has(result)) throw new RadosError(result, oid);
    this.#world.log.warn('an OLH was made again from the index', { oid });
    return true;
  }

  #place(bucket: BucketInfo, name: RawString): { readonly io: IoCtx; readonly oid: RawString } {
    return this.#stripes.place({ bucket: bucket.bucket, key: { name, instance: '', ns: '' } }, bucket);
  }
}

function aclOf({ attrs }: Head): Acl | undefined {
  const acl = attrs.get(Attr.acl);
  return acl && decoded(decodeAcl, acl);
}

/** The change that a write of version null began is still under way: its tag is the write's. */
function isUnlinked(head: Head, { pending }: OlhState): boolean {
  return hasObject(head) && pending.has(garbageTag(head));
}
