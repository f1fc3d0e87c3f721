/** Cross-origin rules of a bucket: the document, and which rule answers a browser (rgw_cors_s3.cc, rgw_cors.cc). */
import type { Bytes, RawString } from '@spirula/encoding';
import { s3Error } from '../s3-errors.ts';
import { childrenNamed, childText, malformed, readXml, type XmlElement } from '../xml-reader.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';

const methodNames = ['GET', 'PUT', 'DELETE', 'HEAD', 'POST', 'COPY'] as const;
type CorsMethod = (typeof methodNames)[number];

export interface CorsRule {
  readonly id: RawString;
  readonly methods: readonly CorsMethod[];
  /** With at most one `*` each. */
  readonly origins: readonly RawString[];
  readonly allowedHeaders: readonly RawString[];
  readonly maxAgeSeconds: number | undefined;
  readonly exposedHeaders: readonly RawString[];
}

/** rgw_cors_rules_max_num. */
const MAX_RULES = 100;
const MAX_ID_LENGTH = 255;

export function corsConfiguration(rules: readonly CorsRule[]): Bytes {
  return xmlDocument(s3Root('CORSConfiguration', rules.map(ruleElement)));
}

function ruleElement(rule: CorsRule): XmlNode {
  const each = (name: string, values: readonly RawString[]) => values.map((value) => element(name, value));
  return element('CORSRule', [
    rule.id === '' ? undefined : element('ID', rule.id),
    ...each(
      'AllowedMethod',
      methodNames.filter((method) => rule.methods.includes(method)),
    ),
    ...each('AllowedOrigin', rule.origins),
    ...each('AllowedHeader', rule.allowedHeaders),
    rule.maxAgeSeconds === undefined ? undefined : element('MaxAgeSeconds', rule.maxAgeSeconds),
    ...each('ExposeHeader', rule.exposedHeaders),
  ]);
}

/** @throws S3Error MalformedXML; InvalidRequest for too many rules. */
export function readCorsConfiguration(document: Bytes): CorsRule[] {
  const rules = childrenNamed(readXml(document, 'CORSConfiguration'), 'CORSRule');
  if (rules.length === 0) throw malformed('there must be a CORSRule');
  if (rules.length > MAX_RULES) throw s3Error('InvalidRequest', `There may be at most ${MAX_RULES} CORS rules`);
  return rules.map(readRule);
}

function readRule(rule: XmlElement): CorsRule {
  const texts = (name: string) => childrenNamed(rule, name).map(({ text }) => text.trim());
  const id = childText(rule, 'ID') ?? '';
  if (id.length > MAX_ID_LENGTH) throw malformed('ID is too long');
  const origins = texts('AllowedOrigin');
  if (origins.length === 0) throw malformed('a CORSRule needs AllowedOrigin');
  const allowedHeaders = texts('AllowedHeader');
  for (const pattern of [...origins, ...allowedHeaders]) {
    if (pattern === '' || pattern.split('*').length > 2) throw malformed('a pattern has at most one *');
  }
  return {
    id,
    methods: texts('AllowedMethod').map(readMethod),
    origins,
    allowedHeaders,
    maxAgeSeconds: readMaxAge(childText(rule, 'MaxAgeSeconds')?.trim()),
    exposedHeaders: texts('ExposeHeader'),
  };
}

function readMethod(text: string): CorsMethod {
  const method = methodNames.find((name) => name === text.toUpperCase());
  if (method === undefined) throw malformed('AllowedMethod is no method');
  return method;
}

function readMaxAge(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw malformed('MaxAgeSeconds must be a number');
  // radosgw keeps it in 32 bits, and forgets what does not fit.
  return Number(text) < 2 ** 32 ? Number(text) : undefined;
}

/** The first rule that lets `origin` use `method` with all of `headers`. */
export function findCorsRule(
  rules: readonly CorsRule[],
  asked: { readonly origin: string; readonly method: string; readonly headers: readonly string[] },
): CorsRule | undefined {
  return rules.find(
    (rule) =>
      rule.origins.some((pattern) => matches(pattern, asked.origin)) &&
      rule.methods.some((method) => method === asked.method) &&
      asked.headers.every((header) =>
        rule.allowedHeaders.some((pattern) => matches(pattern.toLowerCase(), header.trim().toLowerCase())),
      ),
  );
}

function matches(pattern: string, text: string): boolean {
  const at = pattern.indexOf('*');
  if (at < 0) return pattern === text;
  const before = pattern.slice(0, at);
  const after = pattern.slice(at + 1);
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}
