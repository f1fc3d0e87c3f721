/** ACLs as requests give them, and as they are stored. */
import {
  type Acl,
  AclGroup,
  FULL_CONTROL,
  GranteeType,
  granteeOf,
  groupGrant,
  Permission,
  type Grant as StoredGrant,
  userGrant,
} from '../../formats/acl.ts';
import { formatUserId, parseUserId } from '../../formats/user-id.ts';
import type { UserInfo } from '../../formats/user-info.ts';
import type { Store } from '../../store/store.ts';
import { type AccessControlPolicy, cannedAcl, type Grant, readGrantHeaders } from '../documents/acl.ts';
import type { Owner } from '../documents/owner.ts';
import { s3Error } from '../s3-errors.ts';

const bits = {
  READ: Permission.read,
  WRITE: Permission.write,
  READ_ACP: Permission.readAcp,
  WRITE_ACP: Permission.writeAcp,
  FULL_CONTROL,
} as const;
type PermissionName = keyof typeof bits;

/** Who no user is. */
export const ANONYMOUS: Owner = { id: 'anonymous', displayName: '' };

export function ownerOf(user: UserInfo): Owner {
  return { id: formatUserId(user.id), displayName: user.displayName };
}

export function ownerOfAcl({ owner }: Acl): Owner {
  return { id: formatUserId(owner.id), displayName: owner.displayName };
}

/** What `x-amz-acl` or `x-amz-grant-…` give a new bucket or object; without them it is private. @throws S3Error */
export async function aclOfHeaders(
  store: Store,
  headers: ReadonlyMap<string, string>,
  owner: Owner,
  bucketOwner: Owner = owner,
): Promise<Acl> {
  const grants = readGrantHeaders(headers);
  if (grants.length > 0) return await storedAcl(store, { owner, grants });
  return await storedAcl(store, cannedAcl(headers.get('x-amz-acl') ?? '', owner, bucketOwner));
}

/** @throws S3Error UnresolvableGrantByEmailAddress, InvalidArgument (there is no such user) */
export async function storedAcl(store: Store, { owner, grants }: AccessControlPolicy): Promise<Acl> {
  const stored: StoredGrant[] = [];
  for (const grant of grants) stored.push(await storedGrant(store, grant, owner));
  return { owner: { id: parseUserId(owner.id), displayName: owner.displayName }, grants: stored };
}

async function storedGrant(store: Store, { grantee, permissions }: Grant, owner: Owner): Promise<StoredGrant> {
  const sum = permissions.reduce((all, name) => all | bits[name], 0);
  switch (grantee.kind) {
    case 'group':
      return groupGrant(grantee.group === 'AllUsers' ? AclGroup.allUsers : AclGroup.authenticatedUsers, sum);
    case 'email': {
      const user = (await store.users.find('email', grantee.email))?.info;
      if (!user) throw s3Error('UnresolvableGrantByEmailAddress');
      return userGrant(user.id, user.displayName, sum);
    }
    default: {
      if (grantee.id === owner.id) return userGrant(parseUserId(owner.id), owner.displayName, sum);
      const user = (await store.users.load(parseUserId(grantee.id)))?.info;
      if (!user) throw s3Error('InvalidArgument', 'There is no user of this id');
      return userGrant(user.id, user.displayName, sum);
    }
  }
}

export function shownAcl({ owner, grants }: Acl): AccessControlPolicy {
  return { owner: { id: formatUserId(owner.id), displayName: owner.displayName }, grants: grants.flatMap(shownGrant) };
}

function shownGrant(grant: StoredGrant): Grant[] {
  const grantee = shownGrantee(grant);
  // One at a time: what clients read.
  return grantee ? namesOf(grant.permissions).map((permission) => ({ grantee, permissions: [permission] })) : [];
}

function shownGrantee({ type, group, id, name }: StoredGrant): Grant['grantee'] | undefined {
  if (type === GranteeType.group) {
    return { kind: 'group', group: group === AclGroup.allUsers ? 'AllUsers' : 'AuthenticatedUsers' };
  }
  return type === GranteeType.user ? { kind: 'user', id: formatUserId(id), displayName: name } : undefined;
}

/** In whatever order the grants stand. */
export function isSameAcl(one: Acl, other: Acl): boolean {
  return aclText(one) === aclText(other);
}

function aclText({ owner, grants }: Acl): string {
  const texts = grants.map((grant) => {
    const { type, group, urlSpec, permissions } = grant;
    return JSON.stringify([type, granteeOf(grant), group, urlSpec, permissions]);
  });
  return JSON.stringify([formatUserId(owner.id), ...texts.sort()]);
}

function namesOf(permissions: number): PermissionName[] {
  if ((permissions & FULL_CONTROL) === FULL_CONTROL) return ['FULL_CONTROL'];
  const names = Object.keys(bits) as PermissionName[];
  return names.filter((name) => name !== 'FULL_CONTROL' && (permissions & bits[name]) !== 0);
}
