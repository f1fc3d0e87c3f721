/** What buckets and objects may be called. */
import { bytesFromRaw, type RawString } from '@spirula/encoding';
import { s3Error } from './s3-errors.ts';

/**
 * Of a bucket to be created: 3 to 63 lower-case letters, digits, hyphens and dots, beginning and ending with a letter or digit, no
 * dot beside a dot or hyphen, not an IP address. As radosgw's valid_s3_bucket_name.
 *
 * @throws S3Error InvalidBucketName
 */
export function checkBucketName(name: RawString): void {
  const isName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !/\.\.|\.-|-\./.test(name);
  if (!isName || isIpAddress(name)) throw s3Error('InvalidBucketName');
}

export function isIpAddress(name: string): boolean {
  return /^\d+\.\d+\.\d+\.\d*$/.test(name);
}

const MAX_OBJECT_NAME_BYTES = 1024;
const utf8Strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * An object's name is at most 1024 bytes of UTF-8, control characters and all (RGWHandler_REST::validate_object_name).
 *
 * @throws S3Error InvalidObjectName
 */
export function checkObjectName(name: RawString): void {
  if (name.length > MAX_OBJECT_NAME_BYTES) throw s3Error('InvalidObjectName');
  try {
    utf8Strict.decode(bytesFromRaw(name));
  } catch {
    throw s3Error('InvalidObjectName');
  }
}
