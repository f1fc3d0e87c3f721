/**
 * Who may do what, as radosgw decides it for Swift (verify_bucket_permission, verify_object_permission in rgw_common.cc):
 *
 *   policies of the caller, then of the bucket: one that denies decides, one that allows is enough
 *   what the caller's key is good for: a subuser has no more than it was given
 *   ACLs: of the object, of the container (`X-Container-Read`, `-Write`), of the account (`X-Account-Access-Control`)
 */
import { type RawString, textFromRaw } from '@spirula/encoding';
import { FULL_CONTROL, Permission } from '../formats/acl.ts';
import { formatUserId } from '../formats/user-id.ts';
import type { OpMask, UserInfo } from '../formats/user-info.ts';
import { type Action, permissionOf } from '../iam/actions.ts';
import { bucketArn } from '../iam/arn.ts';
import {
  aclOf,
  allows,
  isAllowedByPolicy,
  isOwner,
  isUserAllowed,
  ownershipOf,
  publicAccessOf,
} from '../s3/operations/access.ts';
import type { AccessContext } from '../s3/operations/request-environment.ts';
import { S3Error } from '../s3/s3-error.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { Head } from '../store/head.ts';
import { Attr } from '../store/object-attrs.ts';
import { type AccountLevel, allowsInAccount } from './account-acl.ts';
import { allowsInContainer, type ContainerNeed } from './container-acl.ts';
import type { SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** What is done to a container, or in it to an object of this name, whatever object is there. @throws SwiftError Unauthorized, Forbidden */
export async function requireContainerAccess(
  context: SwiftContext,
  bucket: StoredBucket,
  action: Action,
  name?: RawString,
): Promise<void> {
  if (isAllowedByPolicies(context, bucket, action, name)) return;
  if (!(await mayIn(context, bucket, needOf(action)))) throw refusal(context);
}

/**
 * What is done to an object that is there.
 *
 * @param changed its metadata, for which there is no action of a policy: none allows it. One that denies the action does, other
 *     than in radosgw.
 * @throws SwiftError Unauthorized, Forbidden
 */
export async function requireObjectAccess(
  context: SwiftContext,
  bucket: StoredBucket,
  { attrs }: Pick<Head, 'attrs'>,
  { action, name, changed }: { readonly action: Action; readonly name: RawString; readonly changed?: 'metadata' },
): Promise<void> {
  const { user, identity } = context;
  if (user?.admin === true) return;
  const isAllowed = isAllowedByPolicies(context, bucket, action, name, attrs.get(Attr.tags));
  if (isAllowed && changed === undefined) return;
  const needed = permissionOf(action);
  if ((identity.permissions & needed) === needed) {
    const acl = ownershipOf(bucket) === 'BucketOwnerEnforced' ? undefined : aclOf(attrs);
    const { ignorePublicAcls } = publicAccessOf(bucket);
    if (acl ? allows(acl, user, needed, ignorePublicAcls) : isOwner(user, bucket)) return;
    const need = needed === Permission.write ? 'write' : 'read';
    if (allowsInContainer(context, bucket, need) || (await allowsInAccount(context, bucket.info.owner, need))) return;
  }
  throw refusal(context);
}

/** An object that is not there is only told of to who may know what there is. @throws SwiftError NotFound, Unauthorized, Forbidden */
export async function refuseMissing(context: SwiftContext, bucket: StoredBucket): Promise<never> {
  const isKnown =
    isOwner(context.user, bucket) ||
    isAllowedByPolicies(context, bucket, 's3:ListBucket') ||
    (await mayIn(context, bucket, 'read'));
  throw isKnown ? new SwiftError('NotFound', 'There is no such object') : refusal(context);
}

/**
 * Changes what is said of a container: whoever may write in it. Who may get at it, and where its old versions go, only its owner and
 * administrators of the account; radosgw leaves that to all who may write.
 *
 * @param denials actions of policies that forbid it: none allows it
 * @throws SwiftError Unauthorized, Forbidden
 */
export async function requireContainerChange(
  context: SwiftContext,
  bucket: StoredBucket,
  { isGoverning, denials }: { readonly isGoverning: boolean; readonly denials: readonly Action[] },
): Promise<void> {
  for (const action of denials) isAllowedByPolicies(context, bucket, action);
  if (await mayIn(context, bucket, isGoverning ? 'govern' : 'write')) return;
  throw refusal(context);
}

/** Reads of an account, or changes it, or says who may. @throws SwiftError Unauthorized, Forbidden */
export async function requireAccountAccess(context: SwiftContext, level: AccountLevel): Promise<UserInfo> {
  const { account } = context;
  if (!context.user || !account) throw new SwiftError('Unauthorized', 'Give a token in X-Auth-Token');
  if (!(await mayInAccount(context, account, level))) throw refusal(context);
  return account;
}

export async function mayInAccount(context: SwiftContext, account: UserInfo, level: AccountLevel): Promise<boolean> {
  const { user, identity } = context;
  if (user?.admin === true) return true;
  const needed = { read: Permission.read, write: Permission.write, admin: FULL_CONTROL }[level];
  if (!user || (identity.permissions & needed) !== needed) return false;
  return formatUserId(user.id) === formatUserId(account.id) || (await allowsInAccount(context, account.id, level));
}

/** Lists an account, or makes a container in it. @throws SwiftError Unauthorized, Forbidden */
export async function requireUserAccess(
  context: SwiftContext,
  action: 's3:ListAllMyBuckets' | 's3:CreateBucket',
  container: RawString,
): Promise<UserInfo> {
  const { account } = context;
  if (!context.user || !account) {
    throw action === 's3:CreateBucket'
      ? refusal(context)
      : new SwiftError('Unauthorized', 'Give a token in X-Auth-Token');
  }
  const resource = bucketArn(account.id.tenant, textFromRaw(container));
  const isOwn = formatUserId(context.user.id) === formatUserId(account.id);
  const isAllowed = explained(context, () => isUserAllowed(accessContextOf(context), action, resource));
  // What a user's own policies say is about their own account.
  if (isAllowed && isOwn) return account;
  return await requireAccountAccess(context, action === 's3:CreateBucket' ? 'write' : 'read');
}

/** What the user may do at all (`--op-mask`). @throws SwiftError Unauthorized */
export function requireOpMask(user: UserInfo | undefined, mask: (typeof OpMask)[keyof typeof OpMask]): void {
  if (user && (user.opMask & mask) === 0) throw new SwiftError('Unauthorized', 'The user may do no such thing');
}

function needOf(action: Action): ContainerNeed {
  if (action === 's3:ListBucket') return 'list';
  return permissionOf(action) === Permission.write ? 'write' : 'read';
}

/** What ACLs say of a container; `govern`: who says who may. */
async function mayIn(context: SwiftContext, bucket: StoredBucket, need: ContainerNeed | 'govern'): Promise<boolean> {
  const { user, identity } = context;
  if (user?.admin === true) return true;
  const needed = { read: Permission.read, list: Permission.read, write: Permission.write, govern: FULL_CONTROL }[need];
  if ((identity.permissions & needed) !== needed) return false;
  const acl = ownershipOf(bucket) === 'BucketOwnerEnforced' ? undefined : aclOf(bucket.attrs);
  // An owner without a grant has what is left to owners: to say who may.
  if (isOwner(user, bucket) && (need === 'govern' || acl === undefined)) return true;
  const { owner } = bucket.info;
  if (need === 'govern') return await allowsInAccount(context, owner, 'admin');
  const isAllowed = allowsInContainer(context, bucket, need);
  return isAllowed || (await allowsInAccount(context, owner, need === 'write' ? 'write' : 'read'));
}

/** False: policies say nothing. @throws SwiftError when one denies it */
function isAllowedByPolicies(
  context: SwiftContext,
  bucket: StoredBucket,
  action: Action,
  name?: RawString,
  tags?: Uint8Array,
): boolean {
  if (context.user?.admin === true) return true;
  return explained(context, () => isAllowedByPolicy(accessContextOf(context), bucket, action, name, tags));
}

function explained<T>(context: SwiftContext, decide: () => T): T {
  try {
    return decide();
  } catch (error) {
    throw error instanceof S3Error && error.code === 'AccessDenied' ? refusal(context, error.message) : error;
  }
}

/** 401 to those who gave no token and read or write an object, 403 otherwise: as radosgw. */
function refusal({ user, request }: SwiftContext, message = 'It is not allowed to you'): SwiftError {
  const { method, headers } = request.http;
  const isPlain = request.kind === 'object' && /^(GET|HEAD|PUT|DELETE)$/.test(method) && !headers.has('x-copy-from');
  return new SwiftError(!user && isPlain ? 'Unauthorized' : 'Forbidden', message);
}

const contexts = new WeakMap<SwiftContext, AccessContext>();

/** Swift's parameters under the names that conditions of policies have for them. */
function accessContextOf(context: SwiftContext): AccessContext {
  const known = contexts.get(context);
  if (known) return known;
  const { user, identity, now, request } = context;
  const params = new Map(request.params);
  const path = params.get('path');
  if (path !== undefined) params.set('prefix', path === '' ? '' : `${path.replace(/\/$/, '')}/`).set('delimiter', '/');
  const limit = params.get('limit');
  if (limit !== undefined) params.set('max-keys', limit);
  const made = { user, identity, now, request: { http: request.http, params } };
  contexts.set(context, made);
  return made;
}
