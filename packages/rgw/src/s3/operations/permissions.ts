/** Who may do what, by the ACLs of buckets and objects (verify_bucket_permission, verify_object_permission). */
import type { RawString } from '@spirula/encoding';
import { type Acl, AclGroup, decodeAcl, type Grant, GranteeType, Permission } from '../../formats/acl.ts';
import { decoded } from '../../formats/encoded.ts';
import { formatUserId } from '../../formats/user-id.ts';
import type { OpMask, UserInfo } from '../../formats/user-info.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import type { Head } from '../../store/head.ts';
import { Attr } from '../../store/object-attrs.ts';
import { s3Error } from '../s3-errors.ts';

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

/** @throws S3Error AccessDenied */
export function requireBucketPermission(user: UserInfo | undefined, bucket: StoredBucket, permission: number): void {
  if (isOwner(user, bucket) || user?.admin === true) return;
  const acl = aclOf(bucket.attrs);
  if (acl === undefined || !allows(acl, user, permission)) throw s3Error('AccessDenied');
}

/** @throws S3Error AccessDenied */
export function requireObjectPermission(
  user: UserInfo | undefined,
  bucket: StoredBucket,
  head: Head,
  permission: number,
): void {
  if (user?.admin === true) return;
  const acl = aclOf(head.attrs);
  if (acl === undefined ? isOwner(user, bucket) : allows(acl, user, permission)) return;
  throw s3Error('AccessDenied');
}

/**
 * An object that is not there is only told of to who may list the bucket: others are not to learn what there is.
 *
 * @throws S3Error NoSuchKey, AccessDenied
 */
export function missingObject(user: UserInfo | undefined, bucket: StoredBucket): Error {
  try {
    requireBucketPermission(user, bucket, Permission.read);
  } catch (error) {
    return error as Error;
  }
  return s3Error('NoSuchKey');
}

function allows(acl: Acl, user: UserInfo | undefined, permission: number): boolean {
  const id = user && formatUserId(user.id);
  // The owner can always change who may do what.
  const own = id === formatUserId(acl.owner.id) ? Permission.readAcp | Permission.writeAcp : 0;
  const granted = acl.grants
    .filter((grant) => isFor(grant, id))
    .reduce((sum, { permissions }) => sum | permissions, own);
  return (granted & permission) === permission;
}

function isFor(grant: Grant, id: RawString | undefined): boolean {
  switch (grant.type) {
    case GranteeType.user:
      return id !== undefined && formatUserId(grant.id) === id;
    case GranteeType.group:
      return grant.group === AclGroup.allUsers || (grant.group === AclGroup.authenticatedUsers && id !== undefined);
    default:
      return false;
  }
}
