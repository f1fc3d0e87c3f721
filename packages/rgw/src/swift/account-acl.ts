/**
 * `X-Account-Access-Control`: who else may do something in an account and all its containers (RGWAccessControlPolicy_SWIFTAcct,
 * rgw_acl_swift.cc). It is kept as an ACL with the account's user.
 *
 *   { "read-only": ["ada"], "read-write": ["bob"], "admin": ["tenant$eve"] }
 *
 * `.r:*` is everybody, also those without a token.
 */
import { type RawString, rawFromText, textFromRaw } from '@spirula/encoding';
import {
  type Acl,
  AclGroup,
  FULL_CONTROL,
  type Grant,
  GranteeType,
  groupGrant,
  Permission,
  privateAcl,
  userGrant,
} from '../formats/acl.ts';
import { formatUserId, parseUserId, type UserId } from '../formats/user-id.ts';
import type { UserInfo } from '../formats/user-info.ts';
import { aclOf } from '../s3/operations/access.ts';
import type { SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

export type AccountLevel = 'read' | 'write' | 'admin';

const EVERYBODY = '.r:*';
const PUBLIC = /^\.(r|ref|referer|referrer):\*$/;
/** In the order in which grants are made; shown the other way round. */
const LEVELS = [
  ['admin', FULL_CONTROL],
  ['read-write', Permission.readObjs | Permission.writeObjs],
  ['read-only', Permission.readObjs],
] as const;

/** @throws SwiftError BadRequest: it is no JSON */
export function parseAccountAcl(header: RawString, { id, displayName }: UserInfo): Acl {
  const given = parse(header);
  const grants = LEVELS.flatMap(([level, permissions]) => {
    const names = typeof given === 'object' && given !== null ? (given as Record<string, unknown>)[level] : undefined;
    // What is no list names nobody, as in radosgw.
    return Array.isArray(names) ? names.map((name) => grantTo(rawFromText(String(name)), permissions)) : [];
  });
  const own = privateAcl(id, displayName);
  return { ...own, grants: [...own.grants, ...grants] };
}

function parse(header: RawString): unknown {
  try {
    return JSON.parse(textFromRaw(header));
  } catch (error) {
    throw new SwiftError('BadRequest', `X-Account-Access-Control is no JSON: ${(error as Error).message}`);
  }
}

function grantTo(name: RawString, permissions: number): Grant {
  return PUBLIC.test(name) ? groupGrant(AclGroup.allUsers, permissions) : userGrant(parseUserId(name), '', permissions);
}

/** As the header has it; undefined: nobody is named. */
export function formatAccountAcl({ grants, owner }: Acl): RawString | undefined {
  const named = grants.flatMap((grant) => {
    const name = nameOf(grant);
    return name === undefined || name === formatUserId(owner.id) ? [] : [{ name, permissions: grant.permissions }];
  });
  const shown = LEVELS.map(([level, needed]) => {
    const names = named
      .filter(({ permissions }) => levelOf(permissions) === level)
      .map(({ name }) => textFromRaw(name));
    return { level, needed, names };
  }).filter(({ names }) => names.length > 0);
  if (shown.length === 0) return undefined;
  return rawFromText(JSON.stringify(Object.fromEntries(shown.reverse().map(({ level, names }) => [level, names]))));
}

function levelOf(permissions: number): string | undefined {
  return LEVELS.find(([, needed]) => (permissions & needed) === needed)?.[0];
}

function nameOf({ type, group, id }: Grant): RawString | undefined {
  if (type === GranteeType.group) return group === AclGroup.allUsers ? EVERYBODY : undefined;
  return type === GranteeType.user ? formatUserId(id) : undefined;
}

/**
 * Whether the account lets the caller do something, who is not its owner. radosgw lets those whom it calls `admin` read no object;
 * here they may.
 *
 * @throws RadosError
 */
export async function allowsInAccount(
  { user, aclNames, store }: Pick<SwiftContext, 'user' | 'aclNames' | 'store'>,
  account: UserId,
  level: AccountLevel,
): Promise<boolean> {
  const stored = await store.users.load(account);
  const acl = stored && aclOf(stored.attrs);
  if (!acl) return false;
  const names = new Set([...(user ? [formatUserId(user.id)] : []), ...aclNames, EVERYBODY]);
  return acl.grants.some((grant) => {
    const name = nameOf(grant);
    return name !== undefined && names.has(name) && permits(grant.permissions, level);
  });
}

function permits(permissions: number, level: AccountLevel): boolean {
  if ((permissions & FULL_CONTROL) === FULL_CONTROL) return true;
  if (level === 'admin') return false;
  return (permissions & (level === 'read' ? Permission.readObjs : Permission.writeObjs)) !== 0;
}
