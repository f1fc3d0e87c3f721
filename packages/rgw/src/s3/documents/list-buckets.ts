import type { Bytes, RawString, UTime } from '@spirula/encoding';
import { formatIsoDate } from '../http-date.ts';
import { element, s3Root, xmlDocument } from '../xml-writer.ts';
import { type Owner, ownerElement } from './owner.ts';

export interface ListedBucket {
  readonly name: RawString;
  readonly created: UTime;
}

/** What `GET /` answers. */
export function listAllMyBucketsResult(owner: Owner, buckets: readonly ListedBucket[]): Bytes {
  const listed = buckets.map(({ name, created }) =>
    element('Bucket', [element('Name', name), element('CreationDate', formatIsoDate(created))]),
  );
  return xmlDocument(s3Root('ListAllMyBucketsResult', [ownerElement(owner), element('Buckets', listed)]));
}
