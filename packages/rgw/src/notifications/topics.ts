/**
 * Topics of tenants, and what buckets notify of: objects of the log pool (RGWPubSub).
 *
 *   pubsub.TENANT                      all topics of a tenant
 *   pubsub.TENANT.bucket.NAME/MARKER   the notifications of a bucket, by topics of their own: ID_TOPIC, as it was when they were set
 */
import { Errno, type RawString } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { Bucket } from '../formats/bucket.ts';
import { encoded } from '../formats/encoded.ts';
import {
  type BucketNotification,
  decodeBucketNotifications,
  decodeTopics,
  encodeBucketNotifications,
  encodeTopics,
  type StoredTopic,
} from '../formats/notification.ts';
import type { Entropy } from '../store/entropy.ts';
import { decodeStored } from '../store/meta-object.ts';
import { MetaPool } from '../store/meta-pool.ts';
import type { Zone } from '../store/zone.ts';

import { type EventQueues, queueNameOf } from './queues.ts';

type Topics = ReadonlyMap<RawString, StoredTopic>;
type BucketNotifications = ReadonlyMap<RawString, BucketNotification>;

/** How often a change that others get in the way of is tried. */
const MAX_TRIES = 100;

export class TopicStore {
  readonly #pool: MetaPool;

  constructor(zone: Zone, entropy: Entropy) {
    this.#pool = new MetaPool(zone, 'log', entropy);
  }

  /** All of a tenant. @throws RadosError */
  async list(tenant: RawString): Promise<Topics> {
    const oid = topicsOid(tenant);
    const stored = await this.#pool.read(oid);
    return stored ? decodeStored(oid, stored.data, decodeTopics) : new Map();
  }

  /** Undefined: there is no such topic. @throws RadosError */
  async find(tenant: RawString, name: RawString): Promise<StoredTopic | undefined> {
    return (await this.list(tenant)).get(name);
  }

  /** @param change makes other topics of those that there are; of none: there were none ever. @throws RadosError */
  async change(tenant: RawString, change: (topics: Topics) => Topics): Promise<void> {
    const oid = topicsOid(tenant);
    await retrying(async () => {
      const stored = await this.#pool.read(oid);
      const before: Topics = stored ? decodeStored(oid, stored.data, decodeTopics) : new Map();
      const after = change(before);
      if (!stored && after.size === 0) return;
      const data = encoded(encodeTopics, after);
      if (stored) await this.#pool.update(oid, stored.version, { data });
      else await this.#pool.create(oid, { data });
    });
  }

  /** And its queue, with all that waits in it. @throws RadosError */
  async remove(tenant: RawString, name: RawString, queues: EventQueues): Promise<void> {
    const destination = (await this.find(tenant, name))?.topic.destination;
    // What was made for a notification has the queue of another topic.
    if (destination?.persistent && destination.arnTopic === queueNameOf(tenant, name)) {
      await queues.remove(destination.arnTopic);
    }
    await this.change(tenant, (topics) => new Map([...topics].filter(([each]) => each !== name)));
  }

  /** @throws RadosError */
  async notificationsOf(bucket: Bucket): Promise<BucketNotifications> {
    const oid = notificationsOid(bucket);
    const stored = await this.#pool.readOrAbsent(oid);
    return stored ? decodeStored(oid, stored.data, decodeBucketNotifications) : new Map();
  }

  /** @param change makes other notifications of those that there are. @throws RadosError */
  async changeNotifications(bucket: Bucket, change: (all: BucketNotifications) => BucketNotifications): Promise<void> {
    const oid = notificationsOid(bucket);
    await retrying(async () => {
      const stored = await this.#pool.readOrAbsent(oid);
      const before: BucketNotifications = stored
        ? decodeStored(oid, stored.data, decodeBucketNotifications)
        : new Map();
      const after = change(before);
      if (!stored && after.size === 0) return;
      if (stored && after.size === 0) return await this.#pool.remove(oid, stored.version);
      const data = encoded(encodeBucketNotifications, after);
      if (stored) await this.#pool.update(oid, stored.version, { data });
      else await this.#pool.create(oid, { data });
    });
  }
}

/** Others change the same object: then it is read again. */
async function retrying(change: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await change();
      return;
    } catch (error) {
      const isOvertaken = error instanceof RadosError && OVERTAKEN.has(error.code);
      if (!isOvertaken || tries === MAX_TRIES) throw error;
    }
  }
}

const OVERTAKEN = new Set<number>([Errno.ECANCELED, Errno.EEXIST, Errno.ENOENT]);

function topicsOid(tenant: RawString): RawString {
  return `pubsub.${tenant}`;
}

function notificationsOid({ tenant, name, marker }: Bucket): RawString {
  return `pubsub.${tenant}.bucket.${name}/${marker}`;
}
