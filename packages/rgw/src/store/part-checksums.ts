/**
 * Checksums of an upload's parts: omap values of its meta object beside those of the parts. Their keys (`checksum.NNNNNNNN`) come
 * before `part.`, from where radosgw reads.
 */
import { type Bytes, bytesFromRaw, type RawString } from '@spirula/encoding';
import type { IoCtx, ObjectOperation } from '@spirula/rados';
import type { UploadPart } from '../formats/upload.ts';
import { attrText } from './object-attrs.ts';

const KEY_PREFIX = 'checksum.';
const KEY_DIGITS = 8;
/** Keys that are asked for at once. */
const PAGE = 1000;

/** Set with its part, in one operation. `checksum`: '' when it has none. */
export function setPartChecksum(operation: ObjectOperation, part: UploadPart, checksum: RawString): ObjectOperation {
  const key = keyOf(part.number);
  if (checksum === '') return operation.omapRmKeys([key]);
  // A part that radosgw replaces keeps the old value: the ETag tells that it is of another.
  return operation.omapSet(new Map<RawString, Bytes>([[key, bytesFromRaw(`${part.etag} ${checksum}`)]]));
}

/** By the number of the part, of those that have one. */
export async function readPartChecksums(
  io: IoCtx,
  oid: RawString,
  parts: readonly UploadPart[],
): Promise<Map<number, RawString>> {
  const checksums = new Map<number, RawString>();
  for (let from = 0; from < parts.length; from += PAGE) {
    const page = parts.slice(from, from + PAGE);
    const values = await io.omapGetByKeys(
      oid,
      page.map(({ number }) => keyOf(number)),
    );
    for (const { number, etag } of page) {
      const value = values.get(keyOf(number));
      const [of, checksum] = value ? attrText(value).split(' ') : [];
      if (of === etag && checksum !== undefined) checksums.set(number, checksum);
    }
  }
  return checksums;
}

function keyOf(number: number): RawString {
  return KEY_PREFIX + String(number).padStart(KEY_DIGITS, '0');
}
