import type { Bytes } from '@spirula/encoding';
import type { Memory } from '@spirula/world';
import { rememberSums } from './crc.ts';

/** What is smaller, or larger, is for the garbage collector. */
export const LEAST_LARGE_BYTES = 256 << 10;
const MOST_BYTES = 16 << 20;
/** So much is kept while nobody uses it, what came last. */
const MAX_KEPT_BYTES = 64 << 20;
/** Memory is of whole pages of this size, so that it fits what is about as large. */
const PAGE_BYTES = 64 << 10;

/** For tests: what is given back is spoilt at once, so that whoever still looks at it is found out. */
const SPOILS = process.env['SPIRULA_SPOIL_MEMORY'] === '1';
const SPOILT = 0xdb;

class LargeMemory implements Memory {
  /** Taken, and not given back; and of each what is to be given back. */
  readonly #lent = new WeakMap<ArrayBufferLike, Bytes>();
  /** In the order in which they were given back. */
  readonly #kept: ArrayBufferLike[] = [];
  #keptBytes = 0;

  take(bytes: number): Uint8Array {
    const isLent = bytes >= LEAST_LARGE_BYTES && bytes <= MOST_BYTES;
    const size = isLent ? Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES : bytes;
    const memory = this.#findKept(size) ?? Buffer.allocUnsafeSlow(size).buffer;
    const taken = new Uint8Array(memory, 0, bytes);
    rememberSums(memory);
    if (isLent) this.#lent.set(memory, taken);
    return taken;
  }

  giveBack(bytes: Bytes): void {
    const memory = bytes.buffer;
    const taken = this.#lent.get(memory);
    if (taken?.byteOffset !== bytes.byteOffset || taken.length !== bytes.length) return;
    this.#lent.delete(memory);
    if (SPOILS) new Uint8Array(memory).fill(SPOILT);
    this.#kept.push(memory);
    this.#keptBytes += memory.byteLength;
    while (this.#keptBytes > MAX_KEPT_BYTES) this.#keptBytes -= this.#kept.shift()!.byteLength;
  }

  /** Of what was taken nobody uses anything but `part`: it is all that has to be given back. */
  narrow(part: Bytes): void {
    if (this.#lent.has(part.buffer)) this.#lent.set(part.buffer, part);
  }

  #findKept(size: number): ArrayBufferLike | undefined {
    const at = this.#kept.findLastIndex(({ byteLength }) => byteLength === size);
    if (at < 0) return undefined;
    this.#keptBytes -= size;
    return this.#kept.splice(at, 1)[0];
  }
}

/** The process's. */
export const largeMemory = new LargeMemory();

/**
 * The payloads of one message's ops, views of its data: where one is nearly all of them, the others move out of its memory, so
 * that who gives it back has no need to know of them.
 */
export function separateLarge(payloads: readonly Bytes[]): readonly Bytes[] {
  const large = payloads.find(({ length }) => length >= LEAST_LARGE_BYTES);
  if (large === undefined) return payloads;
  const others = payloads.reduce((sum, { length }) => sum + length, -large.length);
  if (others > PAGE_BYTES) return payloads;
  largeMemory.narrow(large);
  return payloads.map((payload) => (payload === large ? large : payload.slice()));
}
