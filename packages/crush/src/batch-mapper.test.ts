import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { engineCode } from '../build-engine.ts';
import { engineMapper, leastWorth, type Mappings, PlainBatchMapper } from './batch-mapper.ts';
import { BucketAlg, type CrushBucket, type CrushChooseArg, type CrushMap, RuleOp } from './crush-map.ts';
import { MAX_EVEN_WEIGHT } from './engine-memory.ts';
import { LN } from './ln.ts';

const DEVICES = 40;
/** NEAR in engine/draws.ts. */
const NEAR_HASHES = 4;
const IN = 0x10000;

const weight = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 20 }).map((n) => n * IN) },
  { weight: 2, arbitrary: fc.constant(IN) },
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 0xffff_ffff }) },
);
const alg = fc.oneof(
  { weight: 8, arbitrary: fc.constant(BucketAlg.straw2) },
  { weight: 4, arbitrary: fc.constantFrom(...Object.values(BucketAlg)) },
);

/** Levels of buckets, the first of devices; the last is one bucket. Each bucket has items of the level below, some also devices. */
const levels = fc.array(
  fc.array(
    fc.record({
      alg,
      hash: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
      picks: fc.array(fc.nat(), { maxLength: 20 }),
      weights: fc.array(weight, { minLength: 25, maxLength: 25 }),
      sums: fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 64, maxLength: 64 }),
      isEven: fc.boolean(),
      stray: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.nat(DEVICES + 2) }),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  { minLength: 1, maxLength: 3 },
);

const steps = fc.record({
  before: fc.array(
    fc.record({
      op: fc.constantFrom(
        RuleOp.setChooseTries,
        RuleOp.setChooseleafTries,
        RuleOp.setChooseLocalTries,
        RuleOp.setChooseLocalFallbackTries,
        RuleOp.setChooseleafVaryR,
        RuleOp.setChooseleafStable,
      ),
      arg1: fc.nat(5),
    }),
    { maxLength: 2 },
  ),
  choices: fc.array(
    fc.record({
      op: fc.constantFrom(
        RuleOp.chooseFirstn,
        RuleOp.chooseIndep,
        RuleOp.chooseleafFirstn,
        RuleOp.chooseleafIndep,
        RuleOp.chooseleafFirstn,
      ),
      count: fc.integer({ min: -2, max: 5 }),
      type: fc.nat(4),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  isTwice: fc.boolean(),
});

const tunables = fc.record({
  chooseLocalTries: fc.nat(2),
  chooseLocalFallbackTries: fc.oneof(fc.constant(0), fc.nat(5)),
  chooseTotalTries: fc.integer({ min: 0, max: 50 }),
  chooseleafDescendOnce: fc.nat(1),
  chooseleafVaryR: fc.nat(3),
  strawCalcVersion: fc.constant(1),
  allowedBucketAlgs: fc.constant(54),
  chooseleafStable: fc.nat(1),
});

const replacement = fc.record({
  positions: fc.nat(3),
  weights: fc.array(weight, { minLength: 60, maxLength: 60 }),
  hasIds: fc.boolean(),
});

type Made = typeof made extends fc.Arbitrary<infer T> ? T : never;
const made = fc.record({
  levels,
  steps,
  tunables,
  replacements: fc.array(fc.option(replacement), { maxLength: 8 }),
  numRep: fc.integer({ min: 1, max: 18 }),
  reweights: fc.array(fc.constantFrom(IN, IN, IN, 0, IN / 2), { minLength: DEVICES, maxLength: DEVICES }),
  seed: fc.integer(),
});

function mapOf({ levels: shape, steps: rule, tunables: tuned, replacements }: Made): CrushMap {
  const buckets: CrushBucket[] = [];
  let below: readonly number[] = Array.from({ length: DEVICES }, (_, i) => i);
  for (const [level, each] of shape.entries()) {
    const ids: number[] = [];
    for (const { alg: chosen, hash, picks, weights, sums, isEven, stray } of each) {
      const items = picks.map((pick) => below[pick % below.length]!);
      if (stray !== undefined) items.push(stray);
      // Item weights of a uniform bucket are one; of a tree there are nodes.
      const itemWeights = Uint32Array.from(weights.slice(0, chosen === BucketAlg.uniform ? 1 : items.length));
      if (isEven) itemWeights.fill(weights[0]!);
      const nodes = 2 ** (Math.ceil(Math.log2(Math.max(1, items.length))) + 1);
      const count = chosen === BucketAlg.tree ? nodes : items.length;
      const id = -1 - buckets.length;
      buckets.push({
        ...{ id, type: level + 1, alg: chosen, hash, weight: 0, items: Int32Array.from(items), itemWeights },
        sums: Uint32Array.from(sums.slice(0, count)),
      });
      ids.push(id);
    }
    below = ids;
  }
  const ofBuckets = new Map<number, CrushChooseArg>();
  for (const [slot, each] of replacements.entries()) {
    const size = buckets[slot]?.items.length ?? 0;
    if (!each || size === 0) continue;
    const set = (position: number) => Uint32Array.from({ length: size }, (_, i) => each.weights[position * 20 + i]!);
    const ids = each.hasIds ? Int32Array.from({ length: size }, (_, i) => 1000 + i) : new Int32Array(0);
    ofBuckets.set(slot, { weightSets: Array.from({ length: each.positions }, (_, i) => set(i)), ids });
  }
  const take = { op: RuleOp.take, arg1: below[0]!, arg2: 0 };
  const choices = rule.choices.map(({ op, count, type }) => ({ op, arg1: count, arg2: type }));
  const block = [take, ...choices, { op: RuleOp.emit, arg1: 0, arg2: 0 }];
  const before = rule.before.map(({ op, arg1 }) => ({ op, arg1, arg2: 0 }));
  const ruleSteps = [...before, ...block, ...(rule.isTwice ? block : [])];
  return {
    ...{ maxDevices: DEVICES, buckets, tunables: tuned, chooseArgs: new Map([[0, ofBuckets]]) },
    rules: [{ ruleset: 0, type: 1, minSize: 1, maxSize: 10, steps: ruleSteps }],
    ...{ typeNames: new Map(), names: new Map(), ruleNames: new Map(), deviceClass: new Map() },
    ...{ classNames: new Map(), classBuckets: new Map() },
  };
}

function listed({ most, items, lengths }: Mappings): number[][] {
  return Array.from(lengths, (length, i) => Array.from(items.subarray(i * most, i * most + length)));
}

test('the engine maps as its twin does, whatever the map and the rule', () => {
  fc.assert(
    fc.property(made, (each) => {
      const map = mapOf(each);
      const inputs = Int32Array.from({ length: 40 }, (_, i) => (each.seed + i) | 0);
      const [engine, plain] = [engineMapper(map, 0)!, new PlainBatchMapper(map, 0)];
      expect(listed(engine.map(0, inputs, each.numRep, each.reweights))).toEqual(
        listed(plain.map(0, inputs, each.numRep, each.reweights)),
      );
      const [tries, twins] = [new Uint32Array(20), new Uint32Array(20)];
      engine.map(0, inputs, each.numRep, each.reweights, tries);
      plain.map(0, inputs, each.numRep, each.reweights, twins);
      expect(tries).toEqual(twins);
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  );
});

test('a bucket of thousands of items is drawn from exactly, also where logarithms are equal or out of order', () => {
  const items = Int32Array.from({ length: 5000 }, (_, i) => i);
  const bucket = { id: -1, type: 1, alg: BucketAlg.straw2, hash: 0, weight: 0, items, sums: new Uint32Array(0) };
  const chooseOne = [
    { op: RuleOp.take, arg1: -1, arg2: 0 },
    { op: RuleOp.chooseFirstn, arg1: 2, arg2: 0 },
    { op: RuleOp.emit, arg1: 0, arg2: 0 },
  ];
  const base = mapOf(fc.sample(made, { numRuns: 1, seed: 1 })[0]!);
  for (const itemWeights of [
    new Uint32Array(5000).fill(IN),
    Uint32Array.from(items, (i) => 1 + ((i * 7919) % 9) * IN),
  ]) {
    const map: CrushMap = {
      ...base,
      ...{ maxDevices: 5000, buckets: [{ ...bucket, itemWeights }], chooseArgs: new Map() },
      rules: [{ ruleset: 0, type: 1, minSize: 1, maxSize: 10, steps: chooseOne }],
    };
    const inputs = Int32Array.from({ length: 400 }, (_, i) => i);
    const reweights = new Uint32Array(5000).fill(IN);
    const found = engineMapper(map)!.map(0, inputs, 2, reweights);
    expect(listed(found)).toEqual(listed(new PlainBatchMapper(map).map(0, inputs, 2, reweights)));
  }
});

test('of no hash the worth of a straw is less than the engine takes for sure, nor more than it takes for possible', () => {
  const { least, spread } = leastWorth();
  const over = Array.from({ length: 0x10000 }, (_, u) => -LN[u]! / 2 ** 44 - least(u));
  // What is rounded when the bound is added counts too, but for straws that may be worth nothing.
  const lowest = over.filter((_, u) => least(u) > 1e-9).reduce((a, b) => Math.min(a, b));
  expect(lowest).toBeGreaterThan(1e-5);
  expect(over.reduce((a, b) => Math.min(a, b))).toBeGreaterThanOrEqual(0);
  expect(over.reduce((a, b) => Math.max(a, b))).toBeLessThan(spread - 1e-5);
});

test('hashes that are not next to each other have logarithms further apart than what items of an even bucket weigh', () => {
  const apart = NEAR_HASHES + 1;
  const gaps = Array.from({ length: 0x10000 - apart }, (_, u) => LN[u + apart]! - LN[u]!);
  expect(gaps.reduce((a, b) => Math.min(a, b))).toBeGreaterThan(MAX_EVEN_WEIGHT);
  // Also from those that are further away.
  let least = LN[0x10000 - 1]!;
  for (let u = 0x10000 - 1 - apart; u >= 0; u--) {
    least = Math.min(least, LN[u + apart]!);
    if (least - LN[u]! <= MAX_EVEN_WEIGHT) expect.fail(`u ${u}`);
  }
});

test('the code of the engine is that of its sources', async () => {
  expect(readFileSync(new URL('engine-code.ts', import.meta.url), 'utf8')).toBe(await engineCode());
});
