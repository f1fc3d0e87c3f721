import type { RawString } from '@spirula/encoding';
import type { Onode } from './onode.ts';

/**
 * Onodes and their shards in memory. Who was not used since the last look at it is let go first (a clock). Bounded by
 * shards: about 600 bytes each.
 */
export class OnodeCache {
  readonly #onodes = new Map<RawString, Onode>();
  readonly #maxShards: number;
  #shards = 0;

  constructor(maxShards: number) {
    this.#maxShards = maxShards;
  }

  get(key: RawString): Onode | undefined {
    const onode = this.#onodes.get(key);
    if (onode !== undefined) onode.used = true;
    return onode;
  }

  add(onode: Onode): void {
    this.#onodes.set(onode.key, onode);
    this.weigh(onode);
  }

  remove(key: RawString): void {
    const onode = this.#onodes.get(key);
    if (onode === undefined) return;
    this.#onodes.delete(key);
    this.#shards -= onode.weight;
  }

  /** To be told when an onode in here has got more shards. */
  weigh(onode: Onode): void {
    const weight = 1 + onode.shards.size;
    this.#shards += weight - onode.weight;
    onode.weight = weight;
  }

  /** Lets go of an eighth when the bound is passed. Not while any is dirty. */
  trim(): void {
    const kept = (this.#maxShards * 7) / 8;
    if (this.#shards <= this.#maxShards) return;
    // Twice around at the most: whoever was used is passed over once.
    for (let round = 0; round < 2; round++) {
      for (const [key, onode] of this.#onodes) {
        if (this.#shards <= kept) return;
        if (onode.used) onode.used = false;
        else this.remove(key);
      }
    }
  }
}
