/** Actions of policies, and the permission of an ACL that stands for each (op_to_perm, rgw_iam_policy.h). */
import { Permission } from '../formats/acl.ts';

const READ_OBJECT = [
  'GetObject',
  'GetObjectVersion',
  'GetObjectTagging',
  'GetObjectVersionTagging',
  'GetObjectRetention',
  'GetObjectLegalHold',
  'GetObjectAttributes',
  'GetObjectTorrent',
  'GetObjectVersionTorrent',
  'ListAllMyBuckets',
  'ListBucket',
  'ListBucketMultipartUploads',
  'ListBucketVersions',
  'ListMultipartUploadParts',
] as const;
const WRITE = [
  'AbortMultipartUpload',
  'CreateBucket',
  'DeleteBucket',
  'DeleteObject',
  'DeleteObjectVersion',
  'DeleteObjectTagging',
  'DeleteObjectVersionTagging',
  'PutObject',
  'PutObjectTagging',
  'PutObjectVersionTagging',
  'PutObjectRetention',
  'PutObjectLegalHold',
  'BypassGovernanceRetention',
  'RestoreObject',
] as const;
const READ_ACP = [
  'GetAccelerateConfiguration',
  'GetBucketAcl',
  'GetBucketCORS',
  'GetBucketLocation',
  'GetBucketLogging',
  'GetBucketNotification',
  'GetBucketObjectLockConfiguration',
  'GetBucketOwnershipControls',
  'GetBucketPolicy',
  'GetBucketPolicyStatus',
  'GetBucketPublicAccessBlock',
  'GetBucketRequestPayment',
  'GetBucketTagging',
  'GetBucketVersioning',
  'GetBucketWebsite',
  'GetEncryptionConfiguration',
  'GetLifecycleConfiguration',
  'GetObjectAcl',
  'GetObjectVersionAcl',
  'GetReplicationConfiguration',
] as const;
const WRITE_ACP = [
  'DeleteBucketPolicy',
  'DeleteBucketWebsite',
  'DeleteReplicationConfiguration',
  'PutAccelerateConfiguration',
  'PutBucketAcl',
  'PutBucketCORS',
  'PutBucketLogging',
  'PutBucketNotification',
  'PutBucketObjectLockConfiguration',
  'PutBucketOwnershipControls',
  'PutBucketPolicy',
  'PutBucketPublicAccessBlock',
  'PutBucketRequestPayment',
  'PutBucketTagging',
  'PutBucketVersioning',
  'PutBucketWebsite',
  'PutEncryptionConfiguration',
  'PutLifecycleConfiguration',
  'PutObjectAcl',
  'PutObjectVersionAcl',
  'PutReplicationConfiguration',
] as const;
/** What only policies of users, and of roles, are about. */
const IAM = [
  ...['PutUserPolicy', 'GetUserPolicy', 'ListUserPolicies', 'DeleteUserPolicy'],
  ...['CreateRole', 'GetRole', 'ModifyRole', 'ListRoles', 'DeleteRole'],
  ...['PutRolePolicy', 'GetRolePolicy', 'ListRolePolicies', 'DeleteRolePolicy'],
  ...['TagRole', 'ListRoleTags', 'UntagRole'],
  ...['CreateOIDCProvider', 'GetOIDCProvider', 'ListOIDCProviders', 'DeleteOIDCProvider'],
];
const STS = ['AssumeRole', 'AssumeRoleWithWebIdentity', 'GetSessionToken', 'TagSession'];
const OTHERS = [...IAM.map((name) => `iam:${name}`), ...STS.map((name) => `sts:${name}`)];

const named = <T extends string>(names: readonly T[]) => names.map((name) => `s3:${name}` as const);

export type Action = ReturnType<
  typeof named<(typeof READ_OBJECT | typeof WRITE | typeof READ_ACP | typeof WRITE_ACP)[number]>
>[number];

const permissions = new Map<Action, number>([
  ...named(READ_OBJECT).map((action) => [action, Permission.read] as const),
  ...named(WRITE).map((action) => [action, Permission.write] as const),
  ...named(READ_ACP).map((action) => [action, Permission.readAcp] as const),
  ...named(WRITE_ACP).map((action) => [action, Permission.writeAcp] as const),
]);

/** Of an ACL: what allows the action when no policy says anything. */
export function permissionOf(action: Action): number {
  return permissions.get(action)!;
}

/** All that a policy may name, in lower case: case does not matter there. */
export const KNOWN_ACTIONS: readonly string[] = [...permissions.keys(), ...OTHERS].map((action) =>
  action.toLowerCase(),
);
