/**
 * Lists of objects: `ListBucketResult` in both versions, `ListVersionsResult` (RGWListBucket_ObjStore_S3, _S3v2). Elements and
 * their order are radosgw's.
 */
import type { Bytes, RawString, UTime } from '@spirula/encoding';
import { formatIsoDate } from '../http-date.ts';
import { urlEncode } from '../percent-encoding.ts';
import { s3Error } from '../s3-errors.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';
import { boundedNumber } from './bounded-number.ts';
import { type Owner, ownerElement, tenantElement } from './owner.ts';

/** rgw_max_listing_results. */
const MAX_KEYS = 1000;

/** What every list is asked for. */
interface ListParameters {
  readonly prefix: RawString;
  /** '' for none. Any length. */
  readonly delimiter: RawString;
  /** 0 to 1000. */
  readonly maxKeys: number;
  /** Names in the answer are percent-encoded. */
  readonly encodeUrl: boolean;
  /** radosgw's own: the order of the answer does not matter. */
  readonly allowUnordered: boolean;
}

export interface ListV1Parameters extends ListParameters {
  /** Only names after it. */
  readonly marker: RawString;
}

export interface ListV2Parameters extends ListParameters {
  /** Of an answer before: goes on there. */
  readonly continuationToken: RawString | undefined;
  readonly startAfter: RawString | undefined;
  readonly fetchOwner: boolean;
}

export interface ListVersionsParameters extends ListParameters {
  readonly keyMarker: RawString;
  /** Only versions of `keyMarker` after it, and later names. */
  readonly versionIdMarker: RawString;
}

type Params = ReadonlyMap<RawString, RawString>;

/** @throws S3Error InvalidArgument */
export function readListV1(params: Params): ListV1Parameters {
  return { ...readCommon(params), marker: params.get('marker') ?? '' };
}

/** Of `list-type=2`. @throws S3Error InvalidArgument */
export function readListV2(params: Params): ListV2Parameters {
  return {
    ...readCommon(params),
    continuationToken: params.get('continuation-token'),
    startAfter: params.get('start-after'),
    fetchOwner: isTrue(params.get('fetch-owner')),
  };
}

/** Of `versions`. @throws S3Error InvalidArgument */
export function readListVersions(params: Params): ListVersionsParameters {
  return {
    ...readCommon(params),
    keyMarker: params.get('key-marker') ?? '',
    versionIdMarker: params.get('version-id-marker') ?? '',
  };
}

function readCommon(params: Params): ListParameters {
  const delimiter = params.get('delimiter') ?? '';
  const allowUnordered = isTrue(params.get('allow-unordered'));
  if (allowUnordered && delimiter !== '') {
    throw s3Error('InvalidArgument', 'an unordered list cannot have a delimiter');
  }
  return {
    prefix: params.get('prefix') ?? '',
    delimiter,
    maxKeys: boundedNumber(params, 'max-keys', { usual: MAX_KEYS, most: MAX_KEYS }),
    encodeUrl: params.get('encoding-type')?.toLowerCase() === 'url',
    allowUnordered,
  };
}

function isTrue(value: RawString | undefined): boolean {
  return value?.toLowerCase() === 'true';
}

export interface ListedObject {
  readonly key: RawString;
  readonly mtime: UTime;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  /** '' is STANDARD. */
  readonly storageClass: RawString;
  readonly owner: Owner;
  readonly appendable: boolean;
}

export interface ListedVersion extends ListedObject {
  /** '' is the version that has none: `null`. */
  readonly versionId: RawString;
  readonly isLatest: boolean;
  /** Such a one has no ETag, size and class. */
  readonly isDeleteMarker: boolean;
}

/** What was found, the same in every form of list. */
export interface ListPage<T> {
  readonly tenant?: RawString | undefined;
  readonly bucket: RawString;
  readonly entries: readonly T[];
  readonly commonPrefixes: readonly RawString[];
  readonly isTruncated: boolean;
}

/** `nextMarker` '' or undefined: nothing follows. */
export function listBucketResult(
  asked: ListV1Parameters,
  page: ListPage<ListedObject> & { readonly nextMarker?: RawString | undefined },
): Bytes {
  return xmlDocument(
    s3Root('ListBucketResult', [
      ...head(asked, page),
      ...page.entries.map((entry) => contents(entry, asked.encodeUrl, true)),
      element('Marker', asked.marker),
      page.isTruncated ? optional('NextMarker', page.nextMarker) : undefined,
    ]),
  );
}

export function listBucketV2Result(
  asked: ListV2Parameters,
  page: ListPage<ListedObject> & { readonly nextContinuationToken?: RawString | undefined },
): Bytes {
  const { continuationToken, startAfter } = asked;
  return xmlDocument(
    s3Root('ListBucketResult', [
      ...head(asked, page),
      ...page.entries.map((entry) => contents(entry, asked.encodeUrl, asked.fetchOwner)),
      continuationToken === undefined ? undefined : element('ContinuationToken', continuationToken),
      page.isTruncated ? optional('NextContinuationToken', page.nextContinuationToken) : undefined,
      element('KeyCount', page.entries.length + page.commonPrefixes.length),
      startAfter === undefined ? undefined : element('StartAfter', startAfter),
    ]),
  );
}

/** `nextVersionIdMarker` '' is the version `null`. */
export function listVersionsResult(
  asked: ListVersionsParameters,
  page: ListPage<ListedVersion> & {
    readonly nextKeyMarker?: RawString | undefined;
    readonly nextVersionIdMarker?: RawString | undefined;
  },
): Bytes {
  const { nextKeyMarker, nextVersionIdMarker } = page;
  const next =
    page.isTruncated && nextKeyMarker !== undefined && nextKeyMarker !== ''
      ? [
          element('NextKeyMarker', nextKeyMarker),
          element(
            'NextVersionIdMarker',
            nextVersionIdMarker === undefined || nextVersionIdMarker === '' ? 'null' : nextVersionIdMarker,
          ),
        ]
      : [];
  return xmlDocument(
    s3Root('ListVersionsResult', [
      ...head(asked, page),
      element('KeyMarker', asked.keyMarker),
      element('VersionIdMarker', asked.versionIdMarker),
      ...next,
      ...page.entries.map((entry) => version(entry, asked.encodeUrl)),
    ]),
  );
}

function head(asked: ListParameters, page: ListPage<unknown>): (XmlNode | undefined)[] {
  return [
    asked.encodeUrl ? element('EncodingType', 'url') : undefined,
    tenantElement(page.tenant),
    element('Name', page.bucket),
    element('Prefix', asked.prefix),
    element('MaxKeys', asked.maxKeys),
    optional('Delimiter', asked.delimiter),
    element('IsTruncated', asked.maxKeys > 0 && page.isTruncated),
    ...page.commonPrefixes.map((prefix) =>
      element('CommonPrefixes', [element('Prefix', asked.encodeUrl ? urlEncode(prefix, true) : prefix)]),
    ),
  ];
}

function optional(name: string, text: RawString | undefined): XmlNode | undefined {
  return text === undefined || text === '' ? undefined : element(name, text);
}

function contents(entry: ListedObject, encodeUrl: boolean, withOwner: boolean): XmlNode {
  return element('Contents', [
    keyElement(entry, encodeUrl),
    element('LastModified', formatIsoDate(entry.mtime)),
    ...stored(entry),
    withOwner ? ownerElement(entry.owner) : undefined,
    typeElement(entry),
  ]);
}

function version(entry: ListedVersion, encodeUrl: boolean): XmlNode {
  return element(entry.isDeleteMarker ? 'DeleteMarker' : 'Version', [
    keyElement(entry, encodeUrl),
    element('VersionId', entry.versionId === '' ? 'null' : entry.versionId),
    element('IsLatest', entry.isLatest),
    element('LastModified', formatIsoDate(entry.mtime)),
    ...(entry.isDeleteMarker ? [] : stored(entry)),
    ownerElement(entry.owner),
    typeElement(entry),
  ]);
}

function keyElement({ key }: ListedObject, encodeUrl: boolean): XmlNode {
  return element('Key', encodeUrl ? urlEncode(key, false) : key);
}

function stored({ etag, size, storageClass }: ListedObject): XmlNode[] {
  return [
    element('ETag', `"${etag}"`),
    element('Size', size),
    element('StorageClass', storageClass === '' ? 'STANDARD' : storageClass),
  ];
}

function typeElement({ appendable }: ListedObject): XmlNode {
  return element('Type', appendable ? 'Appendable' : 'Normal');
}
