/** Objects. */
import { type Bytes, EMPTY, type RawString, toHex } from '@spirula/encoding';
import { privateAcl } from '../formats/acl.ts';
import type { HttpResponse } from '../http.ts';
import {
  DYNAMIC_ATTR,
  etagOfSegments,
  openData,
  openSegments,
  STATIC_ATTR,
  segmentsOf,
  sizeOf,
  splitPath,
} from '../large-objects/segments.ts';
import { EventType } from '../notifications/event-type.ts';
import { formatContentRange, parseRange } from '../s3/byte-range.ts';
import { checkReadConditions, readConditions } from '../s3/conditions.ts';
import { formatHttpDate } from '../s3/http-date.ts';
import { decryptionOf, encryptionOf } from '../s3/operations/encryption.ts';
import { notifyingOfObject } from '../s3/operations/notifying.ts';
import { asStream } from '../s3/operations/object-data.ts';
import { percentDecode, urlEncode } from '../s3/percent-encoding.ts';
import { readShortBody } from '../s3/xml-reader.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { etagOf, type Head } from '../store/head.ts';
import { Attr, attrText, KEPT_HEADERS, textAttr, USER_META_PREFIX } from '../store/object-attrs.ts';
import { requireStorageClass, tailPlacementOf } from '../store/placement.ts';
import { keeping, restorePrevious } from '../store/previous-versions.ts';
import { CHUNK_BYTES, type FoundObject } from '../store/stripes.ts';
import { refuseMissing, requireContainerAccess, requireObjectAccess } from './access.ts';
import { bulkResponse } from './bulk.ts';
import { deleteAll, deleteResult } from './bulk-delete.ts';
import { timestamp } from './container.ts';
import { deleteAtChange, deleteAtHeader, newDeleteAt } from './delete-at.ts';
import { encodeSegments, readStaticManifest, segmentReader, shownManifest } from './large-objects.ts';
import { readFormat } from './listing.ts';
import { metaHeaders, newMeta } from './metadata.ts';
import { removeObject } from './remove-object.ts';
import { findContainer, headerOf, type SwiftContext, type SwiftHeaders } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';
import { lentDisposition } from './temp-url.ts';

/** rgw_max_put_size */
export const MAX_BYTES = 5 * 1024 ** 3;

export async function serveObject(context: SwiftContext): Promise<HttpResponse> {
  const bucket = await findContainer(context);
  switch (context.request.http.method) {
    case 'GET':
      return await readObject(context, bucket, true);
    case 'HEAD':
      return await readObject(context, bucket, false);
    case 'PUT':
      return await putObject(context, bucket);
    case 'POST':
      return await describeObject(context, bucket);
    case 'DELETE':
      return await deleteObject(context, bucket);
    case 'COPY':
      return await copyTo(context, bucket);
    default:
      throw new SwiftError('MethodNotAllowed', 'This is not done to objects');
  }
}

/** What the caller may read. */
async function findReadable(
  context: SwiftContext,
  bucket: StoredBucket,
  name = context.request.object,
): Promise<FoundObject> {
  // Attributes and first bytes of one moment: the head may be replaced before it is read again.
  const found = await context.store.objects.find(bucket.info, { name, instance: '', ns: '' }, CHUNK_BYTES);
  if (!found) return await refuseMissing(context, bucket);
  await requireObjectAccess(context, bucket, found.head, { action: 's3:GetObject', name });
  return found;
}

export async function readObject(
  context: SwiftContext,
  bucket: StoredBucket,
  withData: boolean,
): Promise<HttpResponse> {
  const found = await findReadable(context, bucket);
  const { head } = found;
  const { http, params } = context.request;
  const reader = segmentReader(context);
  const segments = await segmentsOf(reader, head.attrs);
  if (segments && params.get('multipart-manifest') === 'get') {
    const manifest = shownManifest(segments);
    const headers = [
      ['Content-Type', 'application/json; charset=utf-8'],
      ['Content-Length', String(manifest.length)],
    ] as const;
    return { status: 200, headers, body: withData ? manifest : EMPTY };
  }
  // Nobody learns how large things are of which they may not read the first.
  if (segments && !withData) await openSegments(reader, segments, 0, 1);
  const etag = segments ? etagOfSegments(context, segments) : etagOf(head);
  const size = segments ? sizeOf(segments) : head.size;
  checkReadConditions(readConditions(http.headers), { etag, mtime: head.mtime });
  // What may be wrong with it is told before the answer begins.
  await decryptionOf(context, head.attrs);
  const range = parseRange(http.headers.get('range'), size);
  const [from, length] = range ? [range.offset, range.length] : [0, size];
  const headers = [
    ...(range ? [['Content-Range', formatContentRange(range, size)] as const] : []),
    ['Content-Length', String(length)] as const,
    ...disposed(context, objectHeaders(head, segments ? `"${etag}"` : etag)),
    ...largeHeaders(head),
  ];
  const status = range ? 206 : 200;
  if (!withData || length === 0) return { status, headers, body: EMPTY };
  const body = segments
    ? await openSegments(reader, segments, from, from + length)
    : await openData(context, bucket, found, from, from + length);
  return { status, headers, body };
}

/** Of what is lent, how browsers keep it. */
function disposed({ request }: SwiftContext, headers: SwiftHeaders): SwiftHeaders {
  const lent = lentDisposition(request);
  const isSaid = headers.some(([name]) => name === 'content-disposition');
  if (!lent || (isSaid && !lent.isOverride)) return headers;
  return [...headers.filter(([name]) => name !== 'content-disposition'), ['content-disposition', lent.value]];
}

function objectHeaders({ attrs, mtime }: Head, etag: string): SwiftHeaders {
  return [
    ['Accept-Ranges', 'bytes'],
    ['Last-Modified', formatHttpDate(mtime)],
    ['Etag', etag],
    ['X-Timestamp', timestamp(mtime)],
    ...describedHeaders(attrs),
  ];
}

/** What its owner said of it. */
function describedHeaders(attrs: ReadonlyMap<RawString, Bytes>): SwiftHeaders {
  const kept: SwiftHeaders = KEPT_HEADERS.flatMap(([name, attr]) => {
    const value = attrs.get(attr);
    if (value) return [[name, attrText(value)] as const];
    return name === 'content-type' ? [[name, 'binary/octet-stream'] as const] : [];
  });
  return [...kept, ...metaHeaders(attrs, 'object'), ...deleteAtHeader(attrs)];
}

function largeHeaders({ attrs }: Head): SwiftHeaders {
  const prefix = attrs.get(DYNAMIC_ATTR);
  if (prefix) return [['X-Object-Manifest', attrText(prefix)]];
  if (!attrs.has(STATIC_ATTR)) return [];
  return [
    ['X-Static-Large-Object', 'True'],
    ['X-Object-Meta-Static-Large-Object', 'True'],
  ];
}

async function putObject(context: SwiftContext, bucket: StoredBucket): Promise<HttpResponse> {
  await requireContainerAccess(context, bucket, 's3:PutObject', context.request.object);
  const source = headerOf(context, 'x-copy-from');
  if (source !== undefined) return await copyFrom(context, bucket, context.request.object, source);
  const { http, params } = context.request;
  const length = http.headers.get('content-length');
  if (length === undefined && !/chunked/i.test(http.headers.get('transfer-encoding') ?? '')) {
    throw new SwiftError('LengthRequired', 'Give Content-Length');
  }
  if (params.get('multipart-manifest') === 'put') return await putStatic(context, bucket);
  const attrs = attrsOf(context);
  const manifest = http.headers.get('x-object-manifest');
  if (manifest !== undefined) attrs.set(DYNAMIC_ATTR, textAttr(manifest));
  const etag = http.headers.get('etag')?.replaceAll('"', '').toLowerCase();
  const written = await writeObject(context, bucket, context.request.object, bounded(http.body), attrs, {
    size: length === undefined ? undefined : Number(length),
    check(md5) {
      if (etag === undefined || etag === toHex(md5)) return;
      throw new SwiftError('UnprocessableEntity', 'The data do not have this etag');
    },
  });
  return { status: 201, headers: writtenHeaders(written), body: EMPTY };
}

async function putStatic(context: SwiftContext, bucket: StoredBucket): Promise<HttpResponse> {
  const segments = await readStaticManifest(context, await readShortBody(context.request.http.body));
  const attrs = attrsOf(context);
  attrs.set(STATIC_ATTR, encodeSegments(segments));
  const body = shownManifest(segments);
  const written = await writeObject(context, bucket, context.request.object, asStream(body), attrs);
  const etag = `"${etagOfSegments(context, segments)}"`;
  return { status: 201, headers: writtenHeaders({ ...written, etag }), body: EMPTY };
}

interface WriteSettings {
  /** As far as it is known. */
  readonly size?: number | undefined;
  readonly check?: (md5: Bytes) => void;
  readonly type?: EventType;
}

export async function writeObject(
  context: SwiftContext,
  bucket: StoredBucket,
  name: RawString,
  body: AsyncIterable<Bytes>,
  attrs: ReadonlyMap<RawString, Bytes>,
  { size, check = () => {}, type = EventType.createdPut }: WriteSettings = {},
) {
  const { store, account } = context;
  const storageClass = headerOf(context, 'x-object-storage-class') ?? '';
  requireStorageClass(store.zone, tailPlacementOf(bucket.info, storageClass));
  const encryption = await encryptionOf(context, bucket);
  const owner = account?.id ?? bucket.info.owner;
  const contentType = attrs.get(Attr.contentType);
  const data = await store.quotas.guard(bucket.info, body, size);
  const subject = { type, key: name, attrs: async () => attrs };
  return await notifyingOfObject(context, bucket, subject, () =>
    store.objects.write(bucket.info, name, data, {
      ...keeping(store, bucket, name),
      attrs: new Map([...attrs, ...(encryption?.attrs ?? [])]),
      cipher: encryption?.cipher,
      acl: privateAcl(owner, account?.displayName ?? ''),
      contentType: contentType ? attrText(contentType) : '',
      storageClass,
      finish: (md5) => {
        check(md5);
        return new Map();
      },
    }),
  );
}

function writtenHeaders({ etag, mtime }: { readonly etag: string; readonly mtime: Head['mtime'] }): SwiftHeaders {
  return [
    ['Etag', etag],
    ['Last-Modified', formatHttpDate(mtime)],
  ];
}

/** Xattrs that keep what the headers say. */
function attrsOf(context: SwiftContext): Map<RawString, Bytes> {
  return new Map([...describedBy(context), ...newDeleteAt(context)]);
}

function describedBy({ request }: SwiftContext): Map<RawString, Bytes> {
  const { headers } = request.http;
  const attrs = newMeta(headers, 'object');
  for (const [name, attr] of KEPT_HEADERS) {
    const value = headers.get(name);
    if (value !== undefined && value !== '') attrs.set(attr, textAttr(value));
  }
  return attrs;
}

/** What its owner said of it before goes; headers of HTTP's stay, unless they are given. */
async function describeObject(context: SwiftContext, bucket: StoredBucket): Promise<HttpResponse> {
  const { object: name } = context.request;
  const found = await context.store.objects.find(bucket.info, { name, instance: '', ns: '' });
  if (!found) return await refuseMissing(context, bucket);
  await requireObjectAccess(context, bucket, found.head, { action: 's3:PutObject', name, changed: 'metadata' });
  const given = describedBy(context);
  const changes = new Map<RawString, Bytes | undefined>([...given, ...deleteAtChange(context)]);
  for (const attr of found.head.attrs.keys()) {
    if (attr.startsWith(USER_META_PREFIX) && !given.has(attr)) changes.set(attr, undefined);
  }
  if (changes.size > 0) await context.store.objects.setAttrs(bucket.info, found, changes);
  return { status: 202, headers: [], body: EMPTY };
}

async function deleteObject(context: SwiftContext, bucket: StoredBucket): Promise<HttpResponse> {
  const { request, store } = context;
  const { object: name } = request;
  await requireContainerAccess(context, bucket, 's3:DeleteObject', name);
  if (request.params.get('multipart-manifest') === 'delete') return await deleteWithSegments(context, bucket);
  if (!(await store.objects.find(bucket.info, { name, instance: '', ns: '' })))
    return await refuseMissing(context, bucket);
  if (!(await restorePrevious(store, bucket, name))) await removeObject(context, bucket, name);
  return { status: 204, headers: [], body: EMPTY };
}

/** An object that is made of a list of others, and these: what became of them is told as of a bulk delete. */
async function deleteWithSegments(context: SwiftContext, bucket: StoredBucket): Promise<HttpResponse> {
  const { container, object } = context.request;
  const format = readFormat(context.request);
  const found = await context.store.objects.find(bucket.info, { name: object, instance: '', ns: '' });
  const segments = found?.head.attrs.has(STATIC_ATTR) && (await segmentsOf(segmentReader(context), found.head.attrs));
  if (!segments) return bulkResponse(format, deleteResult(0, 0, [{ name: `${container}/${object}`, status: 400 }]));
  const names = segments.map((segment) => ({ container: segment.bucket.info.bucket.name, object: segment.name }));
  return bulkResponse(format, await deleteAll(context, [...names, { container, object }]));
}

/** `COPY`: from here to `Destination`. */
async function copyTo(context: SwiftContext, from: StoredBucket): Promise<HttpResponse> {
  const { container, name } = placeOf(headerOf(context, 'destination'), 'Destination');
  const to = await findContainer(context, container);
  await requireContainerAccess(context, to, 's3:PutObject', name);
  return await copy(context, from, context.request.object, to, name);
}

/** `PUT` with `X-Copy-From`. */
async function copyFrom(
  context: SwiftContext,
  to: StoredBucket,
  name: RawString,
  source: string,
): Promise<HttpResponse> {
  const place = placeOf(source, 'X-Copy-From');
  return await copy(context, await findContainer(context, place.container), place.name, to, name);
}

async function copy(
  context: SwiftContext,
  from: StoredBucket,
  source: RawString,
  to: StoredBucket,
  name: RawString,
): Promise<HttpResponse> {
  const found = await findReadable(context, from, source);
  const { attrs, size } = found.head;
  const described = new Set(KEPT_HEADERS.map(([, attr]) => attr));
  const isKept = (attr: RawString) => described.has(attr) || attr.startsWith(USER_META_PREFIX);
  const given = attrsOf(context);
  const isFresh = /^true$/i.test(headerOf(context, 'x-fresh-metadata') ?? '');
  const before = isFresh ? [] : [...attrs].filter(([attr]) => isKept(attr));
  const reader = segmentReader(context);
  const segments = await segmentsOf(reader, attrs);
  const data = segments
    ? await openSegments(reader, segments, 0, sizeOf(segments))
    : await openData(context, from, found, 0, size);
  const kept = new Map([...before, ...given]);
  const written = await writeObject(context, to, name, data, kept, { type: EventType.createdCopy });
  const headers = [
    ...writtenHeaders(written),
    ['X-Copied-From', `${urlEncode(from.info.bucket.name, false)}/${urlEncode(source, false)}`],
    ['X-Copied-From-Account', urlEncode(context.account?.id.id ?? '', false)],
    ['X-Copied-From-Last-Modified', formatHttpDate(found.head.mtime)],
    ...describedHeaders(kept),
  ] as const;
  return { status: 201, headers, body: EMPTY };
}

/** `/container/object`, percent-encoded. @throws SwiftError PreconditionFailed */
function placeOf(
  header: string | undefined,
  name: string,
): { readonly container: RawString; readonly name: RawString } {
  const place = header === undefined ? undefined : splitPath(percentDecode(header));
  if (!place) throw new SwiftError('PreconditionFailed', `${name}: give /container/object`);
  return place;
}

export async function* bounded(body: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BYTES)
      throw new SwiftError('RequestEntityTooLarge', 'An object has at most 5 GiB; make one of segments');
    yield chunk;
  }
}
