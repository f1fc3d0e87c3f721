/**
 * Topics, what buckets notify of, and events that wait to be sent, as radosgw 16.2 stores them (rgw_pubsub.h; event_entry_t of
 * rgw_notify.cc).
 */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { decodeUserId, encodeUserId } from './user-id.ts';

/** Where the events of a topic go (rgw_pubsub_sub_dest). */
export interface TopicDestination {
  /** Of subscriptions, which nothing here has. */
  readonly bucketName: RawString;
  readonly oidPrefix: RawString;
  /** A URL; '': nowhere. */
  readonly pushEndpoint: RawString;
  /** `name=value`, with `&` between. */
  readonly pushEndpointArgs: RawString;
  /** Name of the topic; of one that is kept, its queue's. */
  readonly arnTopic: RawString;
  /** Whether the URL has a password. */
  readonly storedSecret: boolean;
  /** Whether events wait in a queue until they are delivered. */
  readonly persistent: boolean;
}

/** rgw_pubsub_topic */
export interface Topic {
  /** The tenant, where users of one stand. */
  readonly tenant: RawString;
  readonly name: RawString;
  readonly destination: TopicDestination;
  readonly arn: RawString;
  readonly opaqueData: RawString;
}

/** rgw_pubsub_topic_subs */
export interface StoredTopic {
  readonly topic: Topic;
  readonly subscriptions: readonly RawString[];
}

/** rgw_s3_filter; what is empty lets everything through. */
export interface NotificationFilter {
  readonly prefix: RawString;
  readonly suffix: RawString;
  readonly regex: RawString;
  /** Names with `x-amz-meta-`. */
  readonly metadata: ReadonlyMap<RawString, RawString>;
  readonly tags: ReadonlyMap<RawString, RawString>;
}

/** rgw_pubsub_topic_filter: what a bucket tells a topic. */
export interface BucketNotification {
  readonly topic: Topic;
  /** As S3 names them; of what is no notification of S3, as `OBJECT_CREATE`. */
  readonly events: readonly RawString[];
  /** '': it was not made by S3's API. */
  readonly id: RawString;
  readonly filter: NotificationFilter;
}

/** rgw_pubsub_s3_event */
export interface EventRecord {
  readonly eventVersion: RawString;
  readonly eventSource: RawString;
  readonly awsRegion: RawString;
  readonly eventTime: UTime;
  readonly eventName: RawString;
  readonly principalId: RawString;
  readonly sourceIpAddress: RawString;
  readonly requestId: RawString;
  readonly hostId: RawString;
  readonly schemaVersion: RawString;
  readonly configurationId: RawString;
  readonly bucketName: RawString;
  readonly bucketOwner: RawString;
  readonly bucketArn: RawString;
  readonly key: RawString;
  readonly size: number;
  readonly etag: RawString;
  readonly versionId: RawString;
  readonly sequencer: RawString;
  readonly id: RawString;
  readonly bucketId: RawString;
  readonly metadata: ReadonlyMap<RawString, RawString>;
  readonly tags: ReadonlyMap<RawString, RawString>;
  readonly opaqueData: RawString;
}

/** An entry of a queue: an event, and where it goes. */
export interface QueuedEvent {
  readonly event: EventRecord;
  readonly pushEndpoint: RawString;
  readonly pushEndpointArgs: RawString;
  readonly arnTopic: RawString;
}

/** Least bytes of a topic with a name, a string, and what stands before them. */
const TOPIC_BYTES = 4 + 6 * 3;

function encodeTexts(to: Encoder, texts: ReadonlyMap<RawString, RawString>): void {
  to.map(
    ascending(texts),
    (key) => to.rawString(key),
    (value) => to.rawString(value),
  );
}

function decodeTexts(from: Decoder, field: string): ReadonlyMap<RawString, RawString> {
  return from.map(
    field,
    8,
    () => from.rawString(field),
    () => from.rawString(field),
  );
}

function encodeDestination(to: Encoder, destination: TopicDestination): void {
  to.struct(5, 1, () => {
    to.rawString(destination.bucketName);
    to.rawString(destination.oidPrefix);
    to.rawString(destination.pushEndpoint);
    to.rawString(destination.pushEndpointArgs);
    to.rawString(destination.arnTopic);
    to.bool(destination.storedSecret);
    to.bool(destination.persistent);
  });
}

function decodeDestination(from: Decoder): TopicDestination {
  return from.struct('destination', 5, (version) => ({
    bucketName: from.rawString('bucket'),
    oidPrefix: from.rawString('oid prefix'),
    pushEndpoint: from.rawString('push endpoint'),
    pushEndpointArgs: version >= 2 ? from.rawString('push endpoint args') : '',
    arnTopic: version >= 3 ? from.rawString('topic of the endpoint') : '',
    storedSecret: version >= 4 && from.bool('stored secret'),
    persistent: version >= 5 && from.bool('persistent'),
  }));
}

const NOWHERE: TopicDestination = {
  bucketName: '',
  oidPrefix: '',
  pushEndpoint: '',
  pushEndpointArgs: '',
  arnTopic: '',
  storedSecret: false,
  persistent: false,
};

function encodeTopic(to: Encoder, { tenant, name, destination, arn, opaqueData }: Topic): void {
  to.struct(3, 1, () => {
    encodeUserId(to, { tenant: '', ns: '', id: tenant });
    to.rawString(name);
    encodeDestination(to, destination);
    to.rawString(arn);
    to.rawString(opaqueData);
  });
}

function decodeTopic(from: Decoder): Topic {
  return from.struct('topic', 3, (version) => ({
    tenant: decodeUserId(from).id,
    name: from.rawString('topic name'),
    destination: version >= 2 ? decodeDestination(from) : NOWHERE,
    arn: version >= 2 ? from.rawString('arn') : '',
    opaqueData: version >= 3 ? from.rawString('opaque data') : '',
  }));
}

/** rgw_pubsub_topics: all of a tenant, by their names. */
export function encodeTopics(to: Encoder, topics: ReadonlyMap<RawString, StoredTopic>): void {
  to.struct(1, 1, () =>
    to.map(
      ascending(topics),
      (name) => to.rawString(name),
      ({ topic, subscriptions }) =>
        to.struct(1, 1, () => {
          encodeTopic(to, topic);
          to.list(subscriptions, (name) => to.rawString(name));
        }),
    ),
  );
}

/** @throws MalformedInput */
export function decodeTopics(from: Decoder): ReadonlyMap<RawString, StoredTopic> {
  return from.struct('topics', 1, () =>
    from.map(
      'topics',
      TOPIC_BYTES,
      () => from.rawString('topic'),
      () =>
        from.struct('topic with subscriptions', 1, () => ({
          topic: decodeTopic(from),
          subscriptions: from.list('subscriptions', 4, () => from.rawString('subscription')),
        })),
    ),
  );
}

function encodeFilter(to: Encoder, { prefix, suffix, regex, metadata, tags }: NotificationFilter): void {
  to.struct(2, 1, () => {
    to.struct(1, 1, () => {
      for (const rule of [prefix, suffix, regex]) to.rawString(rule);
    });
    to.struct(1, 1, () => encodeTexts(to, metadata));
    to.struct(1, 1, () => encodeTexts(to, tags));
  });
}

const NO_FILTER: NotificationFilter = { prefix: '', suffix: '', regex: '', metadata: new Map(), tags: new Map() };

function decodeFilter(from: Decoder): NotificationFilter {
  return from.struct('filter', 2, (version) => {
    const key = from.struct('key filter', 1, () => ({
      prefix: from.rawString('prefix'),
      suffix: from.rawString('suffix'),
      regex: from.rawString('regex'),
    }));
    const metadata = from.struct('metadata filter', 1, () => decodeTexts(from, 'metadata'));
    const tags = version >= 2 ? from.struct('tag filter', 1, () => decodeTexts(from, 'tags')) : new Map();
    return { ...key, metadata, tags };
  });
}

/** rgw_pubsub_bucket_topics: of a bucket, by the names of their topics. */
export function encodeBucketNotifications(to: Encoder, all: ReadonlyMap<RawString, BucketNotification>): void {
  to.struct(1, 1, () =>
    to.map(
      ascending(all),
      (name) => to.rawString(name),
      ({ topic, events, id, filter }) =>
        to.struct(3, 1, () => {
          encodeTopic(to, topic);
          to.list(events, (event) => to.rawString(event));
          to.rawString(id);
          encodeFilter(to, filter);
        }),
    ),
  );
}

/** @throws MalformedInput */
export function decodeBucketNotifications(from: Decoder): ReadonlyMap<RawString, BucketNotification> {
  return from.struct('notifications', 1, () =>
    from.map(
      'notifications',
      TOPIC_BYTES,
      () => from.rawString('topic'),
      () =>
        from.struct('notification', 3, (version) => ({
          topic: decodeTopic(from),
          events: from.list('events', 4, () => from.rawString('event')),
          id: version >= 2 ? from.rawString('id') : '',
          filter: version >= 3 ? decodeFilter(from) : NO_FILTER,
        })),
    ),
  );
}

function encodeEventRecord(to: Encoder, event: EventRecord): void {
  to.struct(4, 1, () => {
    for (const text of [event.eventVersion, event.eventSource, event.awsRegion]) to.rawString(text);
    encodeUTime(to, event.eventTime);
    const { eventName, principalId, sourceIpAddress, requestId, hostId, schemaVersion, configurationId } = event;
    for (const text of [eventName, principalId, sourceIpAddress, requestId, hostId, schemaVersion, configurationId]) {
      to.rawString(text);
    }
    for (const text of [event.bucketName, event.bucketOwner, event.bucketArn, event.key]) to.rawString(text);
    to.u64(event.size);
    for (const text of [event.etag, event.versionId, event.sequencer, event.id, event.bucketId]) to.rawString(text);
    encodeTexts(to, event.metadata);
    encodeTexts(to, event.tags);
    to.rawString(event.opaqueData);
  });
}

function decodeEventRecord(from: Decoder): EventRecord {
  return from.struct('event', 4, (version) => ({
    eventVersion: from.rawString('event version'),
    eventSource: from.rawString('event source'),
    awsRegion: from.rawString('region'),
    eventTime: decodeUTime(from, 'event time'),
    eventName: from.rawString('event name'),
    principalId: from.rawString('user'),
    sourceIpAddress: from.rawString('source address'),
    requestId: from.rawString('request id'),
    hostId: from.rawString('host id'),
    schemaVersion: from.rawString('schema version'),
    configurationId: from.rawString('configuration id'),
    bucketName: from.rawString('bucket'),
    bucketOwner: from.rawString('bucket owner'),
    bucketArn: from.rawString('bucket arn'),
    key: from.rawString('key'),
    size: from.u64('size'),
    etag: from.rawString('etag'),
    versionId: from.rawString('version id'),
    sequencer: from.rawString('sequencer'),
    id: from.rawString('event id'),
    bucketId: version >= 2 ? from.rawString('bucket id') : '',
    metadata: version >= 2 ? decodeTexts(from, 'metadata') : new Map(),
    tags: version >= 3 ? decodeTexts(from, 'tags') : new Map(),
    opaqueData: version >= 4 ? from.rawString('opaque data') : '',
  }));
}

export function encodeQueuedEvent(to: Encoder, { event, pushEndpoint, pushEndpointArgs, arnTopic }: QueuedEvent): void {
  to.struct(1, 1, () => {
    encodeEventRecord(to, event);
    for (const text of [pushEndpoint, pushEndpointArgs, arnTopic]) to.rawString(text);
  });
}

/** @throws MalformedInput */
export function decodeQueuedEvent(from: Decoder): QueuedEvent {
  return from.struct('queued event', 1, () => ({
    event: decodeEventRecord(from),
    pushEndpoint: from.rawString('push endpoint'),
    pushEndpointArgs: from.rawString('push endpoint args'),
    arnTopic: from.rawString('topic of the endpoint'),
  }));
}
