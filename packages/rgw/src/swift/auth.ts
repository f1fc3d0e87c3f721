/** TempAuth: a name and a key for a token; a token for a user (RGW_SWIFT_Auth_Get, rgw_swift_auth.cc). */
import { bytesFromRaw, EMPTY, type RawString, type UTime } from '@spirula/encoding';
import type { Crypto } from '@spirula/world';
import { formatUserId } from '../formats/user-id.ts';
import type { UserInfo } from '../formats/user-info.ts';
import type { HttpRequest, HttpResponse } from '../http.ts';
import { type Identity, identityOf, permissionsOfKey } from '../iam/identity.ts';
import type { Keystone } from '../keystone/keystone.ts';
import type { Store } from '../store/store.ts';
import { SwiftError } from './swift-error.ts';
import { isOwnToken, isSignedWith, makeToken, readToken, TOKEN_SECONDS } from './tokens.ts';

export interface Caller {
  readonly user: UserInfo;
  readonly identity: Identity;
  /** As what containers may name the caller, beside the user. */
  readonly aclNames?: readonly RawString[];
}

interface Ports {
  readonly store: Store;
  readonly crypto: Crypto;
  readonly now: UTime;
}

/** Where a client is sent: the gateway as it named it. */
function storageUrl({ secure, headers }: HttpRequest, account: UserInfo | undefined): string {
  const path = account ? `/AUTH_${formatUserId(account.id)}` : '';
  return `http${secure ? 's' : ''}://${headers.get('host') ?? 'localhost'}/swift/v1${path}`;
}

/** @throws SwiftError Unauthorized */
export async function giveToken(
  http: HttpRequest,
  { store, crypto, now, hasAccountInUrl }: Ports & { readonly hasAccountInUrl: boolean },
): Promise<HttpResponse> {
  if (http.method !== 'GET') throw new SwiftError('MethodNotAllowed', 'Tokens are asked for by GET');
  const name = http.headers.get('x-auth-user') ?? http.headers.get('x-storage-user') ?? '';
  const given = http.headers.get('x-auth-key') ?? http.headers.get('x-storage-pass') ?? '';
  const found = await findSwiftKey(store, name);
  if (!found || !crypto.timingSafeEqual(bytesFromRaw(given), bytesFromRaw(found.secret))) {
    throw new SwiftError('Unauthorized', 'The name and the key do not fit together');
  }
  const token = makeToken(crypto, name, found.secret, now);
  const headers = [
    ['X-Storage-Url', storageUrl(http, hasAccountInUrl ? found.user : undefined)],
    ['X-Storage-Token', token],
    ['X-Auth-Token', token],
    ['X-Auth-Token-Expires', String(TOKEN_SECONDS)],
  ] as const;
  return { status: 204, headers, body: EMPTY };
}

/** Whose token a request brings; undefined: it brings none. @throws SwiftError Unauthorized, KeystoneUnavailable */
export async function findCaller(
  http: HttpRequest,
  { store, crypto, now }: Ports,
  keystone: Keystone | undefined,
): Promise<Caller | undefined> {
  const token = http.headers.get('x-auth-token') ?? http.headers.get('x-storage-token');
  if (token === undefined || token === '') return undefined;
  if (keystone && !isOwnToken(token)) {
    const vouchedFor = await keystone.authenticate(token);
    if (vouchedFor) return vouchedFor;
    throw new SwiftError('Unauthorized', 'Keystone lets nobody in with this token');
  }
  const claim = readToken(token, now);
  const found = claim && (await findSwiftKey(store, claim.name));
  if (!found || !isSignedWith(crypto, claim, found.secret)) {
    throw new SwiftError('Unauthorized', 'The token is not good, or not any more');
  }
  const { user, identity } = found;
  return { user, identity };
}

async function findSwiftKey(
  store: Store,
  name: RawString,
): Promise<(Caller & { readonly secret: RawString }) | undefined> {
  const found = await store.users.find('swiftName', name);
  const key = found?.info.swiftKeys.get(name);
  if (!found || !key || found.info.suspended) return undefined;
  const { info: user } = found;
  const subuser = key.subuser || name.slice(formatUserId(user.id).length + 1);
  return { user, secret: key.secret, identity: { ...identityOf(found), permissions: permissionsOfKey(user, subuser) } };
}
