/**
 * msgpack for the fronts of private messages: nil, booleans, integers, doubles, strings, bytes and arrays, nothing else.
 * The structure is checked before anything is built from it, because a decoder believes the counts it reads.
 */
import { type Bytes, MalformedInput } from '@spirula/encoding';
import { Packr } from 'msgpackr';

/** Deeper nesting than any schema has. */
const MAX_DEPTH = 32;
const FIELD = 'msgpack';

const packr = new Packr({ useRecords: false, moreTypes: false, int64AsType: 'bigint' });

export function packPlain(plain: unknown): Bytes {
  const packed = packr.pack(plain);
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.byteLength);
}

/** @throws MalformedInput */
export function unpackPlain(bytes: Bytes): unknown {
  const end = skipValue(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, 0);
  if (end !== bytes.length) throw new MalformedInput(FIELD, end, `${bytes.length - end} bytes follow its end`);
  return packr.unpack(bytes);
}

/** Bytes that follow the type byte of a value of fixed size; undefined for other types. */
function fixedSize(type: number): number | undefined {
  switch (type) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return 0;
    case 0xcc: // uint 8
    case 0xd0: // int 8
      return 1;
    case 0xcd: // uint 16
    case 0xd1: // int 16
      return 2;
    case 0xca: // float 32
    case 0xce: // uint 32
    case 0xd2: // int 32
      return 4;
    case 0xcb: // float 64
    case 0xcf: // uint 64
    case 0xd3: // int 64
      return 8;
    default:
      return undefined;
  }
}

const ENDS_WITHIN = 'ends within a value';

/** `end`, when there are so many bytes. */
function need(bytes: Bytes, end: number): number {
  if (end > bytes.length) throw new MalformedInput(FIELD, bytes.length, ENDS_WITHIN);
  return end;
}

/** Where the value at `at` ends. */
function skipValue(bytes: Bytes, view: DataView, at: number, depth: number): number {
  if (at >= bytes.length) throw new MalformedInput(FIELD, at, ENDS_WITHIN);
  const type = bytes[at]!;
  const body = at + 1;
  if (type <= 0x7f || type >= 0xe0) return body;
  if (type >= 0xa0 && type <= 0xbf) return need(bytes, body + (type & 0x1f));
  if (type >= 0x90 && type <= 0x9f) return skipItems(bytes, view, body, type & 0x0f, depth);
  const size = fixedSize(type);
  if (size !== undefined) return need(bytes, body + size);
  switch (type) {
    case 0xc4: // bytes
    case 0xd9: // string
      return need(bytes, need(bytes, body + 1) + bytes[body]!);
    case 0xc5:
    case 0xda:
      return need(bytes, need(bytes, body + 2) + view.getUint16(body));
    case 0xc6:
    case 0xdb:
      return need(bytes, need(bytes, body + 4) + view.getUint32(body));
    case 0xdc: // array
      return skipItems(bytes, view, need(bytes, body + 2), view.getUint16(body), depth);
    case 0xdd:
      return skipItems(bytes, view, need(bytes, body + 4), view.getUint32(body), depth);
    default:
      throw new MalformedInput(FIELD, at, `type byte 0x${type.toString(16)} is not used`);
  }
}

function skipItems(bytes: Bytes, view: DataView, at: number, count: number, depth: number): number {
  if (depth === MAX_DEPTH) throw new MalformedInput(FIELD, at, 'is nested too deep');
  if (count > bytes.length - at) throw new MalformedInput(FIELD, at, `${count} items do not fit`);
  for (let i = 0; i < count; i++) at = skipValue(bytes, view, at, depth + 1);
  return at;
}
