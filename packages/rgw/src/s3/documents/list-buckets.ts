import type { Bytes, RawString, UTime } from '@spirula/encoding';
import { formatIsoDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';
import { type Owner, ownerElement } from './owner.ts';

export interface ListedBucket {
  readonly name: RawString;
  readonly created: UTime;
}

export interface ListBucketsRequest {
  readonly prefix: RawString;
  /** Buckets whose names are behind this one. */
  readonly after: RawString;
  readonly maxBuckets: number;
}

/** AWS's bound; radosgw knows of none, and of no pages. */
const MAX_BUCKETS = 10_000;

/** @throws S3Error InvalidArgument */
export function readListBuckets(params: ReadonlyMap<RawString, RawString>): ListBucketsRequest {
  const most = params.get('max-buckets');
  const maxBuckets = most === undefined ? Number.POSITIVE_INFINITY : /^\d{1,5}$/.test(most) ? Number(most) : 0;
  if (most !== undefined && (maxBuckets < 1 || maxBuckets > MAX_BUCKETS)) {
    throw s3Error('InvalidArgument', `max-buckets must be from 1 to ${MAX_BUCKETS}`);
  }
  return { prefix: params.get('prefix') ?? '', after: params.get('continuation-token') ?? '', maxBuckets };
}

export interface BucketPage {
  readonly prefix: RawString;
  readonly buckets: readonly ListedBucket[];
  readonly isTruncated: boolean;
}

/** What `GET /` answers. */
export function listAllMyBucketsResult(owner: Owner, { buckets, prefix, isTruncated }: BucketPage): Bytes {
  const listed = buckets.map(({ name, created }) =>
    element('Bucket', [element('Name', name), element('CreationDate', formatIsoDate(created))]),
  );
  return xmlDocument(
    s3Root('ListAllMyBucketsResult', [
      ownerElement(owner),
      element('Buckets', listed),
      prefix === '' ? undefined : element('Prefix', prefix),
      isTruncated ? element('ContinuationToken', buckets.at(-1)!.name) : undefined,
    ]),
  );
}
