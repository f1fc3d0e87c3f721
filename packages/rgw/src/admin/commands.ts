/** The command line of radosgw-admin (rgw_admin.cc), as far as its commands are supported. */
import { rawFromText, type UTime } from '@spirula/encoding';
import { type Instant, seconds } from '@spirula/world';
import type { QuotaChange } from '../formats/quota.ts';
import { parseUserId, type UserId } from '../formats/user-id.ts';
import { EventQueues } from '../notifications/queues.ts';
import { TopicStore } from '../notifications/topics.ts';
import type { ReshardConfig } from '../reshard/bucket-reshard.ts';
import { IndexFollower } from '../reshard/index-follower.ts';
import { BucketStore } from '../store/buckets.ts';
import type { Entropy } from '../store/entropy.ts';
import type { Warner } from '../store/meta-cache.ts';
import { RoleStore } from '../store/roles.ts';
import { UserStore } from '../store/users.ts';
import type { Zone } from '../store/zone.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { BucketAdmin } from './bucket-admin.ts';
import { parseAccess, parseSize } from './parse.ts';
import { type NamedBucket, ReshardAdmin } from './reshard-admin.ts';
import { RoleAdmin, Said } from './role-admin.ts';
import { TopicAdmin } from './topic-admin.ts';
import { type KeyRequest, UserAdmin, type UserSettings } from './user-admin.ts';

/** Options by their long names without dashes; flags are `true`. */
export type AdminOptions = ReadonlyMap<string, string>;

interface Admin {
  readonly users: UserAdmin;
  readonly buckets: BucketAdmin;
  readonly topics: TopicAdmin;
  readonly roles: RoleAdmin;
  readonly reshards: ReshardAdmin;
}

type Command = (admin: Admin, options: AdminOptions) => Promise<unknown>;

const INDENT = 4;
const NSEC_PER_USEC = 1000;

const reshardBucket: Command = async ({ reshards }, options) =>
  new Said(await reshards.reshard(namedBucket(options), shardsOf(options), options.has('yes-i-really-mean-it')));

const reshardCommands: Readonly<Record<string, Command>> = {
  'bucket reshard': reshardBucket,
  'reshard bucket': reshardBucket,
  'reshard add': ({ reshards }, options) =>
    reshards.add(namedBucket(options), shardsOf(options), options.has('yes-i-really-mean-it')),
  'reshard list': ({ reshards }) => reshards.list(),
  'reshard status': ({ reshards }, options) => reshards.status(namedBucket(options)),
  'reshard process': ({ reshards }) => reshards.process(),
  'reshard cancel': ({ reshards }, options) =>
    reshards.cancel(namedBucket(options), options.has('yes-i-really-mean-it')),
  ...Object.fromEntries(
    ['stale-instances', 'stale'].flatMap((stale): [string, Command][] => [
      [`reshard ${stale} list`, ({ reshards }) => reshards.listStale()],
      [`reshard ${stale} delete`, ({ reshards }) => reshards.removeStale()],
      [`reshard ${stale} rm`, ({ reshards }) => reshards.removeStale()],
    ]),
  ),
};

/** Words of a command -> what it does; undefined when nothing is printed. */
const commands: Readonly<Record<string, Command>> = {
  'user create': ({ users }, options) => users.create(userOf(options), settingsOf(options, true)),
  'user info': ({ users }, options) => {
    const accessKey = options.get('access-key');
    if (options.has('uid')) return users.info(userOf(options));
    if (accessKey !== undefined) return users.infoByKey(rawFromText(accessKey));
    throw new AdminError(AdminCode.EINVAL, 'ERROR: --uid or --access-key required');
  },
  'user modify': ({ users }, options) => users.modify(userOf(options), settingsOf(options, false)),
  'user rm': ({ users }, options) => users.remove(userOf(options)),
  'user suspend': ({ users }, options) => users.modify(userOf(options), { suspended: true }),
  'user enable': ({ users }, options) => users.modify(userOf(options), { suspended: false }),
  'user list': ({ users }) => users.list(),
  'user stats': ({ users }, options) => users.stats(userOf(options)),
  'key create': ({ users }, options) =>
    users.addKey(userOf(options), { ...keyOf(options), generate: options.has('gen-access-key') }),
  'key rm': ({ users }, options) => {
    const { kind, accessKey, subuser } = keyOf(options);
    const name = accessKey ?? (kind === 'swift' ? rawFromText(options.get('subuser') ?? '') : '');
    return users.removeKey(userOf(options), kind, name === '' ? (subuser ?? '') : name);
  },
  'subuser create': ({ users }, options) =>
    users.setSubuser(userOf(options), subuserOf(options), subuserGiven(options, 'create')),
  'subuser modify': ({ users }, options) =>
    users.setSubuser(userOf(options), subuserOf(options), subuserGiven(options, 'modify')),
  'subuser rm': ({ users }, options) => users.removeSubuser(userOf(options), subuserOf(options)),
  'caps add': ({ users }, options) => users.addCaps(userOf(options), options.get('caps') ?? ''),
  'caps rm': ({ users }, options) => users.removeCaps(userOf(options), options.get('caps') ?? ''),
  'quota set': (admin, options) =>
    setQuota(admin, options, { maxSize: sizeOf(options, 'max-size'), maxObjects: sizeOf(options, 'max-objects') }),
  'quota enable': (admin, options) => setQuota(admin, options, { enabled: true }),
  'quota disable': (admin, options) => setQuota(admin, options, { enabled: false }),
  'bucket list': ({ buckets }, options) => buckets.list(options.has('uid') ? userOf(options) : undefined),
  'bucket stats': ({ buckets }, options) => buckets.stats(...bucketOf(options)),
  'bucket link': ({ buckets }, options) => buckets.link(...bucketOf(options), userOf(options)),
  'bucket unlink': ({ buckets }, options) => buckets.unlink(...bucketOf(options), userOf(options)),
  'bucket rm': ({ buckets }, options) => buckets.remove(...bucketOf(options)),
  'topic list': ({ topics }, options) => topics.list(tenantOf(options)),
  'topic get': ({ topics }, options) => topics.get(tenantOf(options), topicOf(options)),
  'topic rm': ({ topics }, options) => topics.remove(tenantOf(options), topicOf(options)),
  'subscription get': refuseSubscription,
  'subscription rm': refuseSubscription,
  'subscription pull': refuseSubscription,
  'subscription ack': refuseSubscription,
  'role create': ({ roles }, options) => roles.create(options),
  'role get': ({ roles }, options) => roles.get(options),
  'role list': ({ roles }, options) => roles.list(options),
  'role modify': ({ roles }, options) => roles.modify(options),
  'role delete': ({ roles }, options) => roles.remove(options),
  'role policy put': ({ roles }, options) => roles.putPolicy(options),
  'role policy get': ({ roles }, options) => roles.getPolicy(options),
  'role policy list': ({ roles }, options) => roles.listPolicies(options),
  'role policy delete': ({ roles }, options) => roles.removePolicy(options),
  ...reshardCommands,
};

/** Zones of the tier `pubsub` have them; there are none. */
function refuseSubscription(): Promise<never> {
  throw new AdminError(AdminCode.EINVAL, 'ERROR: only pubsub tier type supports this command');
}

/** Documents of users are followed by an empty line. */
const ENDS_WITH_EMPTY_LINE = /^(user (create|info|modify|suspend|enable)|key|subuser|caps) ?/;

/** Names of the commands, for the usage text. */
export const ADMIN_COMMANDS: readonly string[] = Object.keys(commands);

export interface AdminParts {
  readonly zone: Zone;
  readonly entropy: Entropy;
  readonly now: () => UTime;
  /** Waits so many microseconds. */
  readonly sleep: (us: number) => Promise<void>;
  readonly log: Warner;
  readonly config: ReshardConfig;
}

/**
 * Runs a command and gives what it prints on stdout.
 *
 * @throws AdminError, RadosError
 */
export async function runAdminCommand(
  parts: AdminParts,
  words: readonly string[],
  options: AdminOptions,
): Promise<string> {
  const name = words.join(' ');
  const command = commands[name];
  if (!command) throw new AdminError(1, `ERROR: Unrecognized argument: '${words.at(-1) ?? ''}'`);
  const users = new UserStore(parts.zone, parts.entropy);
  const { zone, entropy, log, sleep } = parts;
  const clock = { now: () => instantOf(parts.now()), wall: parts.now };
  const follower = new IndexFollower({ zone, clock, log, entropy, sleep });
  const buckets = new BucketStore(zone, entropy, (info) => follower.settled(info));
  const admin: Admin = {
    users: new UserAdmin({ users, lists: buckets.lists, entropy: parts.entropy }),
    topics: new TopicAdmin(new TopicStore(parts.zone, parts.entropy), new EventQueues(parts.zone.system('notif'))),
    buckets: new BucketAdmin({ zone, users, buckets, follower, now: parts.now }),
    reshards: new ReshardAdmin({ ...parts, clock }),
    roles: new RoleAdmin({ roles: new RoleStore(parts.zone), entropy: parts.entropy, now: parts.now }),
  };
  const document = await command(admin, options);
  if (document === undefined) return '';
  if (document instanceof Said) return `${document.text}\n`;
  const empty = Array.isArray(document) && document.length === 0;
  return `${empty ? '[]' : JSON.stringify(document, null, INDENT)}\n${ENDS_WITH_EMPTY_LINE.test(name) ? '\n' : ''}`;
}

/** `--uid` with `--tenant`, or `tenant$uid`; of a subuser `uid:name`, the user. */
function userOf(options: AdminOptions): UserId {
  const subuser = options.get('subuser');
  const named = options.get('uid') ?? (subuser?.includes(':') ? subuser.slice(0, subuser.indexOf(':')) : undefined);
  if (named === undefined || named === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: uid not specified');
  const user = parseUserId(rawFromText(named));
  const tenant = options.get('tenant');
  return tenant === undefined ? user : { ...user, tenant: rawFromText(tenant) };
}

/** Of `uid:name` the name. */
function subuserOf(options: AdminOptions): string {
  const given = options.get('subuser') ?? '';
  const name = given.slice(given.indexOf(':') + 1);
  if (name === '')
    throw new AdminError(AdminCode.EINVAL, 'could not create subuser: unable to parse request, empty subuser name');
  return rawFromText(name);
}

function tenantOf(options: AdminOptions): string {
  return rawFromText(options.get('tenant') ?? '');
}

function topicOf(options: AdminOptions): string {
  const name = options.get('topic') ?? '';
  if (name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: topic name was not provided (via --topic)');
  return rawFromText(name);
}

function bucketOf(options: AdminOptions): [tenant: string, name: string] {
  const { tenant, name } = namedBucket(options);
  if (name === '') throw new AdminError(AdminCode.EINVAL, 'ERROR: bucket not specified');
  return [tenant, name];
}

/** `name`, or `tenant/name`; '': none. */
function namedBucket(options: AdminOptions): NamedBucket {
  const given = options.get('bucket') ?? '';
  const slash = given.indexOf('/');
  const tenant = slash < 0 ? (options.get('tenant') ?? '') : given.slice(0, slash);
  return { tenant: rawFromText(tenant), name: rawFromText(given.slice(slash + 1)) };
}

function shardsOf(options: AdminOptions): number | undefined {
  const text = options.get('num-shards');
  if (text === undefined) return undefined;
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  const problem = `Expected option value to be integer, got '${text}'`;
  throw new AdminError(AdminCode.EINVAL, `ERROR: failed to parse num shards: ${problem}`);
}

/** Whole microseconds of the wall clock, for one who only measures how much later it is. */
function instantOf({ sec, nsec }: UTime): Instant {
  return seconds(sec) + Math.floor(nsec / NSEC_PER_USEC);
}

/** Of the bucket that is named, or of a user. */
async function setQuota({ users, buckets }: Admin, options: AdminOptions, change: QuotaChange): Promise<void> {
  if (!options.has('bucket')) return await users.setQuota(userOf(options), scopeOf(options), change);
  if (options.has('quota-scope') && scopeOf(options) !== 'bucket') {
    throw new AdminError(AdminCode.EINVAL, 'ERROR: invalid quota scope specification.');
  }
  await buckets.setQuota(...bucketOf(options), change);
}

function scopeOf(options: AdminOptions): 'user' | 'bucket' {
  const scope = options.get('quota-scope');
  if (scope === 'user' || scope === 'bucket') return scope;
  throw new AdminError(
    AdminCode.EINVAL,
    'ERROR: invalid quota scope specification. Please specify either --quota-scope=bucket, or --quota-scope=user',
  );
}

function sizeOf(options: AdminOptions, name: string): bigint | undefined {
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

function keyOf(options: AdminOptions): KeyRequest {
  const raw = (name: string) => {
    const text = options.get(name);
    return text === undefined ? undefined : rawFromText(text);
  };
  const subuser = options.has('subuser') ? subuserOf(options) : undefined;
  const type = options.get('key-type') ?? (subuser === undefined ? 's3' : 'swift');
  if (type !== 's3' && type !== 'swift') throw new AdminError(AdminCode.EINVAL, `bad key type: ${type}`);
  return { kind: type, accessKey: raw('access-key'), secret: raw('secret-key') ?? raw('secret'), subuser };
}

function subuserGiven(options: AdminOptions, verb: 'create' | 'modify') {
  const access = options.get('access');
  const permissions = access === undefined ? undefined : parseAccess(access);
  if (access !== undefined && permissions === undefined) {
    throw new AdminError(AdminCode.EINVAL, `bad access value ${access}`);
  }
  const wantsKey =
    verb === 'create' || ['secret', 'secret-key', 'gen-secret', 'access-key'].some((name) => options.has(name));
  return { verb, permissions, key: wantsKey ? keyOf(options) : undefined };
}

function settingsOf(options: AdminOptions, isNew: boolean): UserSettings {
  const raw = (name: string) => {
    const text = options.get(name);
    return text === undefined ? undefined : rawFromText(text);
  };
  const flag = (name: string) => (options.has(name) ? options.get(name) !== 'false' : undefined);
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
