import { MalformedInput } from '@spirula/encoding';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goldenBytes } from '../../../test/golden-data.ts';
import { addBucket, addSimpleRule, createOrMove, DEFAULT_TYPES, emptyCrushMap } from './builder.ts';
import { decodeCrushMap, encodeCrushMap, LEGACY_TUNABLES } from './codec.ts';
import type { CrushMap } from './crush-map.ts';
import { setDeviceClass } from './device-class.ts';
import { CrushMapper } from './mapper.ts';

const samples = [
  'samples/crushmap.rich.bin',
  'samples/crushmap.handmade.3host.bin',
  ...['alg-list-any', 'alg-straw-any', 'alg-tree-any', 'alg-uniform-any', 'ca-mixed-algs', 'classes-straw2'].map(
    (name) => `crush/named/${name}/map.bin`,
  ),
].map((path) => ({ path, bytes: goldenBytes(path) }));

const sample = fc.constantFrom(...samples).map(({ bytes }) => bytes);

/** What comes of damaged bytes: a map that can be mapped by and written, or MalformedInput. */
function expectMapOrRefusal(bytes: Uint8Array): void {
  let map: CrushMap;
  try {
    map = decodeCrushMap(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(MalformedInput);
    expect((error as MalformedInput).message).toMatch(/^(crush|bucket|rule)\.\S+ at offset \d+: /);
    return;
  }
  const mapper = new CrushMapper(map, 0);
  map.rules.forEach((_, ruleNo) => {
    for (const x of [0, 1]) expect(mapper.doRule(ruleNo, x, 4, [0x10000, 0x8000]).length).toBeLessThanOrEqual(4);
  });
  const again = encodeCrushMap(map);
  expect(encodeCrushMap(decodeCrushMap(again))).toEqual(again);
}

test.each(samples)('$path is read and written byte for byte', ({ bytes }) => {
  expect(encodeCrushMap(decodeCrushMap(bytes))).toEqual(bytes);
});

test('damaged bits give a map or a refusal that names field and offset', () => {
  const flips = fc.array(fc.tuple(fc.nat(), fc.nat(7)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(sample, flips, (bytes, all) => {
      const damaged = Uint8Array.from(bytes);
      for (const [at, bit] of all) damaged[at % damaged.length]! ^= 1 << bit;
      expectMapOrRefusal(damaged);
    }),
    { numRuns: 200 },
  );
});

test('a map cut short gives a map or a refusal that names field and offset', () => {
  fc.assert(
    fc.property(sample, fc.nat(), (bytes, at) => expectMapOrRefusal(bytes.subarray(0, at % bytes.length))),
    { numRuns: 300 },
  );
});

test('counts far beyond the input are refused before anything is allocated', () => {
  const header = (buckets: number, rules: number, devices: number) =>
    new Uint8Array(Uint32Array.of(0x10000, buckets, rules, devices).buffer);

  expect(() => decodeCrushMap(header(0xffffffff, 0, 0))).toThrow('crush.max_buckets at offset 16');
  expect(() => decodeCrushMap(header(0, 0xffffffff, 0))).toThrow('crush.max_rules at offset 16');
  const devices = new Uint8Array([...header(0, 0, 0x7fffffff), ...new Uint8Array(12)]);
  // None of them is held or named.
  expect(decodeCrushMap(devices).maxDevices).toBe(0);
});

test('a map from before tunables means the values of that time', () => {
  const map = decodeCrushMap(new Uint8Array([0, 0, 1, ...new Uint8Array(13 + 12)]));

  expect(map.tunables).toEqual(LEGACY_TUNABLES);
});

/** Three hosts of two OSDs, one class. */
function smallMap(): CrushMap {
  const [empty, root] = addBucket(emptyCrushMap(), 'default', DEFAULT_TYPES.indexOf('root'));
  let map = addSimpleRule(empty, 'replicated_rule', root, 'host', 'firstn');
  for (let osd = 0; osd < 6; osd++) {
    const location = new Map([
      ['root', 'default'],
      ['host', `host${osd % 3}`],
    ]);
    map = createOrMove(map, osd, 0x10000, location);
  }
  return setDeviceClass(map, 0, 'ssd');
}

test('mapping ends on a map whose buckets run in a circle', () => {
  const map = smallMap();
  const host = map.buckets[1]!;
  const circle = { ...host, type: 3, items: Int32Array.of(-1, -1), itemWeights: Uint32Array.of(1, 1) };

  const result = new CrushMapper({
    ...map,
    buckets: map.buckets.map((each) => each && (each.id === -2 ? circle : each)),
  });

  for (let x = 0; x < 50; x++) expect(result.doRule(0, x, 3, new Uint32Array(6).fill(0x10000)).length).toBeLessThan(4);
});

test.each(['firstn', 'indep'] as const)('mapping ends although a rule (%s) asks for billions of tries', (mode) => {
  const map = addSimpleRule({ ...smallMap(), rules: [] }, 'eager', -1, 'host', mode);
  const [rule] = map.rules;
  const steps = [{ op: 8, arg1: 0x7fffffff, arg2: 0 }, { op: 9, arg1: 0x7fffffff, arg2: 0 }, ...rule!.steps.slice(-3)];
  const everywhereOut: number[] = [];

  const result = new CrushMapper({ ...map, rules: [{ ...rule!, steps }] }).doRule(0, 1, 3, everywhereOut);

  expect(result.filter((device) => device !== 0x7fffffff)).toEqual([]);
});
