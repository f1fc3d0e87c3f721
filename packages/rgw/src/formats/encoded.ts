import { type Bytes, Decoder, Encoder } from '@spirula/encoding';

/** The bytes of one structure, memory of its own. */
export function encoded<T>(encode: (to: Encoder, value: T) => void, value: T): Bytes {
  const to = new Encoder();
  encode(to, value);
  return to.finish().slice();
}

/** The structure at the beginning of `bytes`; as in Ceph, what follows it is left alone. @throws MalformedInput */
export function decoded<T>(decode: (from: Decoder) => T, bytes: Bytes): T {
  return decode(new Decoder(bytes));
}

/** A structure that is kept as it came: nobody here looks into it. */
export interface Opaque {
  readonly version: number;
  readonly compat: number;
  readonly body: Bytes;
}

export function encodeOpaque(to: Encoder, { version, compat, body }: Opaque): void {
  to.u8(version);
  to.u8(compat);
  to.blob(body);
}

/** @throws MalformedInput */
export function decodeOpaque(from: Decoder, field: string): Opaque {
  const version = from.u8(`version of ${field}`);
  const compat = from.u8(`compatible version of ${field}`);
  // It may be kept for longer than what it came in.
  return { version, compat, body: from.blob(field).slice() };
}
