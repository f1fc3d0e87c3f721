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

/** Parts from this size on are sent as they are; smaller ones are joined: fewer, larger buffers are cheaper to write. */
const JOIN_BYTES = 8 << 10;
const FIRST_ROOM = 1 << 10;

/** One segment: parts that are sent one after another, and the crc of them all where it is known. */
export interface Segment {
  readonly parts: readonly Bytes[];
  readonly crc?: number;
}

function segmentLength({ parts }: Segment): number {
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

/** Frames on their way to a peer. */
export class FrameOutput {
  #chunks: Bytes[] = [];
  /** What follows the chunks, still growing. */
  #joined: Encoder | undefined;
  #bytes = 0;

  /** Bytes that `take` would return. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All there is, in order; large parts uncopied. */
  take(): Bytes[] {
    this.#endJoined();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#bytes = 0;
    return chunks;
  }

  /** Appends bytes that are no frame. */
  pushRaw(bytes: Bytes): void {
    this.#append(bytes);
    this.#bytes += bytes.length;
  }

  /** Appends one frame and returns its length in bytes. Trailing empty segments are left out, the first never. */
  pushFrame(tag: number, segments: readonly Segment[], crc32c: Crc32c): number {
    let count = segments.length;
    while (count > 1 && segmentLength(segments[count - 1]!) === 0) count -= 1;

    this.#joined ??= new Encoder(FIRST_ROOM);
    const preamble = this.#joined;
    const at = preamble.length;
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
    preamble.u32(crc32c(preamble.written(at), 0) >>> 0);

    const first = segments[0]!;
    this.#appendParts(first);
    if (segmentLength(first) > 0) {
      this.#room().u32(segmentCrc(first, crc32c));
      total += 4;
    }
    if (count > 1) {
      for (let i = 1; i < count; i++) this.#appendParts(segments[i]!);
      const epilogue = this.#room();
      epilogue.u8(LATE_COMPLETE);
      for (let i = 1; i < MAX_SEGMENTS; i++) epilogue.u32(i < count ? segmentCrc(segments[i]!, crc32c) : 0);
      total += EPILOGUE_BYTES;
    }
    this.#bytes += total;
    return total;
  }

  #appendParts({ parts }: Segment): void {
    for (const part of parts) this.#append(part);
  }

  #append(part: Bytes): void {
    if (part.length < JOIN_BYTES) {
      this.#room().raw(part);
      return;
    }
    this.#endJoined();
    this.#chunks.push(part);
  }

  #room(): Encoder {
    this.#joined ??= new Encoder(FIRST_ROOM);
    return this.#joined;
  }

  #endJoined(): void {
    if (this.#joined !== undefined && this.#joined.length > 0) this.#chunks.push(this.#joined.finish());
    this.#joined = undefined;
  }
}
