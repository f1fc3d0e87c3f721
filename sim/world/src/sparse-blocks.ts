import type { Bytes } from '@spirula/encoding';

/** A device's content. Takes memory for what was written only; the rest reads as zeros. */
export class SparseBlocks {
  readonly #blockSize: number;
  /** By block number. */
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
  }

  get blockCount(): number {
    return this.#blocks.size;
  }

  /** Of the blocks that were written, in order. */
  blockNumbers(): number[] {
    return [...this.#blocks.keys()].sort((a, b) => a - b);
  }

  has(number: number): boolean {
    return this.#blocks.has(number);
  }

  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    this.#forEachPart(offset, length, (number, within, at, count) => {
      const block = this.#blocks.get(number);
      if (block !== undefined) bytes.set(block.subarray(within, within + count), at);
    });
    return bytes;
  }

  write(offset: number, bytes: Bytes): void {
    this.#forEachPart(offset, bytes.length, (number, within, at, count) => {
      let block = this.#blocks.get(number);
      if (block === undefined) {
        block = new Uint8Array(this.#blockSize);
        this.#blocks.set(number, block);
      }
      block.set(bytes.subarray(at, at + count), within);
    });
  }

  #forEachPart(
    offset: number,
    length: number,
    visit: (block: number, within: number, at: number, count: number) => void,
  ): void {
    for (let at = 0; at < length; ) {
      const within = (offset + at) % this.#blockSize;
      const count = Math.min(this.#blockSize - within, length - at);
      visit((offset + at - within) / this.#blockSize, within, at, count);
      at += count;
    }
  }
}
