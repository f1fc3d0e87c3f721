/** Brings an OLH to where the index's log ends (RGWRados::update_olh, apply_olh_log, repair_olh). */
import { bytesFromRaw, Errno, type RawString } from '@spirula/encoding';
import { type IoCtx, ObjectOperation, RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { encoded } from '../formats/encoded.ts';
import type { ObjectKey } from '../formats/object.ts';
import { encodeOlhInfo } from '../formats/olh.ts';
import { garbageTag, type Head, readHead } from './head.ts';
import { requireNoOther } from './head-write.ts';
import { keyOfIndex } from './layout.ts';
import { OLH_PENDING_PREFIX, OlhAttr } from './object-attrs.ts';
import type { ObjectIndex } from './object-index.ts';
import type { OlhChanges } from './olh-changes.ts';
import { isUnlinked, type OlhState, olhOf, placeOfOlh, requireOlh } from './olh-head.ts';
import { OlhIndex } from './olh-index.ts';
import { applyOlhLog, type FollowedLog, type RemovedVersion } from './olh-log.ts';
import type { Stripes } from './stripes.ts';

/** MAX_ECANCELED_RETRY */
const MAX_TRIES = 100;
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, Errno.EEXIST]);

export interface OlhFollowerOptions {
  readonly world: Pick<World, 'log'>;
  readonly stripes: Stripes;
  readonly changes: OlhChanges;
  readonly index: (bucket: BucketInfo) => ObjectIndex;
  /**
   * Removes the object of a version, and tells the index; one that is not there is told of only.
   *
   * @param seen of version null: what is to go. False: something else is there
   */
  readonly removeObject: (bucket: BucketInfo, key: ObjectKey, seen: Head | undefined) => Promise<boolean>;
}

export class OlhFollower {
  readonly #world: OlhFollowerOptions['world'];
  readonly #stripes: Stripes;
  readonly #changes: OlhChanges;
  readonly #index: OlhFollowerOptions['index'];
  readonly #removeObject: OlhFollowerOptions['removeObject'];

  constructor({ world, stripes, changes, index, removeObject }: OlhFollowerOptions) {
    this.#world = world;
    this.#stripes = stripes;
    this.#changes = changes;
    this.#index = index;
    this.#removeObject = removeObject;
  }

  /** It is so in the index: whoever comes next follows, if this cannot. */
  async tryTo(bucket: BucketInfo, name: RawString): Promise<void> {
    try {
      await this.follow(bucket, name);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
      this.#world.log.warn('the log of versions is not followed yet', { name, problem: error.message });
    }
  }

  /** Brings the OLH to where the index's log ends. @throws RadosError */
  async follow(bucket: BucketInfo, name: RawString): Promise<void> {
    const { io, oid } = placeOfOlh(this.#stripes, bucket, name);
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
        if (await this.repair(bucket, name)) continue;
        return;
      }
      if (reply.log.size === 0) return await this.#changes.forgetStale(bucket, name, head, olh);
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

  /** The OLH becomes the one that the index knows, if it knows one. False: it does not. */
  async repair(bucket: BucketInfo, name: RawString): Promise<boolean> {
    const { io, oid } = placeOfOlh(this.#stripes, bucket, name);
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
}
