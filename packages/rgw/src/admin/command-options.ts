/** What the options of a command say (rgw_admin.cc). */
import { rawFromText } from '@spirula/encoding';
import { parseUserId, type UserId } from '../formats/user-id.ts';
import { parseDate } from '../s3/http-date.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { parseAccess, parseSize } from './parse.ts';
import type { NamedBucket } from './reshard-admin.ts';
import type { KeyRequest, UserSettings } from './user-admin.ts';

/** Options by their long names without dashes; flags are `true`. */
export type AdminOptions = ReadonlyMap<string, string>;

/** Undefined: it is not given. `--name`, or `--name=true|false`. */
export function flagOf(options: AdminOptions, name: string): boolean | undefined {
  const text = options.get(name);
  return text === undefined ? undefined : !/^(false|no|off|0)$/i.test(text);
}

/** For what cannot be undone. @throws AdminError unless `--yes-i-really-mean-it` is given */
export function requireSure(options: AdminOptions, warning: string, code = 1, between = '\n'): void {
  if (options.has('yes-i-really-mean-it')) return;
  throw new AdminError(code, `${warning}${between}do you really mean it? (requires --yes-i-really-mean-it)`);
}

/** Seconds; `otherwise` when it is not given. */
export function dateOf(options: AdminOptions, name: string, otherwise: bigint): bigint {
  const text = options.get(name);
  if (text === undefined) return otherwise;
  const sec = parseDate(text);
  if (sec === undefined) {
    throw new AdminError(AdminCode.EINVAL, `ERROR: failed to parse ${name.replace('-', ' ')}`);
  }
  return sec;
}

/** `--uid` with `--tenant`, or `tenant$uid`; of a subuser `uid:name`, the user. */
export function userOf(options: AdminOptions): UserId {
  const subuser = options.get('subuser');
  const named = options.get('uid') ?? (subuser?.includes(':') ? subuser.slice(0, subuser.indexOf(':')) : undefined);
  if (named === undefined || named === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: uid not specified');
  const user = parseUserId(rawFromText(named));
  const tenant = options.get('tenant');
  return tenant === undefined ? user : { ...user, tenant: rawFromText(tenant) };
}

/** Of `uid:name` the name. */
export function subuserOf(options: AdminOptions): string {
  const given = options.get('subuser') ?? '';
  const name = given.slice(given.indexOf(':') + 1);
  if (name === '')
    throw new AdminError(AdminCode.EINVAL, 'could not create subuser: unable to parse request, empty subuser name');
  return rawFromText(name);
}

export function bucketOf(options: AdminOptions): [tenant: string, name: string] {
  const { tenant, name } = namedBucket(options);
  if (name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: bucket not specified');
  return [tenant, name];
}

/** `name`, or `tenant/name`; '': none. */
export function namedBucket(options: AdminOptions): NamedBucket {
  const given = options.get('bucket') ?? '';
  const slash = given.indexOf('/');
  const tenant = slash < 0 ? (options.get('tenant') ?? '') : given.slice(0, slash);
  return { tenant: rawFromText(tenant), name: rawFromText(given.slice(slash + 1)) };
}

/** @throws AdminError EINVAL */
export function requireObject(options: AdminOptions): void {
  if ((options.get('object') ?? '') === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: object not specified');
}

/** `--max-entries`; none given, or a negative one: `otherwise`. */
export function entriesOf(options: AdminOptions, otherwise: number): number {
  const max = integerOf(options, 'max-entries') ?? -1;
  return max < 0 ? otherwise : max;
}

export function shardGiven(options: AdminOptions): number | undefined {
  return integerOf(options, 'shard-id');
}

/** Undefined: it is not given. @throws AdminError EINVAL */
function integerOf(options: AdminOptions, name: string): number | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  const problem = `Expected option value to be integer, got '${text}'`;
  throw new AdminError(AdminCode.EINVAL, `ERROR: failed to parse ${name.replaceAll('-', ' ')}: ${problem}`);
}

export function scopeOf(options: AdminOptions): 'user' | 'bucket' {
  const scope = options.get('quota-scope');
  if (scope === 'user' || scope === 'bucket') return scope;
  throw new AdminError(
    AdminCode.EINVAL,
    'ERROR: invalid quota scope specification. Please specify either --quota-scope=bucket, or --quota-scope=user',
  );
}

export function sizeOf(options: AdminOptions, name: string): bigint | undefined {
  const text = options.get(name);
  if (text === undefined) return undefined;
  const size = parseSize(text);
  if (size === undefined)
    throw new AdminError(
      AdminCode.EINVAL,
      `ERROR: failed to parse ${name.replace('-', ' ')}: strict_iecstrtoll: unit prefix not recognized`,
    );
  return size;
}

export function keyOf(options: AdminOptions): KeyRequest {
  const raw = (name: string) => {
    const text = options.get(name);
    return text === undefined ? undefined : rawFromText(text);
  };
  const subuser = options.has('subuser') ? subuserOf(options) : undefined;
  const type = options.get('key-type') ?? (subuser === undefined ? 's3' : 'swift');
  if (type !== 's3' && type !== 'swift') throw new AdminError(AdminCode.EINVAL, `bad key type: ${type}`);
  return { kind: type, accessKey: raw('access-key'), secret: raw('secret-key') ?? raw('secret'), subuser };
}

export function subuserGiven(options: AdminOptions, verb: 'create' | 'modify') {
  const access = options.get('access');
  const permissions = access === undefined ? undefined : parseAccess(access);
  if (access !== undefined && permissions === undefined) {
    throw new AdminError(AdminCode.EINVAL, `bad access value ${access}`);
  }
  const wantsKey =
    verb === 'create' || ['secret', 'secret-key', 'gen-secret', 'access-key'].some((name) => options.has(name));
  return { verb, permissions, key: wantsKey ? keyOf(options) : undefined };
}

export function settingsOf(options: AdminOptions, isNew: boolean): UserSettings {
  const raw = (name: string) => {
    const text = options.get(name);
    return text === undefined ? undefined : rawFromText(text);
  };
  const flag = (name: string) => flagOf(options, name);
  const maxBuckets = options.get('max-buckets');
  if (maxBuckets !== undefined && !/^-?\d{1,9}$/.test(maxBuckets)) {
    throw new AdminError(AdminCode.EINVAL, 'ERROR: failed to parse max buckets');
  }
  const hasKey = ['access-key', 'secret-key', 'secret', 'gen-access-key', 'gen-secret'].some((name) =>
    options.has(name),
  );
  return {
    displayName: raw('display-name'),
    email: raw('email'),
    maxBuckets: maxBuckets === undefined ? undefined : Number(maxBuckets),
    system: flag('system'),
    admin: flag('admin'),
    suspended: undefined,
    caps: options.get('caps'),
    key: isNew || hasKey ? keyOf(options) : undefined,
  };
}
