/** Users as radosgw-admin prints them (RGWUserInfo::dump, rgw_json_enc.cc). */
import { formatUTime, type RawString, textFromRaw, type UTime } from '@spirula/encoding';
import type { Quota } from '../formats/quota.ts';
import { roundedKib } from '../formats/quota.ts';
import { formatUserId } from '../formats/user-id.ts';
import type { AccessKey, UserInfo } from '../formats/user-info.ts';

const PERMISSION_NAMES = [
  [0xf, 'full-control'],
  [0x3, 'read-write'],
  [0x1, 'read'],
  [0x2, 'write'],
  [0x4, 'read-acp'],
  [0x8, 'write-acp'],
] as const;
const OP_NAMES = [
  [1, 'read'],
  [2, 'write'],
  [4, 'delete'],
] as const;
const CAP_NAMES = [
  [3, '*'],
  [1, 'read'],
  [2, 'write'],
] as const;
const NO_FLAGS = '<none>';
/** RGWIdentityType. */
const TYPE_NAMES = ['none', 'rgw', 'keystone', 'ldap', 'role', 'web'];

function maskText(mask: number, names: readonly (readonly [flags: number, name: string])[]): string {
  const found: string[] = [];
  let left = mask;
  for (const [flags, name] of names) {
    if ((left & flags) !== flags) continue;
    found.push(name);
    left &= ~flags;
  }
  return found.length === 0 ? NO_FLAGS : found.join(', ');
}

const MASK_NAMES = { permissions: PERMISSION_NAMES, caps: CAP_NAMES, op_mask: OP_NAMES } as const;

/** What `userJson` says of it. Undefined: a word is none of these. */
export function parseMask(what: keyof typeof MASK_NAMES, text: string): number | undefined {
  if (text === NO_FLAGS || text === '') return 0;
  const masks = text.split(/[,\s]+/).map((word) => MASK_NAMES[what].find(([, name]) => name === word)?.[0]);
  return masks.reduce<number | undefined>(
    (sum, mask) => (sum === undefined || mask === undefined ? undefined : sum | mask),
    0,
  );
}

/** `2026-11-30T14:12:24.900354Z`; a time of zero is `0.000000`. */
export function timeText(time: UTime): string {
  return formatUTime(time).replace('+0000', 'Z');
}

export function quotaJson({ enabled, checkOnRaw, maxSize, maxObjects }: Quota) {
  return {
    enabled,
    check_on_raw: checkOnRaw,
    max_size: Number(maxSize),
    max_size_kb: Number(roundedKib(maxSize)),
    max_objects: Number(maxObjects),
  };
}

export function userJson(info: UserInfo) {
  const user = textFromRaw(formatUserId(info.id));
  const text = (raw: RawString) => textFromRaw(raw);
  const holder = ({ subuser }: AccessKey) => (subuser === '' ? user : `${user}:${text(subuser)}`);
  return {
    user_id: user,
    display_name: text(info.displayName),
    email: text(info.email),
    suspended: info.suspended ? 1 : 0,
    max_buckets: info.maxBuckets,
    subusers: [...info.subusers.values()].map(({ name, permissions }) => ({
      id: `${user}:${text(name)}`,
      permissions: maskText(permissions, PERMISSION_NAMES),
    })),
    keys: [...info.accessKeys.values()].map((key) => ({
      user: holder(key),
      access_key: text(key.id),
      secret_key: text(key.secret),
    })),
    swift_keys: [...info.swiftKeys.values()].map((key) => ({ user: holder(key), secret_key: text(key.secret) })),
    caps: [...info.caps].map(([type, mask]) => ({ type: text(type), perm: maskText(mask, CAP_NAMES) })),
    op_mask: maskText(info.opMask, OP_NAMES),
    ...(info.system && { system: 'true' }),
    ...(info.admin && { admin: 'true' }),
    default_placement: text(info.defaultPlacement.name),
    default_storage_class: text(info.defaultPlacement.storageClass),
    placement_tags: info.placementTags.map(text),
    bucket_quota: quotaJson(info.bucketQuota),
    user_quota: quotaJson(info.userQuota),
    temp_url_keys: [...info.tempUrlKeys].map(([key, val]) => ({ key, val: text(val) })),
    type: TYPE_NAMES[info.type] ?? 'none',
    mfa_ids: info.mfaIds.map(text),
  };
}
