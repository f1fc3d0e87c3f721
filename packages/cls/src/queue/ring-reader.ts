import { type Bytes, concatBytes, EMPTY } from '@spirula/encoding';
import type { MethodContext } from '../method-context.ts';
import type { QueueHead, QueueMarker } from './queue-codec.ts';

/** Read at a time, at least. */
const CHUNK = 1024;

/** Reads what is in a queue, from a marker up to the tail, round the end of the ring. */
export class RingReader {
  readonly #object: MethodContext;
  readonly #head: QueueHead;
  #at: QueueMarker;
  /** What was read and not taken; where the next chunk begins, how much follows it at once, and whether more does round the end. */
  #bytes: Bytes = EMPTY;
  #next: number;
  #left: number;
  #wraps: boolean;

  constructor(object: MethodContext, head: QueueHead, from: QueueMarker) {
    const { front, tail, queueSize } = head;
    this.#object = object;
    this.#head = head;
    this.#at = from;
    this.#next = from.offset;
    const isRound = front.offset >= tail.offset;
    this.#wraps = isRound && from.offset >= front.offset;
    this.#left = Math.max((this.#wraps ? queueSize : tail.offset) - from.offset, 0);
  }

  /** What is taken next. */
  get at(): QueueMarker {
    return this.#at;
  }

  /** Undefined: there is less. */
  take(length: number): Bytes | undefined {
    while (this.#bytes.length < length) if (!this.#fill(length - this.#bytes.length)) return undefined;
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    const { queueSize, maxHeadSize } = this.#head;
    const offset = this.#at.offset + length;
    this.#at =
      offset < queueSize
        ? { gen: this.#at.gen, offset }
        : { gen: this.#at.gen + 1, offset: maxHeadSize + offset - queueSize };
    return taken;
  }

  /** False: there is nothing more. */
  #fill(needed: number): boolean {
    if (this.#left === 0 && this.#wraps) {
      this.#wraps = false;
      this.#next = this.#head.maxHeadSize;
      this.#left = this.#head.tail.offset - this.#head.maxHeadSize;
    }
    const chunk = this.#left > 0 ? this.#object.read(this.#next, Math.min(Math.max(CHUNK, needed), this.#left)) : EMPTY;
    this.#next += chunk.length;
    this.#left -= chunk.length;
    this.#bytes = this.#bytes.length === 0 ? chunk : concatBytes([this.#bytes, chunk]);
    return chunk.length > 0;
  }
}
