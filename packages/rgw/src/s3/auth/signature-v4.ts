/**
 * AWS Signature Version 4: what is signed, and with which key. Quirks are radosgw's (rgw_auth_s3.cc): any region, date and service
 * will do, a header that is listed as signed but absent is passed over, no header must be signed.
 *
 *   string to sign = AWS4-HMAC-SHA256 \n date \n scope \n hex(sha256(canonical request))
 *   canonical request = method \n path \n query \n headers \n names of headers \n hash of the payload
 */
import { type Bytes, bytesFromRaw, type RawString, toHex } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import { percentDecode, queryDecode, signatureEncode } from '../percent-encoding.ts';
import { s3Error } from '../s3-errors.ts';
import type { S3Request } from '../s3-request.ts';

export const V4_ALGORITHM = 'AWS4-HMAC-SHA256';

export interface CredentialV4 {
  readonly accessKey: RawString;
  /** `20130524/us-east-1/s3/aws4_request` */
  readonly scope: string;
}

/** `AKID/20130524/us-east-1/s3/aws4_request`. @throws S3Error InvalidArgument */
export function parseCredential(text: string): CredentialV4 {
  const parts = text.split('/');
  if (parts.length !== 5 || parts[0] === '' || parts[4] !== 'aws4_request') {
    throw s3Error('InvalidArgument', 'The credential must be key/date/region/service/aws4_request');
  }
  return { accessKey: parts[0]!, scope: parts.slice(1).join('/') };
}

export function signingKeyV4(crypto: Crypto, secret: RawString, scope: string): Bytes {
  const [date, region, service] = scope.split('/');
  let key = bytesFromRaw(`AWS4${secret}`);
  for (const part of [date!, region!, service!, 'aws4_request']) key = crypto.hmac('sha256', key, bytesFromRaw(part));
  return key;
}

export function signatureV4(crypto: Crypto, signingKey: Bytes, toSign: RawString): string {
  return toHex(crypto.hmac('sha256', signingKey, bytesFromRaw(toSign)));
}

/** What a request's signature covers. */
export interface SignedParts {
  readonly date: string;
  readonly scope: string;
  /** As the request lists them: `host;x-amz-date`. */
  readonly signedHeaders: string;
  readonly payloadHash: string;
}

export function stringToSignV4(crypto: Crypto, request: S3Request, parts: SignedParts): RawString {
  const canonical = [
    request.http.method,
    signatureEncode(percentDecode(request.rawPath), true),
    canonicalQuery(request.rawQuery),
    canonicalHeaders(request.http.headers, parts.signedHeaders),
    parts.signedHeaders,
    parts.payloadHash,
  ].join('\n');
  const digest = toHex(crypto.hash('sha256', bytesFromRaw(canonical)));
  return [V4_ALGORITHM, parts.date, parts.scope, digest].join('\n');
}

/** All but the signature itself, sorted by name, then value, as encoded. */
function canonicalQuery(rawQuery: string): string {
  const pairs: (readonly [string, string])[] = [];
  for (const part of rawQuery.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    const name = signatureEncode(queryDecode(at < 0 ? part : part.slice(0, at)), false);
    if (name !== 'X-Amz-Signature')
      pairs.push([name, at < 0 ? '' : signatureEncode(queryDecode(part.slice(at + 1)), false)]);
  }
  return pairs
    .sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function canonicalHeaders(headers: ReadonlyMap<string, string>, signedHeaders: string): string {
  let canonical = '';
  for (const name of signedHeaders.split(';').sort(compare)) {
    const value = headers.get(name.toLowerCase());
    if (value !== undefined) canonical += `${name}:${value.trim().replace(/[ \t]+/g, ' ')}\n`;
  }
  return canonical;
}

/** Whether two signatures are the same, in time that tells nothing. */
export function sameSignature(crypto: Crypto, a: RawString, b: RawString): boolean {
  return crypto.timingSafeEqual(bytesFromRaw(a), bytesFromRaw(b));
}
