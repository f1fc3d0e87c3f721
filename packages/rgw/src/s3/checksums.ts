/**
 * Checksums that clients give with what they send: `Content-MD5`, and `x-amz-checksum-*` in a header or a trailer. Reckoned while
 * data passes. And those of objects made of parts: of the parts' checksums (composite, `...-2`), or of all the data (full object).
 *
 * Source: AWS, "Checking object integrity in Amazon S3".
 */
import { base64 } from '@scure/base';
import { type Bytes, concatBytes, equalBytes } from '@spirula/encoding';
import type { Crypto, Hasher } from '@spirula/world';
import { combineCrcs, crcShapes } from './crc-combine.ts';
import { s3Error } from './s3-errors.ts';
import { childText, type XmlElement } from './xml-reader.ts';
import { element, type XmlNode } from './xml-writer.ts';

export const digestBytes = { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 } as const;

export type ChecksumAlgorithm = keyof typeof digestBytes;
export const algorithms = Object.keys(digestBytes) as ChecksumAlgorithm[];

/** A checksum as headers and documents have it. */
export interface Checksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, with `-` and the number of parts behind it when it is composite. */
  readonly value: string;
}

const HEADER_PREFIX = 'x-amz-checksum-';

export function checksumHeader({ algorithm, value }: Checksum): readonly [name: string, value: string] {
  return [HEADER_PREFIX + algorithm, value];
}

/** The same as an element of a document: `ChecksumCRC32`. */
export function checksumElement({ algorithm, value }: Checksum): XmlNode {
  return element(elementNames[algorithm], value);
}

/** Of a whole object: with what it is of, the data or the digests of parts. */
export function checksumElements(checksum: Checksum | undefined): XmlNode[] {
  return checksum ? [checksumElement(checksum), element('ChecksumType', checksumType(checksum))] : [];
}

export type ChecksumType = 'COMPOSITE' | 'FULL_OBJECT';

export function checksumType({ value }: Checksum): ChecksumType {
  return value.includes('-') ? 'COMPOSITE' : 'FULL_OBJECT';
}

const elementNames: Readonly<Record<ChecksumAlgorithm, string>> = {
  crc32: 'ChecksumCRC32',
  crc32c: 'ChecksumCRC32C',
  crc64nvme: 'ChecksumCRC64NVME',
  sha1: 'ChecksumSHA1',
  sha256: 'ChecksumSHA256',
};

/** Of a part in a client's document; undefined when it gives none. @throws S3Error InvalidRequest for more than one */
export function readChecksumElement(parent: XmlElement): Checksum | undefined {
  const given = algorithms.flatMap((algorithm) => {
    const value = childText(parent, elementNames[algorithm])?.trim();
    return value === undefined || value === '' ? [] : [{ algorithm, value }];
  });
  if (given.length > 1) throw s3Error('InvalidRequest', 'Give one checksum only');
  return given[0];
}

/**
 * What a request says of its body.
 *
 *   const checks = new UploadChecks(crypto, request.headers, { trailers });
 *   for await (const bytes of checks.passing(body)) ...
 *   checks.finish(md5)                                     // throws when something is not as announced
 */
export class UploadChecks {
  readonly #trailers: () => ReadonlyMap<string, string>;
  readonly #expectedMd5: Bytes | undefined;
  readonly #algorithm: ChecksumAlgorithm | undefined;
  readonly #hasher: Hasher | undefined;
  /** From a header; undefined when it comes in a trailer, or the client leaves it to us. */
  readonly #expected: Bytes | undefined;
  readonly #inTrailer: boolean;

  /**
   * `wanted`: what is reckoned in any case, so that the client may give this one or none.
   *
   * @throws S3Error InvalidDigest (Content-MD5), InvalidRequest (checksums that are none, or more than one, or not the one wanted)
   */
  constructor(
    crypto: Crypto,
    headers: ReadonlyMap<string, string>,
    options: { readonly trailers?: () => ReadonlyMap<string, string>; readonly wanted?: ChecksumAlgorithm | undefined },
  ) {
    this.#trailers = options.trailers ?? (() => new Map());
    const md5 = headers.get('content-md5');
    this.#expectedMd5 = md5 === undefined ? undefined : readDigest(md5.trim(), 16);
    if (md5 !== undefined && this.#expectedMd5 === undefined) throw s3Error('InvalidDigest');
    const announced = announcedTrailer(headers);
    const given = givenChecksum(headers);
    if (announced !== undefined && given !== undefined) throw s3Error('InvalidRequest', 'Give one checksum only');
    this.#inTrailer = announced !== undefined;
    this.#expected = given?.digest;
    const algorithm = given?.algorithm ?? announced ?? namedAlgorithm(headers);
    if (options.wanted !== undefined && algorithm !== undefined && algorithm !== options.wanted) {
      throw s3Error('InvalidRequest', `The checksum must be ${options.wanted.toUpperCase()}, as of the whole upload`);
    }
    this.#algorithm = algorithm ?? options.wanted;
    this.#hasher = this.#algorithm && checksumHasher(crypto, this.#algorithm);
  }

  /** The same data. */
  async *passing(body: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
    for await (const piece of body) {
      this.#hasher?.update(piece);
      yield piece;
    }
  }

  /**
   * Once, when all has passed. `md5`: of what has passed. Undefined: there is no word of an algorithm.
   *
   * @throws S3Error BadDigest, InvalidRequest (no trailer where one was announced)
   */
  finish(md5: Bytes): Checksum | undefined {
    if (this.#expectedMd5 !== undefined && !equalBytes(md5, this.#expectedMd5)) throw s3Error('BadDigest');
    const digest = this.#hasher?.digest();
    if (digest === undefined) return undefined;
    const algorithm = this.#algorithm!;
    const expected = this.#inTrailer ? readChecksum(this.#trailers(), algorithm) : this.#expected;
    if (expected !== undefined && !equalBytes(digest, expected)) {
      throw s3Error('BadDigest', `The ${algorithm.toUpperCase()} of what was received is not the one given`);
    }
    return { algorithm, value: base64.encode(digest) };
  }
}

function readDigest(text: string, bytes: number): Bytes | undefined {
  try {
    const digest = base64.decode(text);
    return digest.length === bytes ? digest : undefined;
  } catch {
    return undefined;
  }
}

function readChecksum(headers: ReadonlyMap<string, string>, algorithm: ChecksumAlgorithm): Bytes {
  const name = HEADER_PREFIX + algorithm;
  const text = headers.get(name);
  if (text === undefined) throw s3Error('InvalidRequest', `${name} was announced, and is missing`);
  const digest = readDigest(text.trim(), digestBytes[algorithm]);
  // No data has it.
  if (digest === undefined) throw s3Error('BadDigest', `The value of ${name} is no ${algorithm.toUpperCase()}`);
  return digest;
}

/** `x-amz-trailer: x-amz-checksum-crc32` */
function announcedTrailer(headers: ReadonlyMap<string, string>): ChecksumAlgorithm | undefined {
  const names = (headers.get('x-amz-trailer') ?? '').split(',').map((name) => name.trim().toLowerCase());
  const found = algorithms.filter((algorithm) => names.includes(HEADER_PREFIX + algorithm));
  if (found.length > 1) throw s3Error('InvalidRequest', 'Give one checksum only');
  return found[0];
}

function givenChecksum(
  headers: ReadonlyMap<string, string>,
): { readonly algorithm: ChecksumAlgorithm; readonly digest: Bytes } | undefined {
  const given = algorithms.filter((algorithm) => headers.has(HEADER_PREFIX + algorithm));
  if (given.length > 1) throw s3Error('InvalidRequest', 'Give one checksum only');
  const algorithm = given[0];
  return algorithm === undefined ? undefined : { algorithm, digest: readChecksum(headers, algorithm) };
}

/**
 * The algorithm of `x-amz-checksum-algorithm` (a multipart upload) or `x-amz-sdk-checksum-algorithm` (an upload), in any case.
 *
 * @throws S3Error InvalidRequest for an unknown one.
 */
export function namedAlgorithm(headers: ReadonlyMap<string, string>): ChecksumAlgorithm | undefined {
  const text = headers.get('x-amz-checksum-algorithm') ?? headers.get('x-amz-sdk-checksum-algorithm');
  if (text === undefined) return undefined;
  const algorithm = algorithms.find((name) => name === text.trim().toLowerCase());
  if (algorithm === undefined) throw s3Error('InvalidRequest', 'This checksum algorithm is not supported');
  return algorithm;
}

/** Digests are in network order: what base64 is made of. */
export function checksumHasher(crypto: Crypto, algorithm: ChecksumAlgorithm): Hasher {
  return algorithm === 'sha1' || algorithm === 'sha256' ? crypto.hasher(algorithm) : new CrcHasher(crypto, algorithm);
}

type CrcAlgorithm = 'crc32' | 'crc32c' | 'crc64nvme';

export function isCrc(algorithm: ChecksumAlgorithm): algorithm is CrcAlgorithm {
  return algorithm.startsWith('crc');
}

class CrcHasher implements Hasher {
  readonly #crypto: Crypto;
  readonly #algorithm: CrcAlgorithm;
  /** The standard's value so far; of crc32c without its final inversion, as Ceph's function has it. */
  #value: bigint;

  constructor(crypto: Crypto, algorithm: CrcAlgorithm) {
    this.#crypto = crypto;
    this.#algorithm = algorithm;
    this.#value = algorithm === 'crc32c' ? ONES : 0n;
  }

  update(bytes: Bytes): void {
    this.#value = this.#crypto.crc(this.#algorithm, bytes, this.#value);
  }

  digest(): Bytes {
    const value = this.#algorithm === 'crc32c' ? this.#value ^ ONES : this.#value;
    return bigEndian(value, digestBytes[this.#algorithm]);
  }
}

const ONES = 0xffffffffn;

function bigEndian(value: bigint, length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

function fromBigEndian(bytes: Bytes): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return value;
}

/** A part of a multipart upload, as far as checksums go. */
export interface PartChecksum {
  readonly value: string;
  /** Bytes of the part. */
  readonly length: number;
}

/** Of a multipart object: the checksum over the parts' digests, and their number behind it. */
export function compositeChecksum(
  crypto: Crypto,
  algorithm: ChecksumAlgorithm,
  parts: readonly PartChecksum[],
): Checksum {
  const hasher = checksumHasher(crypto, algorithm);
  hasher.update(concatBytes(parts.map(({ value }) => base64.decode(value))));
  return { algorithm, value: `${base64.encode(hasher.digest())}-${parts.length}` };
}

/** Of a multipart object: the CRC of all its data, from those of its parts. At least one part. */
export function fullObjectChecksum(algorithm: CrcAlgorithm, parts: readonly PartChecksum[]): Checksum {
  let crc = 0n;
  for (const { value, length } of parts) {
    crc = combineCrcs(crcShapes[algorithm], crc, fromBigEndian(base64.decode(value)), length);
  }
  return { algorithm, value: base64.encode(bigEndian(crc, digestBytes[algorithm])) };
}
