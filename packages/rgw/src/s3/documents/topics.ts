/** What SNS's API answers about topics (rgw_rest_pubsub.cc, rgw_pubsub.cc): documents without a declaration in front. */
import { type Bytes, bytesFromRaw, type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import type { Topic, TopicDestination } from '../../formats/notification.ts';
import { element, type XmlNode } from '../xml-writer.ts';

const NAMESPACE = 'https://sns.amazonaws.com/doc/2010-03-31/';

function response(name: string, requestId: string, result: readonly XmlNode[], inNamespace = true): Bytes {
  const metadata = element('ResponseMetadata', [element('RequestId', requestId)]);
  const attributes = inNamespace ? ([['xmlns', NAMESPACE]] as const) : [];
  return bytesFromRaw(element(`${name}Response`, [...result, metadata], attributes).xml);
}

export function createTopicResponse(requestId: string, arn: RawString): Bytes {
  return response('CreateTopic', requestId, [element('CreateTopicResult', [element('TopicArn', arn)])]);
}

export function deleteTopicResponse(requestId: string): Bytes {
  return response('DeleteTopic', requestId, []);
}

export function listTopicsResponse(requestId: string, topics: readonly Topic[]): Bytes {
  const members = topics.map((topic) => topicElement('member', topic));
  return response('ListTopics', requestId, [element('ListTopicsResult', [element('Topics', members)])]);
}

export function getTopicResponse(requestId: string, topic: Topic): Bytes {
  return response('GetTopic', requestId, [element('GetTopicResult', [topicElement('Topic', topic)])], false);
}

export function getTopicAttributesResponse(requestId: string, topic: Topic): Bytes {
  const attributes = [
    ['User', topic.tenant],
    ['Name', topic.name],
    ['EndPoint', destinationJson(topic.destination)],
    ['TopicArn', topic.arn],
    ['OpaqueData', topic.opaqueData],
  ] as const;
  const entries = attributes.map(([key, value]) => element('entry', [element('key', key), element('value', value)]));
  return response('GetTopicAttributes', requestId, [
    element('GetTopicAttributesResult', [element('Attributes', entries)]),
  ]);
}

function topicElement(name: string, topic: Topic): XmlNode {
  const { destination } = topic;
  const truth = (value: boolean) => (value ? 'True' : 'False');
  return element(name, [
    element('User', topic.tenant),
    element('Name', topic.name),
    element('EndPoint', [
      element('EndpointAddress', destination.pushEndpoint),
      element('EndpointArgs', destination.pushEndpointArgs),
      element('EndpointTopic', destination.arnTopic),
      element('HasStoredSecret', truth(destination.storedSecret)),
      element('Persistent', truth(destination.persistent)),
    ]),
    element('TopicArn', topic.arn),
    element('OpaqueData', topic.opaqueData),
  ]);
}

function destinationJson(destination: TopicDestination): RawString {
  const document = {
    EndpointAddress: textFromRaw(destination.pushEndpoint),
    EndpointArgs: textFromRaw(destination.pushEndpointArgs),
    EndpointTopic: textFromRaw(destination.arnTopic),
    HasStoredSecret: String(destination.storedSecret),
    Persistent: String(destination.persistent),
  };
  return rawFromText(JSON.stringify(document));
}
