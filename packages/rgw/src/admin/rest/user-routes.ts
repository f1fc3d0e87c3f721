/** `/admin/user` (rgw_rest_user.cc). */
import type { RawString } from '@spirula/encoding';
import { formatUserId, type UserId } from '../../formats/user-id.ts';
import { DEFAULT_MAX_BUCKETS, type UserInfo } from '../../formats/user-info.ts';
import { syncUserStats } from '../../store/user-stats.ts';
import { AdminCode, AdminError } from '../admin-error.ts';
import { list } from '../document.ts';
import { parseAccess, parseOpMask } from '../parse.ts';
import type { KeyRequest, UserSettings } from '../user-admin.ts';
import { pageOf } from './pages.ts';
import { changedByBody, quotaChangeOf } from './quota-args.ts';
import { RestError } from './rest-error.ts';
import {
  answer,
  flagArg,
  jsonBody,
  numberArg,
  type RestContext,
  type RestRoute,
  rawArg,
  textArg,
  userArg,
} from './rest-request.ts';
import { capsNode, keysNode, quotaNode, subusersNode, userNode, userStatsNode } from './user-document.ts';

const READ = ['users', 'read'] as const;
const WRITE = ['users', 'write'] as const;

const info: RestRoute = {
  cap: READ,
  async run(context) {
    const { store, world } = context.admin;
    const accessKey = rawArg(context, 'access-key') ?? '';
    if (!userArg(context) && accessKey === '') throw new RestError('InvalidArgument', 'uid or access-key is missing');
    const user = userArg(context) ? await requireUser(context) : (await store.users.find('accessKey', accessKey))?.info;
    if (!user) throw new RestError('AccessDenied', 'Nobody has this access key');
    const { id } = user;
    const isSynced = flagArg(context, 'sync', false);
    if (!flagArg(context, 'stats', false)) return answer('user_info', userNode(user));
    const held = isSynced ? await syncUserStats(store, id, world.clock.wall()) : await store.buckets.lists.header(id);
    return answer('user_info', userNode(user, userStatsNode(held)));
  },
};

const listUsers: RestRoute = {
  cap: READ,
  async run(context) {
    const names: RawString[] = [];
    for await (const id of context.admin.store.users.list()) names.push(formatUserId(id));
    const { keys, truncated, marker } = pageOf(
      names,
      rawArg(context, 'marker') ?? '',
      numberArg(context, 'max-entries'),
    );
    return answer('result', {
      keys: list('key', keys),
      truncated,
      count: keys.length,
      ...(marker !== undefined && { marker }),
    });
  },
};

const create: RestRoute = {
  cap: WRITE,
  async run(context) {
    const id = newUser(context);
    const settings = settingsOf(context, true);
    try {
      return answer('user_info', userNode(await context.admin.users.create(id, settings)));
    } catch (error) {
      if (!(error instanceof AdminError && error.code === AdminCode.EEXIST)) throw error;
      throw new RestError('UserAlreadyExists', error.message);
    }
  },
};

const modify: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { id } = await requireUser(context);
    return answer('user_info', userNode(await context.admin.users.modify(id, settingsOf(context, false))));
  },
};

const remove: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { admin } = context;
    const { id } = await requireUser(context);
    const purge = (name: RawString) => admin.buckets.remove(id.tenant, name, true);
    await admin.users.remove(id, flagArg(context, 'purge-data', false) ? purge : undefined);
    return undefined;
  },
};

const createSubuser: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { id } = await requireUser(context);
    const subuser = subuserArg(context);
    const key = { ...keyArg(context, 'swift'), subuser };
    const given = { verb: 'create', permissions: accessArg(context), key } as const;
    return answer('subusers', subusersNode(await context.admin.users.setSubuser(id, subuser, given)));
  },
};

const modifySubuser: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { id } = await requireUser(context);
    const subuser = subuserArg(context);
    const wantsKey = rawArg(context, 'secret-key') !== undefined || flagArg(context, 'generate-secret', false);
    const key = wantsKey ? { ...keyArg(context, 'swift'), subuser } : undefined;
    const given = { verb: 'modify', permissions: accessArg(context), key } as const;
    return answer('subusers', subusersNode(await context.admin.users.setSubuser(id, subuser, given)));
  },
};

const removeSubuser: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { id } = await requireUser(context);
    await context.admin.users.removeSubuser(id, subuserArg(context));
    return undefined;
  },
};

const createKey: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { id } = await requireUser(context);
    const hasSubuser = (rawArg(context, 'subuser') ?? '') !== '';
    const key = keyArg(context, hasSubuser ? 'swift' : 's3');
    if (key.kind === 'swift' && !hasSubuser && key.accessKey === undefined) {
      throw new RestError('InvalidAccessKeyId', 'A key of Swift belongs to a subuser');
    }
    const subuser = hasSubuser ? subuserArg(context) : undefined;
    const generate = flagArg(context, 'generate-key', true);
    return answer('keys', keysNode(await context.admin.users.addKey(id, { ...key, subuser, generate }), key.kind));
  },
};

const removeKey: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { store, users } = context.admin;
    const { kind, accessKey } = keyArg(context, 's3');
    const given = userArg(context);
    const holder =
      given ?? (accessKey === undefined ? undefined : await store.users.find('accessKey', accessKey))?.info.id;
    if (!holder) throw new RestError('AccessDenied', 'Nobody has this key');
    if (given) await requireUser(context);
    const subuser = rawArg(context, 'subuser') ?? '';
    const swiftName = kind === 'swift' && subuser !== '' ? `${formatUserId(holder)}:${subuserArg(context)}` : '';
    await users.removeKey(holder, kind, accessKey ?? swiftName);
    return undefined;
  },
};

const addCaps: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { id } = await requireUser(context);
    return answer('caps', capsNode(await context.admin.users.addCaps(id, requireCaps(context))));
  },
};

const removeCaps: RestRoute = {
  cap: WRITE,
  async run(context) {
    const { id } = await requireUser(context);
    return answer('caps', capsNode(await context.admin.users.removeCaps(id, requireCaps(context))));
  },
};

const getQuota: RestRoute = {
  cap: READ,
  async run(context) {
    const type = quotaType(context);
    const { userQuota, bucketQuota } = await requireUser(context, 'InvalidArgument');
    if (type === 'user') return answer('user_quota', quotaNode(userQuota));
    if (type === 'bucket') return answer('bucket_quota', quotaNode(bucketQuota));
    return answer('quota', { bucket_quota: quotaNode(bucketQuota), user_quota: quotaNode(userQuota) });
  },
};

const setQuota: RestRoute = {
  cap: WRITE,
  async run(context) {
    const type = quotaType(context);
    const user = await requireUser(context, 'InvalidArgument');
    const body = await jsonBody(context);
    const { users } = context.admin;
    if (!type) {
      if (!body) throw new RestError('InvalidArgument', 'Without quota-type, the body has both quotas');
      const { user_quota: userQuota, bucket_quota: bucketQuota } = body;
      await users.replaceQuotas(user.id, {
        userQuota: changedByBody(userQuota ?? {}),
        bucketQuota: changedByBody(bucketQuota ?? {}),
      });
      return undefined;
    }
    const name = type === 'user' ? 'userQuota' : 'bucketQuota';
    await users.replaceQuotas(user.id, { [name]: body ? changedByBody(body) : quotaChangeOf(context, user[name]) });
    return undefined;
  },
};

/** By method, then by what the query names first of these; '' none. */
export const userRoutes = {
  GET: { '': info, list: listUsers, quota: getQuota },
  PUT: { '': create, subuser: createSubuser, key: createKey, caps: addCaps, quota: setQuota },
  POST: { '': modify, subuser: modifySubuser },
  DELETE: { '': remove, subuser: removeSubuser, key: removeKey, caps: removeCaps },
} as const;

/** @throws RestError AccessDenied, as radosgw, when no user is named; NoSuchUser */
async function requireUser(
  context: RestContext,
  missing: 'AccessDenied' | 'InvalidArgument' = 'AccessDenied',
): Promise<UserInfo> {
  const id = userArg(context);
  if (!id) throw new RestError(missing, 'uid is missing');
  const user = await context.admin.store.users.load(id);
  if (!user) throw new RestError('NoSuchUser', 'There is no such user');
  return user.info;
}

function newUser(context: RestContext): UserId {
  const id = userArg(context);
  if (!id) throw new RestError('AccessDenied', 'uid is missing');
  const tenant = rawArg(context, 'tenant') ?? '';
  return tenant === '' ? id : { ...id, tenant };
}

function settingsOf(context: RestContext, isNew: boolean): UserSettings {
  const { params, caller } = context;
  const isSystem = flagArg(context, 'system', false);
  if (isSystem && !caller.system) throw new RestError('InvalidArgument', 'Only system users make system users');
  const maxBuckets = numberArg(context, 'max-buckets');
  const opMask = textArg(context, 'op-mask');
  const mask = opMask === undefined ? undefined : parseOpMask(opMask);
  if (opMask !== undefined && mask === undefined) throw new RestError('InvalidArgument', 'op-mask has an unknown kind');
  const key = keyArg(context, 's3');
  const wantsKey = key.accessKey !== undefined || flagArg(context, 'generate-key', isNew);
  const displayName = rawArg(context, 'display-name') ?? '';
  return {
    displayName: displayName === '' ? undefined : displayName,
    email: rawArg(context, 'email'),
    maxBuckets: maxBuckets === undefined ? (isNew ? DEFAULT_MAX_BUCKETS : undefined) : Number(maxBuckets),
    opMask: mask,
    system: params.has('system') ? isSystem : undefined,
    suspended: params.has('suspended') ? flagArg(context, 'suspended', false) : undefined,
    // As radosgw: what a user may is changed by `caps` only.
    caps: isNew ? textArg(context, 'user-caps') : undefined,
    key: wantsKey ? key : undefined,
  };
}

function keyArg(context: RestContext, otherwise: KeyRequest['kind']): KeyRequest {
  const type = textArg(context, 'key-type');
  if (type !== undefined && type !== 's3' && type !== 'swift') {
    throw new RestError('InvalidArgument', 'key-type is neither s3 nor swift');
  }
  const given = (name: string) => rawArg(context, name) || undefined;
  return { kind: type ?? otherwise, accessKey: given('access-key'), secret: given('secret-key') };
}

/** Of `uid:name` the name. */
function subuserArg(context: RestContext): RawString {
  const given = rawArg(context, 'subuser') ?? '';
  const name = given.slice(given.indexOf(':') + 1);
  if (name === '') throw new RestError('InvalidArgument', 'subuser is missing');
  return name;
}

function accessArg(context: RestContext): number | undefined {
  const text = textArg(context, 'access');
  if (text === undefined) return undefined;
  const access = parseAccess(text);
  if (access === undefined) throw new RestError('InvalidArgument', 'access is none that there is');
  return access;
}

function requireCaps(context: RestContext): string {
  const caps = textArg(context, 'user-caps');
  if (caps === undefined) throw new RestError('InvalidCapability', 'user-caps is missing');
  return caps;
}

function quotaType(context: RestContext): 'user' | 'bucket' | undefined {
  const type = textArg(context, 'quota-type');
  if (type !== undefined && type !== 'user' && type !== 'bucket') {
    throw new RestError('InvalidArgument', 'quota-type is neither user nor bucket');
  }
  return type;
}
