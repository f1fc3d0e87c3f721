/** Commands of radosgw-admin about users. */
import { type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import type { QuotaChange } from '../formats/quota.ts';
import { parseUserId } from '../formats/user-id.ts';
import type { UserInfo } from '../formats/user-info.ts';
import { syncBucketStats, syncUserStats } from '../store/user-stats.ts';
import type { Admin, CommandTable } from './admin.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import {
  type AdminOptions,
  bucketOf,
  keyOf,
  scopeOf,
  settingsOf,
  sizeOf,
  subuserGiven,
  subuserOf,
  userOf,
} from './command-options.ts';
import { metadataPage } from './metadata-commands.ts';
import { userJson } from './user-json.ts';
import { checkUser, renameUser } from './user-moves.ts';

export const userCommands: CommandTable = {
  'user create': ({ users }, options) => shown(users.create(userOf(options), settingsOf(options, true))),
  'user info': ({ users }, options) => {
    const accessKey = options.get('access-key');
    if (options.has('uid')) return shown(users.info(userOf(options)));
    if (accessKey !== undefined) return shown(users.infoByKey(rawFromText(accessKey)));
    throw new AdminError(AdminCode.EINVAL, 'ERROR: --uid or --access-key required');
  },
  'user modify': ({ users }, options) => shown(users.modify(userOf(options), settingsOf(options, false))),
  'user rename': async ({ users, store, world }, options) => {
    const tenant = options.get('tenant');
    const given = options.get('new-uid') ?? '';
    const newId = parseUserId(rawFromText(given));
    const to = tenant === undefined ? newId : { ...newId, tenant: rawFromText(tenant) };
    return await shown(
      renameUser(store, users, userOf(options), given === '' ? undefined : to, {
        overwrites: options.has('yes-i-really-mean-it'),
        now: () => world.clock.wall(),
        onChown: (bucket, done, last) =>
          world.log.warn(`${done} objects processed in ${textFromRaw(bucket)}. Next marker ${textFromRaw(last)}`),
      }),
    );
  },
  'user check': async ({ store, world }, options) => {
    if (!options.has('uid')) return undefined;
    return await checkUser(store, userOf(options), world.clock.wall(), options.has('fix'));
  },
  'user rm': ({ users, buckets }, options) => {
    const user = userOf(options);
    const purge = (name: RawString) => buckets.remove(user.tenant, name, true);
    return users.remove(user, options.has('purge-data') ? purge : undefined);
  },
  'user suspend': ({ users }, options) => shown(users.modify(userOf(options), { suspended: true })),
  'user enable': ({ users }, options) => shown(users.modify(userOf(options), { suspended: false })),
  'user list': ({ metadata }, options) => metadataPage(metadata, 'user', options),
  'user stats': async ({ users, store, buckets, world }, options) => {
    const user = userOf(options);
    const now = world.clock.wall();
    if (options.has('reset-stats')) await store.buckets.lists.completeStats(user, now, true);
    if (options.has('sync-stats')) {
      if (options.has('bucket')) await syncBucketStats(store, await buckets.require(...bucketOf(options)), now);
      else await syncUserStats(store, user, now);
    }
    return users.stats(user);
  },
  'key create': ({ users }, options) =>
    shown(users.addKey(userOf(options), { ...keyOf(options), generate: options.has('gen-access-key') })),
  'key rm': ({ users }, options) => {
    const { kind, accessKey, subuser } = keyOf(options);
    const name = accessKey ?? (kind === 'swift' ? rawFromText(options.get('subuser') ?? '') : '');
    return shown(users.removeKey(userOf(options), kind, name === '' ? (subuser ?? '') : name));
  },
  'subuser create': ({ users }, options) =>
    shown(users.setSubuser(userOf(options), subuserOf(options), subuserGiven(options, 'create'))),
  'subuser modify': ({ users }, options) =>
    shown(users.setSubuser(userOf(options), subuserOf(options), subuserGiven(options, 'modify'))),
  'subuser rm': ({ users }, options) => shown(users.removeSubuser(userOf(options), subuserOf(options))),
  'caps add': ({ users }, options) => shown(users.addCaps(userOf(options), options.get('caps') ?? '')),
  'caps rm': ({ users }, options) => shown(users.removeCaps(userOf(options), options.get('caps') ?? '')),
  'quota set': (admin, options) =>
    setQuota(admin, options, { maxSize: sizeOf(options, 'max-size'), maxObjects: sizeOf(options, 'max-objects') }),
  'quota enable': (admin, options) => setQuota(admin, options, { enabled: true }),
  'quota disable': (admin, options) => setQuota(admin, options, { enabled: false }),
};

/** Of the bucket that is named, or of a user. */
async function setQuota({ users, buckets }: Admin, options: AdminOptions, change: QuotaChange): Promise<void> {
  if (!options.has('bucket')) return await users.setQuota(userOf(options), scopeOf(options), change);
  if (options.has('quota-scope') && scopeOf(options) !== 'bucket') {
    throw new AdminError(AdminCode.EINVAL, 'ERROR: invalid quota scope specification.');
  }
  await buckets.setQuota(...bucketOf(options), change);
}

async function shown(user: Promise<UserInfo>) {
  return userJson(await user);
}
