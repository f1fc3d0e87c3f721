/** What radosgw-admin does with topics (rgw_pubsub.cc, the dumps): answers as it prints them. */
import { type RawString, textFromRaw } from '@spirula/encoding';
import type { StoredTopic } from '../formats/notification.ts';
import type { EventQueues } from '../notifications/queues.ts';
import type { TopicStore } from '../notifications/topics.ts';
import { AdminCode, AdminError } from './admin-error.ts';

export class TopicAdmin {
  readonly #topics: TopicStore;
  readonly #queues: EventQueues;

  constructor(topics: TopicStore, queues: EventQueues) {
    this.#topics = topics;
    this.#queues = queues;
  }

  async list(tenant: RawString) {
    return { topics: [...(await this.#topics.list(tenant)).values()].map(topicJson) };
  }

  async get(tenant: RawString, name: RawString) {
    const found = await this.#topics.find(tenant, name);
    if (!found) throw new AdminError(AdminCode.ENOENT, 'ERROR: could not get topic: (2) No such file or directory');
    return topicJson(found);
  }

  /** And its queue, which radosgw-admin leaves: nothing would be delivered from it. */
  async remove(tenant: RawString, name: RawString): Promise<void> {
    await this.#topics.remove(tenant, name, this.#queues);
  }
}

function topicJson({ topic, subscriptions }: StoredTopic) {
  const { tenant, name, destination, arn, opaqueData } = topic;
  return {
    topic: {
      user: textFromRaw(tenant),
      name: textFromRaw(name),
      dest: {
        bucket_name: textFromRaw(destination.bucketName),
        oid_prefix: textFromRaw(destination.oidPrefix),
        push_endpoint: textFromRaw(destination.pushEndpoint),
        push_endpoint_args: textFromRaw(destination.pushEndpointArgs),
        push_endpoint_topic: textFromRaw(destination.arnTopic),
        stored_secret: String(destination.storedSecret),
        persistent: String(destination.persistent),
      },
      arn: textFromRaw(arn),
      opaqueData: textFromRaw(opaqueData),
    },
    subs: subscriptions.map(textFromRaw),
  };
}
