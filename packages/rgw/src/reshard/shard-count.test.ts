import { expect, test } from 'vitest';
import { neededShards, preferredShards } from './shard-count.ts';

// What `radosgw` 16.2.15 has in its list, and what its rules say beside it.
test.each([
  [0, 1999, 1],
  [1, 1999, 1],
  [12, 1999, 13],
  [13, 1999, 13],
  [1998, 1999, 1999],
  [2000, 1999, 1999],
  [2000, 5000, 2000],
  [12, 12, 11],
  [12, 1, 1],
])('%i shards, of at most %i, are %i', (suggested, most, preferred) => {
  expect(preferredShards(suggested, most)).toBe(preferred);
});

test('an index gets more shards when there are more objects than its shards may have, and never less', () => {
  const limits = { objectsPerShard: 100, most: 101 };

  expect(neededShards(1100, 11, limits)).toBeUndefined();
  expect(neededShards(1101, 11, limits)).toBe(23);
  expect(neededShards(101, 0, limits)).toBe(2);
  expect(neededShards(1_000_000, 11, limits)).toBe(101);
  expect(neededShards(1_000_000, 101, limits)).toBeUndefined();
});
