/**
 * Versions of objects (RGWRados::set_olh, unlink_obj_instance, follow_olh).
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
 * written since (`OlhFollower`).
 */
import { type EntryMeta, isDeleteMarker } from '@spirula/cls';
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { type Acl, decodeAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { decoded } from '../formats/encoded.ts';
import type { ObjectKey } from '../formats/object.ts';
import { garbageTag, type Head, readHead } from './head.ts';
import { entryMetaOf } from './head-write.ts';
import { Attr } from './object-attrs.ts';
import type { IndexGuard, WrittenEntry } from './object-index.ts';
import { OlhChanges } from './olh-changes.ts';
import { OlhFollower, type OlhFollowerOptions } from './olh-follower.ts';
import { hasObject, isUnlinked, olhOf, placeOfOlh } from './olh-head.ts';
import { type OlhChange, OlhIndex } from './olh-index.ts';
import type { Stripes } from './stripes.ts';

/** MAX_ECANCELED_RETRY */
const MAX_TRIES = 100;
/** Whether it was done nobody knows. */
const UNKNOWN: ReadonlySet<number> = new Set([Errno.ETIMEDOUT, Errno.ESHUTDOWN]);
const OVERTAKEN: ReadonlySet<number> = new Set([Errno.ECANCELED, Errno.ENOENT, Errno.EEXIST]);

export type VersionsOptions = Pick<OlhFollowerOptions, 'stripes' | 'index' | 'removeObject'> & {
  readonly world: Pick<World, 'clock' | 'crypto' | 'log'>;
};

/** Looks whether a change may be made: throws when not. */
export type VersionCheck = () => Promise<void>;

export class Versions {
  readonly changes: OlhChanges;
  readonly #stripes: Stripes;
  readonly #index: VersionsOptions['index'];
  readonly #follower: OlhFollower;

  constructor(options: VersionsOptions) {
    const { world, stripes, index } = options;
    this.#stripes = stripes;
    this.#index = index;
    this.changes = new OlhChanges(world, stripes);
    this.#follower = new OlhFollower({ ...options, changes: this.changes });
  }

  /**
   * The head object of a name, after what was pending was followed. Undefined: there is none.
   *
   * @throws RadosError
   */
  async readOlh(bucket: BucketInfo, name: RawString, prefetch = 0): Promise<Head | undefined> {
    const { io, oid } = placeOfOlh(this.#stripes, bucket, name);
    const head = await readHead(io, oid, prefetch);
    if (!head || (olhOf(head)?.pending.size ?? 0) === 0) return head;
    await this.#follower.follow(bucket, name);
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
    const { io, oid } = placeOfOlh(this.#stripes, bucket, key.name);
    const index = this.#index(bucket);
    const olhs = new OlhIndex(index);
    let toTell = untold;
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      // The index first: what is linked after this look changes it.
      const { entry, guard } = await olhs.readGuarded(key);
      const head = await readHead(io, oid);
      const olh = head && olhOf(head);
      if (!olh || !hasObject(head) || garbageTag(head) !== opTag) {
        if (olh?.pending.has(opTag)) await this.changes.takeBack(bucket, key.name, olh.tag, [opTag]);
        return false;
      }
      if (!olh.pending.has(opTag)) return true;
      const isLinked = [...(entry?.pendingLog.values() ?? [])].some((logged) =>
        logged.some((each) => each.opTag === opTag),
      );
      try {
        if (!isLinked) {
          if (toTell)
            await index.tell(key, { pool: io.pool, version: head.version }, this.changes.newTag(), toTell, guard);
          toTell = undefined;
          await olhs.link(key, { olhTag: olh.tag, opTag }, undefined, guard);
        }
        await this.#follower.tryTo(bucket, key.name);
        return true;
      } catch (error) {
        if (!(error instanceof RadosError) || !OVERTAKEN.has(error.code)) throw error;
        if (error.code === Errno.ENOENT) toTell = { meta: entryMetaOf(head, aclOf(head)), removed: [] };
        else await this.#follower.repair(bucket, key.name);
      }
    }
    throw new RadosError(Errno.ECANCELED, oid);
  }

  /**
   * Makes a version the current one.
   *
   * @param check what it throws ends it. What it saw is still so when the version becomes the current one
   * @returns false: there is no such version any more; of a delete marker, that one is current already
   * @throws RadosError it is not linked; ETIMEDOUT, ESHUTDOWN: perhaps
   */
  async link(bucket: BucketInfo, key: ObjectKey, deleteMarker?: EntryMeta, check?: VersionCheck): Promise<boolean> {
    const olhs = new OlhIndex(this.#index(bucket));
    return await this.#change(bucket, key, async (change) => {
      const guard = check && (await this.#checked(olhs, key, check));
      await olhs.link(key, change, deleteMarker, guard);
    });
  }

  /** Listings are told anew what the entry of a version says: where it is among the others, it stays. @throws RadosError */
  async refresh(bucket: BucketInfo, key: ObjectKey): Promise<void> {
    const olhs = new OlhIndex(this.#index(bucket));
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      // The index first: who links or unlinks one changes it.
      const { entry: olh, guard } = await olhs.readGuarded(key);
      const entry = await olhs.readVersion(key);
      if (!olh || !entry || isDeleteMarker(entry) || entry.versionedEpoch === 0n) return;
      const change = { olhTag: olh.tag, opTag: this.changes.newTag() };
      try {
        await olhs.link(key, change, undefined, guard, entry.versionedEpoch);
        return await this.#follower.tryTo(bucket, key.name);
      } catch (error) {
        if (!(error instanceof RadosError) || !OVERTAKEN.has(error.code)) throw error;
      }
    }
    throw new RadosError(Errno.ECANCELED, key.name);
  }

  /** Removes a version, a delete marker too. @param check as of `link` @throws as `link` */
  async unlink(bucket: BucketInfo, key: ObjectKey, check?: VersionCheck): Promise<void> {
    const olhs = new OlhIndex(this.#index(bucket));
    await this.#change(bucket, key, async (change) => {
      const guard = check && (await this.#checked(olhs, key, check));
      await olhs.unlink(key, change, guard);
    });
  }

  /** What the index says first: whatever is changed after the check has begun, changes that. */
  async #checked(olhs: OlhIndex, key: ObjectKey, check: VersionCheck): Promise<IndexGuard> {
    const { guard } = await olhs.readGuarded(key);
    await check();
    return guard;
  }

  async #change(bucket: BucketInfo, key: ObjectKey, tell: (change: OlhChange) => Promise<void>): Promise<boolean> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const change = await this.changes.begin(bucket, key.name);
      if (!change) continue;
      try {
        await tell(change);
      } catch (error) {
        if (error instanceof RadosError && UNKNOWN.has(error.code)) throw error;
        await this.changes.takeBack(bucket, key.name, change.olhTag, [change.opTag]);
        if (!(error instanceof RadosError)) throw error;
        if (error.code === Errno.ECANCELED) {
          await this.#follower.repair(bucket, key.name);
          continue;
        }
        if (error.code === Errno.ENOENT) return false;
        throw error;
      }
      await this.#follower.tryTo(bucket, key.name);
      return true;
    }
    throw new RadosError(Errno.ECANCELED, key.name);
  }
}

function aclOf({ attrs }: Head): Acl | undefined {
  const acl = attrs.get(Attr.acl);
  return acl && decoded(decodeAcl, acl);
}
