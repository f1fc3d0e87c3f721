import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrderedTable } from './ordered-table.ts';

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('set' as const), count: fc.nat(300) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), count: fc.nat(200) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'look' as const, count: 0 }) },
  ),
  { maxLength: 30 },
);

test('whenever it is looked at, a table has the keys set and not deleted since, in order', () => {
  fc.assert(
    fc.property(steps, fc.nat(1 << 20), (all, seed) => {
      const table = new OrderedTable<number>();
      const model = new Map<string, number>();
      let state = seed;
      const nextKey = () => {
        state = (state * 1103515245 + 12345) & 0x7fffffff;
        return String((state >> 8) % 2000);
      };
      for (const { kind, count } of [...all, { kind: 'look' as const, count: 0 }]) {
        for (let i = 0; i < count; i++) {
          const key = nextKey();
          if (kind === 'set') {
            table.set(key, i);
            model.set(key, i);
          } else {
            table.delete(key);
            model.delete(key);
          }
        }
        if (kind !== 'look') continue;
        const keys = [...model.keys()].sort();
        expect([...table.keys('', '\u0100')]).toEqual(keys);
        expect([...table.keysReverse('', '\u0100')]).toEqual(keys.reverse());
        expect(table.size).toBe(model.size);
        for (const [key, value] of model) expect(table.get(key)).toBe(value);
      }
    }),
  );
});
