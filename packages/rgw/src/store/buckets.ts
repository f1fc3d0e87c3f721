/**
 * Buckets (services/svc_bucket_sobj.cc, RGWRados::create_bucket): in the namespace root of the meta pool, an entry point under
 * the bucket's name, which leads to an instance; and in the owner's list. The entry point is what counts:
 *
 *   make      instance, index, entry point (of two gateways one is first), list      a crash leaves what no name leads to, or
 *   remove    list, entry point, index, instance                                     a bucket that its owner's list lacks
 *
 * Who makes a bucket of theirs again, or removes it again, puts the latter right. Changes are made from what was loaded, and
 * fail with ECANCELED when another gateway was first.
 */
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { Bucket } from '../formats/bucket.ts';
import {
  type BucketEntryPoint,
  decodeBucketEntryPoint,
  encodeBucketEntryPoint,
} from '../formats/bucket-entry-point.ts';
import { type BucketInfo, decodeBucketInfo, encodeBucketInfo, newBucketInfo } from '../formats/bucket-info.ts';
import { BucketIndexType, newBucketLayout } from '../formats/bucket-layout.ts';
import { encoded } from '../formats/encoded.ts';
import type { PlacementRule } from '../formats/placement-rule.ts';
import type { UserId } from '../formats/user-id.ts';
import { createIndex, removeIndex } from './bucket-index.ts';
import type { Entropy } from './entropy.ts';
import { bucketInstanceOid, bucketName } from './layout.ts';
import { decodeStored, type ObjectVersion } from './meta-object.ts';
import { MetaPool } from './meta-pool.ts';
import { UserBuckets } from './user-buckets.ts';
import type { Zone } from './zone.ts';

export type BucketAttrs = ReadonlyMap<RawString, Bytes>;

/** Names of the attributes of buckets (RGW_ATTR_*). */
export const BucketAttr = {
  acl: 'user.rgw.acl',
  cors: 'user.rgw.cors',
  encryption: 'user.rgw.sse-s3.policy',
  lifecycle: 'user.rgw.lc',
  logging: 'user.rgw.spirula.logging',
  ownership: 'user.rgw.spirula.ownership',
  policy: 'user.rgw.iam-policy',
  publicAccess: 'user.rgw.public-access',
  tagging: 'user.rgw.x-amz-tagging',
} as const;

export interface StoredEntryPoint {
  readonly entryPoint: BucketEntryPoint;
  readonly version: ObjectVersion;
  readonly modified: UTime;
}

export interface StoredBucket {
  readonly info: BucketInfo;
  readonly attrs: BucketAttrs;
  /** Of the instance. */
  readonly version: ObjectVersion;
  readonly modified: UTime;
}

export interface NewBucket {
  readonly tenant: RawString;
  readonly name: RawString;
  readonly owner: UserId;
  readonly placement: PlacementRule;
  readonly attrs: BucketAttrs;
  readonly now: UTime;
  /** `BucketFlag`s. */
  readonly flags?: number;
  readonly objectLock?: BucketInfo['objectLock'];
}

/** How often a change that others get in the way of is tried: each time one of them is done. */
const MAX_TRIES = 100;

const INSTANCE_PREFIX: RawString = '.bucket.meta.';

export class BucketStore {
  readonly lists: UserBuckets;
  readonly #zone: Zone;
  readonly #root: MetaPool;
  /** Bucket ids are the zone's, this gateway's, and a count. */
  readonly #gatewayId: bigint;
  #made = 0;
  readonly #settled: (info: BucketInfo) => Promise<StoredBucket>;

  /** @param settled the bucket, once its index is not being resharded; without it, a bucket that is is refused with EBUSY */
  constructor(zone: Zone, entropy: Entropy, settled: (info: BucketInfo) => Promise<StoredBucket> = refuse) {
    this.#settled = settled;
    this.#zone = zone;
    this.#root = new MetaPool(zone, 'domainRoot', entropy);
    this.lists = new UserBuckets(zone.system('userUid'));
    this.#gatewayId = entropy.randomBytes(7).reduce((id, byte) => id * 256n + BigInt(byte), 0n);
  }

  /** Undefined: there is no bucket of that name. @throws RadosError */
  async loadEntryPoint(tenant: RawString, name: RawString): Promise<StoredEntryPoint | undefined> {
    if (name === '') return undefined;
    const oid = bucketName({ tenant, name });
    const stored = await this.#root.read(oid);
    if (!stored) return undefined;
    const entryPoint = decodeStored(oid, stored.data, decodeBucketEntryPoint);
    return { entryPoint, version: stored.version, modified: stored.modified };
  }

  /** Undefined: there is no such instance. @throws RadosError */
  async loadInstance(bucket: Bucket): Promise<StoredBucket | undefined> {
    const oid = bucketInstanceOid(bucket);
    const stored = await this.#root.read(oid);
    if (!stored) return undefined;
    const { data, attrs, version, modified } = stored;
    return { info: decodeStored(oid, data, decodeBucketInfo), attrs, version, modified };
  }

  /** Undefined: there is no bucket of that name. @throws RadosError */
  async load(tenant: RawString, name: RawString): Promise<StoredBucket | undefined> {
    let seen: RawString | undefined;
    for (;;) {
      const found = await this.loadEntryPoint(tenant, name);
      const bucket = found?.entryPoint.bucket;
      // The same as before, and without an instance: it was not resharded between the two looks.
      if (!bucket || bucket.bucketId === seen) return undefined;
      const instance = await this.loadInstance(bucket);
      if (instance) return instance;
      seen = bucket.bucketId;
    }
  }

  /** Makes a bucket, unless there is one of that name: then that one is given, and it is in its owner's list. */
  async create(given: NewBucket): Promise<{ readonly bucket: StoredBucket; readonly isNew: boolean }> {
    const before = await this.load(given.tenant, given.name);
    if (before) return this.#existing(before, given);
    const info = this.#newInfo(given);
    const { index } = this.#zone.placement(info.placement);
    const change = { data: encoded(encodeBucketInfo, info), attrs: given.attrs };
    const version = await this.#root.create(bucketInstanceOid(info.bucket), change);
    await createIndex(index, info);
    const entryPoint: BucketEntryPoint = {
      bucket: info.bucket,
      owner: info.owner,
      created: info.created,
      linked: true,
    };
    try {
      const data = encoded(encodeBucketEntryPoint, entryPoint);
      await this.#root.create(bucketName(given), { data });
    } catch (error) {
      await this.#removeInstance(info);
      if (!(error instanceof RadosError) || error.code !== Errno.EEXIST) throw error;
      const first = await this.load(given.tenant, given.name);
      // It was made and removed meanwhile: the caller may try again.
      if (!first) throw new RadosError(Errno.ECANCELED, bucketName(given));
      return this.#existing(first, given);
    }
    await this.lists.add(info.owner, info.bucket, info.created, given.now);
    return { bucket: { info, attrs: given.attrs, version, modified: given.now }, isNew: true };
  }

  /** Replaces what is known of a bucket; of attributes those given. @throws RadosError ECANCELED, ENOENT */
  async update(
    before: StoredBucket,
    info: BucketInfo,
    attrs: ReadonlyMap<RawString, Bytes | undefined> = new Map(),
  ): Promise<void> {
    const change = { data: encoded(encodeBucketInfo, info), attrs };
    await this.#root.update(bucketInstanceOid(info.bucket), before.version, change);
  }

  /** Sets attributes, and takes those away that are undefined. @throws RadosError as `change` */
  async setAttrs(bucket: StoredBucket, attrs: ReadonlyMap<RawString, Bytes | undefined>): Promise<void> {
    await this.change(bucket, (info) => info, attrs);
  }

  /**
   * Changes what is stored of a bucket, whatever else changes at the same time (retry_raced_bucket_write).
   *
   * @throws RadosError ENOENT; ECANCELED when others get in its way again and again; BucketGone, BucketBusy
   */
  async change(
    bucket: StoredBucket,
    changed: (info: BucketInfo) => BucketInfo,
    attrs: ReadonlyMap<RawString, Bytes | undefined> = new Map(),
  ): Promise<void> {
    let seen = bucket;
    for (let tries = 1; ; tries++) {
      // The instance that it is resharded to is made of this one as it is.
      if (seen.info.reshardStatus !== 0) seen = await this.#settled(seen.info);
      try {
        await this.update(seen, changed(seen.info), attrs);
        return;
      } catch (error) {
        const isOvertaken =
          error instanceof RadosError && (error.code === Errno.ECANCELED || error.code === Errno.ENOENT);
        if (!isOvertaken || tries >= MAX_TRIES) throw error;
      }
      const { tenant, name, marker } = bucket.info.bucket;
      const found = await this.load(tenant, name);
      if (found?.info.bucket.marker !== marker)
        throw new RadosError(Errno.ENOENT, bucketInstanceOid(bucket.info.bucket));
      seen = found;
    }
  }

  /** Gives a bucket to another user, or to its owner again. @throws RadosError ECANCELED, ENOENT */
  async link(bucket: StoredBucket, owner: UserId, attrs: BucketAttrs, now: UTime): Promise<void> {
    const { info } = bucket;
    await this.update(bucket, { ...info, owner }, attrs);
    await this.#setEntryPoint(info.bucket, { owner, linked: true });
    await this.lists.add(owner, info.bucket, info.created, now);
  }

  /** Takes a bucket from the list of a user; it goes on to be theirs. @throws RadosError */
  async unlink(info: BucketInfo, user: UserId): Promise<void> {
    await this.lists.remove(user, info.bucket);
    await this.#setEntryPoint(info.bucket, { linked: false });
  }

  /**
   * Removes a bucket; that nothing is in it, the caller knows.
   *
   * @param found what leads to it, as it was when the caller began to look
   * @throws RadosError ECANCELED when the name leads elsewhere or was changed meanwhile; ENOENT
   */
  async remove(info: BucketInfo, now: UTime, found: StoredEntryPoint): Promise<void> {
    const { bucket, owner } = info;
    if (found.entryPoint.bucket.bucketId !== bucket.bucketId) throw new RadosError(Errno.ECANCELED, bucketName(bucket));
    await this.lists.remove(owner, bucket);
    try {
      await this.#root.remove(bucketName(bucket), found.version);
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.ECANCELED) {
        await this.lists.add(owner, bucket, info.created, now);
      }
      throw error;
    }
    await this.#removeInstance(info);
  }

  /** Makes a bucket's name lead where this says, whatever it led to; its owner's list says so, or not. @throws RadosError ECANCELED */
  async putEntryPoint(entryPoint: BucketEntryPoint, now: UTime): Promise<void> {
    const { bucket, owner, created, linked } = entryPoint;
    const oid = bucketName(bucket);
    const before = await this.loadEntryPoint(bucket.tenant, bucket.name);
    const data = encoded(encodeBucketEntryPoint, entryPoint);
    if (before) await this.#root.update(oid, before.version, { data });
    else await this.#root.create(oid, { data });
    if (linked) await this.lists.add(owner, bucket, created, now);
    else await this.lists.remove(owner, bucket);
  }

  /** What it led to stays. False: there is no such bucket. @throws RadosError ECANCELED */
  async removeEntryPoint(tenant: RawString, name: RawString): Promise<boolean> {
    const found = await this.loadEntryPoint(tenant, name);
    if (!found) return false;
    const { bucket, owner } = found.entryPoint;
    await this.lists.remove(owner, bucket);
    await this.#root.remove(bucketName(bucket), found.version);
    return true;
  }

  /** Its index stays. False: there is no such instance. @throws RadosError ECANCELED */
  async removeInstanceInfo(bucket: Bucket): Promise<boolean> {
    const found = await this.loadInstance(bucket);
    if (!found) return false;
    await this.#root.remove(bucketInstanceOid(bucket), found.version);
    return true;
  }

  /** Names of all buckets, `tenant/name`, in no order that means anything. */
  async *list(): AsyncGenerator<RawString> {
    for await (const { oid } of this.#root.io.listObjects()) if (!oid.startsWith('.')) yield oid;
  }

  /** Of all instances, `tenant/name:id`, in no order that means anything. */
  async *listInstances(): AsyncGenerator<RawString> {
    for await (const { oid } of this.#root.io.listObjects()) {
      if (!oid.startsWith(INSTANCE_PREFIX)) continue;
      const parts = oid.slice(INSTANCE_PREFIX.length).split(':');
      yield parts.length > 2 ? `${parts[0]}/${parts.slice(1).join(':')}` : parts.join(':');
    }
  }

  async #existing(bucket: StoredBucket, { owner, now }: NewBucket) {
    const { info } = bucket;
    const isTheirs = info.owner.id === owner.id && info.owner.tenant === owner.tenant && info.owner.ns === owner.ns;
    if (isTheirs) await this.lists.add(owner, info.bucket, info.created, now);
    return { bucket, isNew: false };
  }

  #newInfo({ tenant, name, owner, placement, now, flags = 0, objectLock }: NewBucket): BucketInfo {
    this.#made += 1;
    const bucketId = `${this.#zone.params.id}.${this.#gatewayId}.${this.#made}`;
    const indexType = this.#zone.params.placements.get(placement.name)?.indexType ?? BucketIndexType.normal;
    return newBucketInfo({
      bucket: { tenant, name, marker: bucketId, bucketId, explicitPlacement: undefined },
      owner,
      flags,
      zonegroup: this.#zone.zonegroup.id,
      created: now,
      placement,
      objectLock,
      layout: newBucketLayout(indexType, this.#zone.indexShards),
    });
  }

  async #setEntryPoint(bucket: Bucket, change: Partial<BucketEntryPoint>): Promise<void> {
    const found = await this.loadEntryPoint(bucket.tenant, bucket.name);
    if (!found) throw new RadosError(Errno.ENOENT, bucketName(bucket));
    const data = encoded(encodeBucketEntryPoint, { ...found.entryPoint, ...change });
    await this.#root.update(bucketName(bucket), found.version, { data });
  }

  /** Nothing leads to it: whatever its version. */
  async #removeInstance(info: BucketInfo): Promise<void> {
    await removeIndex(this.#zone.placement(info.placement).index, info);
    try {
      await this.#root.removeAny(bucketInstanceOid(info.bucket));
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
    }
  }
}

async function refuse({ bucket }: BucketInfo): Promise<never> {
  throw new RadosError(Errno.EBUSY, `${bucketName(bucket)} is being resharded`);
}
