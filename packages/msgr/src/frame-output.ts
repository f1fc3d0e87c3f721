import { type Bytes, Encoder } from '@spirula/encoding';
import {
  type Crc32c,
  EPILOGUE_BYTES,
  LATE_COMPLETE,
  MAX_SEGMENTS,
  PREAMBLE_BYTES,
  type Segment,
  segmentCrc,
  segmentLength,
} from './frame.ts';
import { countSegments, writePreamble } from './preamble.ts';

/** Parts from this size on are sent as they are; smaller ones are joined: fewer, larger buffers are cheaper to write. */
const JOIN_BYTES = 8 << 10;
const FIRST_ROOM = 1 << 10;

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

  /** Appends one frame and returns its length in bytes. */
  pushFrame(tag: number, segments: readonly Segment[], crc32c: Crc32c): number {
    const count = countSegments(segments);
    this.#joined ??= new Encoder(FIRST_ROOM);
    let total = PREAMBLE_BYTES + writePreamble(this.#joined, tag, segments, count, crc32c);

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
