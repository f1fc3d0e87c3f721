/** Documents of multipart uploads. */
import type { Bytes, RawString, UTime } from '@spirula/encoding';
import { type Checksum, checksumElement, checksumElements, readChecksumElement } from '../checksums.ts';
import { unquoteEtag } from '../conditions.ts';
import { formatIsoDate } from '../http-date.ts';
import { urlEncode } from '../percent-encoding.ts';
import { s3Error } from '../s3-errors.ts';
import { childrenNamed, malformed, neededText, readXml } from '../xml-reader.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';
import { boundedNumber } from './bounded-number.ts';
import { type Owner, ownerElement, tenantElement } from './owner.ts';

const MAX_PART_NUMBER = 10000;
/** Of parts, and of uploads, in one answer. */
const MAX_LISTED = 1000;

type Params = ReadonlyMap<RawString, RawString>;

/** An upload, as answers name it. */
export interface UploadName {
  readonly tenant?: RawString | undefined;
  readonly bucket: RawString;
  readonly key: RawString;
  readonly uploadId: RawString;
}

export function initiateMultipartUploadResult({ tenant, bucket, key, uploadId }: UploadName): Bytes {
  return xmlDocument(
    s3Root('InitiateMultipartUploadResult', [
      tenantElement(tenant),
      element('Bucket', bucket),
      element('Key', key),
      element('UploadId', uploadId),
    ]),
  );
}

/** 1 to 10000. @throws S3Error InvalidArgument */
export function readPartNumber(params: Params): number {
  const text = params.get('partNumber') ?? '';
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number < 1 || number > MAX_PART_NUMBER) {
    throw s3Error('InvalidArgument', `partNumber must be from 1 to ${MAX_PART_NUMBER}`);
  }
  return number;
}

export interface CompletedPart {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
  /** As the client has it: it must be that of the part. */
  readonly checksum?: Checksum | undefined;
}

/**
 * The parts that make up the object, in ascending order, at least one.
 *
 * @throws S3Error MalformedXML, InvalidPartOrder, InvalidPart (a number that no part can have), InvalidRequest (two checksums)
 */
export function readCompleteMultipartUpload(document: Bytes): CompletedPart[] {
  const root = readXml(document, 'CompleteMultipartUpload');
  const parts = childrenNamed(root, 'Part').map((part) => {
    const number = neededText(part, 'PartNumber').trim();
    if (!/^\d{1,9}$/.test(number)) throw malformed('PartNumber must be a number');
    return {
      partNumber: Number(number),
      etag: unquoteEtag(neededText(part, 'ETag')),
      checksum: readChecksumElement(part),
    };
  });
  if (parts.length === 0) throw malformed('it must list parts');
  let last = 0;
  for (const { partNumber } of parts) {
    if (partNumber < 1 || partNumber > MAX_PART_NUMBER) throw s3Error('InvalidPart');
    if (partNumber < last) throw s3Error('InvalidPartOrder');
    last = partNumber;
  }
  // Of one that is listed again the last counts, as in radosgw.
  return parts.filter(({ partNumber }, i) => parts[i + 1]?.partNumber !== partNumber);
}

/** The same from a client's side. */
export function completeMultipartUpload(parts: readonly CompletedPart[]): Bytes {
  const listed = parts.map(({ partNumber, etag, checksum }) =>
    element('Part', [
      element('PartNumber', partNumber),
      element('ETag', `"${etag}"`),
      checksum && checksumElement(checksum),
    ]),
  );
  return xmlDocument(s3Root('CompleteMultipartUpload', listed));
}

export function completeMultipartUploadResult(completed: {
  /** `http://host/bucket/key`. */
  readonly location: RawString;
  readonly tenant?: RawString | undefined;
  readonly bucket: RawString;
  readonly key: RawString;
  /** Without quotes; it is written with them, as everywhere else (radosgw 16.2 leaves them out here). */
  readonly etag: string;
  readonly checksum?: Checksum | undefined;
}): Bytes {
  const { location, tenant, bucket, key, etag, checksum } = completed;
  return xmlDocument(
    s3Root('CompleteMultipartUploadResult', [
      element('Location', location),
      tenantElement(tenant),
      element('Bucket', bucket),
      element('Key', key),
      element('ETag', `"${etag}"`),
      ...checksumElements(checksum),
    ]),
  );
}

export interface ListPartsParameters {
  readonly uploadId: RawString;
  /** 0 to 1000. */
  readonly maxParts: number;
  /** Only parts with higher numbers. */
  readonly partNumberMarker: number;
}

/** @throws S3Error InvalidArgument */
export function readListParts(params: Params): ListPartsParameters {
  return {
    uploadId: params.get('uploadId') ?? '',
    maxParts: boundedNumber(params, 'max-parts', { usual: MAX_LISTED, most: MAX_LISTED }),
    partNumberMarker: boundedNumber(params, 'part-number-marker', { usual: 0, most: MAX_PART_NUMBER }),
  };
}

export interface ListedPart {
  readonly partNumber: number;
  readonly mtime: UTime;
  /** Without quotes. */
  readonly etag: string;
  readonly size: number;
  readonly checksum?: Checksum | undefined;
}

export function listPartsResult(
  asked: ListPartsParameters,
  found: {
    readonly tenant?: RawString | undefined;
    readonly bucket: RawString;
    readonly key: RawString;
    /** '' is STANDARD. */
    readonly storageClass: RawString;
    readonly owner: Owner;
    readonly parts: readonly ListedPart[];
    readonly isTruncated: boolean;
  },
): Bytes {
  const { parts } = found;
  return xmlDocument(
    s3Root('ListPartsResult', [
      tenantElement(found.tenant),
      element('Bucket', found.bucket),
      element('Key', found.key),
      element('UploadId', asked.uploadId),
      element('StorageClass', found.storageClass === '' ? 'STANDARD' : found.storageClass),
      element('PartNumberMarker', asked.partNumberMarker),
      element('NextPartNumberMarker', parts.at(-1)?.partNumber ?? 0),
      element('MaxParts', asked.maxParts),
      element('IsTruncated', found.isTruncated),
      ownerElement(found.owner),
      ...parts.map(({ partNumber, mtime, etag, size, checksum }) =>
        element('Part', [
          element('LastModified', formatIsoDate(mtime)),
          element('PartNumber', partNumber),
          element('ETag', `"${etag}"`),
          element('Size', size),
          checksum && checksumElement(checksum),
        ]),
      ),
    ]),
  );
}

export interface ListUploadsParameters {
  readonly prefix: RawString;
  readonly delimiter: RawString;
  /** 0 to 1000. */
  readonly maxUploads: number;
  readonly keyMarker: RawString;
  readonly uploadIdMarker: RawString;
  readonly encodeUrl: boolean;
}

/** @throws S3Error InvalidArgument */
export function readListUploads(params: Params): ListUploadsParameters {
  const keyMarker = params.get('key-marker') ?? '';
  return {
    prefix: params.get('prefix') ?? '',
    delimiter: params.get('delimiter') ?? '',
    maxUploads: boundedNumber(params, 'max-uploads', { usual: MAX_LISTED, most: MAX_LISTED }),
    keyMarker,
    // It tells where among the uploads of one key: without a key it means nothing.
    uploadIdMarker: keyMarker === '' ? '' : (params.get('upload-id-marker') ?? ''),
    encodeUrl: params.get('encoding-type')?.toLowerCase() === 'url',
  };
}

export interface ListedUpload {
  readonly key: RawString;
  readonly uploadId: RawString;
  readonly initiator: Owner;
  readonly owner: Owner;
  readonly storageClass: RawString;
  readonly initiated: UTime;
}

export function listMultipartUploadsResult(
  asked: ListUploadsParameters,
  found: {
    readonly tenant?: RawString | undefined;
    readonly bucket: RawString;
    readonly uploads: readonly ListedUpload[];
    readonly commonPrefixes: readonly RawString[];
    readonly isTruncated: boolean;
    readonly nextKeyMarker?: RawString | undefined;
    readonly nextUploadIdMarker?: RawString | undefined;
  },
): Bytes {
  const encode = (name: RawString) => (asked.encodeUrl ? urlEncode(name, true) : name);
  return xmlDocument(
    s3Root('ListMultipartUploadsResult', [
      tenantElement(found.tenant),
      element('Bucket', found.bucket),
      optional('Prefix', asked.prefix),
      optional('KeyMarker', asked.keyMarker),
      optional('UploadIdMarker', asked.uploadIdMarker),
      optional('NextKeyMarker', found.nextKeyMarker),
      optional('NextUploadIdMarker', found.nextUploadIdMarker),
      element('MaxUploads', asked.maxUploads),
      optional('Delimiter', asked.delimiter),
      asked.encodeUrl ? element('EncodingType', 'url') : undefined,
      element('IsTruncated', found.isTruncated),
      ...found.uploads.map((upload) => uploadElement(upload, encode)),
      ...found.commonPrefixes.map((prefix) => element('CommonPrefixes', [element('Prefix', encode(prefix))])),
    ]),
  );
}

function uploadElement(upload: ListedUpload, encode: (name: RawString) => RawString): XmlNode {
  return element('Upload', [
    element('Key', encode(upload.key)),
    element('UploadId', upload.uploadId),
    ownerElement(upload.initiator, 'Initiator'),
    ownerElement(upload.owner),
    element('StorageClass', upload.storageClass === '' ? 'STANDARD' : upload.storageClass),
    element('Initiated', formatIsoDate(upload.initiated)),
  ]);
}

function optional(name: string, text: RawString | undefined): XmlNode | undefined {
  return text === undefined || text === '' ? undefined : element(name, text);
}
