/** Percent-encoding of URIs (RFC 3986), to the byte. */
import type { RawString } from '@spirula/encoding';
import { s3Error } from './s3-errors.ts';

/**
 * Bytes of a part of a URI. In a path `+` is itself.
 *
 * @throws S3Error InvalidURI: a `%` without two hexadecimal digits, or a character that is no byte.
 */
export function percentDecode(text: string): RawString {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what is not a byte
  if (/%(?![0-9A-Fa-f]{2})|[^\x00-\xff]/.test(text)) throw s3Error('InvalidURI');
  return text.replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** The same in a query, where `+` is a blank. */
export function queryDecode(text: string): RawString {
  return percentDecode(text.replaceAll('+', ' '));
}

function escapeByte(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

/** As signatures of version 4 have it: all but unreserved characters; `/` too, unless `keepSlash`. */
export function signatureEncode(raw: RawString, keepSlash: boolean): string {
  return raw.replace(keepSlash ? /[^A-Za-z0-9\-_.~/]/g : /[^A-Za-z0-9\-_.~]/g, escapeByte);
}

/** As radosgw encodes names in answers (rgw_common.cc, url_encode): it leaves `!$'()*-._|~` as they are. */
export function urlEncode(raw: RawString, keepSlash: boolean): string {
  return raw.replace(keepSlash ? /[^A-Za-z0-9!$'()*\-._|~/]/g : /[^A-Za-z0-9!$'()*\-._|~]/g, escapeByte);
}
