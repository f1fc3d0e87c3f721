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

/** What is kept at first for a part whose length the peer only claims. */
const FIRST_ALLOCATION = 64 << 10;
/** Then the room grows by this factor as bytes arrive, so that a byte is copied about once and a third. */
const GROWTH = 4;

/** Collects `length` bytes; never holds more than GROWTH times what arrived, or FIRST_ALLOCATION. */
class Collector {
  #bytes: Uint8Array;
  #filled = 0;
  readonly #length: number;

  constructor(length: number) {
    this.#length = length;
    this.#bytes = new Uint8Array(Math.min(length, FIRST_ALLOCATION));
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
      const grown = new Uint8Array(Math.min(this.#length, Math.max(needed, this.#bytes.length * GROWTH)));
      grown.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled = needed;
    return count;
  }
}

type Part =
  | { readonly name: 'preamble' }
  | { readonly name: 'segment'; readonly index: number }
  | { readonly name: 'firstCrc' }
  | { readonly name: 'epilogue' };

interface Preamble {
  readonly tag: number;
  readonly lengths: readonly number[];
}

/** Reads frames out of a byte stream, in pieces of any size. After an error it must not be used again. */
export class FrameReader {
  readonly #crc32c: Crc32c;
  readonly #limits: SegmentLimits;
  #part: Part = { name: 'preamble' };
  #collector = new Collector(PREAMBLE_BYTES);
  #preamble: Preamble = { tag: 0, lengths: [] };
  #segments: Bytes[] = [];

  constructor(crc32c: Crc32c, limits: SegmentLimits) {
    this.#crc32c = crc32c;
    this.#limits = limits;
  }

  /**
   * Calls `onFrame` for each frame that `chunk`, from `at` on, completes. `onFrame` returns false to stop; what follows
   * is then lost.
   *
   * @throws MalformedInput when what arrives is no frame, or none that may come.
   */
  feed(chunk: Bytes, at: number, onFrame: (frame: Frame) => boolean): void {
    while (at < chunk.length) {
      at += this.#collector.take(chunk, at);
      if (this.#collector.complete) {
        const frame = this.#onPart(this.#collector.bytes);
        if (frame !== undefined && !onFrame(frame)) return;
      }
    }
  }

  /** One part is there; returns the frame if it was the last. Parts of no bytes are passed over. */
  #onPart(bytes: Bytes): Frame | undefined {
    switch (this.#part.name) {
      case 'preamble':
        this.#preamble = this.#readPreamble(bytes);
        this.#segments = [];
        return this.#expectSegment(0);
      case 'segment': {
        const { index } = this.#part;
        this.#segments[index] = bytes;
        if (index > 0) return this.#expectSegment(index + 1);
        this.#expect({ name: 'firstCrc' }, 4);
        return undefined;
      }
      case 'firstCrc':
        this.#checkCrc(0, new Decoder(bytes).u32('segment crc'));
        return this.#expectSegment(1);
      case 'epilogue':
        return this.#onEpilogue(bytes);
    }
  }

  #expect(part: Part, length: number): void {
    this.#part = part;
    this.#collector = new Collector(length);
  }

  /** Waits for the next segment that has bytes, from `index` on, or for what comes after the last. */
  #expectSegment(index: number): Frame | undefined {
    const { lengths } = this.#preamble;
    for (let i = index; i < lengths.length; i++) {
      if (lengths[i]! > 0) {
        this.#expect({ name: 'segment', index: i }, lengths[i]!);
        return undefined;
      }
      this.#segments[i] = EMPTY;
    }
    if (lengths.length === 1) return this.#complete();
    this.#expect({ name: 'epilogue' }, EPILOGUE_BYTES);
    return undefined;
  }

  #onEpilogue(bytes: Bytes): Frame | undefined {
    const epilogue = new Decoder(bytes);
    const status = epilogue.u8('late status') & 0x0f;
    if (status === LATE_ABORTED) {
      this.#expect({ name: 'preamble' }, PREAMBLE_BYTES);
      return undefined;
    }
    if (status !== LATE_COMPLETE) epilogue.fail('late status', `is ${status}`);
    for (let i = 1; i < this.#preamble.lengths.length; i++) this.#checkCrc(i, epilogue.u32('segment crc'));
    return this.#complete();
  }

  #complete(): Frame {
    const segments = this.#segments;
    while (segments.length < MAX_SEGMENTS) segments.push(EMPTY);
    this.#expect({ name: 'preamble' }, PREAMBLE_BYTES);
    return { tag: this.#preamble.tag, segments };
  }

  #readPreamble(bytes: Bytes): Preamble {
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
    return { tag, lengths: lengths.slice(0, count) };
  }

  #checkCrc(index: number, claimed: number): void {
    const actual = this.#crc32c(this.#segments[index]!, SEGMENT_CRC_SEED) >>> 0;
    if (actual !== claimed) {
      throw new MalformedInput(`segment ${index} of ${tagName(this.#preamble.tag)}`, 0, 'crc does not match');
    }
  }
}
