import type { AdminResult } from '@spirula/admin-socket';
import type { Transaction } from '@spirula/objectstore';
import { makeConfig, SECOND } from '@spirula/world';
import { beforeEach, expect, test } from 'vitest';
import { StoreBench } from './store-bench.ts';

let transactions: Transaction[];
let commits: (() => void)[];
let now: number;
let available: number;
let bench: StoreBench;
let results: AdminResult[];

beforeEach(() => {
  transactions = [];
  commits = [];
  results = [];
  now = 0;
  available = 1 << 30;
  bench = new StoreBench({
    world: { clock: { now: () => now } as never, config: makeConfig({}) },
    get available() {
      return available;
    },
    submit: (transaction, onCommit) => {
      transactions.push(transaction);
      commits.push(onCommit);
    },
  });
});

const begin = (args: object) => bench.begin({ prefix: 'bench', ...args }, (result) => results.push(result));

test('writes the bytes in blocks, some at a time, takes them away, and tells how long it took', () => {
  begin({ count: 100_000, size: 4096 });
  expect(transactions).toHaveLength(16);
  while (commits.length > 0) {
    now += SECOND / 100;
    commits.shift()!();
  }

  const ops = transactions.flat();
  const sizes = ops.flatMap((op) => (op.op === 'write' ? [op.data.length] : []));
  expect([sizes.length, sizes.reduce((sum, size) => sum + size)]).toEqual([25, 100_000]);
  expect(ops.filter(({ op }) => op === 'remove')).toHaveLength(16);
  expect(results).toMatchObject([
    {
      code: 0,
      documents: [{ json: { bytes_written: 100_000, blocksize: 4096, elapsed_sec: 0.25, bytes_per_sec: 400_000 } }],
    },
  ]);
});

test.each([
  [{ count: 0 }, /above 0/],
  [{ size: 'x' }, /above 0/],
  [{ size: 67_108_865 }, /osd_bench_max_block_size/],
  [{ count: 12_288_001, size: 4096 }, /at most 12288000 .*osd_bench_small_size_max_iops/],
  [{ count: 3_145_728_001 }, /osd_bench_large_size_max_throughput/],
])('refuses what would keep the OSD from its work: %j', (args, why) => {
  begin(args);

  expect(results).toMatchObject([{ code: -22, status: expect.stringMatching(why) }]);
  expect(transactions).toEqual([]);
});

test('one at a time, and only where there is room', () => {
  available = 1 << 20;
  begin({});
  expect(results).toMatchObject([{ code: -28 }]);
  available = 1 << 30;
  begin({});
  begin({});
  expect(results).toMatchObject([{ code: -28 }, { code: -16 }]);
});
