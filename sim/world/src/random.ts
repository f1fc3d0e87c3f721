import { invariant, type Random } from '@spirula/world';
import { type Digest, hashText } from './digest.ts';

/** splitmix32: spreads a seed over as many words as are asked for. */
function splitmix(state: number): () => number {
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let word = state ^ (state >>> 16);
    word = Math.imul(word, 0x21f0aaad);
    word ^= word >>> 15;
    word = Math.imul(word, 0x735a2d97);
    return (word ^ (word >>> 15)) >>> 0;
  };
}

/**
 * A stream of random numbers (xoshiro128**). Streams of one seed and different names are independent: drawing more from
 * one does not change another. What is drawn goes into the digest.
 */
export class SeededRandom implements Random {
  readonly #digest: Digest | undefined;
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;

  /** @param seed integer, 0 .. 2^53-1 */
  constructor(seed: number, name: string, digest?: Digest) {
    this.#digest = digest;
    const high = splitmix(Math.floor(seed / 2 ** 32) ^ hashText(name));
    const next = splitmix((seed >>> 0) ^ high());
    this.#s0 = next() ^ high();
    this.#s1 = next() ^ high();
    this.#s2 = next();
    this.#s3 = next() | 1;
  }

  u32(): number {
    const scrambled = Math.imul(this.#s1, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const t = this.#s1 << 9;
    this.#s2 ^= this.#s0;
    this.#s3 ^= this.#s1;
    this.#s1 ^= this.#s2;
    this.#s0 ^= this.#s3;
    this.#s2 ^= t;
    this.#s3 = (this.#s3 << 11) | (this.#s3 >>> 21);
    this.#digest?.add(result);
    return result;
  }

  below(bound: number): number {
    invariant(Number.isSafeInteger(bound) && bound >= 1, 'the bound of a draw is a positive integer');
    return bound <= 2 ** 32 ? Math.floor((this.u32() / 2 ** 32) * bound) : Math.floor(this.float() * bound);
  }

  float(): number {
    return ((this.u32() >>> 5) * 2 ** 26 + (this.u32() >>> 6)) / 2 ** 53;
  }

  /** Uniform integer in low .. high, both included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True once in `n` times; never for 0. */
  oneIn(n: number): boolean {
    return n > 0 && this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** The list in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
    }
    return shuffled;
  }
}
