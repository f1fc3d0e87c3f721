/**
 * Who may do what: policies, then ACLs (verify_bucket_permission and verify_object_permission in rgw_common.cc).
 *
 *   policies deny: nobody may but administrators  ·  allow: they may  ·  say nothing: ACLs, which may leave an owner only themselves
 */
import { fromUtf8, type RawString, textFromRaw } from '@spirula/encoding';
import { type Acl, AclGroup, decodeAcl, type Grant, GranteeType, Permission } from '../../formats/acl.ts';
import { decoded } from '../../formats/encoded.ts';
import { decodeOwnership, type Ownership } from '../../formats/ownership.ts';
import { decodePublicAccess, NO_PUBLIC_ACCESS_BLOCK, type PublicAccessBlock } from '../../formats/public-access.ts';
import { decodeTags } from '../../formats/tags.ts';
import { formatUserId } from '../../formats/user-id.ts';
import type { OpMask, UserInfo } from '../../formats/user-info.ts';
import { type Action, permissionOf } from '../../iam/actions.ts';
import { type Arn, bucketArn } from '../../iam/arn.ts';
import { decide } from '../../iam/decide.ts';
import { callerOf, type Identity } from '../../iam/identity.ts';
import { type Access, isPublic, type Policy, parsePolicy } from '../../iam/policy.ts';
import { BucketAttr, type StoredBucket } from '../../store/buckets.ts';
import type { Head } from '../../store/head.ts';
import { Attr } from '../../store/object-attrs.ts';
import { s3Error } from '../s3-errors.ts';
import type { OperationContext } from './operation.ts';
import { type AccessContext, environmentOf } from './request-environment.ts';

/** Undefined: it has none, and its owner alone may do anything. */
export function aclOf(attrs: ReadonlyMap<RawString, Uint8Array>): Acl | undefined {
  const value = attrs.get(Attr.acl);
  return value && decoded(decodeAcl, value);
}

/** @throws S3Error AccessDenied */
export function requireUser(user: UserInfo | undefined): UserInfo {
  if (!user) throw s3Error('AccessDenied');
  return user;
}

/** What the user may do at all (`--op-mask`). @throws S3Error AccessDenied */
export function requireOpMask(user: UserInfo | undefined, mask: (typeof OpMask)[keyof typeof OpMask]): void {
  if (user && (user.opMask & mask) === 0) throw s3Error('AccessDenied');
}

export function isOwner(user: UserInfo | undefined, bucket: StoredBucket): boolean {
  return user !== undefined && formatUserId(user.id) === formatUserId(bucket.info.owner);
}

/**
 * What is allowed by the bucket's ACL, unless its policy says otherwise.
 *
 * @param key the action is about an object of this name
 * @throws S3Error AccessDenied
 */
export function requireBucketAccess(
  context: OperationContext,
  bucket: StoredBucket,
  action: Action,
  key?: RawString,
): void {
  const { user, identity } = context;
  if (user?.admin === true || isAllowedByPolicy(context, bucket, action, key)) return;
  // ACLs are about users, not about roles.
  if (identity.role || !isPermitted(identity, action)) throw s3Error('AccessDenied');
  const acl = ownershipOf(bucket) === 'BucketOwnerEnforced' ? undefined : aclOf(bucket.attrs);
  const ignoresPublic = publicAccessOf(bucket).ignorePublicAcls;
  if (acl === undefined ? isOwner(user, bucket) : allows(acl, user, permissionOf(action), ignoresPublic)) return;
  if (isAllowedByContainer(user, bucket, permissionOf(action))) return;
  throw s3Error('AccessDenied');
}

/** What is allowed by the object's ACL, unless the bucket's policy says otherwise. @throws S3Error AccessDenied */
export function requireObjectAccess(
  context: OperationContext,
  bucket: StoredBucket,
  { attrs }: Pick<Head, 'attrs'>,
  action: Action,
  key: RawString = context.request.key,
): void {
  const { user, identity } = context;
  if (user?.admin === true || isAllowedByPolicy(context, bucket, action, key, attrs.get(Attr.tags))) return;
  if (identity.role || !isPermitted(identity, action)) throw s3Error('AccessDenied');
  const acl = ownershipOf(bucket) === 'BucketOwnerEnforced' ? undefined : aclOf(attrs);
  const ignoresPublic = publicAccessOf(bucket).ignorePublicAcls;
  if (acl === undefined ? isOwner(user, bucket) : allows(acl, user, permissionOf(action), ignoresPublic)) return;
  if (isAllowedByContainer(user, bucket, permissionOf(action))) return;
  throw s3Error('AccessDenied');
}

/** Swift's containers say for all their objects who may read and write them (rgw_enforce_swift_acls). */
function isAllowedByContainer(user: UserInfo | undefined, bucket: StoredBucket, permission: number): boolean {
  const bit = swiftBits.get(permission);
  const acl = bit === undefined || ownershipOf(bucket) === 'BucketOwnerEnforced' ? undefined : aclOf(bucket.attrs);
  return acl !== undefined && allows(acl, user, bit!, publicAccessOf(bucket).ignorePublicAcls);
}

const swiftBits = new Map<number, number>([
  [Permission.read, Permission.readObjs],
  [Permission.readAcp, Permission.readObjs],
  [Permission.write, Permission.writeObjs],
]);

/** What the bucket's owner may do, and those whom its policy allows it. @throws S3Error AccessDenied */
export function requireOwnerAccess(context: OperationContext, bucket: StoredBucket, action: Action): void {
  const { user, identity } = context;
  if (user?.admin === true || isAllowedByPolicy(context, bucket, action)) return;
  if (!isOwner(user, bucket) || !mayKeepHouse(identity, action)) throw s3Error('AccessDenied');
}

/** Whether ACLs may let them do it. */
function isPermitted({ permissions }: Identity, action: Action): boolean {
  const needed = permissionOf(action);
  return (permissions & needed) === needed;
}

/**
 * Settings that radosgw lets every subuser of the owner read and change (verify_bucket_owner_or_policy). Here those who may only read
 * change none.
 */
const HOUSEKEEPING: ReadonlySet<Action> = new Set([
  's3:GetBucketCORS',
  's3:GetBucketLocation',
  's3:GetBucketLogging',
  's3:GetBucketNotification',
  's3:GetBucketObjectLockConfiguration',
  's3:GetBucketRequestPayment',
  's3:GetBucketVersioning',
  's3:GetBucketWebsite',
  's3:GetEncryptionConfiguration',
  's3:DeleteBucketWebsite',
  's3:PutBucketCORS',
  's3:PutBucketLogging',
  's3:PutBucketNotification',
  's3:PutBucketObjectLockConfiguration',
  's3:PutBucketRequestPayment',
  's3:PutBucketTagging',
  's3:PutBucketVersioning',
  's3:PutBucketWebsite',
  's3:PutEncryptionConfiguration',
]);

function mayKeepHouse(identity: Identity, action: Action): boolean {
  if (!HOUSEKEEPING.has(action)) return isPermitted(identity, action);
  if (permissionOf(action) === Permission.readAcp || identity.role) return true;
  return (identity.permissions & Permission.write) !== 0;
}

/**
 * An object that is not there is only told of to who may list the bucket: others are not to learn what there is.
 *
 * @throws S3Error NoSuchKey, AccessDenied
 */
export function missingObject(context: OperationContext, bucket: StoredBucket): Error {
  if (isOwner(context.user, bucket) && !context.identity.role) return s3Error('NoSuchKey');
  try {
    requireBucketAccess(context, bucket, 's3:ListBucket');
  } catch (error) {
    return error as Error;
  }
  return s3Error('NoSuchKey');
}

/** Whose its objects are, and whether ACLs count. */
export function ownershipOf({ attrs }: StoredBucket): Ownership {
  const value = attrs.get(BucketAttr.ownership);
  return value ? decoded(decodeOwnership, value) : 'ObjectWriter';
}

export function publicAccessOf({ attrs }: StoredBucket): PublicAccessBlock {
  const value = attrs.get(BucketAttr.publicAccess);
  return value ? decoded(decodePublicAccess, value) : NO_PUBLIC_ACCESS_BLOCK;
}

/** By the attributes of buckets: those that are remembered are parsed once. */
const policies = new WeakMap<StoredBucket['attrs'], Policy>();

export function policyOf({ attrs, info }: StoredBucket): Policy | undefined {
  const known = policies.get(attrs);
  if (known) return known;
  const text = attrs.get(BucketAttr.policy);
  if (!text) return undefined;
  const policy = parsePolicy(fromUtf8(text), 'bucket', info.bucket.tenant);
  policies.set(attrs, policy);
  return policy;
}

/** Whether anybody may do what is private otherwise. */
export function isPublicAcl({ grants }: Acl): boolean {
  return grants.some((grant) => isForMany(grant) && grant.permissions !== 0);
}

/** @throws S3Error AccessDenied: the public access block of the bucket takes no such ACL */
export function requirePrivateAcl(bucket: StoredBucket, acl: Acl): void {
  if (!publicAccessOf(bucket).blockPublicAcls || !isPublicAcl(acl)) return;
  throw s3Error('AccessDenied', 'The public access block of the bucket takes no ACL that lets in everybody');
}

/** False: policies say nothing. @throws S3Error AccessDenied when one denies it, or the request is not paid for */
export function isAllowedByPolicy(
  context: AccessContext,
  bucket: StoredBucket,
  action: Action,
  key?: RawString,
  tags?: Uint8Array,
): boolean {
  const { user, identity, request } = context;
  if (
    bucket.info.requesterPays &&
    !isOwner(user, bucket) &&
    request.http.headers.get('x-amz-request-payer') !== 'requester'
  ) {
    throw s3Error('AccessDenied', 'Who asks must be ready to pay: x-amz-request-payer');
  }
  const policy = policyOf(bucket);
  if (!policy && identity.policies.length === 0 && !identity.role) return false;
  const { tenant, name } = bucket.info.bucket;
  const resource = bucketArn(tenant, name, key === undefined ? undefined : textFromRaw(key));
  const access = accessOf(context, action, resource, tags);
  const decision = decide(identity, policy && { policy, isRestricted: isRestricted(context, bucket, policy) }, access);
  if (decision === 'denied') throw s3Error('AccessDenied', 'A policy denies it');
  return decision === 'allowed';
}

function isRestricted({ user }: AccessContext, bucket: StoredBucket, policy: Policy): boolean {
  const { restrictPublicBuckets } = publicAccessOf(bucket);
  return restrictPublicBuckets && user?.id.tenant !== bucket.info.bucket.tenant && isPublic(policy);
}

function accessOf(context: AccessContext, action: string, resource: Arn, tags?: Uint8Array): Access {
  const { user, identity } = context;
  const environment = new Map(environmentOf(context));
  if (tags) {
    for (const [tag, value] of decoded(decodeTags, tags)) {
      environment.set(`s3:existingobjecttag/${textFromRaw(tag)}`, [textFromRaw(value)]);
    }
  }
  return { caller: user && callerOf(user.id, identity), action, resource, environment };
}

/**
 * What any user may do unless their own policies say otherwise, and a role when its policies say so. radosgw lets all subusers make
 * buckets; here those who may write.
 *
 * @throws S3Error AccessDenied
 */
export function requireUserAccess(context: AccessContext, action: Action, resource: Arn): void {
  const { identity } = context;
  if (isUserAllowed(context, action, resource)) return;
  if (identity.role || (action === 's3:CreateBucket' && !isPermitted(identity, action))) throw s3Error('AccessDenied');
}

/** False: policies say nothing. @throws S3Error AccessDenied when one denies it */
export function isUserAllowed(context: AccessContext, action: Action, resource: Arn): boolean {
  if (context.user?.admin === true) return true;
  const decision = decide(context.identity, undefined, accessOf(context, action, resource));
  if (decision === 'denied') throw s3Error('AccessDenied', 'A policy denies it');
  return decision === 'allowed';
}

/**
 * What nobody may do whose own policies do not allow it, unless they have the administrator's capability for it.
 *
 * @throws S3Error AccessDenied
 */
export function requireGrantedAccess(
  context: OperationContext,
  action: string,
  resource: Arn,
  cap?: { readonly kind: string; readonly mask: number },
): UserInfo {
  const user = requireUser(context.user);
  if (user.admin || (cap && ((user.caps.get(cap.kind) ?? 0) & cap.mask) === cap.mask)) return user;
  if (decide(context.identity, undefined, accessOf(context, action, resource)) === 'allowed') return user;
  throw s3Error('AccessDenied');
}

export function allows(acl: Acl, user: UserInfo | undefined, permission: number, ignoresPublic: boolean): boolean {
  const id = user && formatUserId(user.id);
  // The owner can always change who may do what.
  const own = id === formatUserId(acl.owner.id) ? Permission.readAcp | Permission.writeAcp : 0;
  const granted = acl.grants
    .filter((grant) => isFor(grant, id) && !(ignoresPublic && isForMany(grant)))
    .reduce((sum, { permissions }) => sum | permissions, own);
  return (granted & permission) === permission;
}

function isForMany({ type }: Grant): boolean {
  return type === GranteeType.group || type === GranteeType.referer;
}

function isFor(grant: Grant, id: RawString | undefined): boolean {
  switch (grant.type) {
    case GranteeType.user:
      return id !== undefined && formatUserId(grant.id) === id;
    case GranteeType.referer:
      return grant.urlSpec === '*';
    case GranteeType.group:
      return grant.group === AclGroup.allUsers || (grant.group === AclGroup.authenticatedUsers && id !== undefined);
    default:
      return false;
  }
}
