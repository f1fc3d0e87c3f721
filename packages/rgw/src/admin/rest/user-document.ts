/** Users as the administrators' interface tells them (dump_user_info, rgw_user.cc). */
import type { UserHeader } from '@spirula/cls';
import { textFromRaw } from '@spirula/encoding';
import type { Quota } from '../../formats/quota.ts';
import { roundedKib } from '../../formats/quota.ts';
import type { UserInfo } from '../../formats/user-info.ts';
import { list, type Node } from '../document.ts';
import { quotaJson, userJson } from '../user-json.ts';

export function keysNode(info: UserInfo, kind: 's3' | 'swift') {
  const { keys, swift_keys } = userJson(info);
  return list('key', kind === 's3' ? keys : swift_keys);
}

export function subusersNode(info: UserInfo) {
  return list('user', userJson(info).subusers);
}

export function capsNode(info: UserInfo) {
  return list('cap', userJson(info).caps);
}

export function quotaNode(quota: Quota): Node {
  return quotaJson(quota);
}

export function userNode(info: UserInfo, stats?: Node): Node {
  const { system, admin, ...shown } = userJson(info);
  const { email, suspended, max_buckets, op_mask, default_placement, default_storage_class, ...rest } = shown;
  return {
    tenant: textFromRaw(info.id.tenant),
    user_id: textFromRaw(info.id.id),
    display_name: rest.display_name,
    email,
    suspended,
    max_buckets,
    subusers: subusersNode(info),
    keys: keysNode(info, 's3'),
    swift_keys: keysNode(info, 'swift'),
    caps: capsNode(info),
    op_mask,
    system: system ?? 'false',
    admin: admin ?? 'false',
    default_placement,
    default_storage_class,
    placement_tags: list('obj', rest.placement_tags),
    bucket_quota: rest.bucket_quota,
    user_quota: rest.user_quota,
    temp_url_keys: list('entry', rest.temp_url_keys),
    type: rest.type,
    mfa_ids: list('obj', rest.mfa_ids),
    ...(stats !== undefined && { stats }),
  };
}

/** What is utilized, radosgw does not count for users. */
export function userStatsNode(held: UserHeader | undefined): Node {
  const { bytes, bytesRounded, entries } = held?.stats ?? { bytes: 0n, bytesRounded: 0n, entries: 0n };
  return {
    size: Number(bytes),
    size_actual: Number(bytesRounded),
    size_utilized: 0,
    size_kb: Number(roundedKib(bytes)),
    size_kb_actual: Number(roundedKib(bytesRounded)),
    size_kb_utilized: 0,
    num_objects: Number(entries),
  };
}
