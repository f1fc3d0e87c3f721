/** Secret keys as Ceph encodes and writes them (auth/Crypto.h, CryptoKey). */
import { base64 } from '@scure/base';
import { type Bytes, Decoder, decodeUTime, Encoder, encodeUTime, MalformedInput, type UTime } from '@spirula/encoding';

/** CEPH_CRYPTO_AES: AES-128-CBC with a fixed IV, the one type in use. */
const AES = 1;
export const KEY_BYTES = 16;

export interface CryptoKey {
  readonly created: UTime;
  /** `KEY_BYTES` long. */
  readonly secret: Bytes;
}

export function encodeCryptoKey(encoder: Encoder, { created, secret }: CryptoKey): void {
  encoder.u16(AES);
  encodeUTime(encoder, created);
  encoder.u16(secret.length);
  encoder.raw(secret);
}

/** @throws MalformedInput */
export function decodeCryptoKey(decoder: Decoder): CryptoKey {
  const type = decoder.u16('key type');
  if (type !== AES) decoder.fail('key type', `is ${type}, known is ${AES}`);
  const created = decodeUTime(decoder, 'key created');
  const length = decoder.u16('key length');
  if (length !== KEY_BYTES) decoder.fail('key length', `is ${length}, it must be ${KEY_BYTES}`);
  return { created, secret: decoder.raw(length, 'key secret') };
}

/** The base64 text of keyrings and of `ceph auth get-key`. */
export function formatCryptoKey(key: CryptoKey): string {
  const encoder = new Encoder(12 + KEY_BYTES);
  encodeCryptoKey(encoder, key);
  return base64.encode(encoder.finish());
}

/** @throws MalformedInput */
export function parseCryptoKey(text: string): CryptoKey {
  const decoder = new Decoder(fromBase64(text.trim()));
  const key = decodeCryptoKey(decoder);
  decoder.finish('key');
  return key;
}

function fromBase64(text: string): Bytes {
  try {
    return base64.decode(text);
  } catch {
    throw new MalformedInput('key', 0, 'is not base64');
  }
}
