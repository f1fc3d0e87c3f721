import type { RawString, UTime } from '@spirula/encoding';
import { decoded } from '../../formats/encoded.ts';
import { decodeTags } from '../../formats/tags.ts';
import type { HttpResponse } from '../../http.ts';
import { announcedEnd } from '../../lifecycle/due.ts';
import { rulesOf } from '../../lifecycle/lifecycle.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { Attr } from '../../store/object-attrs.ts';
import { formatHttpDate } from '../http-date.ts';

/** When the lifecycle rules of its bucket end an object: `x-amz-expiration`. Nothing without a rule for it. */
export function expirationHeader(
  bucket: StoredBucket,
  name: RawString,
  mtime: UTime,
  attrs: ReadonlyMap<RawString, Uint8Array>,
): HttpResponse['headers'] {
  const rules = rulesOf(bucket);
  if (rules.length === 0) return [];
  const tags = attrs.get(Attr.tags);
  const end = announcedEnd(rules, { name, mtime, tags: tags ? decoded(decodeTags, tags) : new Map() });
  if (!end) return [];
  return [['x-amz-expiration', `expiry-date="${formatHttpDate(end.at)}", rule-id="${end.rule.id}"`]];
}
