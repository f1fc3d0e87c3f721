import type { RawString } from '@spirula/encoding';
import type { Onode } from './onode.ts';

/** Onodes looked at before one is let go, when all were used meanwhile. */
const MAX_CHANCES = 64;

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

  /** Lets go of what exceeds the bound. Not while any is dirty. */
  trim(): void {
    let chances = MAX_CHANCES;
    while (this.#shards > this.#maxShards) {
      const [oldest] = this.#onodes;
      if (oldest === undefined) return;
      const [key, onode] = oldest;
      this.#onodes.delete(key);
      if (onode.used && chances > 0) {
        chances -= 1;
        onode.used = false;
        this.#onodes.set(key, onode);
      } else {
        this.#shards -= onode.weight;
        onode.weight = 0;
      }
    }
  }
}
