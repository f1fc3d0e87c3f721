/** The omap of a journal's header (cls/journal/cls_journal.cc). */
import { Decoder, Errno, type RawString } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import { ClassError } from '../object-class.ts';
import { hex16, writeKey } from '../stored-key.ts';

export const CLIENT_PREFIX = 'client_';
export const TAG_PREFIX = 'tag_';

export function tagKey(tid: bigint): RawString {
  return TAG_PREFIX + hex16(tid);
}

/** @throws ClassError ENOENT; EINVAL when it does not parse */
export function requireKey<T>(object: MethodContext, key: RawString, decode: (decoder: Decoder) => T): T {
  const stored = object.omapGet(key);
  if (stored === undefined) throw new ClassError(Errno.ENOENT);
  return decode(new Decoder(stored));
}

export function requireNumber(object: MethodContext, key: RawString): bigint {
  return requireKey(object, key, (decoder) => decoder.u64big(key));
}

export function writeNumber(object: MethodContext, key: RawString, value: bigint): void {
  writeKey(object, key, (encoder) => encoder.u64big(value));
}
