import type { RawString } from '@spirula/encoding';
import type { MethodContext } from './method-context.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** So many characters of base64 that cannot be guessed (cls_gen_rand_base64). */
export function randomBase64(object: MethodContext, length: number): RawString {
  let text = '';
  for (const byte of object.randomBytes(length)) text += ALPHABET[byte & 0x3f];
  return text;
}
