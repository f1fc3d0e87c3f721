/** Manifests of large objects, as Swift's clients give and get them. */
import { type Bytes, fromUtf8, type RawString, rawFromText, textFromRaw, utf8 } from '@spirula/encoding';
import { encoded } from '../formats/encoded.ts';
import { encodeStaticManifest } from '../formats/static-manifest.ts';
import { DYNAMIC_ATTR, type Segment, type SegmentReader, STATIC_ATTR, splitPath } from '../large-objects/segments.ts';
import type { StoredBucket } from '../store/buckets.ts';
import { etagOf, type Head } from '../store/head.ts';
import { requireContainerAccess, requireObjectAccess } from './access.ts';
import { findContainer, type SwiftContext } from './swift-context.ts';
import { SwiftError } from './swift-error.ts';

/** rgw_max_slo_entries */
export const MAX_SEGMENTS = 1000;

export function segmentReader(context: SwiftContext): SegmentReader {
  return {
    context,
    findBucket: (name) => findContainer(context, name),
    requireRead: (bucket, name, head) => requireObjectAccess(context, bucket, head, { action: 's3:GetObject', name }),
    conflict: (message) => new SwiftError('Conflict', message),
  };
}

/** What may be named as a segment: what the caller may read, or could have written. */
async function findSegment(context: SwiftContext, bucket: StoredBucket, name: RawString): Promise<Head | undefined> {
  const found = await context.store.objects.find(bucket.info, { name, instance: '', ns: '' });
  try {
    if (found) await requireObjectAccess(context, bucket, found.head, { action: 's3:GetObject', name });
    else await requireContainerAccess(context, bucket, 's3:ListBucket');
  } catch (error) {
    if (!(error instanceof SwiftError)) throw error;
    await requireContainerAccess(context, bucket, 's3:PutObject', name);
  }
  return found?.head;
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
    const bucket = await findContainer(context, container);
    const head = await findSegment(context, bucket, name);
    if (!head) throw new SwiftError('BadRequest', `${where}: ${path} is not there`);
    if (head.attrs.has(STATIC_ATTR) || head.attrs.has(DYNAMIC_ATTR)) {
      throw new SwiftError('BadRequest', `${where}: ${path} is itself made of segments`);
    }
    const is = { bucket, name, size: head.size, etag: etagOf(head) };
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
