import type { RawString } from '@spirula/encoding';

/** Keys of one leaf at most; a full one is split in two. */
const LEAF_KEYS = 256;

/**
 * A table in memory with its keys in byte order: sorted leaves, found by binary search over their first keys. What
 * key-value stores in memory and overlays of unapplied batches are made of.
 */
export class OrderedTable<V> {
  readonly #values = new Map<RawString, V>();
  /** None is empty; all keys of a leaf precede those of the next. */
  #leaves: RawString[][] = [];

  get size(): number {
    return this.#values.size;
  }

  get(key: RawString): V | undefined {
    return this.#values.get(key);
  }

  has(key: RawString): boolean {
    return this.#values.has(key);
  }

  set(key: RawString, value: V): void {
    const known = this.#values.has(key);
    this.#values.set(key, value);
    if (known) return;
    if (this.#leaves.length === 0) {
      this.#leaves.push([key]);
      return;
    }
    const at = this.#leafOf(key);
    const leaf = this.#leaves[at]!;
    leaf.splice(lowerBound(leaf, key), 0, key);
    if (leaf.length > LEAF_KEYS) this.#leaves.splice(at + 1, 0, leaf.splice(LEAF_KEYS >> 1));
  }

  delete(key: RawString): void {
    if (!this.#values.delete(key)) return;
    const at = this.#leafOf(key);
    const leaf = this.#leaves[at]!;
    leaf.splice(lowerBound(leaf, key), 1);
    if (leaf.length === 0) this.#leaves.splice(at, 1);
  }

  /** Deletes all keys in [start, end). */
  deleteRange(start: RawString, end: RawString): void {
    for (const key of [...this.keys(start, end)]) this.delete(key);
  }

  clear(): void {
    this.#values.clear();
    this.#leaves = [];
  }

  /** Keys in [start, end), ascending. The table must not change meanwhile. */
  *keys(start: RawString, end: RawString): Generator<RawString> {
    if (this.#leaves.length === 0 || start >= end) return;
    for (let at = this.#leafOf(start); at < this.#leaves.length; at++) {
      const leaf = this.#leaves[at]!;
      for (let i = lowerBound(leaf, start); i < leaf.length; i++) {
        const key = leaf[i]!;
        if (key >= end) return;
        yield key;
      }
    }
  }

  /** Keys in [start, end), descending. The table must not change meanwhile. */
  *keysReverse(start: RawString, end: RawString): Generator<RawString> {
    if (this.#leaves.length === 0 || start >= end) return;
    for (let at = this.#leafOf(end); at >= 0; at--) {
      const leaf = this.#leaves[at]!;
      for (let i = lowerBound(leaf, end) - 1; i >= 0; i--) {
        const key = leaf[i]!;
        if (key < start) return;
        yield key;
      }
    }
  }

  /** The last leaf whose first key is not above `key`, or the first leaf. */
  #leafOf(key: RawString): number {
    let low = 0;
    let high = this.#leaves.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#leaves[middle]![0]! <= key) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }
}

/** Index of the first key that is not below `key`. */
function lowerBound(keys: readonly RawString[], key: RawString): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
