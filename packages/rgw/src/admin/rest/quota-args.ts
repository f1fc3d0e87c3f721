/** Quotas that requests set: member by member, or as a document (RGWQuotaInfo::decode_json). */
import type { Quota } from '../../formats/quota.ts';
import { RestError } from './rest-error.ts';
import { flagArg, numberArg, type RestContext } from './rest-request.ts';

const KIB = 1024n;
const MOST = 2n ** 63n - 1n;

/** `max-size` or `max-size-kb`, `max-objects`, `enabled`; what is not given stays. @throws RestError InvalidArgument */
export function quotaChangeOf(context: RestContext, quota: Quota): Quota {
  const kib = numberArg(context, 'max-size-kb');
  return {
    ...quota,
    maxSize: kib === undefined ? (numberArg(context, 'max-size') ?? quota.maxSize) : kib * KIB,
    maxObjects: numberArg(context, 'max-objects') ?? quota.maxObjects,
    enabled: flagArg(context, 'enabled', quota.enabled),
  };
}

/** A quota as a document has it: what is missing is 0, or false. @throws RestError InvalidArgument */
export function changedByBody(given: unknown): Quota {
  if (typeof given !== 'object' || given === null) throw new RestError('InvalidArgument', 'A quota is no object');
  const members = given as Readonly<Record<string, unknown>>;
  const size =
    members['max_size'] === undefined ? numberOf(members, 'max_size_kb') * KIB : numberOf(members, 'max_size');
  return {
    enabled: truthOf(members, 'enabled'),
    checkOnRaw: truthOf(members, 'check_on_raw'),
    maxSize: size > MOST ? MOST : size,
    maxObjects: numberOf(members, 'max_objects'),
  };
}

function numberOf(members: Readonly<Record<string, unknown>>, name: string): bigint {
  const value = members[name] ?? 0;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  if (typeof value === 'string' && /^-?\d{1,18}$/.test(value)) return BigInt(value);
  throw new RestError('InvalidArgument', `${name} is no number`);
}

function truthOf(members: Readonly<Record<string, unknown>>, name: string): boolean {
  const value = members[name] ?? false;
  if (value === true || value === 'true' || value === 1) return true;
  if (value === false || value === 'false' || value === 0) return false;
  throw new RestError('InvalidArgument', `${name} is neither true nor false`);
}
