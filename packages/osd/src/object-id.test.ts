import type { HObject } from '@spirula/maps';
import { NOSNAP } from '@spirula/messages';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { objectKey } from './object-id.ts';

const bytes = fc.string({ unit: fc.constantFrom('\0', ',', '1', 'a'), maxLength: 4 });
const object = fc.record({ name: bytes, key: bytes, nspace: bytes, snap: fc.constantFrom(1n, NOSNAP) });

test('objects that differ in name, key, namespace or snapshot have different keys, whatever bytes those hold', () => {
  const of = (parts: Pick<HObject, 'name' | 'key' | 'nspace' | 'snap'>): HObject => ({
    pool: 1,
    hash: 0,
    max: false,
    ...parts,
  });
  const same = (a: HObject, b: HObject) =>
    a.name === b.name && a.key === b.key && a.nspace === b.nspace && a.snap === b.snap;

  fc.assert(
    fc.property(object, object, (a, b) => {
      expect(objectKey(of(a)) === objectKey(of(b))).toBe(same(of(a), of(b)));
    }),
    { numRuns: 2000 },
  );
  expect(objectKey(of({ name: 'a\0b', key: '', nspace: '', snap: 1n }))).not.toBe(
    objectKey(of({ name: 'a', key: 'b', nspace: '', snap: 1n })),
  );
});
