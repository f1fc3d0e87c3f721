/** What the token of a session holds (SessionToken, rgw_sts.h), before it is encrypted. */
import type { Decoder, Encoder, RawString } from '@spirula/encoding';
import { decodeUserId, encodeUserId, type UserId } from './user-id.ts';

/** RGWIdentityType. */
export const IdentityType = { none: 0, rgw: 1, role: 4 } as const;

export interface SessionToken {
  readonly accessKey: RawString;
  readonly secret: RawString;
  /** ISO 8601, as are all times here. */
  readonly expiration: RawString;
  /** What the session is held to; '': to nothing more than its role. */
  readonly policy: RawString;
  /** '': the session is the user's own. */
  readonly roleId: RawString;
  /** Who asked for the session. */
  readonly user: UserId;
  readonly accountName: RawString;
  /** `Permission`s of a subuser. */
  readonly permissions: number;
  readonly isAdmin: boolean;
  /** `IdentityType`. */
  readonly type: number;
  /** RoleSessionName. */
  readonly session: RawString;
  readonly claims: readonly RawString[];
  readonly issuedAt: RawString;
  readonly tags: readonly (readonly [key: RawString, value: RawString])[];
}

const VERSION = 5;

export function encodeSessionToken(to: Encoder, token: SessionToken): void {
  to.struct(VERSION, 1, () => {
    for (const text of [token.accessKey, token.secret, token.expiration, token.policy, token.roleId])
      to.rawString(text);
    encodeUserId(to, token.user);
    to.rawString(token.accountName);
    to.u32(token.permissions);
    to.bool(token.isAdmin);
    to.u32(token.type);
    to.rawString(token.session);
    to.list(token.claims, (claim) => to.rawString(claim));
    to.rawString(token.issuedAt);
    to.list(token.tags, (tag) => {
      for (const text of tag) to.rawString(text);
    });
  });
}

/** @throws MalformedInput */
export function decodeSessionToken(from: Decoder): SessionToken {
  return from.struct('session token', VERSION, (version) => {
    if (version < VERSION) from.fail('session token', `of version ${version}`);
    return {
      accessKey: from.rawString('access key'),
      secret: from.rawString('secret'),
      expiration: from.rawString('expiration'),
      policy: from.rawString('policy'),
      roleId: from.rawString('role id'),
      user: decodeUserId(from),
      accountName: from.rawString('account name'),
      permissions: from.u32('permissions'),
      isAdmin: from.bool('is admin'),
      type: from.u32('type'),
      session: from.rawString('session'),
      claims: from.list('claims', 4, () => from.rawString('claim')),
      issuedAt: from.rawString('issued at'),
      tags: from.list('tags', 8, () => [from.rawString('key'), from.rawString('value')] as const),
    };
  });
}
