/** The name of an object in a bucket, and which version of it (cls_rgw_obj_key). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface ObjectKey {
  readonly name: RawString;
  /** '' where there are no versions, and of the version that S3 calls null. */
  readonly instance: RawString;
}

/** Least bytes of a key: its struct, two strings. */
export const OBJECT_KEY_BYTES = 6 + 2 * 4;

export function encodeObjectKey(encoder: Encoder, { name, instance }: ObjectKey): void {
  encoder.struct(1, 1, () => {
    encoder.rawString(name);
    encoder.rawString(instance);
  });
}

/** @throws MalformedInput */
export function decodeObjectKey(decoder: Decoder, field: string): ObjectKey {
  return decoder.struct(field, 1, () => ({
    name: decoder.rawString('name'),
    instance: decoder.rawString('instance'),
  }));
}

export function sameObjectKey(a: ObjectKey, b: ObjectKey): boolean {
  return a.name === b.name && a.instance === b.instance;
}

export const NO_OBJECT_KEY: ObjectKey = { name: '', instance: '' };
