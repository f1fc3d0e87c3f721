import { type Bytes, compareBytes, rawFromBytes, utf8 } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KvOverlay } from './kv-overlay.ts';
import type { KvOp } from './world.ts';

const keys = fc.constantFrom(...['a', 'b', 'ba', 'c', 'd', 'e', 'f'].map(utf8));
const values = fc.constantFrom(...['1', '2', '3'].map(utf8));
const ops: fc.Arbitrary<KvOp> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key: keys, value: values }),
  fc.record({ op: fc.constant('del' as const), key: keys }),
  fc.record({ op: fc.constant('delRange' as const), start: keys, end: keys }),
);

function model(batch: readonly KvOp[]): [Bytes, Bytes][] {
  let entries: [Bytes, Bytes][] = [];
  for (const op of batch) {
    entries = entries.filter(([key]) =>
      op.op === 'delRange'
        ? compareBytes(key, op.start) < 0 || compareBytes(key, op.end) >= 0
        : compareBytes(key, op.key) !== 0,
    );
    if (op.op === 'put') entries.push([op.key, op.value]);
  }
  return entries.sort(([a], [b]) => compareBytes(a, b));
}

test('an overlay over a table reads as one table to which all was applied', () => {
  fc.assert(
    fc.property(
      fc.array(ops, { maxLength: 10 }),
      fc.array(ops, { maxLength: 10 }),
      fc.record({ start: keys, end: keys, reverse: fc.boolean(), limit: fc.nat(4) }),
      (earlier, later, range) => {
        const table = new KvOverlay('stands-alone');
        table.apply(earlier);
        const overlay = new KvOverlay('covers-a-table');
        overlay.apply(later);

        const within = model([...earlier, ...later]).filter(
          ([key]) => compareBytes(key, range.start) >= 0 && compareBytes(key, range.end) < 0,
        );
        if (range.reverse) within.reverse();
        const below = table.range({ ...range, limit: 1000 });
        expect(overlay.range(range, below)).toEqual(within.slice(0, range.limit));
        for (const [key, value] of model([...earlier, ...later]))
          expect(overlay.get(key) ?? table.get(key)).toEqual(value);
      },
    ),
  );
});

test('a table of many keys stays in order', () => {
  const table = new KvOverlay('stands-alone');
  const numbers = Array.from({ length: 5000 }, (_, i) => (i * 7919) % 5000);
  for (const number of numbers) table.applyOp({ op: 'put', key: utf8(String(number)), value: utf8('') });
  for (const number of numbers.slice(0, 2500)) table.applyOp({ op: 'del', key: utf8(String(number)) });

  const found = table.range({ start: utf8('0'), end: utf8('a') }).map(([key]) => rawFromBytes(key));
  expect(found).toEqual(numbers.slice(2500).map(String).sort());
  expect(
    table.range({ start: utf8('0'), end: utf8('a'), reverse: true, limit: 3 }).map(([key]) => rawFromBytes(key)),
  ).toEqual(found.toReversed().slice(0, 3));
});
