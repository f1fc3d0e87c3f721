import { listScenarios } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';
import { jobAt, makeWheel } from './sim-swarm.ts';

test('a swarm runs every scenario, and no seed of one twice', () => {
  const wheel = makeWheel();
  const jobs = Array.from({ length: 5 * wheel.length + 7 }, (_, number) => jobAt(wheel, number));
  const seedsOf = (name: string) => jobs.flatMap(({ source, seed }) => (source === name ? seed : []));

  for (const { name } of listScenarios()) {
    const seeds = seedsOf(name);
    expect(seeds).toEqual(Array.from({ length: seeds.length }, (_, i) => i + 1));
    expect(seeds.length).toBeGreaterThan(0);
  }
});
