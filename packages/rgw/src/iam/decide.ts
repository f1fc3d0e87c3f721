/**
 * What all policies together say of a request (verify_bucket_permission, verify_object_permission): of who asks, of the bucket,
 * of a session. One that denies decides.
 *
 *   no session policy    the caller's own or the bucket's allows: allowed                  neither is about it: ACLs decide
 *   a session policy     it allows, and so does the caller's own or the bucket's: allowed  else nobody may
 *                        the bucket's allows this very session: allowed, whatever the session was held to
 */
import type { Identity } from './identity.ts';
import { type Access, allowsSession, evaluate, type Policy, type Verdict } from './policy.ts';

export type Decision = 'allowed' | 'denied' | 'undecided';

export interface BucketPolicy {
  readonly policy: Policy;
  /** What it allows counts for nothing: see RestrictPublicBuckets. */
  readonly isRestricted: boolean;
}

export function decide(
  identity: Pick<Identity, 'policies' | 'role'>,
  bucket: BucketPolicy | undefined,
  access: Access,
): Decision {
  const own = evaluate(identity.policies, access);
  const buckets = verdictOf(bucket, access);
  if (own === 'Deny' || buckets === 'Deny') return 'denied';
  const sessionPolicies = identity.role?.sessionPolicies ?? [];
  if (sessionPolicies.length === 0) return own === 'Allow' || buckets === 'Allow' ? 'allowed' : 'undecided';
  const session = evaluate(sessionPolicies, access);
  if (session === 'Deny') return 'denied';
  if (session === 'Allow' && (own === 'Allow' || buckets === 'Allow')) return 'allowed';
  return buckets === 'Allow' && bucket && allowsSession(bucket.policy, access) ? 'allowed' : 'denied';
}

function verdictOf(bucket: BucketPolicy | undefined, access: Access): Verdict {
  if (!bucket) return 'pass';
  const verdict = evaluate([bucket.policy], access);
  return verdict === 'Allow' && bucket.isRestricted ? 'pass' : verdict;
}
