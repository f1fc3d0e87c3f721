/** Accounts that URLs name (rgw_swift_account_in_url; ThirdPartyAccountApplier, rgw_auth_filters.h). */
import type { RawString } from '@spirula/encoding';
import { parseUserId } from '../formats/user-id.ts';
import type { UserInfo } from '../formats/user-info.ts';
import type { AnonymousContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/**
 * The account that the URL names; undefined: URLs name none. A name without a tenant may be that of a user whose tenant bears it, too
 * (rgw_keystone_implicit_tenants).
 *
 * @throws SwiftError Forbidden: there is no such account
 */
export async function accountInUrl({ request, store }: AnonymousContext): Promise<UserInfo | undefined> {
  if (request.account === undefined) return undefined;
  const id = parseUserId(request.account);
  const tenanted = id.tenant === '' ? await store.users.load({ ...id, tenant: id.id }) : undefined;
  const found = tenanted ?? (await store.users.load(id));
  if (!found) throw new SwiftError('Forbidden', 'There is no such account, or it is not for you');
  return found.info;
}

/** In which tenant the containers of a request are that nobody has signed. @throws SwiftError Forbidden */
export async function tenantOfAccount(context: AnonymousContext): Promise<RawString> {
  return (await accountInUrl(context))?.id.tenant ?? '';
}
