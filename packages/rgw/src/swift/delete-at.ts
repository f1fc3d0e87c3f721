/** `X-Delete-At` and `X-Delete-After`: when an object is to be gone (get_delete_at_param, rgw_rest_swift.cc). */
import { addSeconds, type Bytes, compareUTimes, type RawString } from '@spirula/encoding';
import { deleteAtOf, encodeDeleteAt } from '../store/expiry.ts';
import { Attr } from '../store/object-attrs.ts';
import { headerOf, type SwiftContext, type SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** Seconds of a time are stored in 32 bits. */
const LAST_SECOND = 0xffff_ffff;

/** The xattr that a request sets, or (undefined) takes away. @throws SwiftError BadRequest */
export function deleteAtChange(context: SwiftContext): Map<RawString, Bytes | undefined> {
  const after = headerOf(context, 'x-delete-after') ?? '';
  const at = headerOf(context, 'x-delete-at') ?? '';
  const isSpan = after !== '';
  const text = isSpan ? after : at;
  if (text === '') {
    const isTaken = headerOf(context, 'x-remove-delete-at') !== undefined;
    return new Map(isTaken ? [[Attr.deleteAt, undefined]] : []);
  }
  const header = isSpan ? 'X-Delete-After' : 'X-Delete-At';
  if (!/^\s*[+-]?\d{1,15}$/.test(text))
    throw new SwiftError('BadRequest', `${header}: ${text} is no number of seconds`);
  const deleteAt = isSpan ? addSeconds(context.now, Number(text)) : { sec: Number(text), nsec: 0 };
  // As radosgw, now is too late.
  if (compareUTimes(deleteAt, context.now) <= 0) throw new SwiftError('BadRequest', `${header}: that is over`);
  if (deleteAt.sec > LAST_SECOND) throw new SwiftError('BadRequest', `${header}: that is too far ahead`);
  return new Map([[Attr.deleteAt, encodeDeleteAt(deleteAt)]]);
}

/** The same of an object that is written: what takes away has nothing to take away. */
export function newDeleteAt(context: SwiftContext): Map<RawString, Bytes> {
  return new Map([...deleteAtChange(context)].filter((each): each is [RawString, Bytes] => each[1] !== undefined));
}

export function deleteAtHeader(attrs: ReadonlyMap<RawString, Bytes>): SwiftHeaders {
  const at = deleteAtOf(attrs);
  return at ? [['X-Delete-At', String(at.sec)]] : [];
}
