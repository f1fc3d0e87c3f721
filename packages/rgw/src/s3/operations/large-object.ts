/** Large objects that Swift's clients have made, read by S3: radosgw gives their segments' bytes, too (RGWGetObj::execute). */
import type { Bytes, RawString } from '@spirula/encoding';
import { etagOfSegments, openSegments, type SegmentReader, segmentsOf, sizeOf } from '../../large-objects/segments.ts';
import type { StoredBucket } from '../../store/buckets.ts';
import type { Head } from '../../store/head.ts';
import { s3Error } from '../s3-errors.ts';
import { requireObjectAccess } from './access.ts';
import type { OperationContext } from './operation.ts';

export interface LargeObject {
  readonly etag: RawString;
  readonly size: number;
  /** Bytes `from` up to `to` (exclusive). */
  open(from: number, to: number): Promise<AsyncIterable<Bytes>>;
}

/** Undefined: the object is made of its own bytes. @throws S3Error */
export async function largeObjectOf(
  context: OperationContext,
  bucket: StoredBucket,
  { attrs }: Head,
): Promise<LargeObject | undefined> {
  const reader = segmentReader(context, bucket);
  const segments = await segmentsOf(reader, attrs);
  if (!segments) return undefined;
  return {
    etag: etagOfSegments(context, segments),
    size: sizeOf(segments),
    open: (from, to) => openSegments(reader, segments, from, to),
  };
}

/** Segments are in buckets of the object's tenant; each says who may read it. */
function segmentReader(context: OperationContext, { info }: StoredBucket): SegmentReader {
  return {
    context,
    async findBucket(name) {
      const bucket = await context.store.buckets.load(info.bucket.tenant, name);
      if (!bucket) throw s3Error('NoSuchBucket');
      return bucket;
    },
    requireRead: async (bucket, name, head) => requireObjectAccess(context, bucket, head, 's3:GetObject', name),
    conflict: (message) => s3Error('InvalidBucketState', message),
  };
}
