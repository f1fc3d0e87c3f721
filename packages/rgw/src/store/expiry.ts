/** Objects with an end that their owner has set, `X-Delete-At` in Swift: from then on they are not there, until they are removed. */
import { type Bytes, compareUTimes, decodeUTime, encodeUTime, type RawString, type UTime } from '@spirula/encoding';
import { decoded, encoded } from '../formats/encoded.ts';
import { Attr } from './object-attrs.ts';

/** Undefined: it stays. */
export function deleteAtOf(attrs: ReadonlyMap<RawString, Bytes>): UTime | undefined {
  const value = attrs.get(Attr.deleteAt);
  if (!value) return undefined;
  const at = decoded((from) => decodeUTime(from, 'delete at'), value);
  // radosgw takes an end away so.
  return at.sec === 0 && at.nsec === 0 ? undefined : at;
}

export function encodeDeleteAt(at: UTime): Bytes {
  return encoded(encodeUTime, at);
}

/** Whether its end has come. */
export function isOver(attrs: ReadonlyMap<RawString, Bytes>, now: UTime): boolean {
  const at = deleteAtOf(attrs);
  return at !== undefined && compareUTimes(at, now) <= 0;
}
