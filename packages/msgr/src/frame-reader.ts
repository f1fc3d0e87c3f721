import { type Bytes, Decoder, EMPTY, MalformedInput } from '@spirula/encoding';
import {
  type Crc32c,
  EPILOGUE_BYTES,
  LATE_ABORTED,
  LATE_COMPLETE,
  MAX_SEGMENTS,
  PREAMBLE_BYTES,
  SEGMENT_CRC_SEED,
  tagName,
} from './frame.ts';

/** A frame that arrived whole and undamaged. Segments left out by the sender are empty. */
export interface Frame {
  readonly tag: number;
  readonly segments: readonly Bytes[];
}

/**
 * The most bytes each segment of a frame with this tag may have now; undefined when no such frame may come. Asked when
 * the preamble is read, before anything is kept of the frame.
 */
export type SegmentLimits = (tag: number) => readonly number[] | undefined;

/** Of a part whose length the peer only claims, so much is kept room for at first: virtual memory, until it is filled. */
const FIRST_ALLOCATION = 8 << 20;
/** Then the room grows by this factor as bytes arrive. */
const GROWTH = 4;

/** Puts together a part that did not arrive in one piece. */
class Collector {
  #bytes: Uint8Array;
  #filled = 0;
  readonly #length: number;
  readonly #allocate: Allocate;

  constructor(length: number, allocate: Allocate) {
    this.#length = length;
    this.#allocate = allocate;
    this.#bytes = allocate(Math.min(length, FIRST_ALLOCATION));
  }

  get complete(): boolean {
    return this.#filled === this.#length;
  }

  get bytes(): Bytes {
    return this.#bytes;
  }

  /** Takes what it needs of `chunk` from `at` on and returns how much that was. */
  take(chunk: Bytes, at: number): number {
    const count = Math.min(this.#length - this.#filled, chunk.length - at);
    const needed = this.#filled + count;
    if (needed > this.#bytes.length) {
      const grown = this.#allocate(Math.min(this.#length, Math.max(needed, this.#bytes.length * GROWTH)));
      grown.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled = needed;
    return count;
  }
}

/** What comes next in a frame; a segment, by its index. */
type Part = 'preamble' | 'firstCrc' | 'epilogue' | 0 | 1 | 2 | 3;

/** Gives memory that the caller fills at once: what is in it does not matter. */
export type Allocate = (bytes: number) => Uint8Array;

/** Reads frames out of a byte stream, in pieces of any size. After an error it must not be used again. */
export class FrameReader {
  readonly #crc32c: Crc32c;
  readonly #limits: SegmentLimits;
  readonly #allocate: Allocate;
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

  /**
   * Calls `onFrame` for each frame that `chunk`, from `at` on, completes. `onFrame` returns false to stop; what follows
   * is then lost. Segments that lie within the chunk are views of it: nobody changes it afterwards.
   *
   * @throws MalformedInput when what arrives is no frame, or none that may come.
   */
  feed(chunk: Bytes, at: number, onFrame: (frame: Frame) => boolean): void {
    while (at < chunk.length) {
      let frame: Frame | undefined;
      if (this.#collector === undefined && chunk.length - at >= this.#length) {
        const start = at;
        at += this.#length;
        frame = this.#onPart(chunk, start);
      } else {
        this.#collector ??= new Collector(this.#length, this.#allocate);
        at += this.#collector.take(chunk, at);
        if (!this.#collector.complete) return;
        const { bytes } = this.#collector;
        this.#collector = undefined;
        frame = this.#onPart(bytes, 0);
      }
      if (frame !== undefined && !onFrame(frame)) return;
    }
  }

  /** One part is there, at `at`; returns the frame if it was the last. Parts of no bytes are passed over. */
  #onPart(bytes: Bytes, at: number): Frame | undefined {
    switch (this.#part) {
      case 'preamble':
        this.#readPreamble(bytes.subarray(at, at + PREAMBLE_BYTES));
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

  #readPreamble(bytes: Bytes): void {
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
    if (this.#crc32c(bytes.subarray(0, PREAMBLE_BYTES - 4), 0) >>> 0 !== claimed) {
      preamble.fail('preamble crc', 'does not match');
    }
    if (count < 1 || count > MAX_SEGMENTS) preamble.fail('segment count', `is ${count}`);
    if (flags !== 0) preamble.fail('frame flags', `are ${flags}`);
    const limits = this.#limits(tag) ?? preamble.fail('frame tag', `${tagName(tag)} may not come now`);
    for (let i = 0; i < MAX_SEGMENTS; i++) {
      const limit = i < count ? (limits[i] ?? 0) : 0;
      if (lengths[i]! > limit) {
        preamble.fail(`segment ${i} of ${tagName(tag)}`, `claims ${lengths[i]} bytes, at most ${limit} are taken`);
      }
    }
    lengths.length = count;
    this.#tag = tag;
    this.#lengths = lengths;
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
