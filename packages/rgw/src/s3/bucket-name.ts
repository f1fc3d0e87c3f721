/** What buckets and objects may be called. */
import { bytesFromRaw, type RawString } from '@spirula/encoding';
import { s3Error } from './s3-errors.ts';

/**
 * Of a bucket to be created: 3 to 63 lower-case letters, digits, hyphens and dots, beginning and ending with a letter or digit, no
 * dot beside a dot or hyphen, not an IP address; `relaxed` (rgw_relaxed_s3_bucket_names): up to 255, upper case and underscores
 * too, anywhere. As radosgw's valid_s3_bucket_name.
 *
 * @throws S3Error InvalidBucketName
 */
export function checkBucketName(name: RawString, relaxed: boolean): void {
  if (!(relaxed ? isRelaxedName(name) : isStrictName(name)) || isIpAddress(name)) throw s3Error('InvalidBucketName');
}

function isStrictName(name: RawString): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !/\.\.|\.-|-\./.test(name);
}

function isRelaxedName(name: RawString): boolean {
  return /^[A-Za-z0-9._-]{3,255}$/.test(name);
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
