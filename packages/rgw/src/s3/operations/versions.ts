/** What answers say of versions, and the list of them. */
import type { RawString } from '@spirula/encoding';
import type { HttpResponse } from '../../http.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import type { Look } from '../../store/objects.ts';
import { listVersions, type ListedVersion as StoredVersion } from '../../store/version-listing.ts';
import type { MarkerOwner } from '../../store/version-writes.ts';
import { listVersionsResult, readListVersions } from '../documents/list-objects.ts';
import { S3Error } from '../s3-error.ts';
import { missingObject, requireBucketAccess } from './access.ts';
import { ANONYMOUS, ownerOf } from './acl-of-request.ts';
import { findBucket } from './find-bucket.ts';
import { type Operation, type OperationContext, xmlResponse } from './operation.ts';

type Headers = HttpResponse['headers'];

export function versionHeaders(versionId: RawString | undefined, isDeleteMarker = false): Headers {
  return [
    ...(versionId === undefined ? [] : [['x-amz-version-id', versionId] as const]),
    ...(isDeleteMarker ? [['x-amz-delete-marker', 'true'] as const] : []),
  ];
}

export function sourceVersionHeaders(versionId: RawString | undefined): Headers {
  return versionId === undefined ? [] : [['x-amz-copy-source-version-id', versionId]];
}

/** Whose the delete markers are that a request makes. */
export function markerOwner({ user }: OperationContext): MarkerOwner {
  return user ? ownerOf(user) : ANONYMOUS;
}

/** What is not there: an object, a version, or what a delete marker hides. @throws S3Error NoSuchKey, AccessDenied */
export function missingVersion(context: OperationContext, bucket: StoredBucket, { deleteMarker }: Look): Error {
  const error = missingObject(context, bucket);
  if (!(error instanceof S3Error) || error.status !== 404 || deleteMarker === undefined) return error;
  return new S3Error(error.code, error.status, error.message, error.details, versionHeaders(deleteMarker, true));
}

export const listObjectVersions: Operation = {
  name: 'ListObjectVersions',
  async run(context) {
    const bucket = await findBucket(context);
    requireBucketAccess(context, bucket, 's3:ListBucketVersions');
    const asked = readListVersions(context.request.params);
    const { prefix, delimiter, keyMarker, versionIdMarker, maxKeys } = asked;
    const query = { prefix, delimiter, after: keyMarker, versionId: versionIdMarker, hint: maxKeys + 1 };
    const versions: StoredVersion[] = [];
    const commonPrefixes: RawString[] = [];
    let isTruncated = false;
    let last: { readonly name: RawString; readonly instance: RawString } | undefined;
    if (maxKeys > 0) {
      for await (const entry of listVersions(context.store.objects, bucket.info, query)) {
        isTruncated = versions.length + commonPrefixes.length === maxKeys;
        if (isTruncated) break;
        if (entry.kind === 'prefix') commonPrefixes.push(entry.name);
        else versions.push(entry);
        last = entry.kind === 'prefix' ? { name: entry.name, instance: '' } : entry;
      }
    }
    return xmlResponse(
      listVersionsResult(asked, {
        tenant: bucket.info.bucket.tenant,
        bucket: bucket.info.bucket.name,
        entries: versions.map(shownVersion),
        commonPrefixes,
        isTruncated,
        nextKeyMarker: last?.name,
        nextVersionIdMarker: last?.instance,
      }),
    );
  },
};

function shownVersion({ name, instance, meta, isLatest, isDeleteMarker }: StoredVersion) {
  return {
    key: name,
    versionId: instance,
    isLatest,
    isDeleteMarker,
    mtime: meta.mtime,
    etag: meta.etag,
    size: Number(meta.accountedSize),
    storageClass: meta.storageClass,
    owner: { id: meta.owner, displayName: meta.ownerDisplayName },
    appendable: meta.appendable,
  };
}
