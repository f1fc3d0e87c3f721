/** Which events a notification of a bucket is about. */
import type { Bytes, RawString } from '@spirula/encoding';
import { decoded } from '../formats/encoded.ts';
import type { BucketNotification, NotificationFilter } from '../formats/notification.ts';
import { decodeTags, type Tags } from '../formats/tags.ts';
import { Attr, attrText, USER_META_PREFIX } from '../store/object-attrs.ts';
import { concernsEvent, type EventType } from './event-type.ts';
import { KeyPattern, UnsupportedPattern } from './key-pattern.ts';

/** What records and filters call metadata of a user's own begins so. */
const META_PREFIX = 'x-amz-meta-';

export type ObjectAttrs = ReadonlyMap<RawString, Bytes>;

/** What is said of an object, by names with `x-amz-meta-`. */
export function metadataOf(attrs: ObjectAttrs): ReadonlyMap<RawString, RawString> {
  return new Map(
    [...attrs]
      .filter(([name]) => name.startsWith(USER_META_PREFIX))
      .map(([name, value]) => [META_PREFIX + name.slice(USER_META_PREFIX.length), attrText(value)]),
  );
}

/** @throws MalformedInput */
export function tagsOf(attrs: ObjectAttrs): Tags {
  const value = attrs.get(Attr.tags);
  return value ? decoded(decodeTags, value) : new Map();
}

/** Whether the event and the key are those that the notification is about. */
export function concernsKey({ events, filter }: BucketNotification, type: EventType, key: RawString): boolean {
  const { prefix, suffix, regex } = filter;
  if (!concernsEvent(events, type) || !key.startsWith(prefix) || !key.endsWith(suffix)) return false;
  return regex === '' || matchesPattern(regex, key);
}

/** Patterns that another gateway let in, and this one does not support, match nothing. */
function matchesPattern(regex: RawString, key: RawString): boolean {
  try {
    return new KeyPattern(regex).matches(key);
  } catch (error) {
    if (error instanceof UnsupportedPattern) return false;
    throw error;
  }
}

/** Whether the object has all metadata and tags that the filter asks for. */
export function concernsObject({ metadata, tags }: NotificationFilter, attrs: ObjectAttrs): boolean {
  return includes(metadataOf(attrs), metadata) && (tags.size === 0 || includes(tagsOf(attrs), tags));
}

function includes(all: ReadonlyMap<RawString, RawString>, wanted: ReadonlyMap<RawString, RawString>): boolean {
  return [...wanted].every(([name, value]) => all.get(name) === value);
}
