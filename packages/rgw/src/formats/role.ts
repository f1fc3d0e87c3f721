/** A role that may be assumed (RGWRole, rgw_role.h): what an object `roles.<id>` of the pool of roles holds. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { decodeUserPolicies, encodeUserPolicies, type NamedPolicies } from './user-policies.ts';

export interface Role {
  /** A UUID. */
  readonly id: RawString;
  readonly name: RawString;
  /** `/`, `/app/`. */
  readonly path: RawString;
  /** `arn:aws:iam::TENANT:role/PATH/NAME` */
  readonly arn: RawString;
  /** `2026-11-30T22:03:46.050Z`; radosgw's have no zeros in front of the milliseconds. */
  readonly created: RawString;
  /** Who may assume it: a policy's text. */
  readonly trustPolicy: RawString;
  /** What it may do. */
  readonly policies: NamedPolicies;
  readonly tenant: RawString;
  /** How long a session may be. */
  readonly maxSessionSeconds: number;
}

/** SESSION_DURATION_MIN, _MAX */
export const SESSION_SECONDS = { least: 3600, most: 43_200 } as const;

/** AWS's bound. */
export const ROLE_TAGS = 50;

/** The xattr with a role's tags, encoded as policies are: a map of texts. */
export const ROLE_TAGS_ATTR = 'tagging';

export function encodeRole(to: Encoder, role: Role): void {
  to.struct(3, 1, () => {
    for (const text of [role.id, role.name, role.path, role.arn, role.created, role.trustPolicy]) to.rawString(text);
    encodeUserPolicies(to, role.policies);
    to.rawString(role.tenant);
    to.u64(role.maxSessionSeconds);
  });
}

/** @throws MalformedInput */
export function decodeRole(from: Decoder): Role {
  return from.struct('role', 3, (version) => ({
    id: from.rawString('role id'),
    name: from.rawString('role name'),
    path: from.rawString('role path'),
    arn: from.rawString('role arn'),
    created: from.rawString('creation date'),
    trustPolicy: from.rawString('trust policy'),
    policies: decodeUserPolicies(from),
    tenant: version >= 2 ? from.rawString('tenant') : '',
    maxSessionSeconds: version >= 3 ? from.u64saturating('session duration') : SESSION_SECONDS.least,
  }));
}

/** Where a role's name, and its path, lead to it. */
export function roleNameOid(tenant: RawString, name: RawString): RawString {
  return `${tenant}role_names.${name}`;
}

function rolePathPrefix(tenant: RawString): RawString {
  return `${tenant}role_paths.`;
}

export function rolePathOid({ tenant, path, id }: Pick<Role, 'tenant' | 'path' | 'id'>): RawString {
  return `${rolePathPrefix(tenant)}${path}${roleOid(id)}`;
}

export function roleOid(id: RawString): RawString {
  return `roles.${id}`;
}

/** Of an object that `rolePathOid` names: the path and the id. Undefined: it is none of the tenant's. */
export function parseRolePathOid(
  oid: RawString,
  tenant: RawString,
): { readonly path: RawString; readonly id: RawString } | undefined {
  const prefix = rolePathPrefix(tenant);
  const at = oid.lastIndexOf('roles.');
  if (!oid.startsWith(prefix) || at < prefix.length) return undefined;
  return { path: oid.slice(prefix.length, at), id: oid.slice(at + 'roles.'.length) };
}
