/** Parts of objects that were uploaded so. */
import type { Compression } from '../../formats/compression.ts';
import { type UploadedPart, uploadedParts } from '../../formats/manifest-parts.ts';
import type { Head } from '../../store/head.ts';
import type { Checksum } from '../checksums.ts';
import { readPartNumber } from '../documents/multipart.ts';
import { s3Error } from '../s3-errors.ts';
import type { OperationContext } from './operation.ts';
import { storedPartChecksum } from './stored-checksums.ts';

export interface ObjectPart {
  readonly number: number;
  readonly offset: number;
  readonly length: number;
  readonly checksum: Checksum | undefined;
}

/** None: the object was uploaded at once. */
export function partsOf({ manifest, attrs, compression, size }: Head): ObjectPart[] {
  const stored = manifest ? uploadedParts(manifest) : [];
  const parts = compression ? stored.map((part) => asSent(part, compression, size)) : stored;
  return parts.map((part, index) => ({ ...part, checksum: storedPartChecksum(attrs, index) }));
}

/** Parts begin where blocks do. */
function asSent({ number, offset, length }: UploadedPart, { blocks }: Compression, size: number): UploadedPart {
  const at = (stored: number) => blocks.find(({ storedOffset }) => storedOffset >= stored)?.offset ?? size;
  return { number, offset: at(offset), length: at(offset + length) - at(offset) };
}

/** A part that is asked for, and how many there are. */
export interface AskedPart extends ObjectPart {
  readonly count: number;
}

/**
 * What `partNumber` asks for. Undefined: the whole object, because there is no such parameter, or the object was uploaded at once.
 *
 * @throws S3Error InvalidArgument, InvalidPart, InvalidRequest (a range as well)
 */
export function askedPart({ request }: OperationContext, head: Head): AskedPart | undefined {
  if (!request.params.has('partNumber')) return undefined;
  const number = readPartNumber(request.params);
  if (request.http.headers.has('range')) throw s3Error('InvalidRequest', 'Give a range or a part number, not both');
  const parts = partsOf(head);
  if (parts.length === 0 && number === 1) return undefined;
  const part = parts.find((each) => each.number === number);
  if (!part) throw s3Error('InvalidPart', `The object has no part ${number}`);
  return { ...part, count: parts.length };
}
