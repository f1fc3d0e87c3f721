/**
 * Frames of msgr2 revision 1 in crc mode (Ceph msg/async/frames_v2.cc):
 *
 *     preamble 32   tag, segment count, 4 x (u32 length, u16 alignment), flags, reserved, u32 crc of these 28 bytes
 *     segment 0     then u32 crc of it, unless it is empty
 *     segments 1..3
 *     epilogue 13   late status, 3 x u32 crc of segments 1..3      only with more than one segment
 */
import { type Bytes, Encoder } from '@spirula/encoding';

/** CRC-32C with a given initial value and no final inversion (Ceph's `ceph_crc32c`). */
export type Crc32c = (bytes: Bytes, seed: number) => number;

export const Tag = {
  hello: 1,
  authRequest: 2,
  authBadMethod: 3,
  authReplyMore: 4,
  authRequestMore: 5,
  authDone: 6,
  authSignature: 7,
  clientIdent: 8,
  serverIdent: 9,
  identMissingFeatures: 10,
  sessionReconnect: 11,
  sessionReset: 12,
  sessionRetry: 13,
  sessionRetryGlobal: 14,
  sessionReconnectOk: 15,
  wait: 16,
  message: 17,
  keepalive2: 18,
  keepalive2Ack: 19,
  ack: 20,
} as const;

const tagNames = new Map<number, string>(Object.entries(Tag).map(([name, tag]) => [tag, name]));

/** The name of a tag, for people. */
export function tagName(tag: number): string {
  return tagNames.get(tag) ?? `tag ${tag}`;
}

export const PREAMBLE_BYTES = 32;
export const EPILOGUE_BYTES = 13;
export const MAX_SEGMENTS = 4;
export const SEGMENT_CRC_SEED = 0xffff_ffff;
/** Late status of a frame that was sent whole, and of one its sender gave up. */
export const LATE_COMPLETE = 0x0e;
export const LATE_ABORTED = 0x01;

const SMALL_ALIGNMENT = 8;
/** Of message data: a hint for the receiver's buffers. */
const DATA_ALIGNMENT = 4096;

/** The parts of one segment, sent one after another. */
export type Segment = readonly Bytes[];

function segmentLength(segment: Segment): number {
  let length = 0;
  for (const part of segment) length += part.length;
  return length;
}

function segmentCrc(segment: Segment, crc32c: Crc32c): number {
  let crc = SEGMENT_CRC_SEED;
  for (const part of segment) crc = crc32c(part, crc);
  return crc >>> 0;
}

/**
 * Appends one frame to `chunks`, the segments' parts uncopied, and returns its length in bytes. Trailing empty segments are
 * left out, the first never.
 */
export function appendFrame(chunks: Bytes[], tag: number, segments: readonly Segment[], crc32c: Crc32c): number {
  let count = segments.length;
  while (count > 1 && segmentLength(segments[count - 1]!) === 0) count -= 1;

  const preamble = new Encoder(PREAMBLE_BYTES);
  preamble.u8(tag);
  preamble.u8(count);
  let total = PREAMBLE_BYTES;
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    const length = i < count ? segmentLength(segments[i]!) : 0;
    preamble.u32(length);
    preamble.u16(i >= count ? 0 : i === MAX_SEGMENTS - 1 ? DATA_ALIGNMENT : SMALL_ALIGNMENT);
    total += length;
  }
  preamble.u16(0);
  preamble.u32(crc32c(preamble.finish(), 0) >>> 0);
  chunks.push(preamble.finish());

  const first = segments[0]!;
  for (const part of first) if (part.length > 0) chunks.push(part);
  const trailer = new Encoder(4 + EPILOGUE_BYTES);
  if (segmentLength(first) > 0) {
    trailer.u32(segmentCrc(first, crc32c));
    total += 4;
    if (count > 1) chunks.push(trailer.finish());
  }
  if (count === 1) {
    if (trailer.length > 0) chunks.push(trailer.finish());
    return total;
  }

  const epilogue = new Encoder(EPILOGUE_BYTES);
  epilogue.u8(LATE_COMPLETE);
  for (let i = 1; i < MAX_SEGMENTS; i++) {
    if (i >= count) {
      epilogue.u32(0);
      continue;
    }
    for (const part of segments[i]!) if (part.length > 0) chunks.push(part);
    epilogue.u32(segmentCrc(segments[i]!, crc32c));
  }
  chunks.push(epilogue.finish());
  return total + EPILOGUE_BYTES;
}
