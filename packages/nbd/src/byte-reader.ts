import type { Bytes } from '@spirula/encoding';

/** The peer has ended what it sends. */
export class EndOfStream extends Error {
  override readonly name = 'EndOfStream';
}

/** Takes whole pieces out of a stream. No more is read ahead than comes at once. */
export class ByteReader {
  readonly #source: AsyncIterator<Bytes>;
  readonly #allocate: (bytes: number) => Uint8Array;
  #rest: Bytes = new Uint8Array(0);

  /** @param allocate where pieces go that came in parts */
  constructor(
    source: AsyncIterable<Bytes>,
    allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
  ) {
    this.#source = source[Symbol.asyncIterator]();
    this.#allocate = allocate;
  }

  /** Whether something has come that was not taken. */
  get hasMore(): boolean {
    return this.#rest.length > 0;
  }

  /** Leaves the source to who comes next. */
  async release(): Promise<void> {
    await this.#source.return?.();
  }

  /** @throws EndOfStream */
  async take(count: number): Promise<Bytes> {
    if (this.#rest.length >= count) return this.#cut(count);
    const bytes = this.#allocate(count);
    let filled = 0;
    while (filled < count) {
      const piece = this.#cut(Math.min(count - filled, this.#rest.length));
      bytes.set(piece, filled);
      filled += piece.length;
      if (filled < count) await this.#more();
    }
    return bytes;
  }

  /** @throws EndOfStream */
  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) {
      if (this.#rest.length === 0) await this.#more();
      left -= this.#cut(Math.min(left, this.#rest.length)).length;
    }
  }

  #cut(count: number): Bytes {
    const cut = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return cut;
  }

  async #more(): Promise<void> {
    const next = await this.#source.next();
    if (next.done === true) throw new EndOfStream('the peer has closed the connection');
    this.#rest = next.value;
  }
}
