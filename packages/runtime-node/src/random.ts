import { randomFillSync } from 'node:crypto';
import { invariant, type Random } from '@spirula/world';

const U32 = 0x1_0000_0000;

/** Unpredictable numbers, drawn from the system a few hundred at a time. */
export class NodeRandom implements Random {
  readonly #numbers = new Uint32Array(256);
  #next = this.#numbers.length;

  u32(): number {
    if (this.#next === this.#numbers.length) {
      randomFillSync(this.#numbers);
      this.#next = 0;
    }
    const number = this.#numbers[this.#next]!;
    this.#next += 1;
    return number;
  }

  below(bound: number): number {
    invariant(Number.isInteger(bound) && bound >= 1, 'the bound is at least 1');
    return Math.floor(this.float() * bound);
  }

  float(): number {
    // 53 bits.
    return ((this.u32() >>> 5) * 0x400_0000 + (this.u32() >>> 6)) / (U32 * 0x20_0000);
  }
}
