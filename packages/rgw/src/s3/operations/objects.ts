/** Operations on one object. */
import { bytesFromRaw, EMPTY, type RawString } from '@spirula/encoding';
import { encoded } from '../../formats/encoded.ts';
import { STANDARD_STORAGE_CLASS } from '../../formats/placement-rule.ts';
import { encodeTags } from '../../formats/tags.ts';
import { OpMask } from '../../formats/user-info.ts';
import type { HttpResponse } from '../../http.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { etagOf, type Head } from '../../store/head.ts';
import { Attr, attrText, KEPT_HEADERS, textAttr, USER_META_PREFIX } from '../../store/object-attrs.ts';
import type { Written } from '../../store/objects.ts';
import { CHUNK_BYTES } from '../../store/stripes.ts';
import { type ByteRange, formatContentRange, parseRange } from '../byte-range.ts';
import { type Checksum, UploadChecks } from '../checksums.ts';
import {
  type Conditions,
  checkExpectedState,
  checkMarkerConditions,
  checkReadConditions,
  checkWriteConditions,
  type ExpectedState,
  readConditions,
  readExpectedState,
} from '../conditions.ts';
import { MAX_OBJECT_TAGS, readTaggingHeader } from '../documents/tagging.ts';
import { formatHttpDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';
import { responseOverrides } from '../s3-request.ts';
import { ownershipOf, requireBucketAccess, requireObjectAccess, requireOpMask, requirePrivateAcl } from './access.ts';
import { ANONYMOUS, aclOfHeaders, ownerOf } from './acl-of-request.ts';
import { decryptionOf, encryptionOf, refuseEncryption } from './encryption.ts';
import { expirationHeader } from './expiration-header.ts';
import { bucketOwnerOf, findBucket } from './find-bucket.ts';
import { largeObjectOf } from './large-object.ts';
import { objectData } from './object-data.ts';
import { lockCheck, lockHeaders, newLocks } from './object-lock.ts';
import { askedPart, type ObjectPart } from './object-parts.ts';
import { emptyResponse, isVersion, keyOf, type Operation, type OperationContext } from './operation.ts';
import { checksumAttrs, checksumHeaders, storedChecksum } from './stored-checksums.ts';
import { tagCountHeader } from './tagging.ts';
import { markerOwner, missingVersion, versionHeaders } from './versions.ts';

/** rgw_max_put_size */
const MAX_PUT_BYTES = 5 * 1024 ** 3;
/** rgw_max_attr_size, for all of a user's own headers together, as AWS bounds them. */
const MAX_META_BYTES = 2048;
const META_HEADER = 'x-amz-meta-';

export const putObject: Operation = {
  name: 'PutObject',
  async run(context) {
    const { etag, versionId, checksum, headers } = await storeObject(context, () => uploadBody(context));
    return emptyResponse(200, [
      ['ETag', `"${etag}"`],
      ...versionHeaders(versionId),
      ...headers,
      ...checksumHeaders(checksum),
    ]);
  },
};

/** Makes of what a request brings the object that it names; asks for the data when the requester may write. @throws S3Error */
export async function storeObject(
  context: OperationContext,
  open: () => AsyncIterable<Uint8Array>,
): Promise<Written & { readonly checksum: Checksum | undefined; readonly headers: HttpResponse['headers'] }> {
  const { request, auth, user, store } = context;
  const bucket = await findBucket(context);
  requireOpMask(user, OpMask.write);
  requireBucketAccess(context, bucket, 's3:PutObject', request.key);
  const data = await store.quotas.guard(bucket.info, open(), auth.decodedLength);
  const conditions = readConditions(request.http.headers);
  const checks = new UploadChecks(context.crypto, request.http.headers, { trailers: auth.trailers });
  let checksum: Checksum | undefined;
  const content = await newObject(context, bucket);
  const encryption = await encryptionOf(context, bucket);
  const written = await store.objects.write(bucket.info, request.key, checks.passing(data), {
    ...content,
    attrs: new Map([...content.attrs, ...(encryption?.attrs ?? [])]),
    cipher: encryption?.cipher,
    ...checkOf(conditions),
    finish: (md5) => {
      checksum = checks.finish(md5);
      return checksumAttrs(checksum);
    },
  });
  const headers = [
    ...(encryption?.headers ?? []),
    ...expirationHeader(bucket, request.key, written.mtime, content.attrs),
  ];
  return { ...written, checksum, headers };
}

export const getObject: Operation = {
  name: 'GetObject',
  run: (context) => answerWith(context, true),
};

export const headObject: Operation = {
  name: 'HeadObject',
  run: (context) => answerWith(context, false),
};

export const deleteObject: Operation = {
  name: 'DeleteObject',
  async run(context) {
    const { request, user, store } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.delete);
    requireBucketAccess(
      context,
      bucket,
      isVersion(context) ? 's3:DeleteObjectVersion' : 's3:DeleteObject',
      request.key,
    );
    const check = removalCheck(readConditions(request.http.headers), readExpectedState(request.http.headers));
    const key = keyOf(context);
    const unlocked = lockCheck(context, bucket, key.instance, check);
    const removed = await store.objects.remove(bucket.info, key, markerOwner(context), unlocked);
    return emptyResponse(204, versionHeaders(removed.versionId, removed.isDeleteMarker));
  },
};

async function answerWith(context: OperationContext, withData: boolean): Promise<HttpResponse> {
  const { request, user, store } = context;
  const bucket = await findBucket(context);
  const { headers } = request.http;
  const look = await store.objects.look(bucket.info, keyOf(context), withData ? CHUNK_BYTES : 0);
  const { found } = look;
  if (!found) throw missingVersion(context, bucket, look);
  const { head } = found;
  requireObjectAccess(context, bucket, head, isVersion(context) ? 's3:GetObjectVersion' : 's3:GetObject');
  const overrides = responseOverrides(request.params);
  // Others could make what somebody trusts look like something else.
  if (overrides.size > 0 && user === undefined)
    throw s3Error('InvalidRequest', 'Only signed requests may give headers');
  const large = await largeObjectOf(context, bucket, head);
  const { etag, size } = large ?? { etag: etagOf(head), size: head.size };
  checkReadConditions(readConditions(headers), { etag, mtime: head.mtime });
  refuseEncryption(context);
  const encryption = await decryptionOf(context, head.attrs);
  const part = large ? undefined : askedPart(context, head);
  const range = part ? nonEmpty(part) : parseRange(headers.get('range'), size);
  const [from, length] = range ? [range.offset, range.length] : [0, size];
  const answer = [
    ...(range ? [['Content-Range', formatContentRange(range, size)] as const] : []),
    ['Content-Length', String(length)] as const,
    ...headersOf(head, etag, overrides),
    ...versionHeaders(found.versionId),
    ...tagCountHeader(head),
    ...lockHeaders(head),
    ...(encryption?.headers ?? []),
    ...(part ? [['x-amz-mp-parts-count', String(part.count)] as const] : []),
    ...(wantsChecksum(headers) && !large ? checksumsOf(head, part, range) : []),
    ...(isVersion(context) ? [] : expirationHeader(bucket, request.key, head.mtime, head.attrs)),
  ];
  const status = range ? 206 : 200;
  if (!withData) return { status, headers: answer, body: EMPTY };
  const body = large
    ? await large.open(from, from + length)
    : objectData(context, bucket, found, encryption, from, from + length);
  return { status, headers: answer, body };
}

/** No byte is no range: such a part is all of its object. */
function nonEmpty({ offset, length }: ByteRange): ByteRange | undefined {
  return length === 0 ? undefined : { offset, length };
}

/** Of the whole object, or of a part as it was uploaded; of other ranges there is none. */
function checksumsOf({ attrs }: Head, part: ObjectPart | undefined, range: ByteRange | undefined) {
  if (part) return checksumHeaders(storedChecksum(attrs), part.checksum);
  return range === undefined ? checksumHeaders(storedChecksum(attrs)) : [];
}

function wantsChecksum(headers: ReadonlyMap<string, string>): boolean {
  return headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED';
}

/** Headers of an object, those that the request overrides included. */
function headersOf(head: Head, etag: RawString, overrides: ReadonlyMap<string, RawString>): [string, string][] {
  const headers: [string, string][] = [
    ['Accept-Ranges', 'bytes'],
    ['Last-Modified', formatHttpDate(head.mtime)],
    ['ETag', `"${etag}"`],
  ];
  for (const [name, attr] of KEPT_HEADERS) {
    const value =
      overrides.get(name) ?? textOf(head, attr) ?? (name === 'content-type' ? 'binary/octet-stream' : undefined);
    if (value !== undefined && value !== '') headers.push([name, value]);
  }
  for (const [attr, value] of head.attrs) {
    if (attr.startsWith(USER_META_PREFIX)) {
      headers.push([META_HEADER + attr.slice(USER_META_PREFIX.length), attrText(value)]);
    }
  }
  return headers;
}

function textOf(head: Head, attr: RawString): RawString | undefined {
  const value = head.attrs.get(attr);
  return value && attrText(value);
}

/** What the headers of a request say of the object that it makes. @throws S3Error */
export async function newObject(context: OperationContext, bucket: StoredBucket) {
  const { request, store, user } = context;
  const { headers } = request.http;
  requireStorageClass(headers.get('x-amz-storage-class'));
  const writer = user ? ownerOf(user) : ANONYMOUS;
  const bucketOwner = await bucketOwnerOf(context, bucket);
  const owner = givesToBucketOwner(bucket, headers) ? bucketOwner : writer;
  const acl = await aclOfHeaders(store, headers, owner, bucketOwner);
  requirePrivateAcl(bucket, acl);
  const attrs = new Map([...attrsOf(headers), ...newLocks(context, bucket)]);
  return { acl, attrs, contentType: headers.get('content-type') ?? '' };
}

/** Zones have one storage class. @throws S3Error InvalidStorageClass */
function requireStorageClass(given: string | undefined): void {
  if (given === undefined || given === '' || given === STANDARD_STORAGE_CLASS) return;
  throw s3Error('InvalidStorageClass', `There is no storage class ${given} here`);
}

/** Whose a new object is, is the bucket's to say. @throws S3Error AccessControlListNotSupported */
function givesToBucketOwner(bucket: StoredBucket, headers: ReadonlyMap<string, string>): boolean {
  const ownership = ownershipOf(bucket);
  const canned = headers.get('x-amz-acl');
  if (ownership !== 'BucketOwnerEnforced') {
    return ownership === 'BucketOwnerPreferred' && canned === 'bucket-owner-full-control';
  }
  const givesMore = canned !== undefined && canned !== 'bucket-owner-full-control';
  if (givesMore || [...headers.keys()].some((name) => name.startsWith('x-amz-grant-'))) {
    throw s3Error('AccessControlListNotSupported');
  }
  return true;
}

/** Xattrs that keep what the headers say. @throws S3Error MetadataTooLarge, InvalidTag */
function attrsOf(headers: ReadonlyMap<string, string>): Map<RawString, Uint8Array> {
  const attrs = new Map<RawString, Uint8Array>();
  for (const [name, attr] of KEPT_HEADERS) {
    const value = headers.get(name);
    if (value !== undefined && value !== '') attrs.set(attr, textAttr(keptValue(name, value)));
  }
  let metaBytes = 0;
  for (const [name, value] of headers) {
    if (!name.startsWith(META_HEADER)) continue;
    metaBytes += name.length - META_HEADER.length + value.length;
    if (metaBytes > MAX_META_BYTES) throw s3Error('MetadataTooLarge');
    attrs.set(USER_META_PREFIX + name.slice(META_HEADER.length), bytesFromRaw(value.trim()));
  }
  const tags = headers.get('x-amz-tagging');
  if (tags !== undefined && tags !== '') {
    attrs.set(Attr.tags, encoded(encodeTags, readTaggingHeader(tags, MAX_OBJECT_TAGS)));
  }
  return attrs;
}

/** `aws-chunked` is how it was sent, not what it is. */
function keptValue(name: string, value: string): string {
  if (name !== 'content-encoding') return value;
  return value
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== 'aws-chunked')
    .join(', ');
}

export function stateOf(head: Head) {
  return { etag: etagOf(head), mtime: head.mtime };
}

function hasConditions({ ifMatch, ifNoneMatch, ifUnmodifiedSince }: Conditions): boolean {
  return ifMatch !== undefined || ifNoneMatch !== undefined || ifUnmodifiedSince !== undefined;
}

/** Undefined: whatever is there may go. */
export function removalCheck(
  conditions: Conditions,
  expected: ExpectedState,
): ((head: Head | undefined) => void) | undefined {
  if (!hasConditions(conditions) && Object.values(expected).every((each) => each === undefined)) return undefined;
  return (head) => {
    // A delete marker: it is there, and that is all.
    if (!head) return checkMarkerConditions(conditions, expected);
    checkWriteConditions(conditions, stateOf(head));
    checkExpectedState(expected, { ...stateOf(head), size: head.size });
  };
}

/** A write without conditions need not look again when another gets in its way. */
export function checkOf(conditions: Conditions): { readonly check?: (found: Head | undefined) => void } {
  if (!hasConditions(conditions)) return {};
  return { check: (found) => checkWriteConditions(conditions, found && stateOf(found)) };
}

/** @throws S3Error EntityTooLarge */
export function requireSize(bytes: number): void {
  if (bytes > MAX_PUT_BYTES) throw s3Error('EntityTooLarge');
}

/**
 * What is uploaded: as long as it was said, or, when it comes in chunks (RFC 7230, 4.1), of a length that nobody said.
 *
 * @throws S3Error MissingContentLength, EntityTooLarge
 */
export function uploadBody({ request, auth }: OperationContext): AsyncIterable<Uint8Array> {
  const { decodedLength } = auth;
  const inChunks = request.http.headers.get('transfer-encoding')?.trim().toLowerCase() === 'chunked';
  if (decodedLength === undefined && !inChunks) throw s3Error('MissingContentLength');
  requireSize(decodedLength ?? 0);
  return counted(auth.body, decodedLength);
}

/** A body that must be as long as was said, if it was. @throws S3Error IncompleteBody, EntityTooLarge */
export async function* counted(
  body: AsyncIterable<Uint8Array>,
  announced?: number | undefined,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (announced !== undefined && size > announced) break;
    requireSize(size);
    yield chunk;
  }
  if (announced !== undefined && size !== announced) throw s3Error('IncompleteBody');
}
