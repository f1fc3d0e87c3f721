import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { ToyQuorum } from './toy-quorum.test-support.ts';

const only = process.env['SEED'];
const count = Number(process.env['SEEDS'] ?? 50);
const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)];

/** Faults for a while with proposals all along, then calm. */
function survive(quorum: ToyQuorum): string[] {
  for (let value = 1; value <= 60; value++) {
    quorum.want(value);
    quorum.run((SECOND / 5) * (1 + quorum.below(3)));
  }
  quorum.heal();
  quorum.run(20 * SECOND);
  return quorum.problems();
}

function failing(spec: (seed: number) => ConstructorParameters<typeof ToyQuorum>[0]): string[] {
  return seeds.flatMap((seed) => survive(new ToyQuorum(spec(seed))).map((problem) => `seed ${seed}: ${problem}`));
}

describe.each([3, 5])('%i monitors agree', (monitors) => {
  test('without faults', () => {
    const quorum = new ToyQuorum({ monitors, seed: 1 });

    expect(survive(quorum)).toEqual([]);
    expect(quorum.acknowledged.size).toBe(60);
  });

  test('while connections break and messages are lost', () => {
    expect(failing((seed) => ({ monitors, seed, resets: 3, loss: 0.01 }))).toEqual([]);
  });

  test('while monitors lose power', () => {
    expect(failing((seed) => ({ monitors, seed, crashes: 1 }))).toEqual([]);
  });

  test('while the network parts them', () => {
    expect(failing((seed) => ({ monitors, seed, partitions: 0.5, resets: 1 }))).toEqual([]);
  });

  test('through all of it at once', () => {
    const spec = { monitors, crashes: 0.5, partitions: 0.2, resets: 1, loss: 0.005 };

    expect(failing((seed) => ({ ...spec, seed }))).toEqual([]);
  });
});
