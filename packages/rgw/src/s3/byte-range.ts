/** Which part of an object is asked for. */
import { s3Error } from './s3-errors.ts';

export interface ByteRange {
  readonly offset: number;
  /** At least 1. */
  readonly length: number;
}

/**
 * What a `Range` header asks for of an object of `size` bytes; undefined: all of it, because there is no header, or one in
 * another unit, or one that lists several ranges (which a server may ignore: RFC 7233, 3.1).
 *
 * @throws S3Error InvalidRange when no byte of it exists, or when it is no range (as radosgw has it).
 */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const value = /^\s*bytes\s*=(.*)$/i.exec(header ?? '')?.[1];
  if (value === undefined || value.includes(',')) return undefined;
  const match = /^\s*(\d*)\s*-\s*(\d*)\s*$/.exec(value);
  if (!match) throw s3Error('InvalidRange');
  const [, first, last] = match as unknown as [string, string, string];
  if (first === '') {
    const length = Math.min(Number(last), size);
    if (length === 0) throw s3Error('InvalidRange');
    return { offset: size - length, length };
  }
  const offset = Number(first);
  const end = last === '' ? size : Math.min(Number(last) + 1, size);
  if (offset >= end) throw s3Error('InvalidRange');
  return { offset, length: end - offset };
}

/**
 * What an `x-amz-copy-source-range` header asks for of an object of `size` bytes: `bytes=first-last`, both given and both inside.
 *
 * @throws S3Error InvalidArgument when it is of another form, InvalidRange when it reaches beyond the object.
 */
export function parseCopySourceRange(header: string, size: number): ByteRange {
  const match = /^bytes=(\d+)-(\d+)$/.exec(header);
  if (!match) throw s3Error('InvalidArgument', 'x-amz-copy-source-range must be bytes=first-last');
  const first = Number(match[1]);
  const last = Number(match[2]);
  if (first > last) throw s3Error('InvalidArgument', 'x-amz-copy-source-range ends before it begins');
  if (last >= size) throw s3Error('InvalidRange', `The source has ${size} bytes`);
  return { offset: first, length: last - first + 1 };
}

/** The `Content-Range` of an answer. */
export function formatContentRange({ offset, length }: ByteRange, size: number): string {
  return `bytes ${offset}-${offset + length - 1}/${size}`;
}
