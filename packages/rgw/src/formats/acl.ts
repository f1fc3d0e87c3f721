/** Who may do what (RGWAccessControlPolicy, rgw_acl.h): the xattr `user.rgw.acl` of buckets and heads. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { ascending } from './ascending.ts';
import { decodeUserIdText, encodeUserIdText, formatUserId, type UserId } from './user-id.ts';

/** RGW_PERM_*. */
export const Permission = {
  read: 0x1,
  write: 0x2,
  readAcp: 0x4,
  writeAcp: 0x8,
  readObjs: 0x10,
  writeObjs: 0x20,
} as const;
export const FULL_CONTROL = 0xf;

/** ACLGranteeTypeEnum. */
export const GranteeType = { user: 0, email: 1, group: 2, unknown: 3, referer: 4 } as const;
/** ACLGroupTypeEnum. */
export const AclGroup = { none: 0, allUsers: 1, authenticatedUsers: 2 } as const;

/** ACLGrant. Which of the fields say who it is for, `type` says. */
export interface Grant {
  readonly type: number;
  readonly id: UserId;
  /** The user's display name. */
  readonly name: RawString;
  readonly email: RawString;
  readonly group: number;
  /** Of a Swift referer: `*`, a host, or `.domain`. */
  readonly urlSpec: RawString;
  /** `Permission`s. */
  readonly permissions: number;
}

export interface Acl {
  readonly owner: { readonly id: UserId; readonly displayName: RawString };
  readonly grants: readonly Grant[];
}

const NOBODY: UserId = { tenant: '', ns: '', id: '' };
const NO_GRANT: Grant = {
  type: GranteeType.unknown,
  id: NOBODY,
  name: '',
  email: '',
  group: AclGroup.none,
  urlSpec: '',
  permissions: 0,
};
const ANY_REFERER = '*';
/** Least bytes of a grant under its user: a struct, two of one number, six strings, a number. */
const GRANT_BYTES = 4 + 6 + 2 * (6 + 4) + 5 * 4 + 4;

export function userGrant(id: UserId, name: RawString, permissions: number): Grant {
  return { ...NO_GRANT, type: GranteeType.user, id, name, permissions };
}

export function groupGrant(group: number, permissions: number): Grant {
  return { ...NO_GRANT, type: GranteeType.group, group, permissions };
}

export function refererGrant(urlSpec: RawString, permissions: number): Grant {
  return { ...NO_GRANT, type: GranteeType.referer, urlSpec, permissions };
}

/** The owner may do all, others nothing. */
export function privateAcl(id: UserId, displayName: RawString): Acl {
  return { owner: { id, displayName }, grants: [userGrant(id, displayName, FULL_CONTROL)] };
}

/** The user that a grant is for, as text; '' for groups and referers. */
export function granteeOf(grant: Grant): RawString {
  if (grant.type === GranteeType.email) return grant.email;
  if (grant.type === GranteeType.group || grant.type === GranteeType.referer) return '';
  return formatUserId(grant.id);
}

function encodeGrant(to: Encoder, grant: Grant): void {
  to.struct(5, 3, () => {
    to.struct(2, 2, () => to.u32(grant.type));
    encodeUserIdText(to, grant.id);
    to.rawString(''); // the URI of a group, once
    to.rawString(grant.email);
    to.struct(2, 2, () => to.u32(grant.permissions));
    to.rawString(grant.name);
    to.u32(grant.group);
    to.rawString(grant.urlSpec);
  });
}

function decodeGrant(from: Decoder): Grant {
  return from.struct('grant', 5, (version) => {
    if (version < 3) from.fail('grant', `of version ${version}, which had no length`);
    const type = from.struct('grantee type', 2, () => from.u32('type'));
    const id = decodeUserIdText(from);
    from.blob('uri');
    const email = from.rawString('email');
    const permissions = from.struct('permission', 2, () => from.u32('flags'));
    const name = from.rawString('name');
    const group = from.u32('group');
    return { type, id, name, email, group, permissions, urlSpec: version >= 5 ? from.rawString('url spec') : '' };
  });
}

/** What all grants to one user or group add up to; kept beside the grants so that requests are answered at once. */
function summed<K>(grants: readonly Grant[], keyOf: (grant: Grant) => K | undefined): Map<K, number> {
  const sums = new Map<K, number>();
  for (const grant of grants) {
    const key = keyOf(grant);
    if (key !== undefined) sums.set(key, (sums.get(key) ?? 0) | grant.permissions);
  }
  return sums;
}

function groupOf({ type, group, urlSpec }: Grant): number | undefined {
  if (type === GranteeType.group) return group;
  // Swift's "any referer" is S3's "all users".
  return type === GranteeType.referer && urlSpec === ANY_REFERER ? AclGroup.allUsers : undefined;
}

function userOf(grant: Grant): RawString | undefined {
  return grant.type === GranteeType.group || grant.type === GranteeType.referer ? undefined : granteeOf(grant);
}

function encodeGrants(to: Encoder, grants: readonly Grant[]): void {
  const byGrantee = grants
    .map((grant) => ({ grantee: granteeOf(grant), grant }))
    .sort((a, b) => (a.grantee < b.grantee ? -1 : a.grantee > b.grantee ? 1 : 0));
  to.struct(4, 3, () => {
    to.bool(true); // the sums are there
    to.map(
      ascending(summed(grants, userOf)),
      (user) => to.rawString(user),
      (permissions) => to.i32(permissions),
    );
    to.list(byGrantee, ({ grantee, grant }) => {
      to.rawString(grantee);
      encodeGrant(to, grant);
    });
    to.map(
      ascending(summed(grants, groupOf)),
      (group) => to.u32(group),
      (permissions) => to.i32(permissions),
    );
    const referers = grants.filter(({ type }) => type === GranteeType.referer);
    to.list(referers, ({ urlSpec, permissions }) =>
      to.struct(1, 1, () => {
        to.rawString(urlSpec);
        to.u32(permissions);
      }),
    );
  });
}

/** What the sums said follows from the grants. */
function decodeGrants(from: Decoder): Grant[] {
  return from.struct('access control list', 4, (version) => {
    if (version < 3) from.fail('access control list', `of version ${version}, which had no length`);
    from.bool('sums are there');
    from.list('users', 8, () => {
      from.blob('user');
      from.i32('permissions');
    });
    return from.list('grants', GRANT_BYTES, () => {
      from.blob('grantee');
      return decodeGrant(from);
    });
  });
}

export function encodeAcl(to: Encoder, { owner, grants }: Acl): void {
  to.struct(2, 2, () => {
    to.struct(3, 2, () => {
      encodeUserIdText(to, owner.id);
      to.rawString(owner.displayName);
    });
    encodeGrants(to, grants);
  });
}

/** @throws MalformedInput */
export function decodeAcl(from: Decoder): Acl {
  return from.struct('access control policy', 2, () => ({
    owner: from.struct('owner', 3, () => ({ id: decodeUserIdText(from), displayName: from.rawString('display name') })),
    grants: decodeGrants(from),
  }));
}
