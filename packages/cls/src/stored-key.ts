/** Omap keys whose values are encodings of their own, as the classes of images and journals keep their state. */
import { type Bytes, type Decoder, Encoder, type RawString } from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';
import { decodeStored } from './object-class.ts';

/** RBD_MAX_KEYS_READ, MAX_KEYS_READ: how many entries are asked for at once. */
const PAGE = 64;

export function encodeWith(body: (encoder: Encoder) => void): Bytes {
  const encoder = new Encoder(64);
  body(encoder);
  return encoder.finish();
}

/** Undefined: there is no such key, or no object. @throws ClassError EIO when it does not parse */
export function readKey<T>(object: MethodContext, key: RawString, decode: (decoder: Decoder) => T): T | undefined {
  const stored = object.omapGet(key);
  return stored && decodeStored(stored, decode);
}

export function writeKey(object: MethodContext, key: RawString, body: (encoder: Encoder) => void): void {
  object.omapSet(new Map([[key, encodeWith(body)]]));
}

/** All entries behind `after` whose keys begin with `prefix`, in key order, read as they are needed. */
export function* entriesFrom(
  object: MethodContext,
  prefix: RawString,
  after: RawString = prefix,
): Generator<readonly [key: RawString, value: Bytes]> {
  for (let last = after; ; ) {
    const { entries, more } = object.omapList({ after: last, prefix, max: PAGE });
    for (const entry of entries) {
      yield entry;
      [last] = entry;
    }
    if (!more || entries.size === 0) return;
  }
}

/** The first `max` of what there is; beyond 2^53 all. */
export function* firstOf<T>(items: Iterable<T>, max: bigint): Generator<T> {
  if (max === 0n) return;
  let left = max;
  for (const item of items) {
    yield item;
    left -= 1n;
    if (left === 0n) return;
  }
}

/** 16 hexadecimal digits, as keys hold numbers. */
export function hex16(value: bigint): string {
  return value.toString(16).padStart(16, '0');
}

export function compareNumbers(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function compareStrings(a: RawString, b: RawString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
