/** The end of an upload in parts: they become an object. */
import { type Bytes, EMPTY, fromHex, type RawString, textFromRaw, toHex } from '@spirula/encoding';
import type { UploadPart } from '../../formats/upload.ts';
import { EventType } from '../../notifications/event-type.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import { etagOf } from '../../store/head.ts';
import { Attr, attrText } from '../../store/object-attrs.ts';
import { NoSuchUpload } from '../../store/upload-meta.ts';
import type { Checksum, PartChecksum } from '../checksums.ts';
import { readConditions } from '../conditions.ts';
import {
  type CompletedPart,
  completeMultipartUploadResult,
  readCompleteMultipartUpload,
} from '../documents/multipart.ts';
import { s3Error } from '../s3-errors.ts';
import { readShortBody } from '../xml-reader.ts';
import { aclOf } from './access.ts';
import { serverEncryptionHeaders } from './encryption.ts';
import { findUpload, openForWriting, parsePartChecksum, partChecksumText } from './multipart.ts';
import { notifyingOfObject } from './notifying.ts';
import { headerOf, keyOf, type Operation, type OperationContext, xmlResponse } from './operation.ts';
import {
  checksumAttrs,
  checksumOfParts,
  isChecksumAttr,
  partChecksumAttrs,
  storedChecksum,
  storedUploadChecksum,
} from './stored-checksums.ts';
import { versionHeaders } from './versions.ts';
import { checkOf } from './write-checks.ts';

/** rgw_multipart_min_part_size: of all parts but the last. */
const MIN_PART_BYTES = 5 << 20;
/** Ten thousand parts, each with number, ETag and checksums. */
const MAX_DOCUMENT_BYTES = 4 << 20;

interface Completed {
  readonly etag: string;
  readonly versionId: RawString | undefined;
  readonly checksum: Checksum | undefined;
  /** Of the object. */
  readonly attrs: ReadonlyMap<RawString, Bytes>;
}

export const completeMultipartUpload: Operation = {
  name: 'CompleteMultipartUpload',
  async run(context) {
    const { request, auth } = context;
    const bucket = await openForWriting(context);
    const asked = readCompleteMultipartUpload(await readShortBody(auth.body, MAX_DOCUMENT_BYTES));
    const { etag, versionId, checksum, attrs } = await complete(context, bucket, asked);
    const { tenant, name } = bucket.info.bucket;
    const host = headerOf(context, 'host') ?? '';
    const location = `http${request.http.secure ? 's' : ''}://${host}/${name}/${request.key}`;
    return xmlResponse(
      completeMultipartUploadResult({ location, tenant, bucket: name, key: request.key, etag, checksum }),
      [...versionHeaders(versionId), ...serverEncryptionHeaders(attrs)],
    );
  },
};

async function complete(
  context: OperationContext,
  bucket: StoredBucket,
  asked: readonly CompletedPart[],
): Promise<Completed> {
  try {
    return await join(context, bucket, asked);
  } catch (error) {
    if (!(error instanceof NoSuchUpload)) throw error;
    // A client that did not hear of it asks again.
    const before = await completedBefore(context, bucket, asked);
    if (!before) throw error;
    return before;
  }
}

async function join(
  context: OperationContext,
  bucket: StoredBucket,
  asked: readonly CompletedPart[],
): Promise<Completed> {
  const upload = await findUpload(context, bucket);
  const conditions = readConditions(context.request.http.headers);
  let checksum: Checksum | undefined;
  let ofParts: readonly (PartChecksum | undefined)[] = [];
  const subject = {
    type: EventType.createdCompleteMultipartUpload,
    key: context.request.key,
    attrs: async () => upload.attrs,
  };
  const { etag, versionId } = await notifyingOfObject(context, bucket, subject, () =>
    context.store.uploads.complete(
      upload,
      (parts, checksums) => {
        const chosen = chooseParts(asked, parts, checksums);
        ofParts = chosen.map(({ number, accountedSize }) => {
          const found = parsePartChecksum(checksums.get(number));
          return found && { value: found.value, length: accountedSize };
        });
        checksum = checksumOfParts(context, storedUploadChecksum(upload.attrs), ofParts);
        return chosen;
      },
      (meta) => ({
        attrs: new Map([
          ...objectAttrs(meta.attrs),
          ...checksumAttrs(checksum),
          ...(checksum ? partChecksumAttrs(ofParts) : []),
        ]),
        acl: aclOf(meta.attrs)!,
        contentType: textOf(meta.attrs, Attr.contentType),
      }),
      checkOf(conditions).check,
    ),
  );
  return { etag, versionId, checksum, attrs: upload.attrs };
}

/** The object that there is, if it is what these parts become (RGWCompleteMultipart::check_previously_completed). */
async function completedBefore(
  context: OperationContext,
  bucket: StoredBucket,
  asked: readonly CompletedPart[],
): Promise<Completed | undefined> {
  const found = await context.store.objects.find(bucket.info, { ...keyOf(context), instance: '' });
  if (!found || !asked.every(({ etag }) => /^[0-9a-f]{32}$/.test(etag))) return undefined;
  const md5 = context.crypto.hasher('md5');
  for (const { etag } of asked) md5.update(fromHex(etag));
  const etag = `${toHex(md5.digest())}-${asked.length}`;
  if (etag !== etagOf(found.head)) return undefined;
  const { attrs } = found.head;
  return { etag, versionId: found.versionId, checksum: storedChecksum(attrs), attrs };
}

/** @throws S3Error InvalidPart, EntityTooSmall */
function chooseParts(
  asked: readonly CompletedPart[],
  parts: ReadonlyMap<number, UploadPart>,
  checksums: ReadonlyMap<number, RawString>,
): readonly UploadPart[] {
  return asked.map(({ partNumber, etag, checksum }, i) => {
    const part = parts.get(partNumber);
    if (!part || part.etag !== etag) {
      throw s3Error('InvalidPart', `Part ${partNumber} with ETag ${textFromRaw(etag)} was not uploaded`);
    }
    if (checksum && checksums.has(partNumber) && checksums.get(partNumber) !== partChecksumText(checksum)) {
      throw s3Error('InvalidPart', `Part ${partNumber} has another checksum`);
    }
    if (i < asked.length - 1 && part.accountedSize < MIN_PART_BYTES) {
      throw s3Error(
        'EntityTooSmall',
        `Part ${partNumber} has ${part.accountedSize} bytes; all but the last need ${MIN_PART_BYTES}`,
      );
    }
    return part;
  });
}

/** Of the upload's meta object, those that are the object's too. */
function objectAttrs(attrs: ReadonlyMap<RawString, Bytes>): Map<RawString, Bytes> {
  return new Map(
    [...attrs].filter(([name]) => name.startsWith('user.rgw.') && name !== Attr.acl && !isChecksumAttr(name)),
  );
}

function textOf(attrs: ReadonlyMap<RawString, Bytes>, name: RawString): RawString {
  return attrText(attrs.get(name) ?? EMPTY);
}
