/** Who a statement is about: `Principal` of bucket policies. */
import type { UserId } from '../formats/user-id.ts';
import { parseArn } from './arn.ts';

/** Who asks, as policies name them. */
export interface Caller {
  readonly id: UserId;
  /** In which role; the user is who assumed it. */
  readonly role?: CallerRole | undefined;
}

export interface CallerRole {
  readonly tenant: string;
  /** `/`, `/app/`. */
  readonly path: string;
  readonly name: string;
  readonly session: string;
}

export type Principal =
  | { readonly kind: 'everybody' }
  /** Whom nobody here is: the users of an identity provider, a service of AWS's. */
  | { readonly kind: 'stranger' }
  /** All users of a tenant. */
  | { readonly kind: 'tenant'; readonly tenant: string }
  | { readonly kind: 'user'; readonly tenant: string; readonly id: string }
  /** `name` with its path in front, or without. */
  | { readonly kind: 'role'; readonly tenant: string; readonly name: string }
  /** `name` is of the role, then of the session: `reader/ada`. */
  | { readonly kind: 'assumedRole'; readonly tenant: string; readonly name: string };

const EVERYBODY: Principal = { kind: 'everybody' };
export const STRANGER: Principal = { kind: 'stranger' };

/**
 * `*`, a tenant, `arn:aws:iam::TENANT:root`, `arn:aws:iam::TENANT:user/ID`, `arn:aws:iam::TENANT:role/PATH/NAME` or
 * `arn:aws:sts::TENANT:assumed-role/PATH/NAME/SESSION`. Undefined: it names nobody.
 */
export function parsePrincipal(text: string): Principal | undefined {
  if (text === '*') return EVERYBODY;
  if (/^[\w-]+$/.test(text)) return { kind: 'tenant', tenant: text };
  const arn = parseArn(text);
  if (!arn) return undefined;
  const { service, account: tenant, resource } = arn;
  if (service === 'sts') return named('assumedRole', /^assumed-role\/(.+\/.+)$/s, tenant, resource);
  if (service !== 'iam') return undefined;
  if (resource === '*') return EVERYBODY;
  if (resource === 'root') return { kind: 'tenant', tenant };
  const user = /^user\/(?:.*\/)?([^/]+)$/s.exec(resource);
  return user ? { kind: 'user', tenant, id: user[1]! } : named('role', /^role\/(.+)$/s, tenant, resource);
}

function named(kind: 'role' | 'assumedRole', pattern: RegExp, tenant: string, resource: string): Principal | undefined {
  const name = pattern.exec(resource)?.[1];
  return name === undefined ? undefined : { kind, tenant, name };
}

/** @param caller undefined: anonymous */
export function isPrincipal(principal: Principal, caller: Caller | undefined): boolean {
  if (principal.kind === 'everybody') return true;
  if (!caller || principal.kind === 'stranger') return false;
  const { id, role } = caller;
  switch (principal.kind) {
    // Who acts in a role is not of a tenant's users.
    case 'tenant':
      return !role && id.tenant === principal.tenant;
    case 'user':
      return id.tenant === principal.tenant && id.id === principal.id;
    case 'role':
      return isRole(principal, role, '');
    case 'assumedRole':
      return isRole(principal, role, `/${role?.session}`);
  }
}

/** Whether it stands for this one session of a role, however the role may be asked for. */
export function isOfSession({ kind }: Principal): boolean {
  return kind === 'assumedRole' || kind === 'user';
}

function isRole(
  { tenant, name }: { readonly tenant: string; readonly name: string },
  role: CallerRole | undefined,
  suffix: string,
): boolean {
  if (role?.tenant !== tenant) return false;
  return name === `${role.name}${suffix}` || name === `${role.path.slice(1)}${role.name}${suffix}`;
}
