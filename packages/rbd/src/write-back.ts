/**
 * Writes of an image that have been taken, and are not durable yet: reads see them, and a flush, or more of them than may be, brings them
 * to the image.
 *
 *   write --> dirty --- flush ---> being written ---> durable
 *               ^------- failed ------'
 */
import type { Bytes } from '@spirula/encoding';
import type { Range } from './image-layout.ts';

/** A stretch of the image. */
interface Piece {
  readonly offset: number;
  readonly bytes: Bytes;
}

/** Bytes that are written at a time at most: neighbours go together. */
const MAX_RUN = 4 << 20;

export class WriteBack {
  readonly #maxBytes: number;
  readonly #write: (offset: number, bytes: Bytes) => Promise<void>;
  /** In order; none overlaps another. */
  #dirty: Piece[] = [];
  #dirtyBytes = 0;
  /** What a flush is writing; where both have something, the dirty is newer. */
  #flushing: readonly Piece[] = [];
  #flush: Promise<void> | undefined;

  /** @param maxBytes that are held at most, beside those that a flush is writing */
  constructor(maxBytes: number, write: (offset: number, bytes: Bytes) => Promise<void>) {
    this.#maxBytes = maxBytes;
    this.#write = write;
  }

  get isEmpty(): boolean {
    return this.#dirty.length === 0 && this.#flushing.length === 0;
  }

  /** Larger ones are written at once. */
  takes(length: number): boolean {
    return length <= this.#maxBytes;
  }

  /** The bytes are copied. Waits while there is no room. @throws what a write of the room's owner throws */
  async put(offset: number, bytes: Bytes): Promise<void> {
    while (this.#dirtyBytes + bytes.length > this.#maxBytes) await this.flush();
    this.#cut(offset, bytes.length);
    const at = this.#dirty.findIndex((piece) => piece.offset > offset);
    this.#dirty.splice(at < 0 ? this.#dirty.length : at, 0, { offset, bytes: bytes.slice() });
    this.#dirtyBytes += bytes.length;
  }

  /** What is held of a stretch, to be laid over what the image has there; undefined: nothing. */
  over({ offset, length }: Range): ((base: Bytes) => Bytes) | undefined {
    const end = offset + length;
    const pieces = [...this.#flushing, ...this.#dirty].filter(
      (piece) => piece.offset < end && piece.offset + piece.bytes.length > offset,
    );
    if (pieces.length === 0) return undefined;
    return (base) => {
      const laid = base.slice();
      for (const { offset: from, bytes } of pieces) {
        const [first, last] = [Math.max(from, offset), Math.min(from + bytes.length, offset + laid.length)];
        if (last > first) laid.set(bytes.subarray(first - from, last - from), first - offset);
      }
      return laid;
    };
  }

  /** All that was put before is durable when it resolves. @throws what a write throws: what was not written is held still */
  async flush(): Promise<void> {
    while (this.#flush) await this.#flush.catch(() => {});
    if (this.#dirty.length === 0) return;
    this.#flush = this.#writeAll().finally(() => {
      this.#flush = undefined;
    });
    await this.#flush;
  }

  /** It cannot be written any more. @returns whether there was anything */
  drop(): boolean {
    const hadAny = !this.isEmpty;
    this.#dirty = [];
    this.#dirtyBytes = 0;
    return hadAny;
  }

  async #writeAll(): Promise<void> {
    const pieces = this.#dirty;
    this.#flushing = pieces;
    this.#dirty = [];
    this.#dirtyBytes = 0;
    const outcomes = await Promise.allSettled(runsOf(pieces).map(({ offset, bytes }) => this.#write(offset, bytes)));
    this.#flushing = [];
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (!failed) return;
    this.#putBack(pieces);
    throw failed.reason;
  }

  /** What was written since is newer. */
  #putBack(pieces: readonly Piece[]): void {
    const newer = this.#dirty;
    this.#dirty = [...pieces];
    for (const { offset, bytes } of newer) this.#cut(offset, bytes.length);
    this.#dirty = [...this.#dirty, ...newer].sort((a, b) => a.offset - b.offset);
    this.#dirtyBytes = this.#dirty.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** Nothing is dirty there. */
  #cut(offset: number, length: number): void {
    const end = offset + length;
    this.#dirty = this.#dirty.flatMap((piece) => {
      const pieceEnd = piece.offset + piece.bytes.length;
      if (pieceEnd <= offset || piece.offset >= end) return [piece];
      const before = { offset: piece.offset, bytes: piece.bytes.subarray(0, Math.max(0, offset - piece.offset)) };
      const after = { offset: end, bytes: piece.bytes.subarray(Math.min(piece.bytes.length, end - piece.offset)) };
      return [before, after].filter(({ bytes }) => bytes.length > 0);
    });
    this.#dirtyBytes = this.#dirty.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }
}

/** Neighbours as one. */
function runsOf(pieces: readonly Piece[]): readonly Piece[] {
  const runs: { offset: number; parts: Bytes[]; length: number }[] = [];
  for (const { offset, bytes } of pieces) {
    const last = runs.at(-1);
    if (last && last.offset + last.length === offset && last.length + bytes.length <= MAX_RUN) {
      last.parts.push(bytes);
      last.length += bytes.length;
    } else runs.push({ offset, parts: [bytes], length: bytes.length });
  }
  return runs.map(({ offset, parts, length }) => ({ offset, bytes: joined(parts, length) }));
}

function joined(parts: readonly Bytes[], length: number): Bytes {
  const [only] = parts;
  if (parts.length === 1) return only!;
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
