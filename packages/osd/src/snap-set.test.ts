import {
  bytesOfExtents,
  type Extents,
  extent,
  intersectExtents,
  subtractExtents,
  unionOfExtents,
} from '@spirula/objectstore';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSnapSet, encodeSnapSet, isValidSnapContext, type SnapSet } from './snap-set.ts';

const LENGTH = 12;
const bits = fc.array(fc.boolean(), { minLength: LENGTH, maxLength: LENGTH });

function extentsOf(set: readonly boolean[]): Extents {
  return set.reduce<Extents>((all, has, at) => (has ? unionOfExtents(all, extent(at, 1)) : all), []);
}

test('sets of bytes do as sets do, and are never more intervals than they must be', () => {
  fc.assert(
    fc.property(bits, bits, (a, b) => {
      const [x, y] = [extentsOf(a), extentsOf(b)];

      expect(unionOfExtents(x, y)).toEqual(extentsOf(a.map((has, i) => has || b[i]!)));
      expect(intersectExtents(x, y)).toEqual(extentsOf(a.map((has, i) => has && b[i]!)));
      expect(subtractExtents(x, y)).toEqual(extentsOf(a.map((has, i) => has && !b[i]!)));
      expect(bytesOfExtents(x)).toBe(a.filter((has) => has).length);
    }),
  );
});

const snapset: SnapSet = {
  seq: 9n,
  clones: [
    {
      id: 4n,
      snaps: [4n, 2n],
      size: 100,
      overlap: [
        { offset: 0, length: 10 },
        { offset: 50, length: 50 },
      ],
    },
    { id: 9n, snaps: [9n], size: 0, overlap: [] },
  ],
};

test('a snap set is read as it was written', () => {
  expect(decodeSnapSet(encodeSnapSet(snapset))).toEqual(snapset);
});

test.each([
  [0n, [], true],
  [5n, [5n, 3n, 1n], true],
  [5n, [], true],
  [5n, [6n], false],
  [5n, [3n, 3n], false],
  [5n, [1n, 3n], false],
  [5n, [3n, 0n], false],
  [2n ** 64n - 2n, [], false],
])('a write that knows of snapshots up to %s, and of %s: valid %s', (seq, snaps, valid) => {
  expect(isValidSnapContext({ seq, snaps })).toBe(valid);
});
