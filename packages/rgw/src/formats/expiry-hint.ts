/** A note that an object is to be removed (objexp_hint_entry, rgw_rados.h), and the time that the object itself bears. */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type RawString, type UTime } from '@spirula/encoding';

export interface ExpiryHint {
  readonly tenant: RawString;
  readonly bucketName: RawString;
  readonly bucketId: RawString;
  readonly name: RawString;
  /** '' where there are no versions. */
  readonly instance: RawString;
  readonly deleteAt: UTime;
}

export function encodeExpiryHint(to: Encoder, { tenant, bucketName, bucketId, name, instance, deleteAt }: ExpiryHint) {
  to.struct(2, 1, () => {
    to.rawString(bucketName);
    to.rawString(bucketId);
    to.struct(2, 1, () => {
      to.rawString(name);
      to.rawString(instance);
      to.rawString('');
    });
    encodeUTime(to, deleteAt);
    to.rawString(tenant);
  });
}

/** @throws MalformedInput */
export function decodeExpiryHint(from: Decoder): ExpiryHint {
  return from.struct('expiry hint', 2, (version) => {
    const bucketName = from.rawString('bucket');
    const bucketId = from.rawString('bucket id');
    const key = from.struct('object key', 2, () => ({
      name: from.rawString('object name'),
      instance: from.rawString('object instance'),
    }));
    const deleteAt = decodeUTime(from, 'delete at');
    return { bucketName, bucketId, ...key, deleteAt, tenant: version < 2 ? '' : from.rawString('tenant') };
  });
}
