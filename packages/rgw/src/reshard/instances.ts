/** Buckets as they are stored now, whatever the gateway remembers of them; and instances of them that come and go. */
import type { RawString, UTime } from '@spirula/encoding';
import { Errno } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { Bucket } from '../formats/bucket.ts';
import { decodeBucketEntryPoint, encodeBucketEntryPoint } from '../formats/bucket-entry-point.ts';
import { type BucketInfo, decodeBucketInfo, encodeBucketInfo } from '../formats/bucket-info.ts';
import { encoded } from '../formats/encoded.ts';
import { createIndex, removeIndex } from '../store/bucket-index.ts';
import type { StoredBucket, StoredEntryPoint } from '../store/buckets.ts';
import type { Entropy } from '../store/entropy.ts';
import { bucketInstanceOid, bucketName } from '../store/layout.ts';
import { decodeStored } from '../store/meta-object.ts';
import { MetaPool } from '../store/meta-pool.ts';
import { UserBuckets } from '../store/user-buckets.ts';
import type { Zone } from '../store/zone.ts';

/** A bucket, and what leads to it. */
export interface FoundBucket extends StoredBucket {
  readonly entry: StoredEntryPoint;
}

const ID_BYTES = 7;

export class Instances {
  readonly #zone: Zone;
  readonly #root: MetaPool;
  readonly #lists: UserBuckets;
  readonly #entropy: Entropy;

  constructor(zone: Zone, entropy: Entropy) {
    this.#zone = zone;
    this.#root = new MetaPool(zone, 'domainRoot', entropy);
    this.#lists = new UserBuckets(zone.system('userUid'));
    this.#entropy = entropy;
  }

  /** Undefined: there is no bucket of that name. @throws RadosError */
  async find(tenant: RawString, name: RawString): Promise<FoundBucket | undefined> {
    const oid = bucketName({ tenant, name });
    for (;;) {
      const stored = await this.#root.readNow(oid);
      if (!stored) return undefined;
      const { version, modified } = stored;
      const entryPoint = decodeStored(oid, stored.data, decodeBucketEntryPoint);
      const bucket = await this.load(entryPoint.bucket);
      if (bucket) return { ...bucket, entry: { entryPoint, version, modified } };
      // It is gone from where the name led to: then the name leads elsewhere, or nowhere.
      const again = await this.#root.readNow(oid);
      if (again?.version.ver === version.ver && again.version.tag === version.tag) return undefined;
    }
  }

  /** Undefined: there is no such instance. @throws RadosError */
  async load(bucket: Bucket): Promise<StoredBucket | undefined> {
    const oid = bucketInstanceOid(bucket);
    const stored = await this.#root.readNow(oid);
    if (!stored) return undefined;
    const { data, attrs, version, modified } = stored;
    return { info: decodeStored(oid, data, decodeBucketInfo), attrs, version, modified };
  }

  newBucketId(): RawString {
    const gateway = this.#entropy.randomBytes(ID_BYTES).reduce((id, byte) => id * 256n + BigInt(byte), 0n);
    return `${this.#zone.params.id}.${gateway}.1`;
  }

  /** An instance that nothing leads to, with an empty index. @throws RadosError */
  async create(info: BucketInfo, attrs: StoredBucket['attrs']): Promise<StoredBucket> {
    const data = encoded(encodeBucketInfo, info);
    const version = await this.#root.create(bucketInstanceOid(info.bucket), { data, attrs });
    await createIndex(this.#zone.placement(info.placement).index, info);
    return { info, attrs, version, modified: info.created };
  }

  /** @throws RadosError ECANCELED, ENOENT */
  async update({ version, ...bucket }: StoredBucket, info: BucketInfo): Promise<StoredBucket> {
    const change = { data: encoded(encodeBucketInfo, info), attrs: bucket.attrs };
    return { ...bucket, info, version: await this.#root.update(bucketInstanceOid(info.bucket), version, change) };
  }

  /** The name leads to this instance from now on. @throws RadosError ECANCELED when it was changed meanwhile; ENOENT */
  async pointTo({ entryPoint, version }: StoredEntryPoint, bucket: Bucket): Promise<StoredEntryPoint['version']> {
    const data = encoded(encodeBucketEntryPoint, { ...entryPoint, bucket });
    return await this.#root.update(bucketName(bucket), version, { data });
  }

  /** @throws RadosError */
  async list({ owner, bucket, created }: BucketInfo, now: UTime): Promise<void> {
    await this.#lists.add(owner, bucket, created, now);
  }

  /** With its index; whatever of it is there. @throws RadosError */
  async remove(info: BucketInfo): Promise<void> {
    await removeIndex(this.#zone.placement(info.placement).index, info);
    try {
      await this.#root.removeAny(bucketInstanceOid(info.bucket));
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
    }
  }

  /** All that there are, in no order that means anything. @throws RadosError */
  async *all(): AsyncGenerator<StoredBucket> {
    for await (const { oid } of this.#root.io.listObjects()) {
      if (!oid.startsWith(INSTANCE_PREFIX)) continue;
      const stored = await this.#root.readNow(oid);
      if (!stored) continue;
      const { data, attrs, version, modified } = stored;
      yield { info: decodeStored(oid, data, decodeBucketInfo), attrs, version, modified };
    }
  }
}

const INSTANCE_PREFIX = '.bucket.meta.';
