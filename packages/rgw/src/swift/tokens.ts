/**
 * Tokens of TempAuth, made and read without being kept (build_token, rgw_swift_auth.cc): whose they are and until when, signed with
 * that user's key. radosgw's are the same, so that one gateway takes what another gave.
 */
import {
  addSeconds,
  type Bytes,
  bytesFromRaw,
  compareUTimes,
  Decoder,
  decodeUTime,
  Encoder,
  encodeUTime,
  fromHex,
  MalformedInput,
  type RawString,
  toHex,
  type UTime,
} from '@spirula/encoding';
import type { Crypto } from '@spirula/world';

const PREFIX = 'AUTH_rgwtk';
/** rgw_swift_token_expiration */
export const TOKEN_SECONDS = 86_400;
const NONCE_BYTES = 8;
const MAC_BYTES = 20;
const MAX_TOKEN_LENGTH = 4096;

/** A token's contents, before anybody has checked who signed it. */
interface Claim {
  /** `uid:subuser` */
  readonly name: RawString;
  readonly expires: UTime;
  readonly signed: Bytes;
  readonly mac: Bytes;
}

export function makeToken(crypto: Crypto, name: RawString, secret: RawString, now: UTime): string {
  const to = new Encoder(128);
  to.rawString(name);
  to.raw(crypto.randomBytes(NONCE_BYTES));
  encodeUTime(to, addSeconds(now, TOKEN_SECONDS));
  const signed = to.finish().slice();
  return PREFIX + toHex(signed) + toHex(sign(crypto, secret, signed));
}

/** Whether it is one of these at all. */
export function isOwnToken(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** Undefined: it is no such token, or it is over. */
export function readToken(token: string, now: UTime): Claim | undefined {
  const hex = token.startsWith(PREFIX) ? token.slice(PREFIX.length) : '';
  if (hex.length > MAX_TOKEN_LENGTH || hex.length % 2 !== 0 || !/^[0-9a-f]+$/.test(hex)) return undefined;
  const bytes = fromHex(hex);
  if (bytes.length <= MAC_BYTES) return undefined;
  const signed = bytes.subarray(0, -MAC_BYTES);
  try {
    const from = new Decoder(signed);
    const name = from.rawString('user');
    from.raw(NONCE_BYTES, 'nonce');
    const expires = decodeUTime(from, 'expires');
    if (from.remaining > 0 || compareUTimes(now, expires) > 0) return undefined;
    return { name, expires, signed, mac: bytes.subarray(-MAC_BYTES) };
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

export function isSignedWith(crypto: Crypto, { signed, mac }: Claim, secret: RawString): boolean {
  return crypto.timingSafeEqual(sign(crypto, secret, signed), mac);
}

/** The key is folded to the length of the MAC. */
function sign(crypto: Crypto, secret: RawString, signed: Bytes): Bytes {
  const key = new Uint8Array(MAC_BYTES);
  bytesFromRaw(secret).forEach((byte, i) => {
    key[i % MAC_BYTES]! |= byte;
  });
  return crypto.hmac('sha1', key, signed);
}
