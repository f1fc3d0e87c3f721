/** Who a statement is about: `Principal` of bucket policies. */
import type { UserId } from '../formats/user-id.ts';
import { parseArn } from './arn.ts';

export type Principal =
  | { readonly kind: 'everybody' }
  /** All users of a tenant. */
  | { readonly kind: 'tenant'; readonly tenant: string }
  | { readonly kind: 'user'; readonly tenant: string; readonly id: string };

const EVERYBODY: Principal = { kind: 'everybody' };

/** `*`, a tenant, `arn:aws:iam::TENANT:root` or `arn:aws:iam::TENANT:user/ID`. Undefined: it names nobody. */
export function parsePrincipal(text: string): Principal | undefined {
  if (text === '*') return EVERYBODY;
  if (/^[\w-]+$/.test(text)) return { kind: 'tenant', tenant: text };
  const arn = parseArn(text);
  if (arn?.service !== 'iam') return undefined;
  const { account: tenant, resource } = arn;
  if (resource === '*') return EVERYBODY;
  if (resource === 'root') return { kind: 'tenant', tenant };
  const user = /^user\/(?:.*\/)?([^/]+)$/s.exec(resource);
  return user ? { kind: 'user', tenant, id: user[1]! } : undefined;
}

/** @param user undefined: anonymous */
export function isPrincipal(principal: Principal, user: UserId | undefined): boolean {
  if (principal.kind === 'everybody') return true;
  if (user?.tenant !== principal.tenant) return false;
  return principal.kind === 'tenant' || user.id === principal.id;
}
