/** Which pages of other origins browsers let at a bucket: its rules, and what answers say by them. */
import type { RawString } from '@spirula/encoding';
import { CorsMethod, decodeCors, encodeCors, type CorsRule as StoredRule } from '../../formats/cors.ts';
import { decoded, encoded } from '../../formats/encoded.ts';
import { OpMask } from '../../formats/user-info.ts';
import type { HttpResponse } from '../../http.ts';
import { BucketAttr, type StoredBucket } from '../../store/buckets.ts';
import { type CorsRule, corsConfiguration, findCorsRule, readCorsConfiguration } from '../documents/cors.ts';
import { s3Error } from '../s3-errors.ts';
import type { S3Request } from '../s3-request.ts';
import { requireOpMask, requireOwnerAccess } from './access.ts';
import { findBucket } from './find-bucket.ts';
import { emptyResponse, type Operation, xmlResponse } from './operation.ts';
import { readDocument } from './read-document.ts';

type MethodName = keyof typeof CorsMethod;

export const getBucketCors: Operation = {
  name: 'GetBucketCors',
  async run(context) {
    const bucket = await findBucket(context);
    requireOwnerAccess(context, bucket, 's3:GetBucketCORS');
    const rules = corsRulesOf(bucket);
    if (rules.length === 0) throw s3Error('NoSuchCORSConfiguration');
    return xmlResponse(corsConfiguration(rules));
  },
};

export const putBucketCors: Operation = {
  name: 'PutBucketCors',
  async run(context) {
    const { store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketCORS');
    const rules = readCorsConfiguration(await readDocument(context));
    await store.setBucketAttr(bucket, BucketAttr.cors, encoded(encodeCors, rules.map(storedRule)));
    return emptyResponse();
  },
};

export const deleteBucketCors: Operation = {
  name: 'DeleteBucketCors',
  async run(context) {
    const bucket = await findBucket(context);
    requireOpMask(context.user, OpMask.write);
    requireOwnerAccess(context, bucket, 's3:PutBucketCORS');
    await context.store.setBucketAttr(bucket, BucketAttr.cors, undefined);
    return emptyResponse(204);
  },
};

export function corsRulesOf({ attrs }: StoredBucket): CorsRule[] {
  const value = attrs.get(BucketAttr.cors);
  return value ? decoded(decodeCors, value).map(shownRule) : [];
}

/**
 * What a browser asks before it sends a request with anything special: whether it may. It is not signed.
 *
 * @throws S3Error InvalidRequest, AccessDenied
 */
export function answerPreflight({ http }: S3Request, rules: readonly CorsRule[]): HttpResponse {
  const origin = http.headers.get('origin');
  const method = http.headers.get('access-control-request-method');
  if (origin === undefined) throw s3Error('InvalidRequest', 'A preflight needs the header Origin');
  if (method === undefined) throw s3Error('InvalidRequest', 'A preflight needs Access-Control-Request-Method');
  const asked = headerNames(http.headers.get('access-control-request-headers'));
  const rule = findCorsRule(rules, { origin, method, headers: asked });
  if (!rule) throw s3Error('AccessDenied', 'No CORS rule of the bucket allows it');
  return emptyResponse(200, headersOf(rule, { origin, method, asked, isSigned: false }));
}

/** What an answer says to the browser of a page of another origin; nothing without one, or without a rule for it. */
export function corsHeaders({ http }: S3Request, rules: readonly CorsRule[]): HttpResponse['headers'] {
  const origin = http.headers.get('origin');
  if (origin === undefined) return [];
  const method = http.headers.get('access-control-request-method') ?? http.method;
  const asked = headerNames(http.headers.get('access-control-request-headers'));
  const rule = findCorsRule(rules, { origin, method, headers: asked });
  if (!rule) return [];
  return headersOf(rule, { origin, method, asked, isSigned: http.headers.has('authorization') });
}

function headersOf(
  rule: CorsRule,
  asked: {
    readonly origin: string;
    readonly method: string;
    readonly asked: readonly string[];
    readonly isSigned: boolean;
  },
): HttpResponse['headers'] {
  // With credentials a browser takes no wildcard.
  const origin = !asked.isSigned && rule.origins.includes('*') ? '*' : asked.origin;
  const headers: (readonly [string, string])[] = [
    ['Access-Control-Allow-Origin', origin],
    ['Vary', 'Origin'],
    ['Access-Control-Allow-Methods', asked.method],
  ];
  if (asked.asked.length > 0) headers.push(['Access-Control-Allow-Headers', asked.asked.join(',')]);
  if (rule.exposedHeaders.length > 0) headers.push(['Access-Control-Expose-Headers', rule.exposedHeaders.join(',')]);
  if (rule.maxAgeSeconds !== undefined) headers.push(['Access-Control-Max-Age', String(rule.maxAgeSeconds)]);
  return headers;
}

function headerNames(header: RawString | undefined): string[] {
  if (header === undefined) return [];
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function storedRule({ methods, origins, ...rule }: CorsRule): StoredRule {
  const bits = methods.reduce((sum, name) => sum | CorsMethod[name], 0);
  return { ...rule, methods: bits, allowedOrigins: origins };
}

function shownRule({ methods, allowedOrigins, ...rule }: StoredRule): CorsRule {
  const names = (Object.keys(CorsMethod) as MethodName[]).filter((name) => (methods & CorsMethod[name]) !== 0);
  return { ...rule, methods: names, origins: allowedOrigins };
}
