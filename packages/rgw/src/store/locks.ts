/** Whether a version may be removed. */
import { type Bytes, compareUTimes, type RawString, type UTime } from '@spirula/encoding';
import { decoded } from '../formats/encoded.ts';
import { decodeLegalHold, decodeObjectRetention, type ObjectRetention } from '../formats/object-lock.ts';
import { Attr } from './object-attrs.ts';

type Attrs = ReadonlyMap<RawString, Bytes>;

export function retentionOf(attrs: Attrs): ObjectRetention | undefined {
  const value = attrs.get(Attr.retention);
  return value && decoded(decodeObjectRetention, value);
}

/** `ON` or `OFF`; undefined: it was never set. */
export function legalHoldOf(attrs: Attrs): string | undefined {
  const value = attrs.get(Attr.legalHold);
  return value && decoded(decodeLegalHold, value);
}

/** What holds it now; a hold comes before a retention. */
export function lockOf(attrs: Attrs, now: UTime): 'hold' | ObjectRetention | undefined {
  if (legalHoldOf(attrs) === 'ON') return 'hold';
  const retention = retentionOf(attrs);
  return retention && compareUTimes(retention.retainUntil, now) > 0 ? retention : undefined;
}
