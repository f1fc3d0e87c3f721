import type { Bytes } from '@spirula/encoding';

/** Of a part whose length the peer only claims, so much is kept room for at first: virtual memory, until it is filled. */
const FIRST_ALLOCATION = 8 << 20;
/** Then the room grows by this factor as bytes arrive. */
const GROWTH = 4;

/** Gives memory that the caller fills at once: what is in it does not matter. */
export type Allocate = (bytes: number) => Uint8Array;

/** Puts together a part that did not arrive in one piece. */
export class Collector {
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

  /** Where the bytes that come next belong; empty when there is no memory for them yet. `take` them when they are there. */
  get room(): Uint8Array {
    return this.#bytes.subarray(this.#filled);
  }

  /** Takes what it needs of `chunk` from `at` on and returns how much that was. What has been put in its room stays there. */
  take(chunk: Bytes, at: number): number {
    const count = Math.min(this.#length - this.#filled, chunk.length - at);
    const needed = this.#filled + count;
    if (needed > this.#bytes.length) {
      const grown = this.#allocate(Math.min(this.#length, Math.max(needed, this.#bytes.length * GROWTH)));
      grown.set(this.#bytes.subarray(0, this.#filled));
      this.#bytes = grown;
    }
    if (!this.#isInPlace(chunk, at)) this.#bytes.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled = needed;
    return count;
  }

  #isInPlace(chunk: Bytes, at: number): boolean {
    const { buffer, byteOffset } = this.#bytes;
    return chunk.buffer === buffer && chunk.byteOffset + at === byteOffset + this.#filled;
  }
}
