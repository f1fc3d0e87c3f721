import { type Bytes, Decoder, type Encoder } from '@spirula/encoding';
import { type Crc32c, MAX_SEGMENTS, PREAMBLE_BYTES, type Segment, segmentLength, tagName } from './frame.ts';

const SMALL_ALIGNMENT = 8;
/** Of message data: a hint for the receiver's buffers. */
const DATA_ALIGNMENT = 4096;

export interface Preamble {
  readonly tag: number;
  /** Of one segment at least; those left out at the end are empty. */
  readonly lengths: readonly number[];
}

/**
 * The most bytes each segment of a frame with this tag may have now; undefined when no such frame may come. Asked when
 * the preamble is read, before anything is kept of the frame.
 */
export type SegmentLimits = (tag: number) => readonly number[] | undefined;

/** So many segments are sent: trailing empty ones are left out, the first never. */
export function countSegments(segments: readonly Segment[]): number {
  let count = segments.length;
  while (count > 1 && segmentLength(segments[count - 1]!) === 0) count -= 1;
  return count;
}

/** Writes the preamble of a frame with `count` segments; returns their bytes together. */
export function writePreamble(
  to: Encoder,
  tag: number,
  segments: readonly Segment[],
  count: number,
  crc32c: Crc32c,
): number {
  const at = to.length;
  let total = 0;
  to.u8(tag);
  to.u8(count);
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    const length = i < count ? segmentLength(segments[i]!) : 0;
    to.u32(length);
    to.u16(i >= count ? 0 : i === MAX_SEGMENTS - 1 ? DATA_ALIGNMENT : SMALL_ALIGNMENT);
    total += length;
  }
  to.u16(0);
  to.u32(crc32c(to.written(at), 0) >>> 0);
  return total;
}

/** @throws MalformedInput when it is none, or of a frame that may not come. */
export function readPreamble(bytes: Bytes, crc32c: Crc32c, limitsOf: SegmentLimits): Preamble {
  const preamble = new Decoder(bytes);
  const tag = preamble.u8('frame tag');
  const count = preamble.u8('segment count');
  const lengths: number[] = [];
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    lengths.push(preamble.u32('segment length'));
    preamble.u16('segment alignment');
  }
  const flags = preamble.u8('frame flags');
  preamble.u8('frame reserved');
  const claimed = preamble.u32('preamble crc');
  if (crc32c(bytes.subarray(0, PREAMBLE_BYTES - 4), 0) >>> 0 !== claimed) {
    preamble.fail('preamble crc', 'does not match');
  }
  if (count < 1 || count > MAX_SEGMENTS) preamble.fail('segment count', `is ${count}`);
  if (flags !== 0) preamble.fail('frame flags', `are ${flags}`);
  const limits = limitsOf(tag) ?? preamble.fail('frame tag', `${tagName(tag)} may not come now`);
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    const limit = i < count ? (limits[i] ?? 0) : 0;
    if (lengths[i]! > limit) {
      preamble.fail(`segment ${i} of ${tagName(tag)}`, `claims ${lengths[i]} bytes, at most ${limit} are taken`);
    }
  }
  lengths.length = count;
  return { tag, lengths };
}
