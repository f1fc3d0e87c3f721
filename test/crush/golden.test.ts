import {
  type CrushMap,
  decodeCrushMap,
  encodeCrushMap,
  engineMapper,
  hash32,
  hash32x2,
  hash32x3,
  hash32x4,
  hash32x5,
  type Mappings,
  PlainBatchMapper,
} from '@spirula/crush';
import { describe, expect, test } from 'vitest';
import { goldenBytes, goldenJson, goldenNames } from '../golden-data.ts';

interface Case {
  readonly rule: number;
  readonly numRep: number;
  readonly minX: number;
  readonly maxX: number;
  readonly weights: Record<string, number>;
  readonly poolId?: number;
  readonly result: number[][];
  readonly chooseTries?: number[];
}

/** Reweights as crushtool makes them: all devices that occur in the map are in, others out. */
function deviceWeights(map: CrushMap, overrides: Record<string, number>): Uint32Array {
  const weights = new Uint32Array(map.maxDevices);
  for (const bucket of map.buckets) for (const item of bucket?.items ?? []) if (item >= 0) weights[item] = 0x10000;
  for (const [osd, weight] of Object.entries(overrides))
    weights[Number(osd)] = Math.trunc(Math.fround(weight) * 0x10000);
  return weights;
}

/** By the engine and by its twin. */
function expectCases(map: CrushMap, cases: readonly Case[]): number {
  let mappings = 0;
  for (const mapper of [engineMapper(map, 0)!, new PlainBatchMapper(map, 0)]) {
    for (const each of cases) {
      const histogram = each.chooseTries && new Uint32Array(map.tunables.chooseTotalTries + 1);
      const inputs = Int32Array.from({ length: each.maxX - each.minX + 1 }, (_, i) => {
        const x = each.minX + i;
        return each.poolId === undefined ? x : hash32x2(x, each.poolId);
      });
      const found = mapper.map(each.rule, inputs, each.numRep, deviceWeights(map, each.weights), histogram);
      mappings += inputs.length;
      expect(listed(found)).toEqual(each.result);
      if (histogram) expect(Array.from(histogram.subarray(0, each.chooseTries!.length))).toEqual(each.chooseTries);
    }
  }
  return mappings;
}

function listed({ most, items, lengths }: Mappings): number[][] {
  return Array.from(lengths, (length, i) => Array.from(items.subarray(i * most, i * most + length)));
}

test('the hashes of one to five integers are those of Ceph', () => {
  const functions = [hash32, hash32x2, hash32x3, hash32x4, hash32x5] as ((...values: number[]) => number)[];
  const { rows } = goldenJson<{ rows: number[][] }>('hash/crush-hash32.json.gz');

  for (const row of rows) expect(functions[row.length - 2]!(...row.slice(0, -1))).toBe(row.at(-1));
});

const named = goldenNames('crush/named').filter((name) => name !== 'INDEX.json');

describe.each(named)('the named map %s', (name) => {
  const files = goldenNames(`crush/named/${name}`);
  const bytes = goldenBytes(`crush/named/${name}/${files.find((file) => file.startsWith('map.bin'))}`);
  const map = decodeCrushMap(bytes);

  test('is read and written byte for byte', () => {
    expect(Buffer.from(encodeCrushMap(map)).equals(bytes)).toBe(true);
  });

  test('maps every stored input as crushtool does', () => {
    const { cases } = goldenJson<{ cases: Case[] }>(`crush/named/${name}/cases.json.gz`);

    // crushtool prints nothing for a map whose devices all weigh nothing.
    expect(expectCases(map, cases) > 0).toBe(name !== 'empty-root');
  });
});

test.each(goldenNames('crush/random'))('the random map %s is read, written and mapped as by crushtool', (name) => {
  const golden = goldenJson<{ binaryBase64: string; cases: Case[] }>(`crush/random/${name}`);
  const bytes = new Uint8Array(Buffer.from(golden.binaryBase64, 'base64'));
  const map = decodeCrushMap(bytes);

  expect(Buffer.from(encodeCrushMap(map)).equals(bytes)).toBe(true);
  expectCases(map, golden.cases);
});
