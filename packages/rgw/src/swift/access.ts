/** Who may do what in a container: its owner, subusers as far as they may, and whom `X-Container-Read` and `-Write` name. */
import type { RawString } from '@spirula/encoding';
import { type Acl, AclGroup, type Grant, GranteeType, Permission, refererGrant, userGrant } from '../formats/acl.ts';
import { formatUserId, parseUserId } from '../formats/user-id.ts';
import { aclOf } from '../s3/operations/access.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** Whoever may read may also list, when this stands beside `.r:*`. */
const LISTINGS = '.rlistings';
const REFERRERS = ['.r', '.ref', '.referer', '.referrer'];

/** @throws SwiftError Unauthorized, Forbidden */
export function requireAccess(context: SwiftContext, bucket: StoredBucket, needed: 'read' | 'list' | 'write'): void {
  const { user } = context;
  if (user?.admin === true) return;
  const may = needed === 'write' ? Permission.write : Permission.read;
  if (user && formatUserId(user.id) === formatUserId(bucket.info.owner)) {
    if ((context.permissions & may) !== 0) return;
    throw new SwiftError('Forbidden', 'The subuser may not do this');
  }
  const acl = aclOf(bucket.attrs);
  if (acl && isGranted(context, acl, needed)) return;
  throw new SwiftError(user ? 'Forbidden' : 'Unauthorized', 'The container does not allow it');
}

/** @throws SwiftError Unauthorized, Forbidden */
export function requireOwner({ user, permissions }: SwiftContext, bucket?: StoredBucket): void {
  if (!user) throw new SwiftError('Unauthorized', 'Give a token in X-Auth-Token');
  if (user.admin) return;
  const isTheirs = !bucket || formatUserId(user.id) === formatUserId(bucket.info.owner);
  if (!isTheirs || (permissions & Permission.writeAcp) === 0)
    throw new SwiftError('Forbidden', 'Only the owner may do this');
}

function isGranted(
  { user, aclNames, request }: SwiftContext,
  { grants }: Acl,
  needed: 'read' | 'list' | 'write',
): boolean {
  const bit = needed === 'write' ? Permission.writeObjs : Permission.readObjs;
  const id = user && formatUserId(user.id);
  const has = (grant: Grant) => (grant.permissions & bit) !== 0;
  const isNamed = (name: RawString) => name === id || aclNames.includes(name);
  const byName = grants.some(
    (grant) => has(grant) && grant.type === GranteeType.user && isNamed(formatUserId(grant.id)),
  );
  if (byName || needed === 'write') return byName;
  const referer = request.http.headers.get('referer');
  // The last that is for the referer decides.
  const byReferer = grants.filter((grant) => isForReferer(grant, referer)).at(-1);
  if (!byReferer || !has(byReferer)) return false;
  return needed === 'read' || grants.some((grant) => grant.type === GranteeType.user && grant.id.id === LISTINGS);
}

function isForReferer(grant: Grant, referer: string | undefined): boolean {
  if (grant.type === GranteeType.group) return grant.group === AclGroup.allUsers;
  if (grant.type !== GranteeType.referer) return false;
  if (grant.urlSpec === '*') return true;
  const host = /^[a-z]+:\/\/([^/:?#]+)/i.exec(referer ?? '')?.[1]?.toLowerCase();
  if (host === undefined) return false;
  const wanted = grant.urlSpec.toLowerCase();
  return wanted.startsWith('.') ? host.endsWith(wanted) : host === wanted;
}

/** The grants that a header gives; `needed` is what it is about. @throws SwiftError BadRequest */
export function parseGrants(header: RawString, needed: 'read' | 'write'): Grant[] {
  const permissions = needed === 'write' ? Permission.writeObjs : Permission.readObjs;
  return header
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '')
    .map((each) => parseGrant(each, needed, permissions));
}

function parseGrant(text: RawString, needed: 'read' | 'write', permissions: number): Grant {
  const [designator = '', ...rest] = text.split(':');
  if (!REFERRERS.includes(designator)) {
    if (text.startsWith('.') && text !== LISTINGS) throw new SwiftError('BadRequest', `${text} names nobody`);
    return userGrant(parseUserId(text.replace(/:\*$/, '')), '', permissions);
  }
  if (needed === 'write') throw new SwiftError('BadRequest', 'Referrers do not write');
  const spec = rest.join(':').trim();
  const isDenied = spec.startsWith('-');
  const host = isDenied ? spec.slice(1) : spec;
  if (host === '') throw new SwiftError('BadRequest', `${text} names nobody`);
  return refererGrant(host === '*' ? host : host.replace(/^\*/, ''), isDenied ? 0 : permissions);
}

/** As the headers have it; '' when nobody is named. */
export function formatGrants({ grants, owner }: Acl, needed: 'read' | 'write'): RawString {
  const bit = needed === 'write' ? Permission.writeObjs : Permission.readObjs;
  const own = formatUserId(owner.id);
  return grants
    .flatMap((grant) => {
      const isDenied = grant.permissions === 0;
      if (!isDenied && (grant.permissions & bit) === 0) return [];
      if (grant.type === GranteeType.group)
        return grant.group === AclGroup.allUsers ? [`.r:${isDenied ? '-' : ''}*`] : [];
      if (grant.type === GranteeType.referer)
        return needed === 'write' ? [] : [`.r:${isDenied ? '-' : ''}${grant.urlSpec}`];
      const id = formatUserId(grant.id);
      return grant.type === GranteeType.user && id !== own && !isDenied ? [id] : [];
    })
    .join(',');
}
