/** Manifests of large objects, as Swift's clients give and get them. */
import { type Bytes, fromUtf8, type RawString, rawFromText, textFromRaw, utf8 } from '@spirula/encoding';
import { encoded } from '../formats/encoded.ts';
import { encodeStaticManifest } from '../formats/static-manifest.ts';
import { DYNAMIC_ATTR, type Segment, type SegmentReader, STATIC_ATTR, splitPath } from '../large-objects/segments.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { etagOf } from '../store/head.ts';
import { requireAccess } from './access.ts';
import { findContainer, type SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** rgw_max_slo_entries */
export const MAX_SEGMENTS = 1000;

/** Containers say who may read their objects. */
export function segmentReader(context: SwiftContext): SegmentReader {
  return {
    context,
    findBucket: (name) => readable(context, name),
    requireRead: () => {},
    conflict: (message) => new SwiftError('Conflict', message),
  };
}

async function readable(context: SwiftContext, container: RawString): Promise<StoredBucket> {
  const bucket = await findContainer(context, container);
  requireAccess(context, bucket, 'read');
  return bucket;
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
    const place = splitPath(rawFromText(path));
    if (!place) throw new SwiftError('BadRequest', `${where}: ${path}: give /container/object`);
    const { container, name } = place;
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

/** What the object's xattr keeps of them. */
export function encodeSegments(segments: readonly Segment[]): Bytes {
  const entries = segments.map(({ bucket, name, etag, size }) => ({ path: pathOf(bucket, name), etag, size }));
  return encoded(encodeStaticManifest, entries);
}

function pathOf({ info }: StoredBucket, name: RawString): RawString {
  return `/${info.bucket.name}/${name}`;
}

/** As clients get it by `?multipart-manifest=get`. */
export function shownManifest(segments: readonly Segment[]): Bytes {
  const shown = segments.map(({ bucket, name, etag, size }) => ({
    name: textFromRaw(pathOf(bucket, name)),
    hash: etag,
    bytes: size,
  }));
  return utf8(JSON.stringify(shown));
}
