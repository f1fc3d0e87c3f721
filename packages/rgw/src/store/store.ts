/** All that a gateway keeps in RADOS, opened. */
import { ObjectCategory } from '@spirula/cls';
import type { Bytes, RawString } from '@spirula/encoding';
import type { World } from '@spirula/world';
import type { Decompression } from '../decompression.ts';
import { EncryptionKeys } from '../encryption/keys.ts';
import { type Acl, encodeAcl } from '../formats/acl.ts';
import { BucketFlag, type BucketInfo, keepsVersions } from '../formats/bucket-info.ts';
import { encoded } from '../formats/encoded.ts';
import type { ObjectLock } from '../formats/object-lock.ts';
import { encodeOwnership, type Ownership } from '../formats/ownership.ts';
import { formatPlacementRule, NO_PLACEMENT, type PlacementRule } from '../formats/placement-rule.ts';
import type { UserInfo } from '../formats/user-info.ts';
import { Notifications } from '../notifications/notifications.ts';
import type { Pusher } from '../notifications/pusher.ts';
import { EventQueues } from '../notifications/queues.ts';
import { TopicStore } from '../notifications/topics.ts';
import { BucketReshard } from '../reshard/bucket-reshard.ts';
import { Growth } from '../reshard/growth.ts';
import { IndexFollower } from '../reshard/index-follower.ts';
import type { FoundBucket } from '../reshard/instances.ts';
import { UsageLog } from '../usage/usage-log.ts';
import { indexHeaders, sumOfStats } from './bucket-index.ts';
import { BucketAttr, BucketStore, type StoredBucket } from './buckets.ts';
import { DataPools } from './data-pools.ts';
import { ExpiryHints } from './expiry-hints.ts';
import { Garbage } from './garbage.ts';
import { LifecycleBuckets } from './lifecycle-buckets.ts';
import { MultipartUploads } from './multipart.ts';
import { ObjectStore } from './objects.ts';
import { placementOfNewBucket } from './placement.ts';
import type { Cluster } from './pools.ts';
import { Quotas } from './quotas.ts';
import { RoleStore } from './roles.ts';
import { Stripes } from './stripes.ts';
import { listUploads } from './upload-list.ts';
import { UserStore } from './users.ts';
import { listVersions } from './version-listing.ts';
import { openZone, type Zone } from './zone.ts';

/** Somebody else has a bucket of this name, or it is not where it is asked for. */
export class BucketNameTaken extends Error {
  override readonly name = 'BucketNameTaken';
}

export class BucketNotEmpty extends Error {
  override readonly name = 'BucketNotEmpty';
}

/** A bucket with object lock keeps versions. */
export class VersionsNotKept extends Error {
  override readonly name = 'VersionsNotKept';
}

export class TooManyBuckets extends Error {
  override readonly name = 'TooManyBuckets';
}

/** How a gateway tells others of events. */
export interface EventPorts {
  readonly pusher: Pusher;
  /** Called with the name of a queue that has one more event, or is new. */
  readonly onQueued: (queue: RawString) => void;
}

/** What is said of a new bucket. */
interface NewBucketOptions {
  readonly hasLock?: boolean;
  /** Where it is to be, as far as somebody says. */
  readonly asked?: PlacementRule;
  /** Whose its objects are; undefined: nobody says. */
  readonly ownership?: Ownership | undefined;
}

/** What the store may use besides. */
export interface StorePorts {
  /** Without them, nobody is told of events. */
  readonly events?: EventPorts | undefined;
  /** Without it, nothing compressed is read. */
  readonly decompression?: Decompression | undefined;
}

const ALL_UPLOADS = { prefix: '', delimiter: '', after: { key: '', id: '' }, hint: 1000 };
/** How often uploads that were begun meanwhile are given up, too. */
const MAX_TRIES = 10;
const NO_RULE: ObjectLock = { enabled: true, rule: undefined };

/** What the store uses of its daemon's world. */
export type StoreWorld = Pick<World, 'clock' | 'config' | 'crypto' | 'log' | 'memory'>;

export class Store {
  readonly zone: Zone;
  readonly users: UserStore;
  readonly roles: RoleStore;
  readonly buckets: BucketStore;
  readonly objects: ObjectStore;
  readonly uploads: MultipartUploads;
  readonly garbage: Garbage;
  readonly lifecycleBuckets: LifecycleBuckets;
  readonly expiryHints: ExpiryHints;
  readonly keys: EncryptionKeys;
  readonly quotas: Quotas;
  readonly topics: TopicStore;
  readonly queues: EventQueues;
  readonly notifications: Notifications;
  readonly follower: IndexFollower;
  readonly reshards: BucketReshard;
  readonly growth: Growth;
  readonly usageLog: UsageLog;
  readonly #world: StoreWorld;
  readonly #events: EventPorts | undefined;

  /** @param sleep waits so many microseconds */
  constructor(zone: Zone, world: StoreWorld, sleep: (us: number) => Promise<void>, ports: StorePorts = {}) {
    const { events, decompression } = ports;
    this.zone = zone;
    this.#events = events;
    this.#world = world;
    this.users = new UserStore(zone, world.crypto);
    this.roles = new RoleStore(zone);
    const { clock, config, crypto: entropy, log } = world;
    this.follower = new IndexFollower({ zone, clock, log, entropy, sleep });
    this.reshards = new BucketReshard({ zone, clock, log, config, entropy });
    this.buckets = new BucketStore(zone, world.crypto, (info) => this.follower.settled(info));
    this.growth = new Growth({ zone, buckets: this.buckets, follower: this.follower, clock, config });
    this.lifecycleBuckets = new LifecycleBuckets(zone.system('lc'), world.crypto);
    this.expiryHints = new ExpiryHints(zone.system('log'), world.crypto, world.config.rgw_objexp_hints_num_shards);
    this.keys = new EncryptionKeys(zone, world);
    this.usageLog = new UsageLog(zone.system('usageLog'));
    this.quotas = new Quotas({
      zone,
      users: this.users,
      buckets: this.buckets,
      follower: this.follower,
      clock: world.clock,
    });
    this.topics = new TopicStore(zone, world.crypto);
    this.queues = new EventQueues(zone.system('notif'));
    this.notifications = new Notifications({
      world,
      topics: this.topics,
      queues: this.queues,
      pusher: events?.pusher,
      onQueued: (queue) => events?.onQueued(queue),
    });
    const pools = new DataPools(zone);
    this.garbage = new Garbage(world, zone.system('gc'), pools, {
      minWaitSeconds: world.config.rgw_gc_obj_min_wait,
    });
    const stripes = new Stripes({ world, pools, garbage: this.garbage });
    this.objects = new ObjectStore({
      world,
      pools,
      stripes,
      hints: this.expiryHints,
      follow: (bucket) => this.follower.of(bucket),
      onWritten: (bucket) => this.growth.note(bucket),
      beforeLetGo: (bucket, key, manifest) => this.uploads.end(bucket, key, manifest),
      decompression,
    });
    this.uploads = new MultipartUploads({ world, pools, objects: this.objects, stripes, garbage: this.garbage });
  }

  /** Makes the pools that are missing. @throws RadosError */
  static async open(
    cluster: Cluster,
    world: StoreWorld,
    sleep: (us: number) => Promise<void>,
    ports: StorePorts = {},
  ): Promise<Store> {
    return new Store(await openZone(cluster, world.crypto, world.log), world, sleep, ports);
  }

  /** Whether buckets may be made web sites. */
  get hasWebsites(): boolean {
    return this.#world.config.rgw_enable_static_website;
  }

  /** What `LocationConstraint` is here. */
  get location(): RawString {
    return this.zone.zonegroup.name;
  }

  /** Clients say where a new bucket is to be: here, or nothing that means anything. */
  isOwnLocation(location: RawString): boolean {
    const [zonegroup] = location.split(':', 1);
    return zonegroup === '' || zonegroup === this.location || zonegroup === 'us-east-1';
  }

  /**
   * Makes a bucket; one that the user has already stays as it is.
   *
   * @throws BucketNameTaken, TooManyBuckets, RadosError, as `placementOfNewBucket`
   */
  async createBucket(
    owner: UserInfo,
    name: RawString,
    acl: Acl,
    { hasLock = false, asked = NO_PLACEMENT, ownership }: NewBucketOptions = {},
  ): Promise<StoredBucket> {
    const { tenant } = owner.id;
    const placement = placementOfNewBucket(this.zone, owner, asked);
    if (!(await this.buckets.loadEntryPoint(tenant, name))) await this.#requireRoomForBucket(owner);
    const attrs = new Map<RawString, Bytes>([[BucketAttr.acl, encoded(encodeAcl, acl)]]);
    if (ownership) attrs.set(BucketAttr.ownership, encoded(encodeOwnership, ownership));
    const { bucket } = await this.buckets.create({
      tenant,
      name,
      owner: owner.id,
      placement,
      attrs,
      // What may be locked has versions.
      ...(hasLock && { flags: BucketFlag.versioned | BucketFlag.objectLockEnabled, objectLock: NO_RULE }),
      now: this.#world.clock.wall(),
    });
    const { id } = bucket.info.owner;
    if (id !== owner.id.id || bucket.info.owner.ns !== owner.id.ns || bucket.info.owner.tenant !== tenant) {
      throw new BucketNameTaken(name);
    }
    const isElsewhere = formatPlacementRule(bucket.info.placement) !== formatPlacementRule(placement);
    if (isElsewhere && asked.name + asked.storageClass !== '') throw new BucketNameTaken(name);
    return bucket;
  }

  async #requireRoomForBucket({ id, maxBuckets }: UserInfo): Promise<void> {
    if (maxBuckets === 0) return;
    if (maxBuckets < 0) throw new TooManyBuckets();
    let count = 0;
    for await (const _ of this.buckets.lists.list(id)) count += 1;
    if (count >= maxBuckets) throw new TooManyBuckets();
  }

  /**
   * Uploads that go on are given up. An object that is being written at the same time is there before, and the bucket stays; or
   * its write fails, as the bucket is gone.
   *
   * @throws BucketNotEmpty, BucketGone, BucketBusy, RadosError
   */
  async removeBucket(bucket: StoredBucket): Promise<void> {
    const remove = async ({ info, entry }: FoundBucket) => {
      await this.#requireEmpty(info);
      for await (const _ of listUploads(this.objects, info, ALL_UPLOADS)) return false;
      await this.buckets.remove(info, this.#world.clock.wall(), entry);
      return true;
    };
    for (let tries = 1; ; tries++) {
      await this.#requireEmpty(bucket.info);
      for await (const upload of listUploads(this.objects, bucket.info, ALL_UPLOADS)) {
        if (upload.kind === 'upload') await this.uploads.abort({ bucket: bucket.info, key: upload.key, id: upload.id });
      }
      if (await this.follower.closed(bucket.info, remove)) break;
      if (tries >= MAX_TRIES) throw new BucketNotEmpty();
    }
    await this.removeNotifications(bucket);
    if (bucket.attrs.has(BucketAttr.lifecycle)) await this.lifecycleBuckets.remove(bucket.info.bucket);
  }

  async #requireEmpty(bucket: BucketInfo): Promise<void> {
    const all = { prefix: '', delimiter: '', after: '', versionId: '', hint: 1 };
    for await (const _ of listVersions(this.objects, bucket, all)) throw new BucketNotEmpty();
  }

  /** Undefined: takes it away. @throws RadosError */
  async setBucketAttr(bucket: StoredBucket, name: RawString, value: Bytes | undefined): Promise<void> {
    await this.buckets.setAttrs(bucket, new Map([[name, value]]));
  }

  /**
   * Rules as they are stored; undefined: none. Gateways look for the bucket from then on, or no more.
   *
   * @throws RadosError
   */
  async setLifecycle(bucket: StoredBucket, rules: Bytes | undefined): Promise<void> {
    await this.setBucketAttr(bucket, BucketAttr.lifecycle, rules);
    if (rules) await this.lifecycleBuckets.add(bucket.info.bucket);
    else await this.lifecycleBuckets.remove(bucket.info.bucket);
  }

  /** A queue for a topic that keeps its events. @throws RadosError */
  async createQueue(name: RawString): Promise<void> {
    await this.queues.create(name);
    this.#events?.onQueued(name);
  }

  /** And its queue, with all that waits in it. @throws RadosError */
  async removeTopic(tenant: RawString, name: RawString): Promise<void> {
    await this.topics.remove(tenant, name, this.queues);
  }

  /** All that the bucket notifies of, or one of them; and the topics that were made for it. @throws RadosError */
  async removeNotifications({ info }: StoredBucket, id?: RawString): Promise<void> {
    const gone: RawString[] = [];
    await this.topics.changeNotifications(info.bucket, (all) => {
      const kept = new Map([...all].filter(([, each]) => id !== undefined && each.id !== id));
      gone.push(...[...all.keys()].filter((name) => !kept.has(name)));
      return kept;
    });
    if (gone.length === 0) return;
    await this.topics.change(
      info.bucket.tenant,
      (topics) => new Map([...topics].filter(([name]) => !gone.includes(name))),
    );
  }

  /** From now on the bucket has one, if it had none. @throws VersionsNotKept; as `BucketStore.change` */
  async setObjectLock(bucket: StoredBucket, objectLock: ObjectLock): Promise<void> {
    await this.buckets.change(bucket, (info) => {
      if (!keepsVersions(info)) throw new VersionsNotKept(info.bucket.name);
      return { ...info, flags: info.flags | BucketFlag.objectLockEnabled, objectLock };
    });
  }

  /** @throws as `BucketStore.change` */
  async setRequesterPays(bucket: StoredBucket, requesterPays: boolean): Promise<void> {
    await this.buckets.change(bucket, (info) => ({ ...info, requesterPays }));
  }

  /** @throws RadosError */
  async setBucketAcl(bucket: StoredBucket, acl: Acl): Promise<void> {
    await this.setBucketAttr(bucket, BucketAttr.acl, encoded(encodeAcl, acl));
  }

  /**
   * From now on: new objects become versions of their own, or version null.
   *
   * @throws VersionsNotKept: they are to be suspended in a bucket with object lock; as `BucketStore.change`
   */
  async setVersioning(bucket: StoredBucket, status: 'Enabled' | 'Suspended'): Promise<void> {
    const { versioned, versionsSuspended } = BucketFlag;
    const isSuspended = status === 'Suspended';
    const changed = (flags: number) => (flags & ~versionsSuspended) | versioned | (isSuspended ? versionsSuspended : 0);
    await this.buckets.change(bucket, (info) => {
      const hasLock = (info.flags & BucketFlag.objectLockEnabled) !== 0;
      if (isSuspended && hasLock) throw new VersionsNotKept(info.bucket.name);
      return { ...info, flags: changed(info.flags) };
    });
  }

  /** What a bucket holds: objects that users see, and their bytes; these in whole blocks as well. */
  async bucketStats({ info }: StoredBucket): Promise<{
    readonly objects: bigint;
    readonly bytes: bigint;
    readonly roundedBytes: bigint;
  }> {
    const headers = await this.follower.following(info, (now) =>
      indexHeaders(this.zone.placement(now.placement).index, now),
    );
    const main = sumOfStats(headers).get(ObjectCategory.main);
    return { objects: main?.entries ?? 0n, bytes: main?.size ?? 0n, roundedBytes: main?.sizeRounded ?? 0n };
  }
}
