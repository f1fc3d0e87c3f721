/** What radosgw-admin does with users (rgw_user.cc): answers as it prints them, refusals as it says them. */
import { Errno, type RawString, textFromRaw } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { ascending } from '../formats/ascending.ts';
import { changedQuota, type QuotaChange, roundedKib } from '../formats/quota.ts';
import { formatUserId, type UserId } from '../formats/user-id.ts';
import { type AccessKey, newUserInfo, type UserInfo } from '../formats/user-info.ts';
import { type Entropy, randomAlphanumeric, randomUpper } from '../store/entropy.ts';
import type { UserBuckets } from '../store/user-buckets.ts';
import { IndexConflict } from '../store/user-index.ts';
import type { StoredUser, UserStore } from '../store/users.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { parseCaps } from './parse.ts';
import { timeText } from './user-json.ts';

/** What may be said of a user; undefined: as it is, or as new users have it. */
export interface UserSettings {
  readonly displayName?: RawString | undefined;
  readonly email?: RawString | undefined;
  readonly maxBuckets?: number | undefined;
  /** `OpMask`s. */
  readonly opMask?: number | undefined;
  readonly system?: boolean | undefined;
  readonly admin?: boolean | undefined;
  readonly suspended?: boolean | undefined;
  readonly caps?: string | undefined;
  readonly key?: KeyRequest | undefined;
}

export interface KeyRequest {
  readonly kind: 's3' | 'swift';
  /** Undefined: one is made up. */
  readonly accessKey?: RawString | undefined;
  readonly secret?: RawString | undefined;
  readonly subuser?: RawString | undefined;
}

export interface UserAdminParts {
  readonly users: UserStore;
  readonly lists: UserBuckets;
  readonly entropy: Entropy;
}

const ACCESS_KEY_LENGTH = 20;
const SECRET_LENGTH = 40;
const MAX_ATTEMPTS = 10;

export class UserAdmin {
  readonly #users: UserStore;
  readonly #lists: UserBuckets;
  readonly #entropy: Entropy;

  constructor({ users, lists, entropy }: UserAdminParts) {
    this.#users = users;
    this.#lists = lists;
    this.#entropy = entropy;
  }

  async create(id: UserId, settings: UserSettings): Promise<UserInfo> {
    const refuse = (code: number, why: string) =>
      new AdminError(code, `could not create user: unable to parse parameters, ${why}`);
    const exists = refuse(AdminCode.EEXIST, `user: ${textFromRaw(formatUserId(id))} exists`);
    if (await this.#users.load(id)) throw exists;
    const { displayName, email, key, caps, suspended, ...rest } = settings;
    if (displayName === undefined || displayName === '') throw refuse(AdminCode.EINVAL, 'no display name specified');
    const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
    const bare = newUserInfo({
      id,
      displayName,
      email: lowerCase(email ?? ''),
      suspended: suspended ?? false,
      ...given,
    });
    const capable =
      caps === undefined
        ? bare
        : withCaps(bare, parseCaps(caps, 'could not create user: unable to add user capabilities'));
    const info = key ? this.#withKey(capable, key) : capable;
    try {
      return (await this.#users.create(info)).info;
    } catch (error) {
      if (error instanceof RadosError && error.code === Errno.EEXIST) throw exists;
      throw asRefusal(error, (code, why) => refuse(code, why));
    }
  }

  async info(id: UserId): Promise<UserInfo> {
    const user = await this.#users.load(id);
    if (!user) throw new AdminError(AdminCode.EINVAL, 'could not fetch user info: no user info saved');
    return user.info;
  }

  async infoByKey(accessKey: RawString): Promise<UserInfo> {
    const user = await this.#users.find('accessKey', accessKey);
    if (!user) throw new AdminError(AdminCode.EINVAL, 'could not fetch user info: no user info saved');
    return user.info;
  }

  async modify(id: UserId, { caps, key, displayName, email, ...settings }: UserSettings): Promise<UserInfo> {
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    return this.#change(
      id,
      notFound('could not modify user: unable to modify user, user not found'),
      'could not modify user: unable to modify user',
      (info) => {
        const named = {
          ...info,
          ...given,
          ...(displayName !== undefined && { displayName }),
          ...(email !== undefined && { email: lowerCase(email) }),
        };
        const capable =
          caps === undefined ? named : withCaps(named, parseCaps(caps, 'could not modify user: unable to add caps'));
        return key ? this.#withKey(capable, key) : capable;
      },
    );
  }

  /** One who has buckets is not removed, unless `purge` removes each first. */
  async remove(id: UserId, purge?: (name: RawString) => Promise<void>): Promise<void> {
    const user = await this.#users.load(id);
    if (!user) throw notFound('could not remove user: unable to remove user, user does not exist');
    if (purge) for await (const { bucket } of this.#lists.list(id)) await purge(bucket.name);
    if ((await this.#lists.page(id, '', 1)).entries.length > 0) {
      const why = 'could not remove user: unable to remove user, must specify purge data to remove user with buckets';
      throw new AdminError(AdminCode.EEXIST, why);
    }
    await this.#users.remove(user);
  }

  /** Sums over the buckets, as of when each last said what it holds. */
  async stats(id: UserId) {
    const header = (await this.#users.load(id)) && (await this.#lists.header(id));
    if (!header) throw notFound('User has not been initialized or user does not exist');
    const { bytes, bytesRounded, entries } = header.stats;
    return {
      stats: {
        size: Number(bytes),
        size_actual: Number(bytesRounded),
        size_kb: Number(roundedKib(bytes)),
        size_kb_actual: Number(roundedKib(bytesRounded)),
        num_objects: Number(entries),
      },
      last_stats_sync: timeText(header.lastSync),
      last_stats_update: timeText(header.lastUpdate),
    };
  }

  async addKey(id: UserId, key: KeyRequest & { readonly generate: boolean }) {
    const what = 'could not create key: unable to parse request';
    if (key.kind === 's3' && key.accessKey === undefined && !key.generate && (await this.#users.load(id))) {
      throw new AdminError(AdminCode.invalidAccessKey, `${what}, empty access key`);
    }
    return this.#change(id, notPopulated(what), 'could not create key: unable to add access key', (info) =>
      this.#withKey(info, key),
    );
  }

  async removeKey(id: UserId, kind: KeyRequest['kind'], name: RawString) {
    if (name === '' && (await this.#users.load(id))) {
      const why = 'could not remove key: unable to parse request, empty access key';
      throw new AdminError(AdminCode.invalidAccessKey, why);
    }
    return this.#change(id, notPopulated('could not remove key'), 'could not remove key', (info) => {
      const keys = new Map(kind === 's3' ? info.accessKeys : info.swiftKeys);
      if (!keys.delete(name)) {
        const why = 'could not remove key: unable to remove access key, unable to find access key';
        throw new AdminError(AdminCode.invalidAccessKey, why);
      }
      return kind === 's3' ? { ...info, accessKeys: keys } : { ...info, swiftKeys: keys };
    });
  }

  async setSubuser(
    id: UserId,
    name: RawString,
    given: {
      readonly verb: 'create' | 'modify';
      readonly permissions?: number | undefined;
      readonly key?: KeyRequest | undefined;
    },
  ) {
    const what = `could not ${given.verb} subuser`;
    return this.#change(id, notPopulated(`${what}: unable to parse request`), what, (info) => {
      const before = info.subusers.get(name);
      if (!before && given.verb === 'modify') {
        throw new AdminError(AdminCode.noSuchSubuser, `${what}: unable to parse request, subuser does not exist`);
      }
      // As radosgw-admin: what is there is not created anew, but for its key.
      const asked = before && given.verb === 'create' ? undefined : given.permissions;
      const permissions = asked ?? before?.permissions ?? 0;
      const subusers = ascending(new Map(info.subusers).set(name, { name, permissions }));
      return given.key ? this.#withKey({ ...info, subusers }, given.key) : { ...info, subusers };
    });
  }

  /** With its keys. */
  async removeSubuser(id: UserId, name: RawString) {
    const what = 'could not remove subuser';
    return this.#change(id, notPopulated(what), what, (info) => {
      const subusers = new Map(info.subusers);
      if (!subusers.delete(name)) {
        const why = `${what}: unable to remove subuser, subuser not found: ${textFromRaw(name)}`;
        throw new AdminError(AdminCode.noSuchSubuser, why);
      }
      const without = (keys: ReadonlyMap<RawString, AccessKey>) =>
        new Map([...keys].filter(([, { subuser }]) => subuser !== name));
      return { ...info, subusers, accessKeys: without(info.accessKeys), swiftKeys: without(info.swiftKeys) };
    });
  }

  async addCaps(id: UserId, text: string) {
    if (text === '' && (await this.#users.load(id))) {
      throw new AdminError(AdminCode.invalidCap, 'could not add caps: empty user caps');
    }
    return this.#change(id, notPopulated('could not add caps'), 'could not add caps', (info) =>
      withCaps(info, parseCaps(text, 'could not add caps: unable to add caps')),
    );
  }

  async removeCaps(id: UserId, text: string) {
    return this.#change(id, notPopulated('could not remove caps'), 'could not remove caps', (info) => {
      const caps = new Map(info.caps);
      for (const [type, mask] of parseCaps(text, 'could not remove caps: unable to remove caps')) {
        const left = (caps.get(type) ?? 0) & ~mask;
        if (left === 0) caps.delete(type);
        else caps.set(type, left);
      }
      return { ...info, caps };
    });
  }

  /** For all of the user's buckets together, or for each that has none of its own. */
  async setQuota(id: UserId, scope: 'user' | 'bucket', change: QuotaChange): Promise<void> {
    const what =
      'ERROR: failed updating user info: (2) No such file or directory: unable to modify user, user not found';
    await this.#change(id, notFound(what), 'ERROR: failed updating user info', (info) =>
      scope === 'user'
        ? { ...info, userQuota: changedQuota(info.userQuota, change) }
        : { ...info, bucketQuota: changedQuota(info.bucketQuota, change) },
    );
  }

  /** Both as they are given. */
  async replaceQuotas(id: UserId, quotas: Partial<Pick<UserInfo, 'userQuota' | 'bucketQuota'>>): Promise<void> {
    const what = 'ERROR: failed updating user info';
    await this.#change(id, notFound(`${what}: user not found`), what, (info) => ({ ...info, ...quotas }));
  }

  /** Loads, changes and stores a user; again when another was first. */
  async #change(
    id: UserId,
    missing: AdminError,
    what: string,
    change: (info: UserInfo) => UserInfo,
  ): Promise<UserInfo> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const user: StoredUser | undefined = await this.#users.load(id);
      if (!user) throw missing;
      try {
        return (await this.#users.update(user, change(user.info))).info;
      } catch (error) {
        if (error instanceof RadosError && error.code === Errno.ECANCELED) continue;
        throw asRefusal(error, (code, why) => new AdminError(code, `${what}, ${why}`));
      }
    }
    throw new AdminError(AdminCode.ECANCELED, `${what}: others change the user all the time`);
  }

  #withKey(info: UserInfo, { kind, accessKey, secret, subuser = '' }: KeyRequest): UserInfo {
    const secretOf = (before: AccessKey | undefined) =>
      secret ?? before?.secret ?? randomAlphanumeric(this.#entropy, SECRET_LENGTH);
    if (kind === 'swift') {
      const id = accessKey ?? `${formatUserId(info.id)}:${subuser}`;
      const key = { id, secret: secret ?? randomAlphanumeric(this.#entropy, SECRET_LENGTH), subuser };
      return { ...info, swiftKeys: ascending(new Map(info.swiftKeys).set(id, key)) };
    }
    const id = accessKey ?? randomUpper(this.#entropy, ACCESS_KEY_LENGTH);
    const key = { id, secret: secretOf(info.accessKeys.get(id)), subuser };
    return { ...info, accessKeys: ascending(new Map(info.accessKeys).set(id, key)) };
  }
}

function notFound(message: string): AdminError {
  return new AdminError(AdminCode.ENOENT, message);
}

function notPopulated(what: string): AdminError {
  return new AdminError(AdminCode.EINVAL, `${what}${what.includes(':') ? ',' : ':'} user info was not populated`);
}

function asRefusal(error: unknown, refuse: (code: number, why: string) => AdminError): unknown {
  if (!(error instanceof IndexConflict)) return error;
  const { kind, name } = error.entry;
  if (kind === 'email') {
    return refuse(AdminCode.emailExists, `email: ${textFromRaw(name)} is the email address of an existing user`);
  }
  return refuse(AdminCode.keyExists, 'duplicate key provided');
}

function withCaps(info: UserInfo, more: ReadonlyMap<RawString, number>): UserInfo {
  const caps = new Map(info.caps);
  for (const [type, mask] of more) caps.set(type, (caps.get(type) ?? 0) | mask);
  return { ...info, caps: ascending(caps) };
}

/** Addresses differ in more than case, or not at all; only letters of ASCII are made small. */
function lowerCase(email: RawString): RawString {
  return email.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
