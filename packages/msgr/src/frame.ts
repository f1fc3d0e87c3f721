/**
 * Frames of msgr2 revision 1 in crc mode (Ceph msg/async/frames_v2.cc):
 *
 *     preamble 32   tag, segment count, 4 x (u32 length, u16 alignment), flags, reserved, u32 crc of these 28 bytes
 *     segment 0     then u32 crc of it, unless it is empty
 *     segments 1..3
 *     epilogue 13   late status, 3 x u32 crc of segments 1..3      only with more than one segment
 */
import type { Bytes } from '@spirula/encoding';

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

/** One segment: parts that are sent one after another, and the crc of them all where it is known. */
export interface Segment {
  readonly parts: readonly Bytes[];
  readonly crc?: number;
}

/** A frame that arrived whole and undamaged. Segments left out by the sender are empty. */
export interface Frame {
  readonly tag: number;
  readonly segments: readonly Bytes[];
}

export function segmentLength({ parts }: Segment): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

export function segmentCrc({ parts, crc: known }: Segment, crc32c: Crc32c): number {
  if (known !== undefined) return known;
  let crc = SEGMENT_CRC_SEED;
  for (const part of parts) crc = crc32c(part, crc);
  return crc >>> 0;
}
