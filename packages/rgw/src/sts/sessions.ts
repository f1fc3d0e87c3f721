/** Sessions: keys that count for a time, with a token that says whose they are (rgw_sts.cc, STSEngine::authenticate). */
import { addSeconds, type Bytes, compareUTimes, type RawString, textFromRaw, type UTime } from '@spirula/encoding';
import type { World } from '@spirula/world';
import type { Role } from '../formats/role.ts';
import { IdentityType, type SessionToken } from '../formats/session-token.ts';
import type { UserInfo } from '../formats/user-info.ts';
import { type Identity, identityOf } from '../iam/identity.ts';
import { parsePolicy } from '../iam/policy.ts';
import { formatIsoDate, parseIsoDate } from '../s3/http-date.ts';
import { s3Error } from '../s3/s3-errors.ts';
import { randomAlphanumeric, randomUpper } from '../store/entropy.ts';
import type { Store } from '../store/store.ts';
import { openToken, sealToken, stsKey } from './sealed-token.ts';

export type SessionWorld = Pick<World, 'clock' | 'config' | 'crypto'>;

/** As radosgw's are. */
const ACCESS_KEY_LENGTH = 19;
const SECRET_LENGTH = 39;

/** What a client gets. */
export interface Credentials {
  readonly accessKey: RawString;
  readonly secret: RawString;
  readonly expiration: RawString;
  readonly token: string;
}

/** What a new session is of. */
export interface NewSession {
  readonly user: UserInfo;
  /** `Permission`s of whoever asks for it. */
  readonly permissions: number;
  readonly seconds: number;
  /** Undefined: it is the user's own. */
  readonly role?: { readonly role: Role; readonly session: RawString; readonly policy: RawString };
}

/** @throws S3Error InvalidArgument: there is no key to seal its token with */
export function issueSession(world: SessionWorld, { user, permissions, seconds, role }: NewSession): Credentials {
  const key = stsKey(world.config.rgw_sts_key);
  if (!key) throw s3Error('InvalidArgument', 'The gateway has no rgw_sts_key of 16 characters');
  const { crypto } = world;
  const issued = world.clock.wall();
  const token: SessionToken = {
    accessKey: randomAlphanumeric(crypto, ACCESS_KEY_LENGTH),
    secret: randomUpper(crypto, SECRET_LENGTH),
    expiration: formatIsoDate(addSeconds(issued, seconds)),
    policy: role?.policy ?? '',
    roleId: role?.role.id ?? '',
    user: user.id,
    accountName: '',
    permissions: role ? 0 : permissions,
    isAdmin: !role && (user.admin || user.system),
    type: role ? IdentityType.role : IdentityType.rgw,
    session: role?.session ?? '',
    claims: [],
    issuedAt: formatIsoDate(issued),
    tags: [],
  };
  const { accessKey, secret, expiration } = token;
  return { accessKey, secret, expiration, token: sealToken(crypto, key, token) };
}

/**
 * The session that a token is of, if the access key is its own. Whatever is wrong, the answer is the same.
 *
 * @throws S3Error AccessDenied
 */
export function openSession(world: SessionWorld, text: string, accessKey: RawString): SessionToken {
  const token = open(world.crypto, stsKey(world.config.rgw_sts_key), text);
  const expiration = token && parseIsoDate(token.expiration);
  const isGood = token?.accessKey === accessKey && isBefore(world.clock.wall(), expiration);
  if (!token || !isGood) throw s3Error('AccessDenied', 'The session token is not valid, or it has expired');
  return token;
}

function open(crypto: SessionWorld['crypto'], key: Bytes | undefined, text: string): SessionToken | undefined {
  return key && openToken(crypto, key, text);
}

function isBefore(now: UTime, end: UTime | undefined): boolean {
  return end !== undefined && compareUTimes(now, end) < 0;
}

/** Who asks in a session, as they are now. @throws S3Error AccessDenied, UserSuspended; MalformedPolicy; RadosError */
export async function callerOfSession(
  store: Store,
  token: SessionToken,
): Promise<{ readonly user: UserInfo; readonly identity: Identity }> {
  const stored = await store.users.load(token.user);
  if (!stored) throw s3Error('AccessDenied', 'The user of the session is no more');
  if (stored.info.suspended) throw s3Error('UserSuspended');
  if (token.type !== IdentityType.role) {
    return { user: stored.info, identity: { ...identityOf(stored), permissions: token.permissions, inSession: true } };
  }
  const found = await store.roles.loadById(token.roleId);
  if (!found) throw s3Error('AccessDenied', 'The role of the session is no more');
  // Who acts in a role has nothing but what the role has.
  const user = { ...stored.info, admin: false, system: false, caps: new Map() };
  return { user, identity: identityOfRole(found.role, token) };
}

function identityOfRole(role: Role, token: SessionToken): Identity {
  const parse = (text: RawString) => parsePolicy(textFromRaw(text), 'identity', role.tenant);
  return {
    policies: [...role.policies.values()].map(parse),
    permissions: 0,
    inSession: true,
    role: {
      id: role.id,
      tenant: role.tenant,
      path: role.path,
      name: role.name,
      session: token.session,
      sessionPolicies: token.policy === '' ? [] : [parse(token.policy)],
      issuedAt: token.issuedAt,
    },
  };
}
