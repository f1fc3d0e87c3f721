/**
 * Checksums that objects and uploads keep, in xattrs of our own beside radosgw's (which keeps none), named as the headers are.
 *
 *   object      user.rgw.x-amz-checksum-crc32    the value, `...-N` when it is made of those of N parts
 *               user.rgw.x-amz-checksum-parts    digests of the parts that it was made of
 *   its upload  user.rgw.x-amz-checksum-algorithm, user.rgw.x-amz-checksum-type
 */
import { base64 } from '@scure/base';
import { type Bytes, bytesFromRaw, concatBytes, type RawString } from '@spirula/encoding';
import { attrText } from '../../store/object-attrs.ts';
import {
  algorithms,
  type Checksum,
  type ChecksumAlgorithm,
  type ChecksumType,
  checksumHeader,
  checksumType,
  compositeChecksum,
  digestBytes,
  fullObjectChecksum,
  isCrc,
  namedAlgorithm,
  type PartChecksum,
} from '../checksums.ts';
import { s3Error } from '../s3-errors.ts';
import type { OperationContext } from './operation.ts';

const PREFIX = 'user.rgw.x-amz-checksum-';
const ALGORITHM = `${PREFIX}algorithm`;
const TYPE = `${PREFIX}type`;
const PARTS = `${PREFIX}parts`;

type Attrs = ReadonlyMap<RawString, Bytes>;
type Headers = [name: string, value: string][];

export function checksumAttrs(checksum: Checksum | undefined): Map<RawString, Bytes> {
  return new Map(checksum ? [[PREFIX + checksum.algorithm, bytesFromRaw(checksum.value)]] : []);
}

/** Of an object. */
export function storedChecksum(attrs: Attrs): Checksum | undefined {
  for (const algorithm of algorithms) {
    const value = attrs.get(PREFIX + algorithm);
    if (value) return { algorithm, value: attrText(value) };
  }
  return undefined;
}

/** Of answers about a whole object, or about a part of it that was uploaded so: the type is the object's. */
export function checksumHeaders(checksum: Checksum | undefined, ofPart = checksum): Headers {
  if (!checksum || !ofPart) return [];
  const [name, value] = checksumHeader(ofPart);
  return [
    [name, value],
    ['x-amz-checksum-type', checksumType(checksum)],
  ];
}

/** Of an object, the digests of its parts, one behind the other. */
export function partChecksumAttrs(parts: readonly (PartChecksum | undefined)[]): Map<RawString, Bytes> {
  return new Map([[PARTS, concatBytes(parts.map((part) => base64.decode(part?.value ?? '')))]]);
}

/** That of one of the parts that an object was made of, by its place among them. */
export function storedPartChecksum(attrs: Attrs, index: number): Checksum | undefined {
  const algorithm = storedChecksum(attrs)?.algorithm;
  const digests = attrs.get(PARTS);
  if (!algorithm || !digests) return undefined;
  const length = digestBytes[algorithm];
  return { algorithm, value: base64.encode(digests.subarray(index * length, (index + 1) * length)) };
}

/** What an upload in parts will have. */
export interface UploadChecksum {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: ChecksumType;
}

/** What the request that begins an upload says of it. @throws S3Error InvalidRequest */
export function readUploadChecksum(headers: ReadonlyMap<string, string>): UploadChecksum | undefined {
  const algorithm = namedAlgorithm(headers);
  const type = headers.get('x-amz-checksum-type')?.toUpperCase();
  if (type !== undefined && type !== 'COMPOSITE' && type !== 'FULL_OBJECT') {
    throw s3Error('InvalidRequest', 'x-amz-checksum-type is COMPOSITE or FULL_OBJECT');
  }
  if (algorithm === undefined) {
    if (type !== undefined) throw s3Error('InvalidRequest', 'x-amz-checksum-type needs x-amz-checksum-algorithm');
    return undefined;
  }
  const chosen = type ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE');
  if (chosen === 'FULL_OBJECT' ? !isCrc(algorithm) : algorithm === 'crc64nvme') {
    throw s3Error('InvalidRequest', `${algorithm.toUpperCase()} cannot be ${chosen}`);
  }
  return { algorithm, type: chosen };
}

export function uploadChecksumAttrs(given: UploadChecksum | undefined): Map<RawString, Bytes> {
  if (!given) return new Map();
  return new Map([
    [ALGORITHM, bytesFromRaw(given.algorithm)],
    [TYPE, bytesFromRaw(given.type)],
  ]);
}

export function storedUploadChecksum(attrs: Attrs): UploadChecksum | undefined {
  const algorithm = algorithms.find((each) => each === textOf(attrs, ALGORITHM));
  return algorithm && { algorithm, type: textOf(attrs, TYPE) === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE' };
}

export function isChecksumAttr(name: RawString): boolean {
  return name.startsWith(PREFIX);
}

export function uploadChecksumHeaders(given: UploadChecksum | undefined): Headers {
  if (!given) return [];
  return [
    ['x-amz-checksum-algorithm', given.algorithm.toUpperCase()],
    ['x-amz-checksum-type', given.type],
  ];
}

/**
 * Of the object that parts become. Undefined: its upload was begun without one, or a part has none.
 *
 * @throws S3Error BadDigest when the request gives another
 */
export function checksumOfParts(
  { crypto, request }: OperationContext,
  asked: UploadChecksum | undefined,
  parts: readonly (PartChecksum | undefined)[],
): Checksum | undefined {
  if (!asked) return undefined;
  const known = parts.filter((part) => part !== undefined);
  if (known.length < parts.length) return undefined;
  const { algorithm, type } = asked;
  const checksum =
    type === 'FULL_OBJECT' && isCrc(algorithm)
      ? fullObjectChecksum(algorithm, known)
      : compositeChecksum(crypto, algorithm, known);
  const given = request.http.headers.get(checksumHeader(checksum)[0])?.trim();
  if (given !== undefined && given !== checksum.value && given !== checksum.value.replace(/-\d+$/, '')) {
    throw s3Error('BadDigest', `The ${algorithm.toUpperCase()} of the parts is not the one given`);
  }
  return checksum;
}

function textOf(attrs: Attrs, name: RawString): RawString {
  const value = attrs.get(name);
  return value ? attrText(value) : '';
}
