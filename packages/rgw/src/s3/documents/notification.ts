/** What a bucket notifies of: the document of S3's API, with radosgw's filters beside S3's own (rgw_pubsub.cc). */
import { type Bytes, bytesFromRaw, type RawString } from '@spirula/encoding';
import type { BucketNotification, NotificationFilter } from '../../formats/notification.ts';
import { ALL_EVENTS } from '../../notifications/event-type.ts';
import { childNamed, childrenNamed, malformed, neededText, readXml, type XmlElement } from '../xml-reader.ts';
import { element, type XmlNode } from '../xml-writer.ts';

/** What the document says of one notification. */
export interface GivenNotification {
  readonly id: RawString;
  readonly topicArn: RawString;
  /** As they were written: not all of them need be names of events. */
  readonly events: readonly RawString[];
  readonly filter: NotificationFilter;
}

const MAX_NOTIFICATIONS = 100;

/** @throws S3Error MalformedXML */
export function readNotificationConfiguration(document: Bytes): GivenNotification[] {
  const root = readXml(document, 'NotificationConfiguration');
  const found = childrenNamed(root, 'TopicConfiguration');
  if (found.length === 0)
    throw malformed('NotificationConfiguration needs a TopicConfiguration: others are not supported');
  if (found.length > MAX_NOTIFICATIONS) throw malformed(`there are more than ${MAX_NOTIFICATIONS} TopicConfigurations`);
  return found.map((each) => {
    const events = childrenNamed(each, 'Event').map(({ text }) => text);
    return {
      id: neededText(each, 'Id'),
      topicArn: neededText(each, 'Topic'),
      events: events.length === 0 ? ALL_EVENTS : events,
      filter: readFilter(childNamed(each, 'Filter')),
    };
  });
}

function readFilter(filter: XmlElement | undefined): NotificationFilter {
  const rules = (name: string) => {
    const parent = filter && childNamed(filter, name);
    return parent ? childrenNamed(parent, 'FilterRule').map(readRule) : [];
  };
  const key = new Map<RawString, RawString>();
  for (const [name, value] of rules('S3Key')) {
    if (!['prefix', 'suffix', 'regex'].includes(name)) throw malformed('a rule of S3Key is prefix, suffix or regex');
    if (key.has(name)) throw malformed(`S3Key has two rules ${name}`);
    key.set(name, value);
  }
  return {
    prefix: key.get('prefix') ?? '',
    suffix: key.get('suffix') ?? '',
    regex: key.get('regex') ?? '',
    metadata: firstOf(rules('S3Metadata')),
    tags: firstOf(rules('S3Tags')),
  };
}

function readRule(rule: XmlElement): readonly [RawString, RawString] {
  return [neededText(rule, 'Name'), neededText(rule, 'Value')];
}

function firstOf(rules: readonly (readonly [RawString, RawString])[]): ReadonlyMap<RawString, RawString> {
  return new Map([...rules].reverse());
}

/** As radosgw writes it: without a namespace. */
export function notificationConfiguration(all: readonly BucketNotification[]): Bytes {
  return bytesFromRaw(element('NotificationConfiguration', all.map(topicConfiguration)).xml);
}

function topicConfiguration({ id, topic, filter, events }: BucketNotification): XmlNode {
  return element('TopicConfiguration', [
    element('Id', id),
    element('Topic', topic.arn),
    filterElement(filter),
    ...events.map((event) => element('Event', event)),
  ]);
}

function filterElement({ prefix, suffix, regex, metadata, tags }: NotificationFilter): XmlNode | undefined {
  const key = [
    ['prefix', prefix],
    ['suffix', suffix],
    ['regex', regex],
  ] as const;
  const parts = [
    rulesElement(
      'S3Key',
      key.filter(([, value]) => value !== ''),
    ),
    rulesElement('S3Metadata', [...metadata]),
    rulesElement('S3Tags', [...tags]),
  ];
  return parts.some((part) => part !== undefined) ? element('Filter', parts) : undefined;
}

function rulesElement(name: string, rules: readonly (readonly [RawString, RawString])[]): XmlNode | undefined {
  if (rules.length === 0) return undefined;
  return element(
    name,
    rules.map(([rule, value]) => element('FilterRule', [element('Name', rule), element('Value', value)])),
  );
}
