/** What the name of a bucket leads to (RGWBucketEntryPoint, rgw_common.h). */
import { type Decoder, decodeUTime, type Encoder, encodeUTime, type UTime } from '@spirula/encoding';
import { type Bucket, decodeBucket, encodeBucket } from './bucket.ts';
import { decodeUserId, encodeUserId, type UserId } from './user-id.ts';

export interface BucketEntryPoint {
  readonly bucket: Bucket;
  readonly owner: UserId;
  readonly created: UTime;
  /** Whether the owner's list of buckets has it. */
  readonly linked: boolean;
}

export function encodeBucketEntryPoint(to: Encoder, { bucket, owner, created, linked }: BucketEntryPoint): void {
  to.struct(10, 8, () => {
    encodeBucket(to, bucket);
    to.rawString(owner.id);
    to.bool(linked);
    to.u64(created.sec);
    encodeUserId(to, owner);
    encodeUTime(to, created);
  });
}

/** @throws MalformedInput */
export function decodeBucketEntryPoint(from: Decoder): BucketEntryPoint {
  return from.struct('bucket entry point', 10, (version) => {
    if (version < 8) from.fail('bucket entry point', `of version ${version}, which was the bucket's info itself`);
    const bucket = decodeBucket(from);
    const id = from.rawString('owner');
    const linked = from.bool('linked');
    const seconds = from.u64('creation time');
    const owner = version >= 9 ? decodeUserId(from) : { tenant: '', ns: '', id };
    const created = version >= 10 ? decodeUTime(from, 'creation time') : { sec: seconds, nsec: 0 };
    return { bucket, owner, created, linked };
  });
}
