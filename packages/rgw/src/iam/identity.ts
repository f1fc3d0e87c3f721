/** Who asks, beside the user that they are: what their own policies say, and in which role they act. */
import { type RawString, textFromRaw } from '@spirula/encoding';
import type { UserId } from '../formats/user-id.ts';
import { decodeUserPolicies, USER_POLICY_ATTR } from '../formats/user-policies.ts';
import { decodeStored } from '../store/meta-object.ts';
import type { StoredUser } from '../store/users.ts';
import { type Policy, parsePolicy } from './policy.ts';
import type { Caller, CallerRole } from './principal.ts';

export interface Identity {
  /** Of the user; of the role, when they act in one. */
  readonly policies: readonly Policy[];
  readonly role?: AssumedRole | undefined;
}

/** A role, for a time, under the name of a session. */
interface AssumedRole extends CallerRole {
  readonly id: RawString;
  /** What the session was held to when the role was assumed; none: to nothing more. */
  readonly sessionPolicies: readonly Policy[];
  /** As the token says it. */
  readonly issuedAt: string;
}

export const NO_IDENTITY: Identity = { policies: [] };

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
  };
  parsed.set(attrs, identity);
  return identity;
}
