/** An event as whoever is notified is told of it (rgw_pubsub_s3_event::dump): S3's record, and what radosgw has beside it. */
import {
  type Bytes,
  Encoder,
  encodeUTime,
  type RawString,
  textFromRaw,
  toHex,
  type UTime,
  utf8,
} from '@spirula/encoding';
import type { EventRecord } from '../formats/notification.ts';
import { formatIsoDate } from '../s3/http-date.ts';

const NSEC_PER_USEC = 1000;
const USEC_DIGITS = 6;
const SEC_DIGITS = 10;

/** The body of a request that delivers an event. */
export function eventDocument(event: EventRecord): Bytes {
  const text = (raw: RawString) => textFromRaw(raw);
  const pairs = (map: ReadonlyMap<RawString, RawString>) =>
    [...map].map(([key, value]) => ({ key: text(key), val: text(value) }));
  const record = {
    eventVersion: text(event.eventVersion),
    eventSource: text(event.eventSource),
    awsRegion: text(event.awsRegion),
    eventTime: formatTime(event.eventTime),
    eventName: text(event.eventName),
    userIdentity: { principalId: text(event.principalId) },
    requestParameters: { sourceIPAddress: text(event.sourceIpAddress) },
    responseElements: { 'x-amz-request-id': text(event.requestId), 'x-amz-id-2': text(event.hostId) },
    s3: {
      s3SchemaVersion: text(event.schemaVersion),
      configurationId: text(event.configurationId),
      bucket: {
        name: text(event.bucketName),
        ownerIdentity: { principalId: text(event.bucketOwner) },
        arn: text(event.bucketArn),
        id: text(event.bucketId),
      },
      object: {
        key: text(event.key),
        size: event.size,
        eTag: text(event.etag),
        versionId: text(event.versionId),
        sequencer: text(event.sequencer),
        metadata: pairs(event.metadata),
        tags: pairs(event.tags),
      },
    },
    eventId: text(event.id),
    opaqueData: text(event.opaqueData),
  };
  return utf8(JSON.stringify({ Records: [record] }));
}

/** `2026-11-30T22:08:07.778317Z` */
function formatTime(time: UTime): string {
  return formatIsoDate(time).replace(/\.\d+Z$/, `.${microseconds(time.nsec)}Z`);
}

function microseconds(nsec: number): string {
  return String(Math.floor(nsec / NSEC_PER_USEC)).padStart(USEC_DIGITS, '0');
}

/** Of two events of a key, the later one has the larger: but for the order of its bytes, which is radosgw's. */
export function sequencerOf(time: UTime): RawString {
  const to = new Encoder(8);
  encodeUTime(to, time);
  return toHex(to.finish()).toUpperCase();
}

export function eventIdOf(time: UTime, etag: RawString): RawString {
  return `${String(time.sec).padStart(SEC_DIGITS, '0')}.${microseconds(time.nsec)}.${etag}`;
}
