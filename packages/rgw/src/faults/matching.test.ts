import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFaultRule } from './fault-rule.ts';
import { type FaultReport, Faults } from './faults.ts';
import type { FaultRequest } from './matching.ts';

const operations = new Set(['GetObject', 'PutObject', 'ListObjectsV2']);
const get: FaultRequest = { operation: 'GetObject', bucket: 'photos', key: 'a/1', method: 'GET', uid: 'ann' };

let nowSeconds = 100;
const faultsOf = (...rules: unknown[]) => {
  nowSeconds = 100;
  const faults = new Faults({ now: () => nowSeconds * 1e6, operations });
  faults.add(rules);
  return faults;
};
const firesFor = (rule: object, request: FaultRequest = get) =>
  faultsOf({ error: 503, ...rule }).decide(request) !== undefined;
const countsOf = ({ matches, firings }: FaultReport) => ({ matches, firings });

test.each([
  [{ operation: 'GetObject' }, true],
  [{ operation: 'PutObject' }, false],
  [{ operation: 'PutObject|GetObject' }, true],
  [{ operation: ['PutObject', 'GetObject'] }, true],
  [{ bucket: 'photos' }, true],
  [{ bucket: 'photo' }, false],
  [{ prefix: 'a/' }, true],
  [{ prefix: 'a/12' }, false],
  [{ prefix: '/1' }, false],
  [{ uid: 'ann' }, true],
  [{ uid: 'bob' }, false],
  [{ method: 'get' }, true],
  [{ method: 'PUT' }, false],
  [{ bucket: 'photos', prefix: 'b' }, false],
])('the rule %j is for a request: %s', (rule, expected) => {
  expect(firesFor(rule)).toBe(expected);
});

test('names with other letters than ASCII are compared as the bytes that requests have', () => {
  expect(firesFor({ prefix: 'ü' }, { ...get, key: '\xc3\xbc/1' })).toBe(true);
});

test('an anonymous request is of no user', () => {
  expect(firesFor({ uid: 'ann' }, { ...get, uid: undefined })).toBe(false);
});

test('a rule lets the first ones pass, fires so often as it may, and counts all', () => {
  const faults = faultsOf({ after: 2, count: 3, error: 503 });

  const fired = Array.from({ length: 8 }, () => faults.decide(get) !== undefined);
  faults.decide({ ...get, operation: 'PutObject' });

  expect(fired).toEqual([false, false, true, true, true, false, false, false]);
  expect(faults.list().map(countsOf)).toEqual([{ matches: 9, firings: 3 }]);
});

test('a rule is for requests in its time', () => {
  const faults = faultsOf({ from: 5, until: 10, error: 503 });

  const firesAt = (seconds: number) => {
    nowSeconds = 100 + seconds;
    return faults.decide(get) !== undefined;
  };

  expect([0, 4.9, 5, 9.9, 10].map(firesAt)).toEqual([false, false, true, true, false]);
  expect(faults.list().map(countsOf)).toEqual([{ matches: 2, firings: 2 }]);
});

test('latencies add up, the first ending counts, the slowest throttle and the stalest list', () => {
  const plan = faultsOf(
    { latency: 100, throttle: 500, stale: 3 },
    { latency: '50', error: 500, stale: 20 },
    { reset: 'before', throttle: 400 },
  ).decide(get);

  expect(plan).toEqual({
    delayUs: 150_000,
    ending: { kind: 'error', status: 500, retryAfter: undefined },
    bytesPerSecond: 400,
    staleSeconds: 20,
  });
});

test('rules are taken back one by one, or all', () => {
  const faults = faultsOf({ error: 503 }, { error: 500 }, { error: 429 });

  expect([faults.remove(2), faults.remove(2)]).toEqual([true, false]);
  expect(faults.list().map(({ id }) => id)).toEqual([1, 3]);
  expect(faults.clear()).toBe(2);
  expect(faults.decide(get)).toBeUndefined();
});

test('of rules that are set together none is when one is wrong', () => {
  const faults = faultsOf();

  expect(() => faults.add([{ error: 503 }, { error: 404 }])).toThrow('error');
  expect(faults.list()).toEqual([]);
});

const patterns = fc.record({
  seed: fc.nat(3),
  probability: fc.constantFrom(0, 0.25, 0.5, 1),
  count: fc.integer({ min: 1, max: 5 }),
  after: fc.nat(3),
  requests: fc.array(fc.boolean(), { maxLength: 40 }),
});

test('one seed and the same requests, the same faults; never more than may be', () => {
  fc.assert(
    fc.property(patterns, ({ requests, ...rule }) => {
      const run = () => {
        const faults = faultsOf({ ...rule, operation: 'GetObject', latency: 'uniform:0:9' });
        const plans = requests.map((isGet) => faults.decide(isGet ? get : { ...get, operation: 'PutObject' }));
        return { plans, report: faults.list()[0]! };
      };

      const { plans, report } = run();

      expect(run().plans).toEqual(plans);
      const fired = plans.flatMap((plan, i) => (plan ? [i] : []));
      const matched = requests.flatMap((isGet, i) => (isGet ? [i] : []));
      expect(report.matches).toBe(matched.length);
      expect(report.firings).toBe(fired.length);
      expect(fired.length).toBeLessThanOrEqual(rule.count);
      expect(fired.every((i) => matched.indexOf(i) >= rule.after)).toBe(true);
      const mayFire = Math.min(rule.count, Math.max(0, matched.length - rule.after));
      if (rule.probability === 1) expect(fired.length).toBe(mayFire);
      if (rule.probability === 0) expect(fired.length).toBe(0);
    }),
  );
});

test('a rule fires for about so much as its probability says, and seeds differ', () => {
  const firedOf = (seed: number) => {
    const faults = faultsOf({ seed, probability: 0.3, error: 503 });
    return Array.from({ length: 2000 }, () => faults.decide(get) !== undefined);
  };

  const share = firedOf(7).filter(Boolean).length / 2000;

  expect(share).toBeGreaterThan(0.27);
  expect(share).toBeLessThan(0.33);
  expect(firedOf(7)).not.toEqual(firedOf(8));
});

test.each([
  ['uniform:100:300', 200, [100, 300]],
  ['normal:200:20', 200, [80, 320]],
  ['pareto:100:3', 150, [100, 3_600_000]],
] as const)('waits of %s have their mean, and stay within their bounds', (latency, mean, [least, most]) => {
  const faults = faultsOf({ latency });

  const waits = Array.from({ length: 4000 }, () => faults.decide(get)!.delayUs / 1000);

  const average = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  expect(Math.abs(average - mean)).toBeLessThan(mean * 0.05);
  expect(waits.every((wait) => wait >= least && wait <= most)).toBe(true);
  expect(new Set(waits).size).toBeGreaterThan(3000);
});

test('a rule that was parsed parses to itself', () => {
  const rule = { operation: 'GetObject|PutObject', latency: '25', error: '503', retryAfter: 3, seed: 4, until: '2.5' };

  const parsed = parseFaultRule(rule, operations);

  expect(parsed).toEqual({ ...rule, latency: 25, error: 503, until: 2.5 });
  expect(parseFaultRule(parsed, operations)).toEqual(parsed);
});
