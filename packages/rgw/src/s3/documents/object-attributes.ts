/** What `GET key?attributes` answers: of an object and its parts what is asked for. */
import type { Bytes, RawString } from '@spirula/encoding';
import { type Checksum, checksumElement, checksumElements } from '../checksums.ts';
import { s3Error } from '../s3-errors.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';
import { boundedNumber } from './bounded-number.ts';

const NAMES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const;
type AttributeName = (typeof NAMES)[number];

const MAX_LISTED = 1000;
const MAX_PART_NUMBER = 10_000;

export interface AttributesRequest {
  readonly names: ReadonlySet<AttributeName>;
  readonly maxParts: number;
  /** Only parts with higher numbers. */
  readonly partNumberMarker: number;
}

/** All of it is in headers. @throws S3Error InvalidArgument */
export function readObjectAttributes(headers: ReadonlyMap<string, string>): AttributesRequest {
  const asked = (headers.get('x-amz-object-attributes') ?? '').split(',').map((name) => name.trim());
  const names = asked.map((name) => NAMES.find((each) => each === name));
  if (!names.every((name) => name !== undefined)) {
    throw s3Error('InvalidArgument', `x-amz-object-attributes must list some of ${NAMES.join(', ')}`);
  }
  return {
    names: new Set(names),
    maxParts: boundedNumber(headers, 'x-amz-max-parts', { usual: MAX_LISTED, most: MAX_LISTED }),
    partNumberMarker: boundedNumber(headers, 'x-amz-part-number-marker', { usual: 0, most: MAX_PART_NUMBER }),
  };
}

export interface DescribedObject {
  /** Without quotes: as they are written here. */
  readonly etag: string;
  readonly checksum: Checksum | undefined;
  /** None: it was uploaded at once. */
  readonly parts: readonly {
    readonly number: number;
    readonly length: number;
    readonly checksum: Checksum | undefined;
  }[];
  /** '' is STANDARD. */
  readonly storageClass: RawString;
  readonly size: number;
}

export function objectAttributesResponse(asked: AttributesRequest, object: DescribedObject): Bytes {
  const nodes: Readonly<Record<AttributeName, () => XmlNode | undefined>> = {
    ETag: () => element('ETag', object.etag),
    Checksum: () => object.checksum && element('Checksum', checksumElements(object.checksum)),
    ObjectParts: () => (object.parts.length === 0 ? undefined : objectParts(asked, object)),
    StorageClass: () => element('StorageClass', object.storageClass === '' ? 'STANDARD' : object.storageClass),
    ObjectSize: () => element('ObjectSize', object.size),
  };
  const shown = NAMES.filter((name) => asked.names.has(name)).map((name) => nodes[name]());
  return xmlDocument(s3Root('GetObjectAttributesResponse', shown));
}

function objectParts({ maxParts, partNumberMarker }: AttributesRequest, { parts }: DescribedObject): XmlNode {
  const behind = parts.filter(({ number }) => number > partNumberMarker);
  const page = behind.slice(0, maxParts);
  return element('ObjectParts', [
    element('PartsCount', parts.length),
    element('PartNumberMarker', partNumberMarker),
    element('NextPartNumberMarker', page.at(-1)?.number ?? partNumberMarker),
    element('MaxParts', maxParts),
    element('IsTruncated', behind.length > page.length),
    ...page.map(({ number, length, checksum }) =>
      element('Part', [element('PartNumber', number), element('Size', length), checksum && checksumElement(checksum)]),
    ),
  ]);
}
