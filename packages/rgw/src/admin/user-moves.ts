/** A user who gets another id, with all that is theirs; and lists of buckets that say something else than the buckets (rgw_user.cc). */
import { type RawString, textFromRaw, type UTime } from '@spirula/encoding';
import { encodeAcl, privateAcl } from '../formats/acl.ts';
import { encoded } from '../formats/encoded.ts';
import { formatUserId, type UserId } from '../formats/user-id.ts';
import { type AccessKey, newUserInfo, type UserInfo } from '../formats/user-info.ts';
import { BucketAttr } from '../store/buckets.ts';
import { chownObjects } from '../store/chown.ts';
import type { Store } from '../store/store.ts';
import type { StoredUser } from '../store/users.ts';
import { AdminCode, AdminError } from './admin-error.ts';
import { Said } from './role-admin.ts';
import type { UserAdmin } from './user-admin.ts';

export interface RenameOptions {
  /** Who has the new id is replaced. */
  readonly overwrites: boolean;
  readonly now: () => UTime;
  readonly onChown: (bucket: RawString, done: number, last: RawString) => void;
}

const WHAT = 'could not rename user: unable to rename user';

/**
 * New user without keys -> buckets and what is in them -> keys and address -> the old user goes. A crash leaves both users; the same
 * command with `overwrites` goes on.
 *
 * @throws AdminError, RadosError
 */
export async function renameUser(
  store: Store,
  admin: UserAdmin,
  from: UserId,
  to: UserId | undefined,
  options: RenameOptions,
): Promise<UserInfo> {
  const old = await store.users.load(from);
  if (!old || !to) throw new AdminError(AdminCode.ENOENT, `${WHAT}, user not found`);
  if (old.info.id.tenant !== to.tenant) {
    const [a, b] = [old.info.id.tenant, to.tenant].map(textFromRaw);
    throw new AdminError(AdminCode.EINVAL, `${WHAT}, users have to be under the same tenant namespace ${a} != ${b}`);
  }
  if (formatUserId(from) === formatUserId(to) || (!options.overwrites && (await store.users.load(to)))) {
    const why = 'user name given by --new-uid already exists. to overwrite this user, add --yes-i-really-mean-it';
    throw new AdminError(AdminCode.EEXIST, `${WHAT}, ${why}`);
  }
  const { displayName } = old.info;
  const renamed = renamedInfo(old.info, to);
  const bare: UserInfo = { ...renamed, accessKeys: new Map(), swiftKeys: new Map(), email: '' };
  const before = await store.users.load(to);
  const made = before ? await store.users.update(before, bare) : await store.users.create(bare);
  await moveBuckets(store, from, { id: to, displayName }, options);
  await handOver(store, old, made, renamed);
  return await admin.info(to);
}

/** What names the user in what is theirs. */
function renamedInfo(info: UserInfo, id: UserId): UserInfo {
  const swiftKeys = new Map<RawString, AccessKey>();
  for (const key of info.swiftKeys.values()) {
    const name = key.subuser === '' ? formatUserId(id) : `${formatUserId(id)}:${key.subuser}`;
    swiftKeys.set(name, { ...key, id: name });
  }
  return newUserInfo({ ...info, id, swiftKeys });
}

async function moveBuckets(
  store: Store,
  from: UserId,
  to: { readonly id: UserId; readonly displayName: RawString },
  { now, onChown }: RenameOptions,
): Promise<void> {
  const acl = encoded(encodeAcl, privateAcl(to.id, to.displayName));
  const names: RawString[] = [];
  for await (const { bucket } of store.buckets.lists.list(from)) names.push(bucket.name);
  for (const name of names) {
    const bucket = await store.buckets.load(from.tenant, name);
    if (!bucket) continue;
    await store.buckets.link(bucket, to.id, new Map([[BucketAttr.acl, acl]]), now());
    await store.buckets.lists.remove(from, bucket.info.bucket);
    await chownObjects(store, bucket.info, to, '', (done, last) => onChown(name, done, last));
  }
}

/** Keys lead to one user at a time: between the two writes, to none. */
async function handOver(store: Store, old: StoredUser, made: StoredUser, info: UserInfo): Promise<void> {
  const bare = await store.users.update(old, {
    ...old.info,
    accessKeys: new Map(),
    swiftKeys: new Map(),
    email: '',
  });
  try {
    await store.users.update(made, info);
  } catch (error) {
    await store.users.update(bare, old.info);
    throw error;
  }
  await store.users.remove(bare);
}

/** Buckets that are not those that the user's list says (check_bad_user_bucket_mapping). @param fix the list says so from then on */
export async function checkUser(store: Store, user: UserId, now: UTime, fix: boolean): Promise<Said | undefined> {
  const lines: string[] = [];
  for await (const { bucket: listed } of store.buckets.lists.list(user)) {
    const found = await store.buckets.load(user.tenant, listed.name);
    if (!found) continue;
    const { bucket, created } = found.info;
    if (bucket.marker === listed.marker && bucket.bucketId === listed.bucketId) continue;
    const [name, expected, got] = [listed.name, bucket.bucketId, listed.bucketId].map(textFromRaw);
    lines.push(`bucket info mismatch: expected ${name}[${expected}]) got ${name}[${got}])`);
    if (!fix) continue;
    lines.push('fixing');
    await store.buckets.lists.add(user, bucket, created, now);
  }
  return lines.length === 0 ? undefined : new Said(lines.join('\n'));
}
