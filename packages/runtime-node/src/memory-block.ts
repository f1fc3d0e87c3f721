import type { Bytes } from '@spirula/encoding';
import { type BlockDevice, invariant, type Token } from '@spirula/world';
import type { MemoryDisk } from './memory-disk.ts';

const BLOCK_SIZE = 4096;
const SECTOR_SIZE = 512;

/** A block device over a memory disk. Takes memory for what was written only. */
export class MemoryBlock implements BlockDevice {
  readonly size: number;
  readonly blockSize = BLOCK_SIZE;
  readonly sectorSize = SECTOR_SIZE;
  /** By block number. */
  readonly #blocks: Map<number, Uint8Array>;
  readonly #onFlushed: (token: Token) => void;
  #stopped = false;

  constructor(disk: MemoryDisk, size: number, onFlushed: (token: Token) => void) {
    this.#blocks = disk.blocks;
    this.size = Math.floor(size / BLOCK_SIZE) * BLOCK_SIZE;
    this.#onFlushed = onFlushed;
  }

  read(offset: number, length: number): Bytes {
    this.#check(offset, length);
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += BLOCK_SIZE) {
      const block = this.#blocks.get((offset + at) / BLOCK_SIZE);
      if (block !== undefined) bytes.set(block, at);
    }
    return bytes;
  }

  write(offset: number, bytes: Bytes): void {
    this.#check(offset, bytes.length);
    for (let at = 0; at < bytes.length; at += BLOCK_SIZE) {
      const number = (offset + at) / BLOCK_SIZE;
      const block = this.#blocks.get(number);
      const content = bytes.subarray(at, at + BLOCK_SIZE);
      if (block !== undefined) block.set(content);
      else this.#blocks.set(number, content.slice());
    }
  }

  flush(token: Token): void {
    queueMicrotask(() => {
      if (!this.#stopped) this.#onFlushed(token);
    });
  }

  async close(): Promise<void> {
    this.#stopped = true;
  }

  #check(offset: number, length: number): void {
    invariant(offset % BLOCK_SIZE === 0 && length % BLOCK_SIZE === 0, 'offsets and lengths are whole blocks');
    invariant(offset >= 0 && offset + length <= this.size, 'reads and writes are within the device');
  }
}
