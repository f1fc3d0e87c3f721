/** Operations on one object. */
import { EMPTY, type RawString } from '@spirula/encoding';
import { isVersioned } from '../../formats/bucket-info.ts';
import { OpMask } from '../../formats/user-info.ts';
import type { HttpResponse } from '../../http.ts';
import { EventType } from '../../notifications/event-type.ts';
import { etagOf, type Head, storageClassOf } from '../../store/head.ts';
import { attrText, KEPT_HEADERS, USER_META_PREFIX } from '../../store/object-attrs.ts';
import type { Written } from '../../store/objects.ts';
import { keeping, restorePrevious } from '../../store/previous-versions.ts';
import { CHUNK_BYTES } from '../../store/stripes.ts';
import { type ByteRange, formatContentRange, parseRange } from '../byte-range.ts';
import { type Checksum, UploadChecks } from '../checksums.ts';
import { checkReadConditions, readConditions, readExpectedState } from '../conditions.ts';
import { formatHttpDate } from '../http-date.ts';
import { s3Error } from '../s3-errors.ts';
import { responseOverrides } from '../s3-request.ts';
import { requireBucketAccess, requireObjectAccess, requireOpMask } from './access.ts';
import { decryptionOf, encryptionOf, refuseEncryption } from './encryption.ts';
import { expirationHeader } from './expiration-header.ts';
import { findBucket } from './find-bucket.ts';
import { largeObjectOf } from './large-object.ts';
import { META_HEADER, newObject } from './new-object.ts';
import { notifyingOfObject, notifyingOfRemoval } from './notifying.ts';
import { objectData } from './object-data.ts';
import { lockCheck, lockHeaders } from './object-lock.ts';
import { askedPart, type ObjectPart } from './object-parts.ts';
import { emptyResponse, isVersion, keyOf, type Operation, type OperationContext } from './operation.ts';
import { checksumAttrs, checksumHeaders, storedChecksum } from './stored-checksums.ts';
import { tagCountHeader } from './tagging.ts';
import { uploadBody } from './upload-body.ts';
import { markerOwner, missingVersion, versionHeaders } from './versions.ts';
import { checkOf, removalCheck } from './write-checks.ts';

export const putObject: Operation = {
  name: 'PutObject',
  async run(context) {
    const stored = await storeObject(context, EventType.createdPut, () => uploadBody(context));
    const { etag, versionId, checksum, headers } = stored;
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
  type: EventType,
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
  const subject = { type, key: request.key, attrs: async () => content.attrs };
  const written = await notifyingOfObject(context, bucket, subject, () =>
    store.objects.write(bucket.info, request.key, checks.passing(data), {
      ...content,
      attrs: new Map([...content.attrs, ...(encryption?.attrs ?? [])]),
      cipher: encryption?.cipher,
      ...keeping(store, bucket, request.key, checkOf(conditions).check),
      finish: (md5) => {
        checksum = checks.finish(md5);
        return checksumAttrs(checksum);
      },
    }),
  );
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
    // As in Swift, what it was before comes back.
    if (key.instance === '' && !check && (await restorePrevious(store, bucket, key.name))) return emptyResponse(204);
    const unlocked = lockCheck(context, bucket, key.instance, check);
    const removed = await notifyingOfRemoval(context, bucket, key, isVersioned(bucket.info), () =>
      store.objects.remove(bucket.info, key, markerOwner(context), unlocked),
    );
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
    ...storageClassHeader(head),
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

/** Of objects that were given a name of one; for others it is the standard one. */
function storageClassHeader(head: Head): HttpResponse['headers'] {
  const storageClass = storageClassOf(head);
  return storageClass === '' ? [] : [['x-amz-storage-class', storageClass]];
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
