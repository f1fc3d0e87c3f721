import { Decoder, Encoder, toHex } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareHObjects, decodeHObject, encodeHObject, type HObject, MAX_HOBJECT, MIN_HOBJECT } from './hobject.ts';

const few = fc.constantFrom('', 'a', 'b', 'ab', '\xff');
/** Few values: ties must happen. */
const hobject: fc.Arbitrary<HObject> = fc.record({
  pool: fc.nat(1),
  nspace: few,
  key: few,
  name: few,
  snap: fc.constantFrom(0n, 1n, 2n ** 64n - 2n),
  hash: fc.constantFrom(0, 1, 2, 0x80000000, 0xffffffff),
  max: fc.constant(false),
});

function encoded(object: HObject): Uint8Array {
  const to = new Encoder();
  encodeHObject(to, object);
  return to.finish();
}

test('the least object is encoded with the least pool, and every object comes back', () => {
  expect(toHex(encoded(MIN_HOBJECT))).toBe(
    `0403${'21000000'}${'00'.repeat(4 + 4 + 8 + 4 + 1 + 4)}${'0000000000000080'}`,
  );
  fc.assert(
    fc.property(fc.oneof(hobject, fc.constantFrom(MIN_HOBJECT, MAX_HOBJECT)), (object) => {
      expect(decodeHObject(new Decoder(encoded(object)), 'object')).toEqual(object);
    }),
  );
});

test('the order is total, between the least and the greatest', () => {
  const sign = (a: HObject, b: HObject) => Math.sign(compareHObjects(a, b)) + 0;
  fc.assert(
    fc.property(hobject, hobject, hobject, (a, b, c) => {
      expect(sign(a, b)).toBe(-sign(b, a) + 0);
      if (sign(a, b) <= 0 && sign(b, c) <= 0) expect(sign(a, c)).toBeLessThanOrEqual(0);
      expect([sign(MIN_HOBJECT, a), sign(a, MAX_HOBJECT)]).toEqual([-1, -1]);
    }),
    { numRuns: 1000 },
  );
});

test('what decides is pool, reversed hash, namespace, key or name, name, snap, in this order', () => {
  const object = (change: Partial<HObject>): HObject => ({ ...MIN_HOBJECT, pool: 1, ...change });
  const ascending = [
    object({ pool: 0, hash: 0xffffffff }),
    object({ hash: 0x80000000, nspace: 'z' }),
    object({ hash: 2, nspace: 'a', name: 'z' }),
    object({ hash: 2, nspace: 'b', name: 'a', key: 'y' }),
    object({ hash: 2, nspace: 'b', name: 'b', key: 'y' }),
    object({ hash: 2, nspace: 'b', name: 'z', snap: 3n }),
    object({ hash: 2, nspace: 'b', name: 'z', snap: 4n }),
    object({ hash: 1 }),
  ];

  expect([...ascending].reverse().sort(compareHObjects)).toEqual(ascending);
});
