/** Who asks, beside the user that they are: what their own policies say, and in which role they act. */
import { type RawString, textFromRaw } from '@spirula/encoding';
import { FULL_CONTROL } from '../formats/acl.ts';
import type { UserId } from '../formats/user-id.ts';
import type { UserInfo } from '../formats/user-info.ts';
import { decodeUserPolicies, USER_POLICY_ATTR } from '../formats/user-policies.ts';
import { decodeStored } from '../store/meta-object.ts';
import type { StoredUser } from '../store/users.ts';
import { type Policy, parsePolicy } from './policy.ts';
import type { Caller, CallerRole } from './principal.ts';

export interface Identity {
  /** Of the user; of the role, when they act in one. */
  readonly policies: readonly Policy[];
  /**
   * `Permission`s: as far as ACLs let them do something. Policies that allow it ask nothing of these (perm_mask of req_state). Of a
   * subuser it is what the subuser may; of a role nothing.
   */
  readonly permissions: number;
  readonly role?: AssumedRole | undefined;
  /** The request is signed with the keys of a session, and bears its token. */
  readonly inSession?: boolean;
}

/** A role, for a time, under the name of a session. */
interface AssumedRole extends CallerRole {
  readonly id: RawString;
  /** What the session was held to when the role was assumed; none: to nothing more. */
  readonly sessionPolicies: readonly Policy[];
  /** As the token says it. */
  readonly issuedAt: string;
}

export const NO_IDENTITY: Identity = { policies: [], permissions: FULL_CONTROL };

export function callerOf(id: UserId, { role }: Identity): Caller {
  return { id, role };
}

/** By the attributes of users: those that are remembered are parsed once. */
const parsed = new WeakMap<StoredUser['attrs'], Identity>();

/** @throws MalformedPolicy: what is stored does not parse, and nobody knows what it allows; RadosError EIO */
export function identityOf({ info, attrs }: StoredUser): Identity {
  const stored = attrs.get(USER_POLICY_ATTR);
  if (!stored) return NO_IDENTITY;
  const known = parsed.get(attrs);
  if (known) return known;
  const texts = [...decodeStored(info.id.id, stored, decodeUserPolicies).values()];
  const identity = {
    policies: texts.map((text) => parsePolicy(textFromRaw(text), 'identity', info.id.tenant)),
    permissions: FULL_CONTROL,
  };
  parsed.set(attrs, identity);
  return identity;
}

/** What a key lets whoever has it do: all, or what the subuser may that it is of (LocalApplier::get_perm_mask, rgw_auth.cc). */
export function permissionsOfKey({ subusers }: UserInfo, subuser: RawString): number {
  return subuser === '' ? FULL_CONTROL : (subusers.get(subuser)?.permissions ?? 0);
}
