/** The node's neighbours in a table are those of its bucket: numbers are their own hashes. */
const PRIMES = [13, 29, 59, 127, 257, 541, 1109, 2357, 5087, 10273, 20753, 42043, 85229];

/**
 * A table of numbered things that goes through them in the order of libstdc++'s `unordered_map`: Ceph writes such tables as they
 * come, so the order is a part of what it stores. What is new comes first; in a bucket that is not empty, first in that bucket.
 * When a table grows, all are put in anew, in the order in which they were.
 */
export class HashTable<V> {
  #values = new Map<number, V>();
  /** By bucket: keys, the newest last. Buckets in the order in which they were begun. */
  #buckets = new Map<number, number[]>();
  #size = 1;

  get(key: number): V | undefined {
    return this.#values.get(key);
  }

  has(key: number): boolean {
    return this.#values.has(key);
  }

  get count(): number {
    return this.#values.size;
  }

  /** Of a key that is not there yet. */
  add(key: number, value: V): void {
    const count = this.#values.size + 1;
    if (count > this.#size || this.#size === 1) this.#grow(count);
    this.#place(key);
    this.#values.set(key, value);
  }

  delete(key: number): void {
    if (!this.#values.delete(key)) return;
    const bucket = key % this.#size;
    const rest = this.#buckets.get(bucket)!.filter((each) => each !== key);
    if (rest.length === 0) this.#buckets.delete(bucket);
    else this.#buckets.set(bucket, rest);
  }

  entries(): [key: number, value: V][] {
    const entries: [number, V][] = [];
    for (const bucket of [...this.#buckets.values()].reverse()) {
      for (const key of bucket.slice().reverse()) entries.push([key, this.#values.get(key)!]);
    }
    return entries;
  }

  #place(key: number): void {
    const bucket = key % this.#size;
    const keys = this.#buckets.get(bucket);
    if (keys) keys.push(key);
    else this.#buckets.set(bucket, [key]);
  }

  #grow(count: number): void {
    const keys = this.entries().map(([key]) => key);
    // More than the last of these a queue has no room for: the order of such a table is its own.
    this.#size = PRIMES.find((prime) => prime >= count && prime > this.#size) ?? this.#size * 2 + 1;
    this.#buckets = new Map();
    for (const key of keys) this.#place(key);
  }
}
