/**
 * What buckets tell topics (rgw_notify.cc). Around each change of an object:
 *
 *   reserve ── the change ──┬── it is made: commit     push the event, and wait for the answer; or put it into the topic's queue
 *                           └── it is not: abort
 *
 * A topic that keeps events loses none of a change that a client is told is made: there was room before it was begun, and the event
 * is in the queue before the answer goes out. Of one that does not, an event that cannot be pushed is lost, and the log says so.
 */
import type { RawString, UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import type { World } from '@spirula/world';
import { encoded } from '../formats/encoded.ts';
import { type BucketNotification, type EventRecord, encodeQueuedEvent } from '../formats/notification.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { parseEndpoint, UnsupportedEndpoint } from './endpoint.ts';
import { type EventType, eventNameOf } from './event-type.ts';
import { concernsKey, concernsObject, metadataOf, type ObjectAttrs, tagsOf } from './filter.ts';
import type { Pusher } from './pusher.ts';
import { type EventQueues, RESERVED_BYTES } from './queues.ts';
import { eventDocument, eventIdOf, sequencerOf } from './record.ts';
import type { TopicStore } from './topics.ts';

/** Who changes something, and by which request. */
export interface EventOrigin {
  /** '': nobody in particular. */
  readonly userId: RawString;
  readonly requestId: string;
}

/** What is about to happen. */
export interface EventSubject {
  readonly type: EventType;
  readonly key: RawString;
  /** Of the object that there will be, or that goes; asked for when a filter is about them. */
  readonly attrs: () => Promise<ObjectAttrs>;
}

/** What has happened. */
export interface EventOutcome {
  readonly time: UTime;
  readonly size: number;
  readonly etag: RawString;
  readonly versionId: RawString | undefined;
  readonly attrs: ObjectAttrs;
}

interface Reserved {
  readonly notification: BucketNotification;
  /** Of a topic that keeps events: the room for this one. */
  readonly id: number | undefined;
}

export interface NotificationsOptions {
  readonly world: Pick<World, 'clock' | 'log'>;
  readonly topics: TopicStore;
  readonly queues: EventQueues;
  /** Without it nothing is pushed: of a program that only administers. */
  readonly pusher: Pusher | undefined;
  /** Called with a queue that has one more event. */
  readonly onQueued: (queue: RawString) => void;
}

export class Notifications {
  readonly #options: NotificationsOptions;

  constructor(options: NotificationsOptions) {
    this.#options = options;
  }

  /** Undefined: nobody is to be told. @throws QueueFull, RadosError: nothing may be changed then */
  async reserve(
    bucket: StoredBucket,
    origin: EventOrigin,
    { type, key, attrs }: EventSubject,
  ): Promise<Reservation | undefined> {
    const { topics } = this.#options;
    const all = [...(await topics.notificationsOf(bucket.info.bucket)).values()];
    let concerned = all.filter((each) => concernsKey(each, type, key) && each.topic.destination.pushEndpoint !== '');
    if (concerned.some(({ filter }) => filter.metadata.size > 0 || filter.tags.size > 0)) {
      const given = await attrs();
      concerned = concerned.filter(({ filter }) => concernsObject(filter, given));
    }
    if (concerned.length === 0) return undefined;
    const reservation = new Reservation(this.#options, bucket, origin, type, key);
    await reservation.begin(concerned);
    return reservation;
  }
}

export class Reservation {
  readonly #options: NotificationsOptions;
  readonly #bucket: StoredBucket;
  readonly #origin: EventOrigin;
  readonly #type: EventType;
  readonly #key: RawString;
  #reserved: Reserved[] = [];

  constructor(
    options: NotificationsOptions,
    bucket: StoredBucket,
    origin: EventOrigin,
    type: EventType,
    key: RawString,
  ) {
    this.#options = options;
    this.#bucket = bucket;
    this.#origin = origin;
    this.#type = type;
    this.#key = key;
  }

  /** @throws QueueFull, RadosError: nothing is reserved then */
  async begin(notifications: readonly BucketNotification[]): Promise<void> {
    try {
      for (const notification of notifications) {
        const { persistent, arnTopic } = notification.topic.destination;
        if (!persistent) this.#reserved.push({ notification, id: undefined });
        else {
          const id = await this.#options.queues.reserve(arnTopic, RESERVED_BYTES);
          if (id !== undefined) this.#reserved.push({ notification, id });
          else this.#options.world.log.warn('the queue of a topic is gone: events are lost', { topic: arnTopic });
        }
      }
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  /** Nothing has happened. Never rejects: room that is not given back now is free after a while. */
  async abort(): Promise<void> {
    const reserved = this.#reserved;
    this.#reserved = [];
    for (const { notification, id } of reserved) {
      if (id === undefined) continue;
      const queue = notification.topic.destination.arnTopic;
      try {
        await this.#options.queues.abort(queue, id);
      } catch (error) {
        if (!(error instanceof RadosError)) throw error;
        this.#options.world.log.warn('room in a queue is not given back', { queue, error: error.message });
      }
    }
  }

  /** @throws QueueFull, RadosError when an event is not kept that must be: nobody may be told that the change is made */
  async commit(outcome: EventOutcome): Promise<void> {
    const reserved = this.#reserved;
    this.#reserved = [];
    await Promise.all(
      reserved.map(({ notification, id }) => {
        const event = this.#event(notification, outcome);
        return id === undefined ? this.#push(notification, event) : this.#keep(notification, event, id);
      }),
    );
  }

  async #keep({ topic }: BucketNotification, event: EventRecord, id: number): Promise<void> {
    const { queues, onQueued } = this.#options;
    const { pushEndpoint, pushEndpointArgs, arnTopic } = topic.destination;
    const entry = encoded(encodeQueuedEvent, { event, pushEndpoint, pushEndpointArgs, arnTopic });
    let room: number | undefined = id;
    if (entry.length > RESERVED_BYTES) {
      await queues.abort(arnTopic, id);
      room = await queues.reserve(arnTopic, entry.length);
    }
    // A change that takes longer than a reservation lasts needs another one.
    while (room !== undefined && !(await queues.commit(arnTopic, room, entry))) {
      room = await queues.reserve(arnTopic, entry.length);
    }
    if (room !== undefined) onQueued(arnTopic);
  }

  async #push({ topic }: BucketNotification, event: EventRecord): Promise<void> {
    const { pusher, world } = this.#options;
    const lost = (problem: string) =>
      world.log.warn('an event is lost', { topic: topic.arn, event: event.id, problem });
    try {
      const outcome = await pusher?.push(parseEndpoint(topic.destination), eventDocument(event));
      if (outcome && !outcome.delivered) lost(outcome.detail);
    } catch (error) {
      if (!(error instanceof UnsupportedEndpoint)) throw error;
      lost(error.message);
    }
  }

  #event({ id, topic }: BucketNotification, outcome: EventOutcome): EventRecord {
    const { bucket, owner } = this.#bucket.info;
    const now = this.#options.world.clock.wall();
    return {
      eventVersion: '2.2',
      eventSource: 'ceph:s3',
      awsRegion: '',
      eventTime: outcome.time,
      eventName: eventNameOf(this.#type),
      principalId: this.#origin.userId,
      sourceIpAddress: '',
      requestId: this.#origin.requestId,
      hostId: hostOf(this.#origin.requestId),
      schemaVersion: '1.0',
      configurationId: id,
      bucketName: bucket.name,
      bucketOwner: owner.id,
      bucketArn: `arn:aws:s3::${bucket.tenant}:${bucket.name}`,
      key: this.#key,
      size: outcome.size,
      etag: outcome.etag,
      versionId: outcome.versionId ?? '',
      sequencer: sequencerOf(now),
      id: eventIdOf(now, outcome.etag),
      bucketId: bucket.bucketId,
      metadata: metadataOf(outcome.attrs),
      tags: tagsOf(outcome.attrs),
      opaqueData: topic.opaqueData,
    };
  }
}

/** The gateway, as request ids end with it: `tx…-TIME-HOST-default`. */
function hostOf(requestId: string): string {
  const [, , host = '', zonegroup = ''] = requestId.split('-');
  return `${host}-${zonegroup}-${zonegroup}`;
}
