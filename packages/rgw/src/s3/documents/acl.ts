/** Access control: the document, canned lists, and grants in headers (rgw_acl_s3.cc). Who the grantees are is not checked here. */
import type { Bytes, RawString } from '@spirula/encoding';
import { s3Error } from '../s3-errors.ts';
import { childNamed, childrenNamed, childText, neededText, readXml, type XmlElement } from '../xml-reader.ts';
import { element, s3Root, type XmlNode, xmlDocument } from '../xml-writer.ts';
import { type Owner, ownerElement } from './owner.ts';

type Permission = 'READ' | 'WRITE' | 'READ_ACP' | 'WRITE_ACP' | 'FULL_CONTROL';

type Grantee =
  | { readonly kind: 'user'; readonly id: RawString; readonly displayName: RawString }
  | { readonly kind: 'group'; readonly group: 'AllUsers' | 'AuthenticatedUsers' }
  /** Only in requests: whoever has this address. */
  | { readonly kind: 'email'; readonly email: RawString };

export interface Grant {
  readonly grantee: Grantee;
  /** FULL_CONTROL stands alone. */
  readonly permissions: readonly Permission[];
}

export interface AccessControlPolicy {
  readonly owner: Owner;
  readonly grants: readonly Grant[];
}

const GROUPS = 'http://acs.amazonaws.com/groups/global/';
/** rgw_acl_grants_max_num. */
const MAX_GRANTS = 100;

export function accessControlPolicy({ owner, grants }: AccessControlPolicy): Bytes {
  return xmlDocument(
    s3Root('AccessControlPolicy', [ownerElement(owner), element('AccessControlList', grants.map(grantElement))]),
  );
}

const xsiNamespace = ['xmlns:xsi', 'http://www.w3.org/2001/XMLSchema-instance'] as const;
const xsiTypes = { user: 'CanonicalUser', group: 'Group', email: 'AmazonCustomerByEmail' } as const;

function grantElement({ grantee, permissions }: Grant): XmlNode {
  return element('Grant', [
    element('Grantee', granteeNodes(grantee), [xsiNamespace, ['xsi:type', xsiTypes[grantee.kind]]]),
    ...permissions.map((permission) => element('Permission', permission)),
  ]);
}

function granteeNodes(grantee: Grantee): (XmlNode | undefined)[] {
  switch (grantee.kind) {
    case 'user':
      return [
        element('ID', grantee.id),
        grantee.displayName === '' ? undefined : element('DisplayName', grantee.displayName),
      ];
    case 'group':
      return [element('URI', GROUPS + grantee.group)];
    case 'email':
      return [element('EmailAddress', grantee.email)];
  }
}

/** @throws S3Error MalformedXML, MalformedACLError (too many grants, unknown permissions and kinds), InvalidArgument (groups) */
export function readAccessControlPolicy(document: Bytes): AccessControlPolicy {
  const root = readXml(document, 'AccessControlPolicy');
  const owner = childNamed(root, 'Owner');
  const list = childNamed(root, 'AccessControlList');
  if (owner === undefined || list === undefined) {
    throw s3Error('MalformedACLError', 'Owner and AccessControlList are needed');
  }
  const grants = childrenNamed(list, 'Grant');
  if (grants.length > MAX_GRANTS) throw s3Error('MalformedACLError', `There may be at most ${MAX_GRANTS} grants`);
  return {
    owner: { id: neededText(owner, 'ID'), displayName: childText(owner, 'DisplayName') ?? '' },
    grants: grants.map((grant) => ({ grantee: readGrantee(grant), permissions: [readPermission(grant)] })),
  };
}

function readPermission(grant: XmlElement): Permission {
  const permission = neededText(grant, 'Permission').trim().toUpperCase();
  if (!isPermission(permission)) throw s3Error('MalformedACLError', 'There is no such permission');
  return permission;
}

function isPermission(text: string): text is Permission {
  return text === 'READ' || text === 'WRITE' || text === 'READ_ACP' || text === 'WRITE_ACP' || text === 'FULL_CONTROL';
}

function readGrantee(grant: XmlElement): Grantee {
  const grantee = childNamed(grant, 'Grantee');
  switch (grantee?.attributes.get('xsi:type')) {
    case 'CanonicalUser':
      return { kind: 'user', id: neededText(grantee, 'ID'), displayName: childText(grantee, 'DisplayName') ?? '' };
    case 'Group':
      return groupOf(neededText(grantee, 'URI').trim());
    case 'AmazonCustomerByEmail':
      return { kind: 'email', email: neededText(grantee, 'EmailAddress').trim() };
    default:
      throw s3Error('MalformedACLError', 'A Grantee needs a known xsi:type');
  }
}

function groupOf(uri: string): Grantee {
  const group = uri.startsWith(GROUPS) ? uri.slice(GROUPS.length) : '';
  if (group !== 'AllUsers' && group !== 'AuthenticatedUsers')
    throw s3Error('InvalidArgument', 'There is no such group');
  return { kind: 'group', group };
}

/** The owner may do everything, and what a canned list (`x-amz-acl`) grants besides; '' is private. @throws S3Error InvalidArgument */
export function cannedAcl(name: string, owner: Owner, bucketOwner: Owner): AccessControlPolicy {
  return {
    owner,
    grants: [{ grantee: user(owner), permissions: ['FULL_CONTROL'] }, ...cannedGrants(name, owner, bucketOwner)],
  };
}

function cannedGrants(name: string, owner: Owner, bucketOwner: Owner): Grant[] {
  const all: Grantee = { kind: 'group', group: 'AllUsers' };
  const toBucketOwner = (permission: Permission): Grant[] =>
    bucketOwner.id === owner.id ? [] : [{ grantee: user(bucketOwner), permissions: [permission] }];
  switch (name) {
    case '':
    case 'private':
      return [];
    case 'public-read':
      return [{ grantee: all, permissions: ['READ'] }];
    case 'public-read-write':
      return [
        { grantee: all, permissions: ['READ'] },
        { grantee: all, permissions: ['WRITE'] },
      ];
    case 'authenticated-read':
      return [{ grantee: { kind: 'group', group: 'AuthenticatedUsers' }, permissions: ['READ'] }];
    case 'bucket-owner-read':
      return toBucketOwner('READ');
    case 'bucket-owner-full-control':
      return toBucketOwner('FULL_CONTROL');
    default:
      throw s3Error('InvalidArgument', 'There is no such canned ACL');
  }
}

function user({ id, displayName }: Owner): Grantee {
  return { kind: 'user', id, displayName };
}

const grantHeaders: readonly (readonly [header: string, permission: Permission])[] = [
  ['x-amz-grant-read', 'READ'],
  ['x-amz-grant-write', 'WRITE'],
  ['x-amz-grant-read-acp', 'READ_ACP'],
  ['x-amz-grant-write-acp', 'WRITE_ACP'],
  ['x-amz-grant-full-control', 'FULL_CONTROL'],
];

/**
 * Grants that headers such as `x-amz-grant-read: id="a", uri="..."` give; none when there is no such header. Names of users are
 * not known here: their display names are ''.
 *
 * @throws S3Error InvalidArgument; InvalidRequest together with a canned list.
 */
export function readGrantHeaders(headers: ReadonlyMap<string, string>): Grant[] {
  const grants = grantHeaders.flatMap(([header, permission]) =>
    (headers.get(header) ?? '')
      .split(',')
      .filter((entry) => entry.trim() !== '')
      .map((entry) => ({ grantee: readHeaderGrantee(entry), permissions: [permission] })),
  );
  if (grants.length > 0 && headers.has('x-amz-acl')) {
    throw s3Error('InvalidRequest', 'Give a canned ACL or grants, not both');
  }
  return grants;
}

function readHeaderGrantee(entry: string): Grantee {
  const at = entry.indexOf('=');
  const kind = entry.slice(0, Math.max(at, 0)).trim().toLowerCase();
  const value = entry
    .slice(at + 1)
    .trim()
    .replace(/^"(.*)"$/, '$1');
  if (kind === 'id') return { kind: 'user', id: value, displayName: '' };
  if (kind === 'emailaddress') return { kind: 'email', email: value };
  if (kind === 'uri') return groupOf(value);
  throw s3Error('InvalidArgument', 'A grantee is id="...", uri="..." or emailAddress="..."');
}
