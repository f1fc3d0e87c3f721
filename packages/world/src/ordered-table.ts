import type { RawString } from '@spirula/encoding';

/** Keys of one leaf at most. */
const LEAF_KEYS = 256;
/** New keys that wait for their place at most. */
const FRESH_KEYS = 512;

/**
 * A table in memory with its keys in byte order: sorted leaves, found by binary search over their first keys. What
 * key-value stores in memory and overlays of unapplied batches are made of. New keys are sorted in some hundred at a time,
 * or when order is asked for: most overlays are gone before that.
 */
export class OrderedTable<V> {
  readonly #values = new Map<RawString, V>();
  /** None is empty; all keys of a leaf precede those of the next. */
  #leaves: RawString[][] = [];
  /** Keys set since, in no order; some may be gone again, some be there twice. */
  #fresh: RawString[] = [];

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
    const { size } = this.#values;
    this.#values.set(key, value);
    if (this.#values.size === size) return;
    this.#fresh.push(key);
    if (this.#fresh.length >= FRESH_KEYS) this.#sortIn();
  }

  delete(key: RawString): void {
    if (!this.#values.delete(key) || this.#leaves.length === 0) return;
    const at = this.#leafOf(key);
    const leaf = this.#leaves[at]!;
    const i = lowerBound(leaf, key);
    // One that is not there waits in `#fresh`, and will be passed over.
    if (leaf[i] !== key) return;
    leaf.splice(i, 1);
    if (leaf.length === 0) this.#leaves.splice(at, 1);
  }

  /** Deletes all keys in [start, end). */
  deleteRange(start: RawString, end: RawString): void {
    for (const key of [...this.keys(start, end)]) this.delete(key);
  }

  clear(): void {
    this.#values.clear();
    this.#leaves = [];
    this.#fresh = [];
  }

  /** Another table with the same keys and values. */
  copy(): OrderedTable<V> {
    const copy = new OrderedTable<V>();
    for (const [key, value] of this.#values) copy.#values.set(key, value);
    copy.#leaves = this.#leaves.map((leaf) => leaf.slice());
    copy.#fresh = this.#fresh.slice();
    return copy;
  }

  /** Keys in [start, end), ascending. The table must not change meanwhile. */
  *keys(start: RawString, end: RawString): Generator<RawString> {
    this.#sortIn();
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
    this.#sortIn();
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

  #sortIn(): void {
    if (this.#fresh.length === 0) return;
    const fresh = this.#fresh
      .sort(compareRaw)
      .filter((key, i, sorted) => key !== sorted[i - 1] && this.#values.has(key));
    this.#fresh = [];
    const before = this.#leaves;
    const leaves: RawString[][] = [];
    let taken = 0;
    for (let i = 0; i < before.length; i++) {
      const from = taken;
      const next = before[i + 1];
      while (taken < fresh.length && (next === undefined || fresh[taken]! < next[0]!)) taken += 1;
      if (taken === from) leaves.push(before[i]!);
      else pushLeaves(leaves, merge(before[i]!, fresh.slice(from, taken)));
    }
    if (before.length === 0) pushLeaves(leaves, fresh);
    this.#leaves = leaves;
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

function compareRaw(a: RawString, b: RawString): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Two sorted lists as one. */
function merge(a: readonly RawString[], b: readonly RawString[]): readonly RawString[] {
  if (a.at(-1)! < b[0]!) return [...a, ...b];
  const merged: RawString[] = [];
  let i = 0;
  for (const key of b) {
    while (i < a.length && a[i]! < key) merged.push(a[i++]!);
    merged.push(key);
  }
  while (i < a.length) merged.push(a[i++]!);
  return merged;
}

/** Adds sorted keys as leaves with room to grow. */
function pushLeaves(leaves: RawString[][], keys: readonly RawString[]): void {
  if (keys.length === 0) return;
  const count = Math.ceil(keys.length / LEAF_KEYS);
  const each = Math.ceil(keys.length / count);
  for (let at = 0; at < keys.length; at += each) leaves.push(keys.slice(at, at + each));
}
