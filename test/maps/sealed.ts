import { type Bytes, crc32c } from '@spirula/encoding';

/** Makes the CRC of a map right again, so that damage reaches what lies behind it. */
export function sealed(bytes: Bytes, crcAt: number): Bytes {
  const whole = bytes.slice();
  const crc = crc32c(bytes.subarray(crcAt + 4), crc32c(bytes.subarray(0, crcAt), 0xffffffff));
  new DataView(whole.buffer).setUint32(crcAt, crc, true);
  return whole;
}
