/**
 * Objects that are made of others: dynamic ones, all that begins with a prefix (DLO), and static ones, a list (SLO). radosgw
 * keeps them so: the prefix in `user.rgw.user_manifest`, the list (RGWSLOInfo) in `user.rgw.slo_manifest`.
 */
import {
  type Bytes,
  Decoder,
  type Encoder,
  fromUtf8,
  type RawString,
  rawFromText,
  textFromRaw,
  toHex,
  utf8,
} from '@spirula/encoding';
import { encoded } from '../formats/encoded.ts';
import { decryptionOf } from '../s3/operations/encryption.ts';
import { objectData } from '../s3/operations/object-data.ts';
import { percentDecode } from '../s3/percent-encoding.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { etagOf } from '../store/head.ts';
import { listObjects } from '../store/listing.ts';
import { attrText } from '../store/object-attrs.ts';
import type { FoundObject } from '../store/stripes.ts';
import { requireAccess } from './access.ts';
import { findContainer, type SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

export const DYNAMIC_ATTR = 'user.rgw.user_manifest';
export const STATIC_ATTR = 'user.rgw.slo_manifest';
/** rgw_max_slo_entries */
const MAX_SEGMENTS = 1000;
/** Of a dynamic one: more would hold a request for too long. */
const MAX_DYNAMIC = 10_000;

export interface Segment {
  readonly bucket: StoredBucket;
  readonly name: RawString;
  readonly size: number;
  readonly etag: RawString;
}

interface StaticEntry {
  readonly path: RawString;
  readonly etag: RawString;
  readonly size: number;
}

/** What an object is made of; undefined: of its own bytes. */
export async function segmentsOf(
  context: SwiftContext,
  attrs: ReadonlyMap<RawString, Bytes>,
): Promise<readonly Segment[] | undefined> {
  const prefix = attrs.get(DYNAMIC_ATTR);
  if (prefix) return await dynamicSegments(context, attrText(prefix));
  const list = attrs.get(STATIC_ATTR);
  if (!list) return undefined;
  const segments: Segment[] = [];
  for (const { path, etag, size } of decodeStatic(list)) {
    const { container, name } = splitPath(path);
    segments.push({ bucket: await readable(context, container), name, etag, size });
  }
  return segments;
}

async function dynamicSegments(context: SwiftContext, manifest: RawString): Promise<Segment[]> {
  const { container, name: prefix } = splitPath(percentDecode(manifest));
  const bucket = await readable(context, container);
  const segments: Segment[] = [];
  const query = { prefix, delimiter: '', after: '', ns: '', hint: 1000 };
  for await (const entry of listObjects(context.store.objects, bucket.info, query)) {
    if (entry.kind !== 'object') continue;
    segments.push({ bucket, name: entry.name, size: Number(entry.meta.accountedSize), etag: entry.meta.etag });
    if (segments.length > MAX_DYNAMIC) throw new SwiftError('Conflict', 'The object has too many segments');
  }
  return segments;
}

async function readable(context: SwiftContext, container: RawString): Promise<StoredBucket> {
  const bucket = await findContainer(context, container);
  requireAccess(context, bucket, 'read');
  return bucket;
}

export function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, { size }) => sum + size, 0);
}

/** Of all segments' digests. */
export function etagOfSegments(
  { crypto }: Pick<SwiftContext, 'crypto'>,
  segments: readonly Pick<Segment, 'etag'>[],
): string {
  return toHex(crypto.hash('md5', utf8(segments.map(({ etag }) => etag).join(''))));
}

/** Bytes `from` up to `to` (exclusive) of all segments, one behind the other. */
export async function* readSegments(
  context: SwiftContext,
  segments: readonly Segment[],
  from: number,
  to: number,
): AsyncGenerator<Bytes> {
  let offset = 0;
  for (const { bucket, name, size } of segments) {
    const [first, last] = [Math.max(from - offset, 0), Math.min(to - offset, size)];
    offset += size;
    if (first >= last) continue;
    const found = await context.store.objects.find(bucket.info, { name, instance: '', ns: '' });
    if (!found || found.head.size < last)
      throw new SwiftError('Conflict', `The segment ${textFromRaw(name)} is not there any more`);
    yield* dataOf(context, bucket, found, first, last);
  }
}

export async function* dataOf(
  context: SwiftContext,
  bucket: StoredBucket,
  found: FoundObject,
  from: number,
  to: number,
): AsyncGenerator<Bytes> {
  const encryption = await decryptionOf(context, found.head.attrs);
  const data = objectData(context, bucket, found, encryption, from, to);
  if (data instanceof Uint8Array) yield data;
  else yield* data;
}

/**
 * The list that a client gives: `[{ "path": "/container/object", "etag": …, "size_bytes": … }]`, each checked.
 *
 * @throws SwiftError BadRequest
 */
export async function readStaticManifest(context: SwiftContext, document: Bytes): Promise<Segment[]> {
  const given = parseJson(document);
  if (!Array.isArray(given) || given.length === 0)
    throw new SwiftError('BadRequest', 'A manifest is a list of segments');
  if (given.length > MAX_SEGMENTS)
    throw new SwiftError('RequestEntityTooLarge', `A manifest has at most ${MAX_SEGMENTS} segments`);
  const segments: Segment[] = [];
  for (const [i, each] of given.entries()) {
    const where = `Segment ${i + 1}`;
    const { path, etag, size_bytes: size, ...others } = (each ?? {}) as Record<string, unknown>;
    if (typeof path !== 'string') throw new SwiftError('BadRequest', `${where} has no path`);
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw new SwiftError('BadRequest', `${where}: ${unknown} is not supported`);
    const { container, name } = splitPath(rawFromText(path));
    const bucket = await readable(context, container);
    const found = await context.store.objects.find(bucket.info, { name, instance: '', ns: '' });
    if (!found) throw new SwiftError('BadRequest', `${where}: ${path} is not there`);
    if (found.head.attrs.has(STATIC_ATTR) || found.head.attrs.has(DYNAMIC_ATTR)) {
      throw new SwiftError('BadRequest', `${where}: ${path} is itself made of segments`);
    }
    const is = { bucket, name, size: found.head.size, etag: etagOf(found.head) };
    if (typeof etag === 'string' && etag !== is.etag)
      throw new SwiftError('BadRequest', `${where}: ${path} has another etag`);
    if (typeof size === 'number' && size !== is.size)
      throw new SwiftError('BadRequest', `${where}: ${path} has another size`);
    segments.push(is);
  }
  return segments;
}

function parseJson(document: Bytes): unknown {
  try {
    return JSON.parse(fromUtf8(document));
  } catch (error) {
    throw new SwiftError('BadRequest', `The manifest is no JSON: ${(error as Error).message}`);
  }
}

export function encodeStaticManifest(segments: readonly Segment[]): Bytes {
  return encoded((to: Encoder) => {
    to.struct(1, 1, () => {
      to.list(segments, ({ bucket, name, etag, size }) =>
        to.struct(1, 1, () => {
          to.rawString(`/${bucket.info.bucket.name}/${name}`);
          to.rawString(etag);
          to.u64(size);
        }),
      );
      to.u64(sizeOf(segments));
    });
  }, undefined);
}

/** As clients get it by `?multipart-manifest=get`. */
export function shownManifest(segments: readonly Segment[]): Bytes {
  const shown = segments.map(({ bucket, name, etag, size }) => ({
    name: `/${textFromRaw(bucket.info.bucket.name)}/${textFromRaw(name)}`,
    hash: etag,
    bytes: size,
  }));
  return utf8(JSON.stringify(shown));
}

function decodeStatic(bytes: Bytes): StaticEntry[] {
  const from = new Decoder(bytes);
  return from.struct('slo manifest', 1, () =>
    from.list('entries', 6 + 4 + 4 + 8, () =>
      from.struct('slo entry', 1, () => ({
        path: from.rawString('path'),
        etag: from.rawString('etag'),
        size: from.u64('size'),
      })),
    ),
  );
}

/** `/container/object`, the first slash or not. @throws SwiftError BadRequest */
function splitPath(path: RawString): { readonly container: RawString; readonly name: RawString } {
  const match = /^\/?([^/]+)\/(.+)$/s.exec(path);
  if (!match) throw new SwiftError('BadRequest', `${textFromRaw(path)}: give /container/object`);
  return { container: match[1]!, name: match[2]! };
}
