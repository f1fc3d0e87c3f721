/**
 * AWS Signature Version 2 (rgw_create_s3_canonical_header): base64 of HMAC-SHA1 over
 *
 *   method \n content-md5 \n content-type \n date or expiry \n x-amz-headers, sorted, one a line, path?subresources
 */
import { base64 } from '@scure/base';
import { bytesFromRaw, type RawString } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import type { S3Request } from '../s3-request.ts';

const signedSubresources = [
  'acl',
  'cors',
  'delete',
  'encryption',
  'lifecycle',
  'location',
  'logging',
  'notification',
  'partNumber',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'requestPayment',
  'response-cache-control',
  'response-content-disposition',
  'response-content-encoding',
  'response-content-language',
  'response-content-type',
  'response-expires',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
  'object-lock',
];

/** radosgw takes in more than AWS's `x-amz-` (init_meta_info). */
const signedPrefix = /^x-(amz|goog|dho|rgw|object|container|account)/;

export function signatureV2(crypto: Crypto, secret: RawString, toSign: RawString): string {
  return base64.encode(crypto.hmac('sha1', bytesFromRaw(secret), bytesFromRaw(toSign)));
}

/**
 * `expires` of a request that is signed in its query; without it the date is in the headers.
 *
 * Of a bucket alone there are two: clients such as boto sign `/bucket/` and send `/bucket`. AWS takes both; radosgw 16.2 only what
 * was sent.
 */
export function stringsToSignV2(request: S3Request, expires: string | undefined): RawString[] {
  const { bucketPath } = request;
  const paths = /^\/[^/]+$/.test(bucketPath) ? [bucketPath, `${bucketPath}/`] : [bucketPath];
  return paths.map((path) => stringToSign(request, expires, path));
}

function stringToSign(request: S3Request, expires: string | undefined, path: string): RawString {
  const { headers, method } = request.http;
  const date = expires ?? (headers.has('x-amz-date') ? '' : (headers.get('date') ?? ''));
  const head = [method, headers.get('content-md5') ?? '', headers.get('content-type') ?? '', date];
  return `${head.join('\n')}\n${amzHeaders(headers)}${expires === undefined ? '' : queryMetadata(request)}${resource(request, path)}`;
}

function amzHeaders(headers: ReadonlyMap<string, string>): string {
  return [...headers]
    .filter(([name]) => signedPrefix.test(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
    .join('');
}

/** Metadata that a signed URL gives in its query is signed as if it were in headers. */
function queryMetadata({ params }: S3Request): string {
  return [...params]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name.startsWith('x-amz-meta-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value}\n`)
    .join('');
}

function resource({ params }: S3Request, path: string): string {
  const named = signedSubresources
    .filter((name) => params.has(name))
    .map((name) => (params.get(name) === '' ? name : `${name}=${params.get(name)}`));
  return named.length === 0 ? path : `${path}?${named.join('&')}`;
}
