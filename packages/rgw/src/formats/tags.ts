/** Tags (RGWObjTags, rgw_tag.h): the xattr `user.rgw.x-amz-tagging` of buckets and heads. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';

export type Tags = ReadonlyMap<RawString, RawString>;

export function encodeTags(to: Encoder, tags: Tags): void {
  to.struct(1, 1, () =>
    to.map(
      ascending(tags),
      (key) => to.rawString(key),
      (value) => to.rawString(value),
    ),
  );
}

/** @throws MalformedInput */
export function decodeTags(from: Decoder): Tags {
  return from.struct('tags', 1, () =>
    from.map(
      'tags',
      8,
      () => from.rawString('key'),
      () => from.rawString('value'),
    ),
  );
}
