/** Ceph's maps are in the order of their keys when they are encoded; raw strings compare as their bytes do. */
export function ascending<K extends string | number, V>(entries: ReadonlyMap<K, V>): ReadonlyMap<K, V> {
  return new Map([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}
