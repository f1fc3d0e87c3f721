/** Policies by their names: of users in the xattr `user.rgw.user-policy` (rgw_rest_user_policy.cc), of roles in their object. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';

export const USER_POLICY_ATTR = 'user.rgw.user-policy';

/** Texts as they were given. */
export type NamedPolicies = ReadonlyMap<RawString, RawString>;

export function encodeUserPolicies(to: Encoder, policies: NamedPolicies): void {
  to.map(
    ascending(policies),
    (name) => to.rawString(name),
    (text) => to.rawString(text),
  );
}

/** @throws MalformedInput */
export function decodeUserPolicies(from: Decoder): NamedPolicies {
  return from.map(
    'policies',
    8,
    () => from.rawString('policy name'),
    () => from.rawString('policy'),
  );
}
