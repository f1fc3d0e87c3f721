/** Kinds of events (rgw_notify_event_type.h): a name with `*` stands for several. */
import type { RawString } from '@spirula/encoding';

export const EventType = {
  createdPut: 0x1,
  createdPost: 0x2,
  createdCopy: 0x4,
  createdCompleteMultipartUpload: 0x8,
  removedDelete: 0x10,
  removedDeleteMarkerCreated: 0x20,
} as const;
export type EventType = (typeof EventType)[keyof typeof EventType];

const ALL_CREATED = 0xf;
const ALL_REMOVED = 0xf0;

const masks = new Map<RawString, number>([
  ['s3:ObjectCreated:*', ALL_CREATED],
  ['s3:ObjectCreated:Put', EventType.createdPut],
  ['s3:ObjectCreated:Post', EventType.createdPost],
  ['s3:ObjectCreated:Copy', EventType.createdCopy],
  ['s3:ObjectCreated:CompleteMultipartUpload', EventType.createdCompleteMultipartUpload],
  ['s3:ObjectRemoved:*', ALL_REMOVED],
  ['s3:ObjectRemoved:Delete', EventType.removedDelete],
  ['s3:ObjectRemoved:DeleteMarkerCreated', EventType.removedDeleteMarkerCreated],
  // As they are stored of what was not made by S3's API.
  ['OBJECT_CREATE', ALL_CREATED],
  ['OBJECT_DELETE', EventType.removedDelete],
  ['DELETE_MARKER_CREATE', EventType.removedDeleteMarkerCreated],
]);

/** What a notification that names no events is about. */
export const ALL_EVENTS: readonly RawString[] = ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'];

/** Whether S3's API knows events of this name. */
export function isEventName(name: RawString): boolean {
  return name.startsWith('s3:') && masks.has(name);
}

/** What a record calls the event: `ObjectCreated:Put`. */
export function eventNameOf(type: EventType): RawString {
  const [name] = [...masks].find(([, mask]) => mask === type)!;
  return name.slice('s3:'.length);
}

/** Whether one of the names stands for the event. */
export function concernsEvent(names: readonly RawString[], type: EventType): boolean {
  return names.length === 0 || names.some((name) => ((masks.get(name) ?? 0) & type) !== 0);
}
