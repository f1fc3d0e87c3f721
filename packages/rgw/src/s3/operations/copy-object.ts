import type { Bytes, RawString } from '@spirula/encoding';
import type { BucketInfo } from '../../formats/bucket-info.ts';
import { formatPlacementRule, type PlacementRule } from '../../formats/placement-rule.ts';
import { OpMask } from '../../formats/user-info.ts';
import { EventType } from '../../notifications/event-type.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { type Head, storageClassOf } from '../../store/head.ts';
import { Attr, attrText, KEPT_HEADERS, USER_META_PREFIX } from '../../store/object-attrs.ts';
import { tailPlacementOf } from '../../store/placement.ts';
import { keeping } from '../../store/previous-versions.ts';
import { CHUNK_BYTES, type FoundObject } from '../../store/stripes.ts';
import { type Checksum, type ChecksumAlgorithm, namedAlgorithm, UploadChecks } from '../checksums.ts';
import { checkCopySourceConditions, readConditions } from '../conditions.ts';
import { copyObjectResult } from '../documents/copy.ts';
import { s3Error } from '../s3-errors.ts';
import { parseCopySource } from '../s3-request.ts';
import { requireBucketAccess, requireObjectAccess, requireOpMask } from './access.ts';
import { changesEncryption, decryptionOf, type Encryption, encryptionOf } from './encryption.ts';
import { findBucket, findNamedBucket, requireExpectedOwner, tenantOf } from './find-bucket.ts';
import { newObject } from './new-object.ts';
import { notifyingOfObject } from './notifying.ts';
import { asStream, objectData } from './object-data.ts';
import { headerOf, type Operation, type OperationContext, xmlResponse } from './operation.ts';
import { checksumAttrs, storedChecksum } from './stored-checksums.ts';
import { missingVersion, sourceVersionHeaders, versionHeaders } from './versions.ts';
import { checkOf, stateOf } from './write-checks.ts';

/** rgw_max_put_size */
const MAX_COPY_BYTES = 5 * 1024 ** 3;

export interface Source {
  readonly bucket: StoredBucket;
  readonly found: FoundObject;
  readonly encryption: Encryption | undefined;
  readonly isNamedVersion: boolean;
}

/** What `x-amz-copy-source` names, if the requester may read it. @throws S3Error */
export async function findSource(context: OperationContext): Promise<Source> {
  const { request, store } = context;
  const source = parseCopySource(headerOf(context, 'x-amz-copy-source') ?? '');
  const bucket = await findNamedBucket(store, tenantOf(context), source.bucket);
  requireExpectedOwner(bucket, request.http.headers.get('x-amz-source-expected-bucket-owner'));
  const key = { name: source.key, instance: source.versionId ?? '', ns: '' };
  const look = await store.objects.look(bucket.info, key, CHUNK_BYTES);
  const { found } = look;
  if (!found) throw missingVersion(context, bucket, look);
  const action = key.instance === '' ? 's3:GetObject' : 's3:GetObjectVersion';
  requireObjectAccess(context, bucket, found.head, action, source.key);
  checkCopySourceConditions(readConditions(request.http.headers, 'x-amz-copy-source-'), stateOf(found.head));
  const encryption = await decryptionOf(context, found.head.attrs, 'x-amz-copy-source-');
  return { bucket, found, encryption, isNamedVersion: key.instance !== '' };
}

/** Bytes of what is copied. */
export function sourceData(
  context: OperationContext,
  { bucket, found, encryption }: Source,
  from: number,
  to: number,
): AsyncGenerator<Bytes> {
  return asStream(objectData(context, bucket, found, encryption, from, to));
}

export const copyObject: Operation = {
  name: 'CopyObject',
  async run(context) {
    const { request, store, user } = context;
    const bucket = await findBucket(context);
    requireOpMask(user, OpMask.write);
    requireBucketAccess(context, bucket, 's3:PutObject', request.key);
    const source = await findSource(context);
    const { bucket: from, found, isNamedVersion } = source;
    const { head } = found;
    if (head.size > MAX_COPY_BYTES) throw s3Error('InvalidRequest', 'Larger objects are copied in parts');
    const replaces = directive(headerOf(context, 'x-amz-metadata-directive'), 'x-amz-metadata-directive');
    const replacesTags = directive(headerOf(context, 'x-amz-tagging-directive'), 'x-amz-tagging-directive');
    const isSame = from.info.bucket.bucketId === bucket.info.bucket.bucketId && request.key === found.object.key.name;
    const given = await newObject(context, bucket);
    const isOfSameClass = isSamePlacement(
      placementOf(found, from.info),
      tailPlacementOf(bucket.info, given.storageClass),
    );
    if (isSame && !replaces && !isNamedVersion && isOfSameClass && !changesEncryption(context)) {
      throw s3Error(
        'InvalidRequest',
        'A copy of an object onto itself must change its metadata, storage class, website redirect location or encryption attributes',
      );
    }
    const attrs = mergedAttrs(head.attrs, given.attrs, replaces, replacesTags);
    const contentType = attrs.get(Attr.contentType);
    // Copied onto itself it is read before it is replaced: its old tail stays long enough.
    const data = await store.quotas.guard(bucket.info, sourceData(context, source, 0, head.size), head.size);
    const encryption = await encryptionOf(context, bucket);
    const checks = new UploadChecks(context.crypto, new Map(), { wanted: checksumOfCopy(context, head) });
    let checksum: Checksum | undefined;
    const subject = { type: EventType.createdCopy, key: request.key, attrs: async () => attrs };
    const written = await notifyingOfObject(context, bucket, subject, () =>
      store.objects.write(bucket.info, request.key, checks.passing(data), {
        attrs: new Map([...attrs, ...(encryption?.attrs ?? [])]),
        cipher: encryption?.cipher,
        acl: given.acl,
        storageClass: given.storageClass,
        contentType: contentType === undefined ? '' : attrText(contentType),
        ...keeping(store, bucket, request.key, checkOf(readConditions(request.http.headers)).check),
        finish: (md5) => {
          checksum = checks.finish(md5);
          return checksumAttrs(checksum);
        },
      }),
    );
    return xmlResponse(copyObjectResult({ mtime: written.mtime, etag: written.etag, checksum }), [
      ...versionHeaders(written.versionId),
      ...sourceVersionHeaders(found.versionId),
      ...(encryption?.headers ?? []),
    ]);
  },
};

/** Where the data of what is copied are said to be: what counts is the name of the class. */
function placementOf({ head }: FoundObject, { placement }: BucketInfo): PlacementRule {
  return { name: placement.name, storageClass: storageClassOf(head) || placement.storageClass };
}

function isSamePlacement(a: PlacementRule, b: PlacementRule): boolean {
  return formatPlacementRule(a) === formatPlacementRule(b);
}

/** The one that is asked for, or the source's: of all the data, also when that of the source is of its parts. */
function checksumOfCopy({ request }: OperationContext, source: Head): ChecksumAlgorithm | undefined {
  return namedAlgorithm(request.http.headers) ?? storedChecksum(source.attrs)?.algorithm;
}

/** Whether a directive says REPLACE. @throws S3Error InvalidArgument */
function directive(value: string | undefined, name: string): boolean {
  if (value === undefined || value === 'COPY') return false;
  if (value === 'REPLACE') return true;
  throw s3Error('InvalidArgument', `${name} is COPY or REPLACE`);
}

function mergedAttrs(
  source: ReadonlyMap<RawString, Bytes>,
  given: ReadonlyMap<RawString, Bytes>,
  replaces: boolean,
  replacesTags: boolean,
): Map<RawString, Bytes> {
  const kept = new Set(KEPT_HEADERS.map(([, attr]) => attr));
  const isMetadata = (attr: RawString) => kept.has(attr) || attr.startsWith(USER_META_PREFIX);
  const attrs = new Map<RawString, Bytes>();
  for (const [attr, value] of replaces ? given : source) if (isMetadata(attr)) attrs.set(attr, value);
  const tags = (replacesTags ? given : source).get(Attr.tags);
  if (tags) attrs.set(Attr.tags, tags);
  // What holds a copy is its own.
  for (const attr of [Attr.retention, Attr.legalHold]) if (given.has(attr)) attrs.set(attr, given.get(attr)!);
  return attrs;
}
