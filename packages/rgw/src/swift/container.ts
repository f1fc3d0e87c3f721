/** A container: what it holds, who may, and what is said of it. */
import { EMPTY, type RawString } from '@spirula/encoding';
import { type Acl, encodeAcl, FULL_CONTROL, type Grant, GranteeType, Permission, privateAcl } from '../formats/acl.ts';
import type { BucketInfo } from '../formats/bucket-info.ts';
import { encoded } from '../formats/encoded.ts';
import { STANDARD_STORAGE_CLASS } from '../formats/placement-rule.ts';
import { formatUserId } from '../formats/user-id.ts';
import type { HttpResponse } from '../http.ts';
import type { Action } from '../iam/actions.ts';
import { formatHttpDate, formatIsoDate } from '../s3/http-date.ts';
import { aclOf, requirePrivateAcl } from '../s3/operations/access.ts';
import { urlEncode } from '../s3/percent-encoding.ts';
import { BucketAttr, type StoredBucket } from '../store/buckets.ts';
import { listObjects } from '../store/listing.ts';
import { BucketNameTaken } from '../store/store.ts';
import { requireAccountAccess, requireContainerAccess, requireContainerChange, requireUserAccess } from './access.ts';
import { formatGrants, parseGrants } from './container-acl.ts';
import { type ListEntry, listResponse, readListParameters } from './listing.ts';
import { metaChanges, metaHeaders } from './metadata.ts';
import { quotaHeaders, takeQuota } from './quota-headers.ts';
import { findContainer, headerOf, type SwiftContext, type SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import { MAX_CONTAINER_BYTES } from './swift-request.ts';
import { takeWebsite, websiteHeaders } from './web-headers.ts';

export async function serveContainer(context: SwiftContext): Promise<HttpResponse> {
  switch (context.request.http.method) {
    case 'GET':
      return await listContainer(context);
    case 'HEAD': {
      const bucket = await findContainer(context);
      await requireContainerAccess(context, bucket, 's3:ListBucket');
      return { status: 204, headers: await containerHeaders(context, bucket), body: EMPTY };
    }
    case 'PUT':
      return await makeContainer(context);
    case 'POST': {
      await changeContainer(context, await findContainer(context));
      return { status: 204, headers: [], body: EMPTY };
    }
    case 'DELETE': {
      const bucket = await findContainer(context);
      await requireContainerAccess(context, bucket, 's3:DeleteBucket');
      await context.store.removeBucket(bucket);
      return { status: 204, headers: [], body: EMPTY };
    }
    default:
      throw new SwiftError('MethodNotAllowed', 'This is not done to containers');
  }
}

export async function containerHeaders({ store }: SwiftContext, bucket: StoredBucket): Promise<SwiftHeaders> {
  const { objects, bytes, roundedBytes } = await store.bucketStats(bucket);
  const { swiftVersionsLocation, placement } = bucket.info;
  const acl = aclOf(bucket.attrs);
  const [read, write] = acl ? [formatGrants(acl, 'read'), formatGrants(acl, 'write')] : ['', ''];
  return [
    ['X-Container-Object-Count', String(objects)],
    ['X-Container-Bytes-Used', String(bytes)],
    ['X-Container-Bytes-Used-Actual', String(roundedBytes)],
    ['X-Timestamp', timestamp(bucket.info.created)],
    ['Last-Modified', formatHttpDate(bucket.modified)],
    ['X-Storage-Policy', placement.name],
    ['X-Storage-Class', placement.storageClass || STANDARD_STORAGE_CLASS],
    ...(read === '' ? [] : [['X-Container-Read', read] as const]),
    ...(write === '' ? [] : [['X-Container-Write', write] as const]),
    ...metaHeaders(bucket.attrs, 'container'),
    ...quotaHeaders('Container', bucket.info.quota),
    ...websiteHeaders(bucket.info.website),
    ...(swiftVersionsLocation ? [['X-Versions-Location', urlEncode(swiftVersionsLocation, false)] as const] : []),
  ];
}

/** Seconds since 1970, to five places. */
export function timestamp({ sec, nsec }: { readonly sec: number; readonly nsec: number }): string {
  return `${sec}.${String(Math.floor(nsec / 10_000)).padStart(5, '0')}`;
}

async function listContainer(context: SwiftContext): Promise<HttpResponse> {
  const bucket = await findContainer(context);
  await requireContainerAccess(context, bucket, 's3:ListBucket');
  const { limit, marker, endMarker, prefix, delimiter, path, format } = readListParameters(context);
  const entries: ListEntry[] = [];
  if (limit > 0) {
    const query = { prefix, delimiter, after: marker, ns: '', hint: limit };
    for await (const entry of listObjects(context.store.objects, bucket.info, query)) {
      if (endMarker !== '' && entry.name >= endMarker) break;
      if (path !== '' && entry.name === path) continue;
      entries.push(entry.kind === 'prefix' ? subdirEntry(entry.name) : objectEntry(entry.name, entry.meta));
      if (entries.length === limit) break;
    }
  }
  const root = { element: 'container', name: context.request.container };
  return listResponse(format, root, entries, await containerHeaders(context, bucket));
}

function subdirEntry(name: RawString): ListEntry {
  return { element: 'subdir', subdir: name, fields: [['subdir', name]] };
}

function objectEntry(
  name: RawString,
  meta: {
    readonly etag: RawString;
    readonly accountedSize: bigint;
    readonly contentType: RawString;
    readonly mtime: { readonly sec: number; readonly nsec: number };
  },
): ListEntry {
  const fields = [
    ['name', name],
    ['hash', meta.etag],
    ['bytes', Number(meta.accountedSize)],
    ...(meta.contentType === '' ? [] : [['content_type', meta.contentType] as const]),
    ['last_modified', formatIsoDate(meta.mtime)],
  ] as const;
  return { element: 'object', fields };
}

/** @throws SwiftError BadRequest */
export function requireContainerName(name: RawString): void {
  if (name.length > MAX_CONTAINER_BYTES) throw new SwiftError('BadRequest', 'The name of a container is too long');
  if (name.startsWith('.') || name.includes(':')) {
    throw new SwiftError('BadRequest', 'The name of a container begins with no dot, and has no colon in it');
  }
}

/** 201 when it is new, 202 when it was there. */
async function makeContainer(context: SwiftContext): Promise<HttpResponse> {
  const { store, request } = context;
  const name = request.container;
  requireContainerName(name);
  const owner = await requireUserAccess(context, 's3:CreateBucket', name);
  const before = await store.buckets.load(owner.id.tenant, name);
  if (before) {
    if (formatUserId(before.info.owner) !== formatUserId(owner.id)) throw new BucketNameTaken(name);
    await changeContainer(context, before);
    return { status: 202, headers: [], body: EMPTY };
  }
  if (isGoverning(context)) await requireAccountAccess(context, 'admin');
  const asked = { name: headerOf(context, 'x-storage-policy') ?? '', storageClass: '' };
  const bucket = await store.createBucket(owner, name, privateAcl(owner.id, owner.displayName), { asked });
  await storeChanges(context, bucket);
  return { status: 201, headers: [], body: EMPTY };
}

/** Who may get at the container, and where its old versions go. */
const GOVERNING = ['container-read', 'container-write', 'versions-location'].flatMap((name) => [
  `x-${name}`,
  `x-remove-${name}`,
]);

function isGoverning(context: SwiftContext): boolean {
  return GOVERNING.some((name) => headerOf(context, name) !== undefined);
}

async function changeContainer(context: SwiftContext, bucket: StoredBucket): Promise<void> {
  await requireContainerChange(context, bucket, { isGoverning: isGoverning(context), denials: deniedBy(context) });
  await storeChanges(context, bucket);
}

/** Actions of S3 that do the same: policies that deny them do so here, other than in radosgw. */
function deniedBy({ request }: SwiftContext): Action[] {
  const names = [...request.http.headers.keys()];
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name));
  return [
    ...(has(/^x-(remove-)?container-(read|write)$/) ? (['s3:PutBucketAcl'] as const) : []),
    ...(has(/^x-(remove-)?versions-location$/) ? (['s3:PutBucketVersioning'] as const) : []),
    ...(has(/^x-(remove-)?container-meta-web-/) ? (['s3:PutBucketWebsite'] as const) : []),
  ];
}

async function storeChanges(context: SwiftContext, bucket: StoredBucket): Promise<void> {
  const changes = metaChanges(context.request.http.headers, 'container');
  const acl = changedAcl(context, bucket);
  if (acl) requirePrivateAcl(bucket, acl);
  if (acl) changes.set(BucketAttr.acl, encoded(encodeAcl, acl));
  const quota = takeQuota(changes, bucket.info.quota);
  const website = takeWebsite(changes, bucket.info.website);
  const location = readVersionsLocation(context);
  if (changes.size === 0 && location === undefined) return;
  const changed = (info: BucketInfo) => ({
    ...info,
    ...(quota && { quota }),
    ...(website !== undefined && { website: website === '' ? undefined : website }),
    ...(location !== undefined && { swiftVersionsLocation: location === '' ? undefined : location }),
  });
  await context.store.buckets.change(bucket, changed, changes);
}

/** Where what is overwritten is to be kept; '': nowhere. Undefined: the request does not say. @throws SwiftError PreconditionFailed */
function readVersionsLocation(context: SwiftContext): RawString | undefined {
  const location = headerOf(context, 'x-versions-location');
  if (location === undefined) return headerOf(context, 'x-remove-versions-location') ? '' : undefined;
  if (!context.keepsVersions) {
    throw new SwiftError('PreconditionFailed', 'rgw_swift_versioning_enabled is not set: containers keep no versions');
  }
  return location;
}

/** Undefined: the request says nothing of who may. */
function changedAcl(context: SwiftContext, { attrs, info }: StoredBucket): Acl | undefined {
  const [read, write] = (['read', 'write'] as const).map((kind) => {
    const isRemoved = headerOf(context, `x-remove-container-${kind}`) !== undefined;
    const header = isRemoved ? '' : headerOf(context, `x-container-${kind}`);
    return header === undefined ? undefined : parseGrants(header, kind);
  });
  if (!read && !write) return undefined;
  const before = aclOf(attrs) ?? privateAcl(info.owner, '');
  const isOwners = (grant: Grant) =>
    grant.type === GranteeType.user && formatUserId(grant.id) === formatUserId(before.owner.id);
  const others = before.grants.filter((grant) => !isOwners(grant));
  const kept = (given: readonly Grant[] | undefined, bit: number) =>
    given ??
    others.filter(({ permissions }) => (permissions & bit) !== 0).map((grant) => ({ ...grant, permissions: bit }));
  const own = before.grants.find(isOwners) ?? privateAcl(info.owner, '').grants[0]!;
  return {
    owner: before.owner,
    grants: [
      { ...own, permissions: FULL_CONTROL },
      ...kept(read, Permission.readObjs),
      ...kept(write, Permission.writeObjs),
    ],
  };
}
