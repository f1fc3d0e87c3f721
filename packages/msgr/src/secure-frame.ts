/**
 * Frames of msgr2 revision 1 in secure mode (Ceph msg/async/frames_v2.cc, crypto_onwire.cc): what is sent lies in blocks,
 * each sealed by AES-128-GCM with a 16-byte tag behind it; segments are filled up with zeros to a multiple of 16.
 *
 *     block A    preamble 32, first 48 bytes of segment 0
 *     block B    the rest of segment 0                        only when there is one
 *     block C    segments 1..3, epilogue 16 (late status)     only with more than one segment
 *
 * Each direction counts its blocks: the count is part of the nonce, so that a block that is changed, left out or sent again
 * does not open.
 */
import { type Bytes, EMPTY, Encoder, MalformedInput } from '@spirula/encoding';
import { CONNECTION_SECRET_BYTES, type Crypto, invariant } from '@spirula/world';
import { type Allocate, Collector } from './collector.ts';
import {
  type Crc32c,
  type Frame,
  LATE_ABORTED,
  LATE_COMPLETE,
  MAX_SEGMENTS,
  PREAMBLE_BYTES,
  type Segment,
  segmentLength,
} from './frame.ts';
import { countSegments, readPreamble, type SegmentLimits, writePreamble } from './preamble.ts';

const KEY_BYTES = 16;
const NONCE_BYTES = 12;
const NONCE_FIXED_BYTES = 4;
const TAG_BYTES = 16;
const BLOCK = 16;
/** Of segment 0, in block A. */
const INLINE_BYTES = 48;
const BLOCK_A_BYTES = PREAMBLE_BYTES + INLINE_BYTES + TAG_BYTES;

export type SecureCrypto = Pick<Crypto, 'aesGcmSeal' | 'aesGcmOpen'>;

function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK;
}

/** One direction's key, and the nonce of its next block. */
export class GcmStream {
  readonly #crypto: SecureCrypto;
  readonly #key: Bytes;
  readonly #nonce: Uint8Array;
  readonly #counter: DataView;

  constructor(crypto: SecureCrypto, key: Bytes, nonce: Bytes) {
    this.#crypto = crypto;
    this.#key = key.slice();
    this.#nonce = nonce.slice();
    this.#counter = new DataView(this.#nonce.buffer, NONCE_FIXED_BYTES);
  }

  seal(plain: Bytes): Bytes {
    return this.#crypto.aesGcmSeal(this.#key, this.#next(), plain);
  }

  /** @throws MalformedInput when it is not the block that comes next. */
  open(sealed: Bytes): Bytes {
    const plain = this.#crypto.aesGcmOpen(this.#key, this.#next(), sealed);
    if (plain === undefined) throw new MalformedInput('sealed block', 0, 'is not authentic');
    return plain;
  }

  #next(): Bytes {
    const nonce = this.#nonce.slice();
    this.#counter.setBigUint64(0, this.#counter.getBigUint64(0, true) + 1n, true);
    return nonce;
  }
}

/** What both sides of a connection make of its secret; the accepting one crosses the nonces. */
export function secureStreams(
  crypto: SecureCrypto,
  secret: Bytes,
  side: 'client' | 'server',
): { readonly receive: GcmStream; readonly send: GcmStream } {
  invariant(secret.length >= CONNECTION_SECRET_BYTES, 'secure mode has a whole secret');
  const key = secret.subarray(0, KEY_BYTES);
  const first = new GcmStream(crypto, key, secret.subarray(KEY_BYTES, KEY_BYTES + NONCE_BYTES));
  const second = new GcmStream(crypto, key, secret.subarray(KEY_BYTES + NONCE_BYTES, KEY_BYTES + 2 * NONCE_BYTES));
  return side === 'client' ? { receive: first, send: second } : { receive: second, send: first };
}

/** Seals one frame; the pieces are sent one after another. */
export function sealFrame(stream: GcmStream, tag: number, segments: readonly Segment[], crc32c: Crc32c): Bytes[] {
  const count = countSegments(segments);
  const first = joined(segments[0]!);
  const head = new Encoder(PREAMBLE_BYTES + INLINE_BYTES);
  writePreamble(head, tag, segments, count, crc32c);
  head.raw(first.subarray(0, INLINE_BYTES));
  head.raw(new Uint8Array(PREAMBLE_BYTES + INLINE_BYTES - head.length));
  const blocks = [stream.seal(head.finish())];
  if (first.length > INLINE_BYTES) {
    const rest = new Uint8Array(padded(first.length) - INLINE_BYTES);
    rest.set(first.subarray(INLINE_BYTES));
    blocks.push(stream.seal(rest));
  }
  if (count > 1) {
    let bytes = BLOCK;
    for (let i = 1; i < count; i++) bytes += padded(segmentLength(segments[i]!));
    const block = new Uint8Array(bytes);
    let at = 0;
    for (let i = 1; i < count; i++) {
      let end = at;
      for (const part of segments[i]!.parts) {
        block.set(part, end);
        end += part.length;
      }
      at += padded(end - at);
    }
    block[at] = LATE_COMPLETE;
    blocks.push(stream.seal(block));
  }
  return blocks;
}

function joined(segment: Segment): Bytes {
  if (segment.parts.length === 1) return segment.parts[0]!;
  const bytes = new Uint8Array(segmentLength(segment));
  let at = 0;
  for (const part of segment.parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads sealed frames out of a byte stream, in pieces of any size. After an error it must not be used again. */
export class SecureFrameReader {
  readonly #stream: GcmStream;
  readonly #crc32c: Crc32c;
  readonly #limits: SegmentLimits;
  readonly #allocate: Allocate;
  #block: 'A' | 'B' | 'C' = 'A';
  #length = BLOCK_A_BYTES;
  #collector: Collector | undefined;
  #tag = 0;
  #lengths: readonly number[] = [];
  #first: Bytes = EMPTY;

  constructor(stream: GcmStream, crc32c: Crc32c, limits: SegmentLimits, allocate: Allocate) {
    this.#stream = stream;
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
   *
   * @throws MalformedInput when what arrives is no frame, or none that may come.
   */
  feed(chunk: Bytes, at: number, onFrame: (frame: Frame) => boolean): number {
    while (at < chunk.length) {
      let sealed: Bytes;
      if (this.#collector === undefined && chunk.length - at >= this.#length) {
        sealed = chunk.subarray(at, at + this.#length);
        at += this.#length;
      } else {
        this.#collector ??= new Collector(this.#length, this.#allocate);
        at += this.#collector.take(chunk, at);
        if (!this.#collector.complete) return at;
        sealed = this.#collector.bytes;
        this.#collector = undefined;
      }
      const frame = this.#onBlock(this.#stream.open(sealed));
      if (frame !== undefined && !onFrame(frame)) return at;
    }
    return at;
  }

  #onBlock(plain: Bytes): Frame | undefined {
    switch (this.#block) {
      case 'A': {
        const { tag, lengths } = readPreamble(plain.subarray(0, PREAMBLE_BYTES), this.#crc32c, this.#limits);
        this.#tag = tag;
        this.#lengths = lengths;
        const length = lengths[0]!;
        this.#first = plain.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + Math.min(length, INLINE_BYTES));
        if (length <= INLINE_BYTES) return this.#expectRest();
        this.#expect('B', padded(length) - INLINE_BYTES);
        return undefined;
      }
      case 'B': {
        const first = new Uint8Array(this.#lengths[0]!);
        first.set(this.#first);
        first.set(plain.subarray(0, first.length - INLINE_BYTES), INLINE_BYTES);
        this.#first = first;
        return this.#expectRest();
      }
      case 'C':
        return this.#onRest(plain);
    }
  }

  #expect(block: 'A' | 'B' | 'C', bytes: number): void {
    this.#block = block;
    this.#length = bytes + TAG_BYTES;
  }

  #expectRest(): Frame | undefined {
    if (this.#lengths.length === 1) return this.#complete([]);
    let bytes = BLOCK;
    for (let i = 1; i < this.#lengths.length; i++) bytes += padded(this.#lengths[i]!);
    this.#expect('C', bytes);
    return undefined;
  }

  #onRest(plain: Bytes): Frame | undefined {
    const status = plain[plain.length - BLOCK]! & 0x0f;
    if (status === LATE_ABORTED) {
      this.#expect('A', BLOCK_A_BYTES - TAG_BYTES);
      return undefined;
    }
    if (status !== LATE_COMPLETE) throw new MalformedInput('late status', 0, `is ${status}`);
    const others: Bytes[] = [];
    let at = 0;
    for (let i = 1; i < this.#lengths.length; i++) {
      const length = this.#lengths[i]!;
      others.push(plain.subarray(at, at + length));
      at += padded(length);
    }
    return this.#complete(others);
  }

  #complete(others: readonly Bytes[]): Frame {
    const segments = [this.#first, ...others];
    while (segments.length < MAX_SEGMENTS) segments.push(EMPTY);
    this.#expect('A', BLOCK_A_BYTES - TAG_BYTES);
    return { tag: this.#tag, segments };
  }
}
