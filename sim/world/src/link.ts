import { type Instant, invariant } from '@spirula/world';

const MILLION = 1_000_000;

/**
 * What has a bandwidth and is shared: a port of a machine, the uplink of a rack. Packets pass one after another, in the
 * order in which they are handed over; what is left of a microsecond is kept, so that small packets are not rounded up.
 */
export class Link {
  #bytesPerSecond: number;
  #freeAt: Instant = 0;
  /** Work beyond `#freeAt`, in millionths of a byte; less than a microsecond's. */
  #remainder = 0;

  /** @param bytesPerSecond positive integer */
  constructor(bytesPerSecond: number) {
    this.#bytesPerSecond = checkRate(bytesPerSecond);
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** From now on; packets that were handed over keep their times. */
  setRate(bytesPerSecond: number): void {
    this.#bytesPerSecond = checkRate(bytesPerSecond);
    this.#remainder = 0;
  }

  /** When the last byte of a packet that is handed over at `now` has passed. */
  pass(bytes: number, now: Instant): Instant {
    if (this.#freeAt < now) {
      this.#freeAt = now;
      this.#remainder = 0;
    }
    const work = this.#remainder + bytes * MILLION;
    const us = Math.floor(work / this.#bytesPerSecond);
    this.#freeAt += us;
    this.#remainder = work - us * this.#bytesPerSecond;
    return this.#remainder > 0 ? this.#freeAt + 1 : this.#freeAt;
  }
}

function checkRate(bytesPerSecond: number): number {
  invariant(Number.isSafeInteger(bytesPerSecond) && bytesPerSecond > 0, 'a bandwidth is a positive integer');
  return bytesPerSecond;
}
