/**
 * Where the log of a bucket's requests is to go. radosgw 16.2 knows none: the xattr `user.rgw.spirula.logging` is our own, and
 * radosgw leaves it alone.
 */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';

export interface LoggingTarget {
  readonly bucket: RawString;
  readonly prefix: RawString;
}

export function encodeLoggingTarget(to: Encoder, { bucket, prefix }: LoggingTarget): void {
  to.struct(1, 1, () => {
    to.rawString(bucket);
    to.rawString(prefix);
  });
}

/** @throws MalformedInput */
export function decodeLoggingTarget(from: Decoder): LoggingTarget {
  return from.struct('logging target', 1, () => ({
    bucket: from.rawString('bucket'),
    prefix: from.rawString('prefix'),
  }));
}
