/** What a bucket notifies of (rgw_rest_pubsub.cc). As in radosgw, a PUT adds to what there is, and a DELETE takes it away. */
import type { RawString } from '@spirula/encoding';
import type { BucketNotification, Topic } from '../../formats/notification.ts';
import { OpMask } from '../../formats/user-info.ts';
import { parseArn } from '../../iam/arn.ts';
import { isEventName } from '../../notifications/event-type.ts';
import { KeyPattern, UnsupportedPattern } from '../../notifications/key-pattern.ts';
import {
  type GivenNotification,
  notificationConfiguration,
  readNotificationConfiguration,
} from '../documents/notification.ts';
import { s3Error } from '../s3-errors.ts';
import { requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, type OperationContext, paramOf, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

const MAX_ID_LENGTH = 255;
const MAX_NOTIFICATIONS = 100;

/** Undefined: all. */
function askedId(context: OperationContext): RawString | undefined {
  const id = paramOf(context, 'notification');
  return id === '' ? undefined : id;
}

export const getBucketNotification: Operation = {
  name: 'GetBucketNotificationConfiguration',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketNotification');
    const id = askedId(context);
    const all = [...(await context.store.topics.notificationsOf(bucket.info.bucket)).values()];
    const asked = all.filter((each) => (id === undefined ? each.id !== '' : each.id === id));
    if (id !== undefined && asked.length === 0) throw s3Error('NoSuchKey', 'There is no such notification');
    return xmlResponse(notificationConfiguration(asked));
  },
};

export const putBucketNotification: Operation = {
  name: 'PutBucketNotificationConfiguration',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketNotification');
    if (askedId(context) !== undefined) throw s3Error('InvalidArgument', 'notification has no value');
    const document = await readDocument(context);
    if (document.length === 0) throw s3Error('InvalidArgument', 'The request needs a NotificationConfiguration');
    const given = readNotificationConfiguration(document);
    const { tenant } = bucket.info.bucket;
    const topics = await store.topics.list(tenant);
    const named = given.map((each) => {
      requireValid(each);
      const topic = topics.get(topicNameOf(each))?.topic;
      if (!topic) throw s3Error('NoSuchKey', 'There is no such topic');
      return notificationOf(each, topic);
    });
    await store.topics.change(
      tenant,
      (before) =>
        new Map([...before, ...named.map(({ topic }) => [topic.name, { topic, subscriptions: [] }] as const)]),
    );
    await store.topics.changeNotifications(bucket.info.bucket, (before) => {
      const after = new Map([...before, ...named.map((each) => [each.topic.name, each] as const)]);
      if (after.size > MAX_NOTIFICATIONS) throw s3Error('InvalidArgument', 'The bucket has too many notifications');
      return after;
    });
    return emptyResponse();
  },
};

/** @throws S3Error InvalidArgument */
function topicNameOf({ topicArn }: GivenNotification): RawString {
  const arn = parseArn(topicArn);
  if (arn?.service !== 'sns') throw s3Error('InvalidArgument', 'Topic is no ARN of a topic');
  return arn.resource;
}

/** @throws S3Error InvalidArgument */
function requireValid({ id, events, filter }: GivenNotification): void {
  if (id === '' || id.length > MAX_ID_LENGTH) throw s3Error('InvalidArgument', 'Id is one to 255 bytes');
  const unknown = events.find((event) => !isEventName(event));
  if (unknown !== undefined) throw s3Error('InvalidArgument', 'Event is none that buckets notify of');
  if (filter.regex === '') return;
  try {
    new KeyPattern(filter.regex);
  } catch (error) {
    if (!(error instanceof UnsupportedPattern)) throw error;
    throw s3Error('InvalidArgument', `The regular expression is not supported: ${error.message}`);
  }
}

/** It has a topic of its own, as the topic that it names is now. */
function notificationOf({ id, events, filter }: GivenNotification, topic: Topic): BucketNotification {
  return { topic: { ...topic, name: `${id}_${topic.name}` }, events, id, filter };
}

export const deleteBucketNotification: Operation = {
  name: 'DeleteBucketNotification',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.delete);
    requireOwnerAccess(context, bucket, 's3:PutBucketNotification');
    await store.removeNotifications(bucket, askedId(context));
    return emptyResponse();
  },
};
