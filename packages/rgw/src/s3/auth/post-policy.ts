/**
 * The policy document of a posted form: until when it holds, and what its fields must be (rgw_policy_s3.cc). Signed and in base64,
 * it lets a browser upload in the name of who made it.
 */
import { base64 } from '@scure/base';
import { type RawString, rawFromText, type UTime } from '@spirula/encoding';
import { parseIsoDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';

type Condition =
  | { readonly kind: 'eq' | 'starts-with'; readonly field: string; readonly value: RawString }
  | { readonly kind: 'content-length-range'; readonly least: number; readonly most: number };

export interface PostPolicy {
  readonly expiration: UTime;
  readonly conditions: readonly Condition[];
}

/** How long the file may be. */
export interface LengthRange {
  readonly least: number;
  readonly most: number;
}

const MAX_CONDITIONS = 1000;

/** @throws S3Error InvalidArgument with what is wrong. */
export function readPostPolicy(encoded: RawString): PostPolicy {
  const document = parseJson(encoded);
  if (!isObject(document)) throw invalid('The policy must be an object');
  const { expiration, conditions } = document;
  const time = typeof expiration === 'string' ? parseIsoDate(expiration) : undefined;
  if (time === undefined) throw invalid('The policy needs an expiration such as 2015-12-30T12:00:00.000Z');
  if (!Array.isArray(conditions) || conditions.length > MAX_CONDITIONS) throw invalid('The policy needs conditions');
  return { expiration: time, conditions: conditions.flatMap(readCondition) };
}

const utf8Strict = new TextDecoder('utf-8', { fatal: true });

function parseJson(encoded: RawString): unknown {
  try {
    return JSON.parse(utf8Strict.decode(base64.decode(encoded.replace(/\s/g, ''))));
  } catch {
    throw invalid('The policy must be JSON in base64');
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(message: string): Error {
  return s3Error('InvalidArgument', message);
}

/** `{"acl": "private"}`, `["eq", "$acl", "private"]`, `["starts-with", "$key", "user/"]`, `["content-length-range", 0, 10]` */
function readCondition(condition: unknown): Condition[] {
  if (isObject(condition) && Object.keys(condition).length > 0) {
    return Object.entries(condition).map(([field, value]) => {
      return { kind: 'eq', field: field.toLowerCase(), value: text(value) };
    });
  }
  if (!Array.isArray(condition) || condition.length !== 3)
    throw invalid('A condition is an object, or a list of three');
  const [operator, first, second] = condition as [unknown, unknown, unknown];
  const kind = typeof operator === 'string' ? operator.toLowerCase() : '';
  if (kind === 'content-length-range') return [{ kind, least: count(first), most: count(second) }];
  if (kind !== 'eq' && kind !== 'starts-with') throw invalid('There is no such condition');
  const field = text(first);
  if (!field.startsWith('$')) throw invalid('A condition is about a $field');
  return [{ kind, field: field.slice(1).toLowerCase(), value: text(second) }];
}

function text(value: unknown): RawString {
  if (typeof value === 'string') return rawFromText(value);
  if (typeof value === 'number') return String(value);
  throw invalid('A condition is about texts');
}

function count(value: unknown): number {
  const digits = String(value);
  if (!/^\d{1,15}$/.test(digits)) throw invalid('Bad content-length-range');
  return Number(digits);
}

/** Fields that need not be in the policy: they carry it, and its signature. */
const exempt = new Set(['policy', 'signature', 'awsaccesskeyid', 'x-amz-signature', 'file']);
/** Nor these: they mean nothing, or only what the file must be. */
const exemptPrefixes = ['x-ignore-', 'x-amz-checksum-'];

/**
 * `fields`: names in lower case, `bucket` among them, `key` as it will be. Every field must be named in the policy, except those
 * that begin with `x-ignore-` or `x-amz-checksum-`.
 *
 * @throws S3Error AccessDenied, as radosgw answers here
 */
export function checkPostPolicy(policy: PostPolicy, fields: ReadonlyMap<string, RawString>, now: UTime): LengthRange {
  if (policy.expiration.sec <= now.sec) throw s3Error('AccessDenied', 'Policy expired');
  const named = new Set<string>();
  let least = 0;
  let most = Number.MAX_SAFE_INTEGER;
  for (const condition of policy.conditions) {
    if (condition.kind === 'content-length-range') {
      least = Math.max(least, condition.least);
      most = Math.min(most, condition.most);
      continue;
    }
    named.add(condition.field);
    const value = fields.get(condition.field) ?? '';
    const holds = condition.kind === 'eq' ? value === condition.value : value.startsWith(condition.value);
    if (!holds) throw s3Error('AccessDenied', `Policy condition failed: ${condition.kind}, ${condition.field}`);
  }
  for (const field of fields.keys()) {
    if (named.has(field) || exempt.has(field) || exemptPrefixes.some((prefix) => field.startsWith(prefix))) continue;
    throw s3Error('AccessDenied', `Policy missing condition: ${field}`);
  }
  return { least, most };
}
