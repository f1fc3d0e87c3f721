import type { RawString } from '@spirula/encoding';
import type { Onode } from './onode.ts';

/** Operations between two looks at the bound. */
const WEIGH_EVERY = 64;

/** Onodes and their shards in memory, the least recently used let go first. Bounded by shards: about 600 bytes each. */
export class OnodeCache {
  readonly #onodes = new Map<RawString, Onode>();
  readonly #maxShards: number;
  #sinceWeighed = 0;

  constructor(maxShards: number) {
    this.#maxShards = maxShards;
  }

  get(key: RawString): Onode | undefined {
    const onode = this.#onodes.get(key);
    if (onode === undefined) return undefined;
    this.#onodes.delete(key);
    this.#onodes.set(key, onode);
    return onode;
  }

  add(onode: Onode): void {
    this.#onodes.set(onode.key, onode);
  }

  remove(key: RawString): void {
    this.#onodes.delete(key);
  }

  /** Called after each operation, when nothing is dirty: now and then lets go of what exceeds the bound. */
  trim(): void {
    this.#sinceWeighed += 1;
    if (this.#sinceWeighed < WEIGH_EVERY) return;
    this.#sinceWeighed = 0;
    const weight = this.#weight();
    if (weight <= this.#maxShards) return;
    let excess = weight - (this.#maxShards * 3) / 4;
    for (const [key, onode] of this.#onodes) {
      if (excess <= 0) return;
      excess -= 1 + onode.shards.size;
      this.#onodes.delete(key);
    }
  }

  #weight(): number {
    let weight = 0;
    for (const { shards } of this.#onodes.values()) weight += 1 + shards.size;
    return weight;
  }
}
