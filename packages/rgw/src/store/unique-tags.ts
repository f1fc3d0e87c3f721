import type { RawString } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';

/** `length` characters that nobody else draws, of letters, digits, `_` and `-` (gen_rand_alphanumeric). */
export function randomTag(crypto: Crypto, length: number): RawString {
  let tag = '';
  // 64 characters: each as likely as any other.
  for (const byte of crypto.randomBytes(length)) tag += ALPHABET[byte & 63];
  return tag;
}
