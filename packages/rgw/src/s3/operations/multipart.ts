/** Uploads in parts. */
import type { RawString } from '@spirula/encoding';
import { encodeAcl } from '../../formats/acl.ts';
import { encoded } from '../../formats/encoded.ts';
import type { UploadPart } from '../../formats/upload.ts';
import { formatUserId } from '../../formats/user-id.ts';
import { OpMask } from '../../formats/user-info.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { Attr } from '../../store/object-attrs.ts';
import { listUploads, type ListedUpload as StoredUpload } from '../../store/upload-list.ts';
import type { FoundUpload } from '../../store/upload-meta.ts';
import { parseCopySourceRange } from '../byte-range.ts';
import { algorithms, type Checksum, checksumHeader, UploadChecks } from '../checksums.ts';
import { copyPartResult } from '../documents/copy.ts';
import {
  initiateMultipartUploadResult,
  type ListedPart,
  listMultipartUploadsResult,
  listPartsResult,
  readListParts,
  readListUploads,
  readPartNumber,
} from '../documents/multipart.ts';
import { s3Error } from '../s3-errors.ts';
import { aclOf, requireBucketAccess, requireOpMask } from './access.ts';
import { ownerOfAcl } from './acl-of-request.ts';
import { findSource, sourceData } from './copy-object.ts';
import { decryptionOf, encryptionOf } from './encryption.ts';
import { bucketOwnerOf, findBucket } from './find-bucket.ts';
import { newObject } from './new-object.ts';
import { emptyResponse, headerOf, type Operation, type OperationContext, paramOf, xmlResponse } from './operation.ts';
import {
  readUploadChecksum,
  storedUploadChecksum,
  uploadChecksumAttrs,
  uploadChecksumHeaders,
} from './stored-checksums.ts';
import { requireSize, uploadBody } from './upload-body.ts';
import { sourceVersionHeaders } from './versions.ts';

export const createMultipartUpload: Operation = {
  name: 'CreateMultipartUpload',
  async run(context) {
    const { request, store } = context;
    const bucket = await openForWriting(context);
    const { acl, attrs, storageClass } = await newObject(context, bucket);
    const encryption = await encryptionOf(context, bucket);
    for (const [name, value] of encryption?.attrs ?? []) attrs.set(name, value);
    attrs.set(Attr.acl, encoded(encodeAcl, acl));
    const checksum = readUploadChecksum(request.http.headers);
    for (const [name, value] of uploadChecksumAttrs(checksum)) attrs.set(name, value);
    const { owner } = acl;
    const upload = await store.uploads.begin(bucket.info, request.key, {
      attrs,
      owner: formatUserId(owner.id),
      ownerName: owner.displayName,
      storageClass,
    });
    const { tenant, name } = bucket.info.bucket;
    return xmlResponse(initiateMultipartUploadResult({ tenant, bucket: name, key: request.key, uploadId: upload.id }), [
      ...uploadChecksumHeaders(checksum),
      ...(encryption?.headers ?? []),
    ]);
  },
};

export const uploadPart: Operation = {
  name: 'UploadPart',
  async run(context) {
    const { request, auth, store } = context;
    const bucket = await openForWriting(context);
    const number = readPartNumber(request.params);
    const data = uploadBody(context);
    const upload = await findUpload(context, bucket);
    const checks = new UploadChecks(context.crypto, request.http.headers, {
      trailers: auth.trailers,
      wanted: storedUploadChecksum(upload.attrs)?.algorithm,
    });
    const body = checks.passing(await store.quotas.guard(bucket.info, data, auth.decodedLength));
    const encryption = await decryptionOf(context, upload.attrs);
    let checksum: Checksum | undefined;
    const written = await store.uploads.writePart(upload, number, body, {
      cipher: encryption?.cipher,
      finish: (md5) => {
        checksum = checks.finish(md5);
        return partChecksumText(checksum);
      },
    });
    return emptyResponse(200, [
      ['ETag', `"${written.etag}"`],
      ...(encryption?.headers ?? []),
      ...(checksum === undefined ? [] : [checksumHeader(checksum)]),
    ]);
  },
};

export const uploadPartCopy: Operation = {
  name: 'UploadPartCopy',
  async run(context) {
    const { request, store } = context;
    const bucket = await openForWriting(context);
    const number = readPartNumber(request.params);
    const upload = await findUpload(context, bucket);
    const source = await findSource(context);
    const { found } = source;
    const header = headerOf(context, 'x-amz-copy-source-range');
    const range = header === undefined ? undefined : parseCopySourceRange(header, found.head.size);
    const { offset, length } = range ?? { offset: 0, length: found.head.size };
    requireSize(length);
    const data = await store.quotas.guard(bucket.info, sourceData(context, source, offset, offset + length), length);
    const wanted = storedUploadChecksum(upload.attrs)?.algorithm;
    const checks = new UploadChecks(context.crypto, new Map(), { wanted });
    let checksum: Checksum | undefined;
    const encryption = await decryptionOf(context, upload.attrs);
    const { mtime, etag } = await store.uploads.writePart(upload, number, checks.passing(data), {
      cipher: encryption?.cipher,
      finish: (md5) => {
        checksum = checks.finish(md5);
        return partChecksumText(checksum);
      },
    });
    return xmlResponse(copyPartResult({ mtime, etag, checksum }), [
      ...sourceVersionHeaders(found.versionId),
      ...(encryption?.headers ?? []),
    ]);
  },
};

export const abortMultipartUpload: Operation = {
  name: 'AbortMultipartUpload',
  async run(context) {
    const bucket = await openForWriting(context, 's3:AbortMultipartUpload');
    await context.store.uploads.abort(await findUpload(context, bucket));
    return emptyResponse(204);
  },
};

export const listParts: Operation = {
  name: 'ListParts',
  async run(context) {
    const { request, store } = context;
    const bucket = await findBucket(context);
    requireBucketAccess(context, bucket, 's3:ListMultipartUploadParts', request.key);
    const asked = readListParts(request.params);
    const upload = await findUpload(context, bucket);
    const found: UploadPart[] = [];
    let isTruncated = false;
    for await (const part of store.uploads.meta.parts(upload, asked.partNumberMarker)) {
      isTruncated = found.length === asked.maxParts;
      if (isTruncated) break;
      found.push(part);
    }
    const checksums = await store.uploads.meta.partChecksums(upload, found);
    const parts = found.map(
      ({ number, accountedSize, etag, modified }): ListedPart => ({
        partNumber: number,
        mtime: modified,
        etag,
        size: accountedSize,
        checksum: parsePartChecksum(checksums.get(number)),
      }),
    );
    const { tenant, name } = bucket.info.bucket;
    const owner = ownerOfAcl(aclOf(upload.attrs)!);
    const { storageClass } = upload.placement;
    return xmlResponse(
      listPartsResult(asked, { tenant, bucket: name, key: request.key, storageClass, owner, parts, isTruncated }),
    );
  },
};

export const listMultipartUploads: Operation = {
  name: 'ListMultipartUploads',
  async run(context) {
    const { request, store } = context;
    const bucket = await findBucket(context);
    requireBucketAccess(context, bucket, 's3:ListBucketMultipartUploads');
    const asked = readListUploads(request.params);
    const query = {
      prefix: asked.prefix,
      delimiter: asked.delimiter,
      after: { key: asked.keyMarker, id: asked.uploadIdMarker },
      hint: asked.maxUploads + 1,
    };
    const uploads: StoredUpload[] = [];
    const commonPrefixes: RawString[] = [];
    let isTruncated = false;
    let last: { readonly key: RawString; readonly id: RawString } | undefined;
    for await (const entry of listUploads(store.objects, bucket.info, query)) {
      isTruncated = uploads.length + commonPrefixes.length >= asked.maxUploads;
      if (isTruncated) break;
      if (entry.kind === 'prefix') commonPrefixes.push(entry.name);
      else uploads.push(entry);
      last = entry.kind === 'prefix' ? { key: entry.name, id: '' } : entry;
    }
    const initiator = await bucketOwnerOf(context, bucket);
    const { tenant, name } = bucket.info.bucket;
    return xmlResponse(
      listMultipartUploadsResult(asked, {
        tenant,
        bucket: name,
        uploads: uploads.map(({ key, id, meta }) => {
          const owner = meta.owner === '' ? initiator : { id: meta.owner, displayName: meta.ownerDisplayName };
          return { key, uploadId: id, initiator: owner, owner, storageClass: meta.storageClass, initiated: meta.mtime };
        }),
        commonPrefixes,
        isTruncated,
        ...(isTruncated && last && { nextKeyMarker: last.key, nextUploadIdMarker: last.id }),
      }),
    );
  },
};

export async function openForWriting(
  context: OperationContext,
  action: 's3:PutObject' | 's3:AbortMultipartUpload' = 's3:PutObject',
): Promise<StoredBucket> {
  const bucket = await findBucket(context);
  requireOpMask(context.user, OpMask.write);
  requireBucketAccess(context, bucket, action, context.request.key);
  return bucket;
}

/** @throws S3Error NoSuchUpload */
export async function findUpload(context: OperationContext, bucket: StoredBucket): Promise<FoundUpload> {
  const id = paramOf(context, 'uploadId') ?? '';
  if (id === '' || id.includes('/')) throw s3Error('NoSuchUpload');
  return await context.store.uploads.find(bucket.info, context.request.key, id);
}

/** As the store keeps a part's: `crc32:xxxxxx==`. */
export function partChecksumText(checksum: Checksum | undefined): RawString {
  return checksum ? `${checksum.algorithm}:${checksum.value}` : '';
}

export function parsePartChecksum(text: RawString | undefined): Checksum | undefined {
  const at = text?.indexOf(':') ?? -1;
  const algorithm = algorithms.find((each) => each === text?.slice(0, at));
  return algorithm && { algorithm, value: text!.slice(at + 1) };
}
