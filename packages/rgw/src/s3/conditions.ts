/** Conditional requests: whether an object is such as its reader or writer assumes. ETags are without their quotes here. */
import type { UTime } from '@spirula/encoding';
import { formatHttpDate, parseHttpDate, parseIsoDate } from './http-date.ts';
import { s3Error } from './s3-errors.ts';

export interface Conditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
  /** Seconds. */
  readonly ifModifiedSince: number | undefined;
  readonly ifUnmodifiedSince: number | undefined;
}

export const NO_CONDITIONS: Conditions = {
  ifMatch: undefined,
  ifNoneMatch: undefined,
  ifModifiedSince: undefined,
  ifUnmodifiedSince: undefined,
};

/** What conditions are about. */
export interface ObjectState {
  readonly etag: string;
  readonly mtime: UTime;
}

/**
 * Conditions on the object itself, or with a prefix on another: those on the source of a copy have `x-amz-copy-source-`.
 *
 * @throws S3Error InvalidArgument for a time that is none (as radosgw has it).
 */
export function readConditions(
  headers: ReadonlyMap<string, string>,
  prefix: '' | 'x-amz-copy-source-' = '',
): Conditions {
  return {
    ifMatch: headers.get(`${prefix}if-match`),
    ifNoneMatch: headers.get(`${prefix}if-none-match`),
    ifModifiedSince: seconds(headers, `${prefix}if-modified-since`),
    ifUnmodifiedSince: seconds(headers, `${prefix}if-unmodified-since`),
  };
}

function seconds(headers: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = headers.get(name);
  if (text === undefined) return undefined;
  const sec = parseHttpDate(text) ?? parseIsoDate(text)?.sec;
  if (sec === undefined) throw s3Error('InvalidArgument', `${name} is not a time`);
  return sec;
}

/**
 * Of who reads `object` (GET, HEAD). An ETag goes before a time: `If-Match` that holds makes `If-Unmodified-Since` moot, and
 * `If-None-Match` `If-Modified-Since` (RGWRados::Object::Read::prepare). Times are compared by the second.
 *
 * @throws S3Error PreconditionFailed, or NotModified: a 304 without a body, that says what it is of (RFC 7232, 4.1).
 */
export function checkReadConditions(conditions: Conditions, object: ObjectState): void {
  const { ifMatch, ifNoneMatch, ifModifiedSince, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, object.etag)) throw failed('If-Match');
  } else if (ifUnmodifiedSince !== undefined && object.mtime.sec > ifUnmodifiedSince) {
    throw failed('If-Unmodified-Since');
  }
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, object.etag)) throw notModified(object);
  } else if (ifModifiedSince !== undefined && object.mtime.sec <= ifModifiedSince) {
    throw notModified(object);
  }
}

function notModified({ etag, mtime }: ObjectState): Error {
  return s3Error('NotModified', undefined, undefined, [
    ['ETag', `"${etag}"`],
    ['Last-Modified', formatHttpDate(mtime)],
  ]);
}

/**
 * Of who copies from `source`: the same, but there is no 304.
 *
 * @throws S3Error PreconditionFailed.
 */
export function checkCopySourceConditions(conditions: Conditions, source: ObjectState): void {
  try {
    checkReadConditions(conditions, source);
  } catch {
    throw failed('x-amz-copy-source-if-*');
  }
}

/**
 * Of who writes or deletes what is `object` now, undefined when there is none.
 *
 * @throws S3Error PreconditionFailed; NoSuchKey when `If-Match` expects what is not there.
 */
export function checkWriteConditions(conditions: Conditions, object: ObjectState | undefined): void {
  const { ifMatch, ifNoneMatch, ifUnmodifiedSince } = conditions;
  if (ifMatch !== undefined) {
    if (object === undefined) throw s3Error('NoSuchKey');
    if (!matches(ifMatch, object.etag)) throw failed('If-Match');
  }
  if (ifNoneMatch !== undefined && object !== undefined && matches(ifNoneMatch, object.etag)) {
    throw failed('If-None-Match');
  }
  if (ifUnmodifiedSince !== undefined && object !== undefined && object.mtime.sec > ifUnmodifiedSince) {
    throw failed('If-Unmodified-Since');
  }
}

/** What somebody who removes an object takes it to be; undefined: they do not say. AWS has it of directory buckets, radosgw of later versions. */
export interface ExpectedState {
  readonly etag?: string | undefined;
  /** Seconds. */
  readonly modified?: number | undefined;
  readonly size?: number | undefined;
}

/** `x-amz-if-match-last-modified-time`, `x-amz-if-match-size`. @throws S3Error InvalidArgument */
export function readExpectedState(headers: ReadonlyMap<string, string>): ExpectedState {
  const size = headers.get('x-amz-if-match-size');
  if (size !== undefined && !/^\d{1,15}$/.test(size))
    throw s3Error('InvalidArgument', 'x-amz-if-match-size is no number');
  return {
    modified: seconds(headers, 'x-amz-if-match-last-modified-time'),
    size: size === undefined ? undefined : Number(size),
  };
}

/** @throws S3Error PreconditionFailed */
export function checkExpectedState(expected: ExpectedState, object: ObjectState & { readonly size: number }): void {
  const { etag, modified, size } = expected;
  if (etag !== undefined && !matches(etag, object.etag)) throw failed('ETag');
  if (modified !== undefined && modified !== object.mtime.sec) throw failed('LastModifiedTime');
  if (size !== undefined && size !== object.size) throw failed('Size');
}

/** Of who removes what is a delete marker now: it has no ETag and no size. @throws S3Error PreconditionFailed */
export function checkMarkerConditions({ ifMatch }: Conditions, expected: ExpectedState): void {
  if (ifMatch !== undefined && ifMatch.trim() !== '*') throw failed('If-Match');
  if (Object.values(expected).some((each) => each !== undefined)) throw failed('DeleteMarker');
}

function failed(condition: string): Error {
  return s3Error('PreconditionFailed', undefined, [['Condition', condition]]);
}

/** `*`, or a list of ETags with or without quotes, strong or weak. */
function matches(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((entry) => unquoteEtag(entry) === etag);
}

/** An ETag without its quotes (and the mark of a weak one). */
export function unquoteEtag(text: string): string {
  const strong = text.trim().replace(/^W\//, '');
  return strong.length >= 2 && strong.startsWith('"') && strong.endsWith('"') ? strong.slice(1, -1) : strong;
}
