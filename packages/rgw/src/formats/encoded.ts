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
