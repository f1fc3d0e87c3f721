/** The entries in ascending order of their keys, as Ceph encodes and prints every map; the same map when they already are. */
export function sorted<K extends number | bigint | string, V>(entries: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
  let last: K | undefined;
  for (const key of entries.keys()) {
    if (last !== undefined && key < last) return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : 1)));
    last = key;
  }
  return entries;
}
