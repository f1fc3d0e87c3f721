/** How new objects of a bucket are encrypted (RGWBucketEncryptionConfig of Ceph 17): its xattr `user.rgw.sse-s3.policy`. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface BucketEncryption {
  readonly algorithm: 'AES256' | 'aws:kms';
  /** '' for AES256. */
  readonly keyId: RawString;
  readonly bucketKey: boolean;
}

export function encodeBucketEncryption(to: Encoder, { algorithm, keyId, bucketKey }: BucketEncryption): void {
  to.struct(1, 1, () => {
    to.bool(true);
    to.struct(1, 1, () => {
      to.struct(1, 1, () => {
        to.rawString(keyId);
        to.string(algorithm);
      });
      to.bool(bucketKey);
    });
  });
}

/** @throws MalformedInput */
export function decodeBucketEncryption(from: Decoder): BucketEncryption | undefined {
  return from.struct('bucket encryption', 1, () => {
    if (!from.bool('has a rule')) return undefined;
    return from.struct('rule', 1, () => {
      const { keyId, algorithm } = from.struct('default', 1, () => ({
        keyId: from.rawString('key id'),
        algorithm: from.string('algorithm'),
      }));
      if (algorithm !== 'AES256' && algorithm !== 'aws:kms') from.fail('algorithm', `${algorithm} is unknown`);
      return { algorithm, keyId, bucketKey: from.bool('bucket key') };
    });
  });
}
