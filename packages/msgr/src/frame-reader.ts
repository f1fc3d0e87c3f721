import { type Bytes, EMPTY, MalformedInput } from '@spirula/encoding';
import { type Allocate, Collector } from './collector.ts';
import {
  type Crc32c,
  EPILOGUE_BYTES,
  type Frame,
  LATE_ABORTED,
  LATE_COMPLETE,
  MAX_SEGMENTS,
  PREAMBLE_BYTES,
  SEGMENT_CRC_SEED,
  tagName,
} from './frame.ts';
import { readPreamble, type SegmentLimits } from './preamble.ts';

/** What comes next in a frame; a segment, by its index. */
type Part = 'preamble' | 'firstCrc' | 'epilogue' | 0 | 1 | 2 | 3;

/** Reads frames out of a byte stream, in pieces of any size. After an error it must not be used again. */
export class FrameReader {
  readonly #crc32c: Crc32c;
  readonly #limits: SegmentLimits;
  readonly #allocate: Allocate;
  /** Given every byte, while set. */
  onBytes: ((bytes: Bytes) => void) | undefined;
  #part: Part = 'preamble';
  /** Bytes of it. */
  #length = PREAMBLE_BYTES;
  /** Of a part that began in an earlier chunk. */
  #collector: Collector | undefined;
  #tag = 0;
  #lengths: readonly number[] = [];
  #segments: Bytes[] = [];

  constructor(crc32c: Crc32c, limits: SegmentLimits, allocate: Allocate = (bytes) => new Uint8Array(bytes)) {
    this.#crc32c = crc32c;
    this.#limits = limits;
    this.#allocate = allocate;
  }

  /** Where the next bytes of what is being put together belong, for who can have them put there: then they are fed from there. */
  get room(): Uint8Array | undefined {
    return this.#collector?.room;
  }

  /**
   * Calls `onFrame` for each frame that `chunk`, from `at` on, completes, until it returns false. Returns where it stopped.
   * Segments that lie within the chunk are views of it: nobody changes it afterwards.
   *
   * @throws MalformedInput when what arrives is no frame, or none that may come.
   */
  feed(chunk: Bytes, at: number, onFrame: (frame: Frame) => boolean): number {
    while (at < chunk.length) {
      let frame: Frame | undefined;
      if (this.#collector === undefined && chunk.length - at >= this.#length) {
        const start = at;
        at += this.#length;
        frame = this.#onPart(chunk, start);
      } else {
        this.#collector ??= new Collector(this.#length, this.#allocate);
        at += this.#collector.take(chunk, at);
        if (!this.#collector.complete) return at;
        const { bytes } = this.#collector;
        this.#collector = undefined;
        frame = this.#onPart(bytes, 0);
      }
      if (frame !== undefined && !onFrame(frame)) return at;
    }
    return at;
  }

  /** One part is there, at `at`; returns the frame if it was the last. Parts of no bytes are passed over. */
  #onPart(bytes: Bytes, at: number): Frame | undefined {
    this.onBytes?.(bytes.subarray(at, at + this.#length));
    switch (this.#part) {
      case 'preamble':
        ({ tag: this.#tag, lengths: this.#lengths } = readPreamble(
          bytes.subarray(at, at + PREAMBLE_BYTES),
          this.#crc32c,
          this.#limits,
        ));
        this.#segments = [];
        return this.#expectSegment(0);
      case 'firstCrc':
        this.#checkCrc(0, u32At(bytes, at));
        return this.#expectSegment(1);
      case 'epilogue':
        return this.#onEpilogue(bytes, at);
      default: {
        const index = this.#part;
        this.#segments[index] =
          at === 0 && bytes.length === this.#length ? bytes : bytes.subarray(at, at + this.#length);
        if (index > 0) return this.#expectSegment(index + 1);
        this.#expect('firstCrc', 4);
        return undefined;
      }
    }
  }

  #expect(part: Part, length: number): void {
    this.#part = part;
    this.#length = length;
  }

  /** Waits for the next segment that has bytes, from `index` on, or for what comes after the last. */
  #expectSegment(index: number): Frame | undefined {
    for (let i = index; i < this.#lengths.length; i++) {
      if (this.#lengths[i]! > 0) {
        this.#expect(i as Part, this.#lengths[i]!);
        return undefined;
      }
      this.#segments[i] = EMPTY;
    }
    if (this.#lengths.length === 1) return this.#complete();
    this.#expect('epilogue', EPILOGUE_BYTES);
    return undefined;
  }

  #onEpilogue(bytes: Bytes, at: number): Frame | undefined {
    const status = bytes[at]! & 0x0f;
    if (status === LATE_ABORTED) {
      this.#expect('preamble', PREAMBLE_BYTES);
      return undefined;
    }
    if (status !== LATE_COMPLETE) throw new MalformedInput('late status', 0, `is ${status}`);
    for (let i = 1; i < this.#lengths.length; i++) this.#checkCrc(i, u32At(bytes, at + 1 + 4 * (i - 1)));
    return this.#complete();
  }

  #complete(): Frame {
    const segments = this.#segments;
    while (segments.length < MAX_SEGMENTS) segments.push(EMPTY);
    this.#expect('preamble', PREAMBLE_BYTES);
    return { tag: this.#tag, segments };
  }

  #checkCrc(index: number, claimed: number): void {
    const actual = this.#crc32c(this.#segments[index]!, SEGMENT_CRC_SEED) >>> 0;
    if (actual !== claimed) {
      throw new MalformedInput(`segment ${index} of ${tagName(this.#tag)}`, 0, 'crc does not match');
    }
  }
}

function u32At(bytes: Bytes, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}
