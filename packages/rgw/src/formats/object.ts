/** An object of a bucket (rgw_obj, rgw_obj_key). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { type Bucket, decodeBucket, encodeBucket } from './bucket.ts';

export interface ObjectKey {
  readonly name: RawString;
  /** Which version: '' where there are none, `null` for the one from when there were none. */
  readonly instance: RawString;
  /** '' for what users name; `multipart` and `shadow` for what belongs to them. */
  readonly ns: RawString;
}

export interface BucketObject {
  readonly bucket: Bucket;
  readonly key: ObjectKey;
}

export function encodeBucketObject(to: Encoder, { bucket, key }: BucketObject): void {
  to.struct(6, 6, () => {
    encodeBucket(to, bucket);
    for (const text of [key.ns, key.name, key.instance]) to.rawString(text);
  });
}

/** @throws MalformedInput */
export function decodeBucketObject(from: Decoder): BucketObject {
  return from.struct('object', 6, (version) => {
    if (version < 6) from.fail('object', `of version ${version}, from before release 11`);
    const bucket = decodeBucket(from);
    const ns = from.rawString('object namespace');
    const name = from.rawString('object name');
    return { bucket, key: { name, instance: from.rawString('object instance'), ns } };
  });
}
