/**
 * Tokens of sessions as clients carry them (Credentials::generateCredentials, STSEngine::get_session_token): base64 of AES-128-CBC,
 * under rgw_sts_key and Ceph's fixed IV. So a radosgw with the same key takes them, and this takes its.
 *
 * Nothing authenticates such a token, so what is opened is looked at closely: it must be, to the byte, what its own contents are
 * encoded to, and each of them what it can be. And whoever sends a token that is none is not to learn why it is none: an answer
 * that tells wrong padding from a wrong structure is all that is needed to read, or make, other tokens.
 */
import { base64 } from '@scure/base';
import {
  type Bytes,
  Decoder,
  equalBytes,
  MalformedInput,
  type RawString,
  rawFromText,
  textFromRaw,
  utf8,
} from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import { FULL_CONTROL } from '../formats/acl.ts';
import { encoded } from '../formats/encoded.ts';
import { decodeSessionToken, encodeSessionToken, IdentityType, type SessionToken } from '../formats/session-token.ts';
import { formatUserId } from '../formats/user-id.ts';
import { parseIsoDate } from '../s3/http-date.ts';

type Cipher = Pick<Crypto, 'aesCbcEncrypt' | 'aesCbcDecrypt'>;

/** CEPH_AES_IV */
const IV = utf8('cephsageyudagreg');
const KEY_BYTES = 16;
/** A policy of 2048 bytes, and what is around it, in base64. */
const MAX_TOKEN_LENGTH = 8192;

/** Undefined: rgw_sts_key is too short for a key. Of a longer one the beginning is it. */
export function stsKey(text: string): Bytes | undefined {
  const bytes = utf8(text);
  return bytes.length < KEY_BYTES ? undefined : bytes.slice(0, KEY_BYTES);
}

export function sealToken(cipher: Cipher, key: Bytes, token: SessionToken): string {
  return base64.encode(cipher.aesCbcEncrypt(key, IV, encoded(encodeSessionToken, token)));
}

/** Undefined: it is no token of this key's. */
export function openToken(cipher: Cipher, key: Bytes, text: string): SessionToken | undefined {
  const sealed = bytesOf(text);
  const plain = sealed && cipher.aesCbcDecrypt(key, IV, sealed);
  if (!plain) return undefined;
  try {
    const token = decodeSessionToken(new Decoder(plain));
    const isWhole = equalBytes(encoded(encodeSessionToken, token), plain);
    return isWhole && isPlausible(token) ? token : undefined;
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

function bytesOf(text: string): Bytes | undefined {
  const isBase64 = text.length <= MAX_TOKEN_LENGTH && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text);
  if (!isBase64) return undefined;
  try {
    const bytes = base64.decode(text);
    return bytes.length % KEY_BYTES === 0 ? bytes : undefined;
  } catch {
    // Its last character has bits that belong to nothing.
    return undefined;
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isPlausible(token: SessionToken): boolean {
  const { type, roleId, session } = token;
  const isOfRole = type === IdentityType.role && UUID.test(roleId) && /^[\w=,.@-]{2,64}$/.test(session);
  const isOfUser =
    (type === IdentityType.rgw || type === IdentityType.none) &&
    roleId === '' &&
    token.policy === '' &&
    session === '' &&
    // Of a subuser fewer.
    (token.permissions & ~FULL_CONTROL) === 0;
  return (
    (isOfRole || isOfUser) &&
    /^[A-Za-z0-9]{16,32}$/.test(token.accessKey) &&
    /^[A-Za-z0-9]{32,64}$/.test(token.secret) &&
    [token.expiration, token.issuedAt].every((time) => parseIsoDate(time) !== undefined) &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: no name has any
    /^[^\x00-\x1f\x7f]+$/.test(formatUserId(token.user)) &&
    isUtf8(token.policy)
  );
}

/** Random bytes seldom are. */
function isUtf8(raw: RawString): boolean {
  return rawFromText(textFromRaw(raw)) === raw;
}
