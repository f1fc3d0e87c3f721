/** Topics: SNS's API, as far as radosgw 16.2 has it. A topic is its tenant's: every user of the tenant may change it. */
import type { RawString } from '@spirula/encoding';
import type { StoredTopic, Topic, TopicDestination } from '../formats/notification.ts';
import { OpMask } from '../formats/user-info.ts';
import { parseArn } from '../iam/arn.ts';
import { parseEndpoint, UnsupportedEndpoint } from '../notifications/endpoint.ts';
import { isQueueName, queueNameOf } from '../notifications/queues.ts';
import {
  createTopicResponse,
  deleteTopicResponse,
  getTopicAttributesResponse,
  getTopicResponse,
  listTopicsResponse,
} from '../s3/documents/topics.ts';
import { requireOpMask, requireUser } from '../s3/operations/access.ts';
import { type Operation, type OperationContext, xmlResponse } from '../s3/operations/operation.ts';
import { s3Error } from '../s3/s3-errors.ts';
import { formText } from './action-form.ts';

const NAME = /^[A-Za-z0-9_.-]{1,256}$/;
const MAX_OPAQUE_BYTES = 4096;
const MAX_ARGS_BYTES = 16 << 10;
const MAX_TOPICS = 10_000;
/** Of the request, and not of the topic. */
const NO_ARGS: ReadonlySet<RawString> = new Set(['Action', 'Name']);

/** What the topic's name is, of one that a request names. @throws S3Error InvalidInput */
function topicNameOf(arn: RawString): RawString {
  const parsed = parseArn(arn);
  if (parsed?.service !== 'sns') throw s3Error('InvalidInput', 'TopicArn is no ARN of a topic');
  return parsed.resource;
}

function topicArn({ store }: OperationContext, tenant: RawString, name: RawString): RawString {
  return `arn:aws:sns:${store.zone.zonegroup.name}:${tenant}:${name}`;
}

/** Whoever sees a URL with a password must not show it to others. @throws S3Error AccessDenied */
function requireSecrecy({ request }: OperationContext, topics: readonly Topic[]): void {
  if (request.http.secure || !topics.some(({ destination }) => destination.storedSecret)) return;
  throw s3Error('AccessDenied', 'A push-endpoint with a password is only told over TLS');
}

async function findTopic(context: OperationContext): Promise<StoredTopic> {
  const { tenant } = requireUser(context.user).id;
  const found = await context.store.topics.find(tenant, topicNameOf(formText(context.request, 'TopicArn')));
  if (!found) throw s3Error('NoSuchEntity', 'There is no such topic');
  requireSecrecy(context, [found.topic]);
  return found;
}

export const createTopic: Operation = {
  name: 'CreateTopic',
  async run(context) {
    const { store, user, requestId } = context;
    const { tenant } = requireUser(user).id;
    requireOpMask(user, OpMask.write);
    const name = formText(context.request, 'Name');
    if (!NAME.test(name) || !isQueueName(name)) {
      throw s3Error('InvalidInput', 'Name is one to 256 letters, digits, or . _ -');
    }
    const destination = readDestination(context, tenant, name);
    const opaqueData = attributesOf(context).get('OpaqueData') ?? '';
    if (opaqueData.length > MAX_OPAQUE_BYTES) throw s3Error('InvalidInput', 'OpaqueData is too long');
    if (destination.persistent && destination.pushEndpoint !== '') {
      await store.createQueue(destination.arnTopic);
    }
    const arn = topicArn(context, tenant, name);
    await store.topics.change(tenant, (topics) => {
      if (topics.size >= MAX_TOPICS && !topics.has(name)) throw s3Error('LimitExceeded', 'There are too many topics');
      const topic = { tenant, name, destination, arn, opaqueData };
      return new Map([...topics, [name, { topic, subscriptions: topics.get(name)?.subscriptions ?? [] }]]);
    });
    return xmlResponse(createTopicResponse(requestId, arn));
  },
};

/** All that the form says, and the attributes in it (`Attributes.entry.1.key=…&Attributes.entry.1.value=…`) by their names. */
function attributesOf({ request }: OperationContext): ReadonlyMap<RawString, RawString> {
  const form = request.form ?? new Map<RawString, RawString>();
  const all = new Map(form);
  for (const [name, key] of form) {
    const [, entry] = /^(Attributes\.entry\.\d+)\.key$/.exec(name) ?? [];
    if (entry !== undefined && key !== '' && !form.has(key)) all.set(key, form.get(`${entry}.value`) ?? '');
  }
  return all;
}

/** @throws S3Error InvalidInput */
function readDestination(context: OperationContext, tenant: RawString, name: RawString): TopicDestination {
  const { http } = context.request;
  const params = attributesOf(context);
  const pushEndpoint = params.get('push-endpoint') ?? '';
  // As radosgw keeps them: all that came, in the order of the names.
  const pushEndpointArgs = [...params]
    .filter(([key]) => !NO_ARGS.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
  if (pushEndpointArgs.length > MAX_ARGS_BYTES) throw s3Error('InvalidInput', 'The attributes are too long');
  const storedSecret = pushEndpoint !== '' && endpointOf({ pushEndpoint, pushEndpointArgs }).hasSecret;
  if (storedSecret && !http.secure) {
    throw s3Error('InvalidInput', 'A push-endpoint with a password is only taken over TLS');
  }
  return {
    bucketName: '',
    oidPrefix: '',
    pushEndpoint,
    pushEndpointArgs,
    arnTopic: queueNameOf(tenant, name),
    storedSecret,
    persistent: readTruth('persistent', params.get('persistent')),
  };
}

function endpointOf(destination: Pick<TopicDestination, 'pushEndpoint' | 'pushEndpointArgs'>) {
  try {
    return parseEndpoint(destination);
  } catch (error) {
    if (error instanceof UnsupportedEndpoint) throw s3Error('InvalidInput', error.message);
    throw error;
  }
}

/** An attribute that is there and empty is true, as in radosgw. */
function readTruth(name: string, text: RawString | undefined): boolean {
  if (text === undefined) return false;
  if (text === '' || /^(true|1)$/i.test(text)) return true;
  if (/^(false|0)$/i.test(text)) return false;
  throw s3Error('InvalidInput', `${name} is true or false`);
}

export const getTopic: Operation = {
  name: 'GetTopic',
  async run(context) {
    return xmlResponse(getTopicResponse(context.requestId, (await findTopic(context)).topic));
  },
};

export const getTopicAttributes: Operation = {
  name: 'GetTopicAttributes',
  async run(context) {
    return xmlResponse(getTopicAttributesResponse(context.requestId, (await findTopic(context)).topic));
  },
};

export const listTopics: Operation = {
  name: 'ListTopics',
  async run(context) {
    const { tenant } = requireUser(context.user).id;
    const topics = [...(await context.store.topics.list(tenant)).values()].map(({ topic }) => topic);
    requireSecrecy(context, topics);
    return xmlResponse(listTopicsResponse(context.requestId, topics));
  },
};

export const deleteTopic: Operation = {
  name: 'DeleteTopic',
  async run(context) {
    const { store, user, requestId } = context;
    const { tenant } = requireUser(user).id;
    requireOpMask(user, OpMask.delete);
    await store.removeTopic(tenant, topicNameOf(formText(context.request, 'TopicArn')));
    return xmlResponse(deleteTopicResponse(requestId));
  },
};
