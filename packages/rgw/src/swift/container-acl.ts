/** `X-Container-Read` and `-Write`: whom a container names, or the pages that link to it (RGWAccessControlPolicy_SWIFT, rgw_acl_swift.cc). */
import type { RawString } from '@spirula/encoding';
import { type Acl, AclGroup, type Grant, GranteeType, Permission, refererGrant, userGrant } from '../formats/acl.ts';
import { formatUserId, parseUserId } from '../formats/user-id.ts';
import { aclOf, ownershipOf, publicAccessOf } from '../s3/operations/access.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** `read`: objects. */
export type ContainerNeed = 'read' | 'list' | 'write';

/** Whoever may read may also list, when this stands beside `.r:*`. */
const LISTINGS = '.rlistings';
const REFERRERS = ['.r', '.ref', '.referer', '.referrer'];
/** What S3's ACLs give of a bucket is no more than its list, and writing. */
const BITS: Readonly<Record<ContainerNeed, number>> = {
  read: Permission.readObjs,
  list: Permission.readObjs | Permission.read,
  write: Permission.writeObjs | Permission.write,
};

/** Whether the container's ACL lets the caller do it, who is not its owner. */
export function allowsInContainer(context: SwiftContext, bucket: StoredBucket, need: ContainerNeed): boolean {
  const acl = ownershipOf(bucket) === 'BucketOwnerEnforced' ? undefined : aclOf(bucket.attrs);
  if (!acl) return false;
  const { user, aclNames, request } = context;
  const { ignorePublicAcls } = publicAccessOf(bucket);
  const bits = BITS[need];
  const id = user && formatUserId(user.id);
  const has = (grant: Grant) => (grant.permissions & bits) !== 0;
  const isNamed = (name: RawString) => name === id || aclNames.includes(name);
  const grants = acl.grants.filter(({ type }) => type === GranteeType.user || !ignorePublicAcls);
  const isMember = ({ type, group }: Grant) =>
    type === GranteeType.group && (group === AclGroup.allUsers || (group === AclGroup.authenticatedUsers && !!user));
  if (grants.some((grant) => has(grant) && grant.type === GranteeType.user && isNamed(formatUserId(grant.id))))
    return true;
  if (grants.some((grant) => has(grant) && isMember(grant))) return true;
  if (need === 'write') return false;
  const referer = request.http.headers.get('referer');
  // The last that is for the referer decides.
  const byReferer = grants.filter((grant) => isForReferer(grant, referer)).at(-1);
  if (!byReferer || !has(byReferer)) return false;
  return need === 'read' || grants.some((grant) => grant.type === GranteeType.user && grant.id.id === LISTINGS);
}

function isForReferer({ type, urlSpec }: Grant, referer: string | undefined): boolean {
  if (type !== GranteeType.referer) return false;
  if (urlSpec === '*') return true;
  const host = /^[a-z]+:\/\/([^/:?#]+)/i.exec(referer ?? '')?.[1]?.toLowerCase();
  if (host === undefined) return false;
  const wanted = urlSpec.toLowerCase();
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
