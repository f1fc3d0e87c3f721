/**
 * Objects that are made of others: dynamic ones, all that begins with a prefix (DLO), and static ones, a list (SLO). Swift's
 * clients make them; whoever reads one, by S3 as well, gets the bytes of its segments. radosgw keeps them so: the prefix in
 * `user.rgw.user_manifest`, the list (RGWSLOInfo) in `user.rgw.slo_manifest`.
 */
import { type Bytes, type RawString, textFromRaw, toHex, utf8 } from '@spirula/encoding';
import { decoded } from '../formats/encoded.ts';
import { decodeStaticManifest } from '../formats/static-manifest.ts';
import { decryptionOf, type EncryptionContext } from '../s3/operations/encryption.ts';
import { asStream, objectData } from '../s3/operations/object-data.ts';
import { percentDecode } from '../s3/percent-encoding.ts';
import type { StoredBucket } from '../store/buckets.ts';
import type { Head } from '../store/head.ts';
import { listObjects } from '../store/listing.ts';
import { attrText } from '../store/object-attrs.ts';
import { CHUNK_BYTES, type FoundObject } from '../store/stripes.ts';

export const DYNAMIC_ATTR = 'user.rgw.user_manifest';
export const STATIC_ATTR = 'user.rgw.slo_manifest';
/** Of a dynamic one: more would hold a request for too long. */
const MAX_DYNAMIC = 10_000;

export interface Segment {
  readonly bucket: StoredBucket;
  readonly name: RawString;
  readonly size: number;
  readonly etag: RawString;
}

/** Who reads, and by which protocol. */
export interface SegmentReader {
  readonly context: EncryptionContext;
  /** Throws when there is no such bucket. */
  findBucket(name: RawString): Promise<StoredBucket>;
  /** Rejects when the reader may not read this one. */
  requireRead(bucket: StoredBucket, name: RawString, head: Head): Promise<void>;
  /** The error that the protocol has when an object is not as its manifest says. */
  conflict(message: string): Error;
}

/** What an object is made of; undefined: of its own bytes. */
export async function segmentsOf(
  reader: SegmentReader,
  attrs: ReadonlyMap<RawString, Bytes>,
): Promise<readonly Segment[] | undefined> {
  const prefix = attrs.get(DYNAMIC_ATTR);
  if (prefix) return await dynamicSegments(reader, attrText(prefix));
  const list = attrs.get(STATIC_ATTR);
  if (!list) return undefined;
  const segments: Segment[] = [];
  for (const { path, etag, size } of decoded(decodeStaticManifest, list)) {
    const { container, name } = placeOf(reader, path);
    segments.push({ bucket: await reader.findBucket(container), name, etag, size });
  }
  return segments;
}

async function dynamicSegments(reader: SegmentReader, manifest: RawString): Promise<Segment[]> {
  const { container, name: prefix } = placeOf(reader, percentDecode(manifest));
  const bucket = await reader.findBucket(container);
  const segments: Segment[] = [];
  const query = { prefix, delimiter: '', after: '', ns: '', hint: 1000 };
  for await (const entry of listObjects(reader.context.store.objects, bucket.info, query)) {
    if (entry.kind !== 'object') continue;
    segments.push({ bucket, name: entry.name, size: Number(entry.meta.accountedSize), etag: entry.meta.etag });
    if (segments.length > MAX_DYNAMIC) throw reader.conflict('The object has too many segments');
  }
  return segments;
}

function placeOf(reader: SegmentReader, path: RawString) {
  const place = splitPath(path);
  if (!place) throw reader.conflict(`The object is made of ${textFromRaw(path)}, which names no object`);
  return place;
}

/** `/container/object`, the first slash or not. */
export function splitPath(path: RawString): { readonly container: RawString; readonly name: RawString } | undefined {
  const match = /^\/?([^/]+)\/(.+)$/s.exec(path);
  return match ? { container: match[1]!, name: match[2]! } : undefined;
}

export function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}

/** Of all segments' digests. */
export function etagOfSegments(
  { crypto }: Pick<EncryptionContext, 'crypto'>,
  segments: readonly Pick<Segment, 'etag'>[],
): string {
  return toHex(crypto.hash('md5', utf8(segments.map(({ etag }) => etag).join(''))));
}

/** Bytes `from` up to `to` (exclusive) of all segments, one behind the other. What is wrong with the first is told before them. */
export async function openSegments(
  reader: SegmentReader,
  segments: readonly Segment[],
  from: number,
  to: number,
): Promise<AsyncIterable<Bytes>> {
  const [first, ...others] = stretchesOf(segments, from, to);
  const begun = first && (await openStretch(reader, first));
  async function* read(): AsyncGenerator<Bytes> {
    if (begun) yield* begun;
    for (const each of others) yield* await openStretch(reader, each);
  }
  return read();
}

interface Stretch {
  readonly segment: Segment;
  readonly first: number;
  /** Exclusive. */
  readonly last: number;
}

function stretchesOf(segments: readonly Segment[], from: number, to: number): Stretch[] {
  let offset = 0;
  return segments.flatMap((segment) => {
    const [first, last] = [Math.max(from - offset, 0), Math.min(to - offset, segment.size)];
    offset += segment.size;
    return first < last ? [{ segment, first, last }] : [];
  });
}

async function openStretch(reader: SegmentReader, { segment, first, last }: Stretch): Promise<AsyncIterable<Bytes>> {
  const { bucket, name } = segment;
  const key = { name, instance: '', ns: '' };
  const found = await reader.context.store.objects.find(bucket.info, key, first < CHUNK_BYTES ? CHUNK_BYTES : 0);
  if (!found || found.head.size < last) {
    throw reader.conflict(`The segment ${textFromRaw(name)} is not there any more`);
  }
  await reader.requireRead(bucket, name, found.head);
  return await openData(reader.context, bucket, found, first, last);
}

/** Bytes `from` up to `to` (exclusive) of an object's own. */
export async function openData(
  context: EncryptionContext,
  bucket: StoredBucket,
  found: FoundObject,
  from: number,
  to: number,
): Promise<AsyncIterable<Bytes>> {
  const encryption = await decryptionOf(context, found.head.attrs);
  return asStream(objectData(context, bucket, found, encryption, from, to));
}
