/** Where the bytes of an image are: which objects, and where in them (osdc/Striper.cc, file_to_extents). */
import { type Bytes, concatBytes } from '@spirula/encoding';

/** An image of stripes: `unit` bytes go to each of `count` objects in turn, until these are full. */
export interface ImageLayout {
  /** Bytes of an object: a power of two. */
  readonly objectSize: number;
  /** Bytes; it divides the object's. */
  readonly stripeUnit: number;
  readonly stripeCount: number;
}

export interface Range {
  readonly offset: number;
  readonly length: number;
}

/** A stretch of one object, and what parts of the image it holds: in order, together as long as the stretch. */
export interface ObjectExtent extends Range {
  readonly object: number;
  readonly image: readonly Range[];
}

/** By object and offset; what follows on in an object is one extent. */
export function objectExtents(layout: ImageLayout, offset: number, length: number): readonly ObjectExtent[] {
  const byObject = new Map<number, { offset: number; length: number; object: number; image: Range[] }[]>();
  for (let at = offset; at < offset + length; ) {
    const place = placeOf(layout, at);
    const count = Math.min(layout.stripeUnit - (at % layout.stripeUnit), offset + length - at);
    const extents = byObject.get(place.object) ?? [];
    byObject.set(place.object, extents);
    const last = extents.at(-1);
    if (last && last.offset + last.length === place.offset) {
      last.length += count;
      const end = last.image.at(-1)!;
      if (end.offset + end.length === at) last.image.splice(-1, 1, { offset: end.offset, length: end.length + count });
      else last.image.push({ offset: at, length: count });
    } else {
      extents.push({
        object: place.object,
        offset: place.offset,
        length: count,
        image: [{ offset: at, length: count }],
      });
    }
    at += count;
  }
  return [...byObject].sort(([a], [b]) => a - b).flatMap(([, extents]) => extents);
}

/** Of a byte of the image. */
function placeOf({ objectSize, stripeUnit, stripeCount }: ImageLayout, at: number) {
  const stripesPerObject = objectSize / stripeUnit;
  const block = Math.floor(at / stripeUnit);
  const stripe = Math.floor(block / stripeCount);
  const set = Math.floor(stripe / stripesPerObject);
  return {
    object: set * stripeCount + (block % stripeCount),
    offset: (stripe % stripesPerObject) * stripeUnit + (at % stripeUnit),
  };
}

/** Objects that an image of so many bytes may have: of stripes, whole sets of objects (Striper::get_num_objects). */
export function objectCount({ objectSize, stripeUnit, stripeCount }: ImageLayout, size: number): number {
  const setSize = objectSize * stripeCount;
  const sets = Math.ceil(size / setSize);
  const rest = size % setSize;
  // The last set has fewer while its first stripe is not full.
  const missing = rest > 0 && rest < stripeUnit * stripeCount ? stripeCount - Math.ceil(rest / stripeUnit) : 0;
  return sets * stripeCount - missing;
}

/** What an object, or a stretch of it, holds of an image, in the order of its bytes (Striper::extent_to_file). */
export function imageRanges(
  { objectSize, stripeUnit, stripeCount }: ImageLayout,
  object: number,
  { offset: from, length: count }: Range = { offset: 0, length: objectSize },
): readonly Range[] {
  const firstRow = Math.floor(object / stripeCount) * (objectSize / stripeUnit);
  const ranges: { offset: number; length: number }[] = [];
  for (let at = from; at < from + count; ) {
    const row = firstRow + Math.floor(at / stripeUnit);
    const offset = (row * stripeCount + (object % stripeCount)) * stripeUnit + (at % stripeUnit);
    const length = Math.min(stripeUnit - (at % stripeUnit), from + count - at);
    const last = ranges.at(-1);
    if (last && last.offset + last.length === offset) last.length += length;
    else ranges.push({ offset, length });
    at += length;
  }
  return ranges;
}

/** Bytes of an image that fill as many objects as there are in a stripe (ImageCtx::get_stripe_period). */
export function stripePeriod({ objectSize, stripeCount }: ImageLayout): number {
  return objectSize * stripeCount;
}

/** Those of some ranges of an image, one after another, of bytes that begin at `base` of it. */
export function bytesOf(ranges: readonly Range[], base: number, bytes: Bytes): Bytes {
  const [only] = ranges;
  const part = ({ offset, length }: Range) => bytes.subarray(offset - base, offset - base + length);
  return ranges.length === 1 ? part(only!) : concatBytes(ranges.map(part));
}
