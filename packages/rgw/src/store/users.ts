/**
 * Users (services/svc_user_rados.cc): objects of the namespace users.uid, and what leads to them, see `user-index.ts`. Changes
 * are made from what was loaded, and fail with ECANCELED when another gateway was first: load again, and decide anew.
 */
import { type Bytes, Errno, type RawString, type UTime } from '@spirula/encoding';
import { RadosError } from '@spirula/rados';
import { encoded } from '../formats/encoded.ts';
import { formatUserId, parseUserId, type UserId } from '../formats/user-id.ts';
import { decodeUserObject, encodeUserObject, type UserInfo } from '../formats/user-info.ts';
import type { Entropy } from './entropy.ts';
import { userBucketsOid } from './layout.ts';
import { decodeStored, type ObjectVersion } from './meta-object.ts';
import { MetaPool } from './meta-pool.ts';
import { type FoundEntry, type IndexEntry, type IndexKind, UserIndex } from './user-index.ts';
import type { Zone } from './zone.ts';

export interface StoredUser {
  readonly info: UserInfo;
  readonly attrs: ReadonlyMap<RawString, Bytes>;
  readonly version: ObjectVersion;
  readonly modified: UTime;
}

/** The objects with users' lists of buckets are between those of the users. */
const BUCKETS_SUFFIX = userBucketsOid({ tenant: '', ns: '', id: '' });

/** All that leads to a user, by what it is. */
function entriesOf(info: UserInfo): IndexEntry[] {
  const entries: IndexEntry[] = [];
  for (const name of info.accessKeys.keys()) entries.push({ kind: 'accessKey', name });
  for (const name of info.swiftKeys.keys()) entries.push({ kind: 'swiftName', name });
  if (info.email !== '') entries.push({ kind: 'email', name: info.email });
  return entries;
}

function hasEntry(info: UserInfo, { kind, name }: IndexEntry): boolean {
  return entriesOf(info).some((entry) => entry.kind === kind && entry.name === name);
}

export class UserStore {
  readonly #pool: MetaPool;
  readonly #index: UserIndex;

  constructor(zone: Zone, entropy: Entropy) {
    this.#pool = new MetaPool(zone, 'userUid', entropy);
    this.#index = new UserIndex(zone);
  }

  /** Undefined: there is no such user. @throws RadosError */
  async load(id: UserId): Promise<StoredUser | undefined> {
    const oid = formatUserId(id);
    if (oid === '') return undefined;
    const stored = await this.#pool.read(oid);
    if (!stored) return undefined;
    const { data, attrs, version, modified } = stored;
    return { info: decodeStored(oid, data, decodeUserObject), attrs, version, modified };
  }

  /** Whom an access key, a Swift name or an e-mail address belongs to. @throws RadosError */
  async find(kind: IndexKind, name: RawString): Promise<StoredUser | undefined> {
    const found = await this.#index.lookUp({ kind, name });
    const user = found && (await this.load(found.user));
    return user && hasEntry(user.info, { kind, name }) ? user : undefined;
  }

  /**
   * Makes a user. A crash may leave one without keys and address; never a key that leads nowhere.
   *
   * @throws RadosError EEXIST; IndexConflict when a key or the address belongs to another user
   */
  async create(info: UserInfo): Promise<StoredUser> {
    const entries = entriesOf(info);
    for (const entry of entries) await this.#index.check(entry, info.id, this.#users);
    const bare: UserInfo = { ...info, accessKeys: new Map(), swiftKeys: new Map(), email: '' };
    const made = entries.length === 0 ? info : bare;
    const version = await this.#pool.create(formatUserId(info.id), { data: encoded(encodeUserObject, made) });
    const user = await this.#reload(made, version);
    if (entries.length === 0) return user;
    try {
      return await this.update(user, info);
    } catch (error) {
      await this.#removeUnlessChanged(user);
      throw error;
    }
  }

  /**
   * Replaces what is known of a user, with the same id.
   *
   * @throws RadosError ECANCELED when the user was changed since it was loaded, ENOENT when it is gone; IndexConflict
   */
  async update(
    before: StoredUser,
    info: UserInfo,
    attrs?: ReadonlyMap<RawString, Bytes | undefined>,
  ): Promise<StoredUser> {
    const added = entriesOf(info).filter((entry) => !hasEntry(before.info, entry));
    const dropped = await this.#found(entriesOf(before.info).filter((entry) => !hasEntry(info, entry)));
    const claimed: FoundEntry[] = [];
    let version: ObjectVersion;
    try {
      for (const entry of added) claimed.push(await this.#index.claim(entry, info.id, this.#users));
      const data = encoded(encodeUserObject, info);
      version = await this.#pool.update(formatUserId(info.id), before.version, { data, ...(attrs && { attrs }) });
    } catch (error) {
      for (const entry of claimed) await this.#withdraw(entry);
      throw error;
    }
    for (const entry of dropped) await this.#index.release(entry);
    return this.#reload(info, version);
  }

  /**
   * Removes a user and what leads to it; whether they have buckets, the caller knows.
   *
   * @throws RadosError ECANCELED, ENOENT
   */
  async remove(user: StoredUser): Promise<void> {
    const dropped = await this.#found(entriesOf(user.info));
    await this.#pool.remove(formatUserId(user.info.id), user.version);
    for (const entry of dropped) await this.#index.release(entry);
    try {
      await this.#pool.io.remove(userBucketsOid(user.info.id));
    } catch (error) {
      if (!(error instanceof RadosError) || error.code !== Errno.ENOENT) throw error;
    }
  }

  /** Ids of all users, in no order that means anything. */
  async *list(): AsyncGenerator<UserId> {
    for await (const { oid } of this.#pool.io.listObjects()) {
      if (!oid.endsWith(BUCKETS_SUFFIX)) yield parseUserId(oid);
    }
  }

  /** Those entries that lead to the user they are of, as they are now. */
  async #found(entries: readonly IndexEntry[]): Promise<FoundEntry[]> {
    const found: FoundEntry[] = [];
    for (const entry of entries) {
      const each = await this.#index.find(entry);
      if (each) found.push(each);
    }
    return found;
  }

  /**
   * Takes back a claim for a change that was not made. Another gateway may be giving the user the same: then it stays, and if it
   * comes to nothing, it counts for nothing.
   */
  async #withdraw(entry: FoundEntry): Promise<void> {
    if (await this.#users.fence(entry.user, entry)) await this.#index.release(entry);
  }

  async #reload(info: UserInfo, version: ObjectVersion): Promise<StoredUser> {
    const stored = await this.#pool.read(formatUserId(info.id));
    const isSame = stored?.version.ver === version.ver && stored.version.tag === version.tag;
    // Somebody changed it at once: then this change was made, and theirs is to be loaded.
    if (!stored || !isSame) return { info, version, attrs: new Map(), modified: { sec: 0, nsec: 0 } };
    return { info, version, attrs: stored.attrs, modified: stored.modified };
  }

  async #removeUnlessChanged({ info, version }: StoredUser): Promise<void> {
    try {
      await this.#pool.remove(formatUserId(info.id), version);
    } catch (error) {
      if (!(error instanceof RadosError)) throw error;
    }
  }

  readonly #users = {
    has: async (id: UserId, entry: IndexEntry): Promise<boolean> => {
      const user = await this.load(id);
      return user !== undefined && hasEntry(user.info, entry);
    },
    fence: async (id: UserId, entry: IndexEntry): Promise<boolean> => {
      const user = await this.load(id);
      // Users come before what leads to them: one who is not there has nothing that could begin to count.
      if (!user) return true;
      if (hasEntry(user.info, entry)) return false;
      const change = { data: encoded(encodeUserObject, user.info) };
      try {
        await this.#pool.update(formatUserId(id), user.version, change);
        return true;
      } catch (error) {
        if (error instanceof RadosError && (error.code === Errno.ECANCELED || error.code === Errno.ENOENT))
          return false;
        throw error;
      }
    },
  };
}
