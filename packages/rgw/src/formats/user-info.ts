/** All about a user (RGWUserInfo, rgw_common.h). */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { decodePlacementRule, encodePlacementRule, NO_PLACEMENT, type PlacementRule } from './placement-rule.ts';
import { decodeQuota, encodeQuota, NO_QUOTA, type Quota } from './quota.ts';
import { decodeUserIdText, encodeUserIdText, type UserId } from './user-id.ts';

/** RGWAccessKey. */
export interface AccessKey {
  /** Of a Swift key `uid:subuser`. */
  readonly id: RawString;
  readonly secret: RawString;
  /** '' when it is the user's own. */
  readonly subuser: RawString;
}

/** RGWSubUser. */
export interface Subuser {
  readonly name: RawString;
  /** `Permission`s. */
  readonly permissions: number;
}

/** RGW_OP_TYPE_*. */
export const OpMask = { read: 1, write: 2, delete: 4 } as const;
export const ALL_OPS = 7;
/** RGWIdentityType of users who are stored here. */
export const USER_TYPE_RGW = 1;
/** Of those that were made because Keystone vouches for them. */
export const USER_TYPE_KEYSTONE = 2;
/** rgw_user_max_buckets */
export const DEFAULT_MAX_BUCKETS = 1000;

export interface UserInfo {
  readonly id: UserId;
  readonly displayName: RawString;
  readonly email: RawString;
  /** By the keys' ids, as are those for Swift. */
  readonly accessKeys: ReadonlyMap<RawString, AccessKey>;
  readonly swiftKeys: ReadonlyMap<RawString, AccessKey>;
  /** By name. */
  readonly subusers: ReadonlyMap<RawString, Subuser>;
  readonly suspended: boolean;
  /** 0: as many as they like; negative: none. */
  readonly maxBuckets: number;
  /** `OpMask`s. */
  readonly opMask: number;
  /** What administrators' requests are allowed, by kind: 1 to read, 2 to write. */
  readonly caps: ReadonlyMap<RawString, number>;
  readonly admin: boolean;
  readonly system: boolean;
  readonly defaultPlacement: PlacementRule;
  readonly placementTags: readonly RawString[];
  /** Of each bucket without one of its own. */
  readonly bucketQuota: Quota;
  readonly userQuota: Quota;
  readonly tempUrlKeys: ReadonlyMap<number, RawString>;
  /** RGWIdentityType. */
  readonly type: number;
  readonly mfaIds: readonly RawString[];
  readonly assumedRoleArn: RawString;
}

/** A new user: what they are not told to have, they have not. */
export function newUserInfo(given: Pick<UserInfo, 'id' | 'displayName'> & Partial<UserInfo>): UserInfo {
  return {
    email: '',
    accessKeys: new Map(),
    swiftKeys: new Map(),
    subusers: new Map(),
    suspended: false,
    maxBuckets: DEFAULT_MAX_BUCKETS,
    opMask: ALL_OPS,
    caps: new Map(),
    admin: false,
    system: false,
    defaultPlacement: NO_PLACEMENT,
    placementTags: [],
    bucketQuota: NO_QUOTA,
    userQuota: NO_QUOTA,
    tempUrlKeys: new Map(),
    type: USER_TYPE_RGW,
    mfaIds: [],
    assumedRoleArn: '',
    ...given,
  };
}

/** Least bytes of a key under its id, and of a subuser under its name. */
const KEY_BYTES = 4 + 6 + 3 * 4;
const SUBUSER_BYTES = 4 + 6 + 2 * 4;

function encodeKeys(to: Encoder, keys: ReadonlyMap<RawString, AccessKey>): void {
  to.map(
    keys,
    (id) => to.rawString(id),
    ({ id, secret, subuser }) =>
      to.struct(2, 2, () => {
        for (const text of [id, secret, subuser]) to.rawString(text);
      }),
  );
}

function decodeKeys(from: Decoder): Map<RawString, AccessKey> {
  return from.map(
    'keys',
    KEY_BYTES,
    () => from.rawString('key id'),
    () =>
      from.struct('access key', 2, () => ({
        id: from.rawString('key id'),
        secret: from.rawString('secret'),
        subuser: from.rawString('subuser'),
      })),
  );
}

function encodeSubusers(to: Encoder, subusers: ReadonlyMap<RawString, Subuser>): void {
  to.map(
    ascending(subusers),
    (name) => to.rawString(name),
    ({ name, permissions }) =>
      to.struct(2, 2, () => {
        to.rawString(name);
        to.u32(permissions);
      }),
  );
}

function decodeSubusers(from: Decoder): Map<RawString, Subuser> {
  return from.map(
    'subusers',
    SUBUSER_BYTES,
    () => from.rawString('subuser'),
    () => from.struct('subuser', 2, () => ({ name: from.rawString('name'), permissions: from.u32('permissions') })),
  );
}

export function encodeUserInfo(to: Encoder, info: UserInfo): void {
  const accessKeys = ascending(info.accessKeys);
  const swiftKeys = ascending(info.swiftKeys);
  to.struct(22, 9, () => {
    to.u64(0); // a number that users had once
    encodeFirstKey(to, accessKeys);
    to.rawString(info.displayName);
    to.rawString(info.email);
    encodeFirstKey(to, swiftKeys);
    to.rawString(info.id.id);
    encodeKeys(to, accessKeys);
    encodeSubusers(to, info.subusers);
    to.bool(info.suspended);
    encodeKeys(to, swiftKeys);
    to.i32(info.maxBuckets);
    to.struct(1, 1, () =>
      to.map(
        ascending(info.caps),
        (kind) => to.rawString(kind),
        (permissions) => to.u32(permissions),
      ),
    );
    to.u32(info.opMask);
    to.bool(info.system);
    encodePlacementRule(to, info.defaultPlacement);
    to.list(info.placementTags, (tag) => to.rawString(tag));
    encodeQuota(to, info.bucketQuota);
    to.map(
      ascending(info.tempUrlKeys),
      (number) => to.i32(number),
      (key) => to.rawString(key),
    );
    encodeQuota(to, info.userQuota);
    to.rawString(info.id.tenant);
    to.bool(info.admin);
    to.u32(info.type);
    to.list([...info.mfaIds].sort(), (id) => to.rawString(id));
    to.rawString(info.assumedRoleArn);
    to.rawString(info.id.ns);
  });
}

/** Where the only key was, once; readers of today look at the maps. */
function encodeFirstKey(to: Encoder, keys: ReadonlyMap<RawString, AccessKey>): void {
  const [first] = keys.values();
  to.rawString(first?.id ?? '');
  to.rawString(first?.secret ?? '');
}

/** @throws MalformedInput */
export function decodeUserInfo(from: Decoder): UserInfo {
  return from.struct('user info', 22, (version) => {
    if (version < 16) from.fail('user info', `of version ${version}, from before quotas of users`);
    from.u64big('auid');
    from.blob('access key');
    from.blob('secret key');
    const displayName = from.rawString('display name');
    const email = from.rawString('email');
    from.blob('swift name');
    from.blob('swift key');
    const id = from.rawString('user id');
    const accessKeys = decodeKeys(from);
    const subusers = decodeSubusers(from);
    const suspended = from.bool('suspended');
    const swiftKeys = decodeKeys(from);
    const maxBuckets = from.i32('max buckets');
    const caps = from.struct('caps', 1, () =>
      from.map(
        'caps',
        8,
        () => from.rawString('cap'),
        () => from.u32('permissions'),
      ),
    );
    const opMask = from.u32('op mask');
    const system = from.bool('system');
    const defaultPlacement = decodePlacementRule(from);
    const placementTags = from.list('placement tags', 4, () => from.rawString('tag'));
    const bucketQuota = decodeQuota(from);
    const tempUrlKeys = from.map(
      'temp url keys',
      8,
      () => from.i32('number'),
      () => from.rawString('key'),
    );
    const userQuota = decodeQuota(from);
    const tenant = version >= 17 ? from.rawString('tenant') : '';
    const admin = version >= 18 && from.bool('admin');
    const type = version >= 19 ? from.u32('type') : 0;
    const mfaIds = version >= 20 ? from.list('mfa ids', 4, () => from.rawString('mfa id')) : [];
    const assumedRoleArn = version >= 21 ? from.rawString('assumed role') : '';
    const ns = version >= 22 ? from.rawString('user namespace') : '';
    return {
      id: { tenant, ns, id },
      displayName,
      email,
      accessKeys,
      swiftKeys,
      subusers,
      suspended,
      maxBuckets,
      opMask,
      caps,
      admin,
      system,
      defaultPlacement,
      placementTags,
      bucketQuota,
      userQuota,
      tempUrlKeys,
      type,
      mfaIds,
      assumedRoleArn,
    };
  });
}

/** What the object of a user holds: their name, then all about them. */
export function encodeUserObject(to: Encoder, info: UserInfo): void {
  encodeUserIdText(to, info.id);
  encodeUserInfo(to, info);
}

/** @throws MalformedInput */
export function decodeUserObject(from: Decoder): UserInfo {
  decodeUserIdText(from);
  return decodeUserInfo(from);
}
