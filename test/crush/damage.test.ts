/** Truncated and damaged CRUSH maps: refused with field and offset, or read as a map that maps inputs and ends. */
import { type CrushMap, CrushMapper, decodeCrushMap, encodeCrushMap, RuleOp } from '@spirula/crush';
import { type Bytes, MalformedInput } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goldenBytes, goldenNames } from '../golden-data.ts';

const maps = [
  ...goldenNames('samples')
    .filter((name) => name.startsWith('crushmap'))
    .map((name) => `samples/${name}`),
  ...['alg-mixed-levels', 'ca-mixed-algs', 'ca-ids-positions', 'classes-tree', 'set-steps', 'multi-take'].map(
    (name) => {
      const file = goldenNames(`crush/named/${name}`).find((each) => each.startsWith('map.bin'));
      return `crush/named/${name}/${file}`;
    },
  ),
];

function mapSome(map: CrushMap, count: number): number[][] {
  const mapper = new CrushMapper(map, 0);
  const weights = new Uint32Array(Math.min(4096, Math.max(0, map.maxDevices))).fill(0x10000);
  const inputs = Array.from({ length: count }, (_, x) => x);
  return [...map.rules.keys()].flatMap((rule) => inputs.map((x) => mapper.doRule(rule, x, 4, weights)));
}

function asksForManyTries({ rules, tunables }: CrushMap): boolean {
  const local = Math.max(tunables.chooseLocalTries, tunables.chooseLocalFallbackTries);
  const asked = rules.flatMap((rule) => rule?.steps ?? []).filter(({ op }) => op >= RuleOp.setChooseTries);
  return local > 100 || asked.some(({ arg1 }) => arg1 > 100);
}

/** Undefined when the bytes are a map; else why not. */
function refusal(bytes: Bytes): string | undefined {
  try {
    const map = decodeCrushMap(bytes);
    decodeCrushMap(encodeCrushMap(map));
    // A map may ask for as many tries as it likes; each costs, and there is an end to them (tried below).
    if (map.tunables.chooseTotalTries <= 100 && !asksForManyTries(map)) mapSome(map, 1);
    return undefined;
  } catch (error) {
    if (!(error instanceof MalformedInput) || error.field === '' || error.offset > bytes.length) throw error;
    return error.message;
  }
}

test('a map that asks for endless tries and loops still maps in the end', () => {
  const map = decodeCrushMap(goldenBytes('samples/crushmap.handmade.3host.bin'));
  const looping = map.buckets.map((bucket) => bucket && { ...bucket, items: bucket.items.map(() => bucket.id) });

  const tunables = { ...map.tunables, chooseTotalTries: 0xffffffff };

  expect(mapSome({ ...map, buckets: looping, tunables }, 2).flat()).toEqual([]);
});

test.each(maps)('%s may be cut off anywhere', (path) => {
  const bytes = goldenBytes(path);

  expect(refusal(bytes)).toBeUndefined();
  for (let length = 0; length < bytes.length; length++) refusal(bytes.subarray(0, length));
});

test.each(maps)('flips in %s do no harm', (path) => {
  const bytes = goldenBytes(path);

  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length * 8 - 1), { minLength: 1, maxLength: 6 }), (bits) => {
      const damaged = bytes.slice();
      for (const bit of bits) damaged[bit >> 3]! ^= 1 << (bit & 7);
      refusal(damaged);
    }),
    { numRuns: 100, seed: 5 },
  );
});

test.each(maps)('extreme bytes in %s do no harm', (path) => {
  const bytes = goldenBytes(path);
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0xff));

  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
      const damaged = bytes.slice();
      for (const [at, value] of changes) damaged[at] = value;
      refusal(damaged);
    }),
    { numRuns: 100, seed: 5 },
  );
});
