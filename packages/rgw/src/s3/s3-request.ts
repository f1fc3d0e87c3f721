/**
 * What a request names: bucket, key, parameters. Nothing is normalised: `a/../b`, `//` and `.` are keys.
 *
 *   path style           GET /bucket/key?acl       Host: s3.example.com
 *   virtual-host style   GET /key?acl              Host: bucket.s3.example.com
 */
import type { RawString } from '@spirula/encoding';
import type { HttpRequest } from '../http.ts';
import { checkObjectName, isIpAddress } from './bucket-name.ts';
import { percentDecode, queryDecode } from './percent-encoding.ts';
import { s3Error } from './s3-errors.ts';

export interface S3RequestOptions {
  /** The names that the gateway has (rgw_dns_name and the zonegroup's hostnames): a host below one names a bucket. */
  readonly dnsNames: readonly string[];
}

export interface S3Request {
  readonly http: HttpRequest;
  /** '' when none is named. With a tenant in front (`tenant:bucket`) when the client wrote one. */
  readonly bucket: RawString;
  /** '' when none is named. */
  readonly key: RawString;
  /** Names and values decoded; of what is given twice the last. */
  readonly params: ReadonlyMap<RawString, RawString>;
  /** Of a `POST /`: the parameters that its body and its query give. */
  readonly form?: ReadonlyMap<RawString, RawString>;
  /** Those of `params` that make it another operation: `acl`, `uploads`, ... */
  readonly subresources: ReadonlySet<string>;
  /** Path as sent, not decoded: what signatures of version 4 cover. */
  readonly rawPath: string;
  /** Query as sent, without `?`. */
  readonly rawQuery: string;
  /** Path as signatures of version 2 cover it: with the bucket in front, wherever it was named. */
  readonly bucketPath: string;
}

/** Those that nothing here serves are known, too: a `DELETE ?metrics` is not to delete the bucket. */
const subresourceNames: ReadonlySet<string> = new Set([
  'abac',
  'accelerate',
  'acl',
  'analytics',
  'annotation',
  'append',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'intelligent-tiering',
  'inventory',
  'legal-hold',
  'lifecycle',
  'list-type',
  'location',
  'logging',
  'metadataAnnotationTable',
  'metadataConfiguration',
  'metadataInventoryTable',
  'metadataJournalTable',
  'metadataTable',
  'metrics',
  'notification',
  'object-lock',
  'ownershipControls',
  'partNumber',
  'policy',
  'policyStatus',
  'publicAccessBlock',
  'renameObject',
  'replication',
  'requestPayment',
  'restore',
  'retention',
  'select',
  'session',
  'tagging',
  'torrent',
  'uploadId',
  'uploads',
  'versionId',
  'versioning',
  'versions',
  'website',
]);

/** Longer ones are refused: a bound on what is decoded. */
const MAX_TARGET_LENGTH = 1 << 16;

/**
 * @throws S3Error InvalidURI (what does not decode), InvalidRequest (a zero byte), InvalidObjectName, NoSuchBucket (`//key`; RGWREST::preprocess and
 * RGWHandler_REST_S3::init_from_header). Whether the bucket's name is valid matters only where one is created.
 */
export function parseS3Request(http: HttpRequest, options: S3RequestOptions): S3Request {
  const { rawPath, rawQuery } = splitTarget(http.target);
  const hostBucket = bucketOfHost(http.headers.get('host') ?? '', options.dnsNames);
  const bucketPath = hostBucket === undefined ? rawPath : `/${hostBucket}${rawPath}`;
  const path = percentDecode(rawPath);
  if (path.includes('\0')) throw s3Error('InvalidRequest', 'The path has a zero byte');
  const { bucket, key } = hostBucket === undefined ? splitPath(path) : { bucket: hostBucket, key: path.slice(1) };
  if (bucket === '' && key !== '') throw s3Error('NoSuchBucket');
  checkObjectName(key);
  const params = parseQuery(rawQuery);
  const subresources = new Set([...params.keys()].filter((name) => subresourceNames.has(name)));
  return { http, bucket, key, params, subresources, rawPath, rawQuery, bucketPath };
}

function splitTarget(target: string): { rawPath: string; rawQuery: string } {
  if (target.length > MAX_TARGET_LENGTH) throw s3Error('InvalidURI');
  // A proxy's client sends the whole URI (RFC 7230, absolute-form).
  const own = target.startsWith('/') ? target : target.replace(/^[A-Za-z]+:\/\/[^/?]*/, '');
  const at = own.indexOf('?');
  const rawPath = at < 0 ? own : own.slice(0, at);
  if (!rawPath.startsWith('/')) throw s3Error('InvalidURI');
  return { rawPath, rawQuery: at < 0 ? '' : own.slice(at + 1) };
}

function splitPath(path: RawString): { bucket: RawString; key: RawString } {
  const at = path.indexOf('/', 1);
  return at < 0 ? { bucket: path.slice(1), key: '' } : { bucket: path.slice(1, at), key: path.slice(at + 1) };
}

/** Undefined: the host names none. A host that is none of ours may be a bucket's own name in DNS (RGWREST::preprocess). */
function bucketOfHost(header: string, dnsNames: readonly string[]): string | undefined {
  if (dnsNames.length === 0 || header.startsWith('[')) return undefined;
  const host = header.replace(/:\d*$/, '');
  const lower = host.toLowerCase();
  const ours = dnsNames
    .map((name) => name.toLowerCase())
    .filter((name) => lower === name || lower.endsWith(`.${name}`))
    .sort((a, b) => b.length - a.length)[0];
  if (ours === undefined) return isIpAddress(host) || !/^[^/]{3,255}$/.test(host) ? undefined : host;
  return lower === ours ? undefined : host.slice(0, -ours.length - 1);
}

/** @throws S3Error InvalidURI */
export function parseQuery(rawQuery: string): Map<RawString, RawString> {
  const params = new Map<RawString, RawString>();
  for (const part of rawQuery.split('&')) {
    if (part === '') continue;
    const at = part.indexOf('=');
    params.set(queryDecode(at < 0 ? part : part.slice(0, at)), at < 0 ? '' : queryDecode(part.slice(at + 1)));
  }
  return params;
}

const overridable = [
  'content-type',
  'content-language',
  'expires',
  'cache-control',
  'content-disposition',
  'content-encoding',
];

/** The headers of a GET's answer that the request gives itself, by parameters such as `response-content-type`. */
export function responseOverrides(params: ReadonlyMap<RawString, RawString>): Map<string, RawString> {
  const headers = new Map<string, RawString>();
  for (const name of overridable) {
    const value = params.get(`response-${name}`);
    if (value === undefined) continue;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what would end a header
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw s3Error('InvalidArgument', `response-${name} is no header value`);
    headers.set(name, value);
  }
  return headers;
}

/** What `x-amz-copy-source` names. */
export interface CopySource {
  readonly bucket: RawString;
  readonly key: RawString;
  readonly versionId: RawString | undefined;
}

/**
 * `[/]bucket/key[?versionId=id]`, percent-encoded (RGWCopyObj::parse_copy_location).
 *
 * @throws S3Error InvalidArgument, InvalidURI, InvalidObjectName
 */
export function parseCopySource(header: string): CopySource {
  // Before decoding: a key may have an encoded question mark.
  const at = header.indexOf('?');
  const name = (at < 0 ? header : header.slice(0, at)).replace(/^\//, '');
  const slash = name.indexOf('/');
  const bucket = slash < 0 ? '' : percentDecode(name.slice(0, slash));
  const key = percentDecode(name.slice(slash + 1));
  if (bucket === '' || key === '') throw s3Error('InvalidArgument', 'x-amz-copy-source must name a bucket and a key');
  checkObjectName(key);
  const versionId = at < 0 ? undefined : parseQuery(header.slice(at + 1)).get('versionId');
  return { bucket, key, versionId };
}
