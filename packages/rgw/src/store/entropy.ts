import { formatUuid, type RawString } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';

/** Where what must not be guessed, or must not come twice, comes from: `World.crypto`. */
export type Entropy = Pick<Crypto, 'randomBytes'>;

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
const TAG = `${ALPHANUMERIC}_-`;
const UUID_BYTES = 16;
/** The largest multiple of `count` that a byte can be below: bytes from there on would favour the first letters. */
const evenBelow = (count: number) => 256 - (256 % count);

function randomOf(letters: string, entropy: Entropy, length: number): RawString {
  const bound = evenBelow(letters.length);
  let text = '';
  while (text.length < length) {
    for (const byte of entropy.randomBytes(length - text.length)) {
      if (byte < bound) text += letters[byte % letters.length];
    }
  }
  return text;
}

/** Letters and digits. */
export function randomAlphanumeric(entropy: Entropy, length: number): RawString {
  return randomOf(ALPHANUMERIC, entropy, length);
}

/** Upper-case letters and digits: access keys are made of these. */
export function randomUpper(entropy: Entropy, length: number): RawString {
  return randomOf(UPPER, entropy, length);
}

/** Lower-case letters and digits (gen_rand_alphanumeric_lower). */
export function randomLower(entropy: Entropy, length: number): RawString {
  return randomOf(LOWER, entropy, length);
}

/** Letters, digits, `_` and `-`: what nobody else draws (gen_rand_alphanumeric). */
export function randomTag(entropy: Entropy, length: number): RawString {
  return randomOf(TAG, entropy, length);
}

/** A random UUID (RFC 9562, version 4). */
export function randomUuid(entropy: Entropy): RawString {
  const bytes = entropy.randomBytes(UUID_BYTES).slice();
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return formatUuid(bytes);
}
