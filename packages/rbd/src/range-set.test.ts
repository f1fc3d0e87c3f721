import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ExtentMap, type ExtentState } from './extent-map.ts';
import type { Range } from './image-layout.ts';
import { RangeSet } from './range-set.ts';

const BYTES = 24;
const ranges = fc.record({ offset: fc.nat(BYTES - 6), length: fc.nat(6) });
const steps = fc.array(fc.tuple(fc.constantFrom('add', 'remove', 'within'), ranges), { maxLength: 12 });

function bytesOf(from: readonly Range[]): number[] {
  return from.flatMap(({ offset, length }) => Array.from({ length }, (_, i) => offset + i));
}

test('ranges that are added, removed and cut are sets of bytes, and none touches the next', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let set = new RangeSet();
      let model = new Set<number>();
      for (const [kind, range] of all) {
        const bytes = bytesOf([range]);
        if (kind === 'add') {
          set.add(range);
          model = new Set([...model, ...bytes]);
        } else if (kind === 'remove') {
          set.remove(range);
          model = new Set([...model].filter((byte) => !bytes.includes(byte)));
        } else {
          set = set.within([range]);
          model = new Set([...model].filter((byte) => bytes.includes(byte)));
        }
      }
      expect(bytesOf(set.ranges)).toEqual([...model].sort((a, b) => a - b));
      const ends = set.ranges.map(({ offset, length }) => offset + length);
      expect(set.ranges.slice(1).some(({ offset }, i) => offset <= ends[i]!)).toBe(false);
    }),
  );
});

test('of each byte is known what was said last, and neighbours of which the same is known are one', () => {
  const said = fc.array(fc.tuple(ranges, fc.constantFrom<ExtentState>('absent', 'zeroed', 'data')), { maxLength: 12 });
  fc.assert(
    fc.property(said, (all) => {
      const map = new ExtentMap();
      const model = new Map<number, ExtentState>();
      for (const [range, state] of all) {
        map.set(range, state);
        for (const byte of bytesOf([range])) model.set(byte, state);
      }
      const found = map.extents.flatMap((extent) => bytesOf([extent]).map((byte) => [byte, extent.state]));
      expect(found).toEqual([...model].sort(([a], [b]) => a - b));
      const joins = map.extents.slice(1).filter((next, i) => {
        const before = map.extents[i]!;
        return before.state === next.state && before.offset + before.length === next.offset;
      });
      expect(joins).toEqual([]);
    }),
  );
});
