/** Big-endian numbers and pieces, put together. */
import { type Bytes, concatBytes, utf8 } from '@spirula/encoding';

export type Field =
  | readonly [bits: 16 | 32, value: number]
  | readonly [bits: 64, value: number | bigint]
  | string
  | Bytes;

export function packet(...fields: readonly Field[]): Bytes {
  return concatBytes(fields.map(encodeField));
}

function encodeField(field: Field): Bytes {
  if (field instanceof Uint8Array) return field;
  if (typeof field === 'string') return utf8(field);
  const [bits, value] = field;
  const bytes = new Uint8Array(bits / 8);
  const view = new DataView(bytes.buffer);
  if (bits === 16) view.setUint16(0, Number(value));
  else if (bits === 32) view.setUint32(0, Number(value));
  else view.setBigUint64(0, BigInt(value));
  return bytes;
}

export function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
