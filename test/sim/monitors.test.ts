/** Monitors are removed and added again and again while everything breaks, their stores included. */
import { checkScenario, Lab } from '@spirula/sim-scenarios';
import { expect, test } from 'vitest';

const spec = checkScenario({
  name: 'monitors',
  cluster: {
    mons: 3,
    spareMons: 2,
    osds: 3,
    clients: 2,
    options: { paxos_min: 20, paxos_trim_min: 5, paxos_trim_max: 30 },
    disk: { flushUs: [500, 5000], stallOneIn: 100, stallUs: 1_000_000 },
    network: { latencyUs: [250, 1000], spikeOneIn: 50, spikeUs: 300_000, codecOneIn: 20 },
    driftPpm: 100,
    timerSlackUs: 1000,
    wallSkewUs: 20_000,
  },
  pools: [{ name: 'data', size: 3, minSize: 2, pgNum: 4 }],
  workloads: [{ kind: 'objects', objects: 4, pace: { kind: 'closed', workers: 1, restUs: 500_000 } }],
  duration: '180s',
  faults: [
    { fault: 'remove-mon', daemons: 'mon.a', every: '31s', jitter: '12s', for: '21s' },
    { fault: 'remove-mon', daemons: 'mon.b', every: '43s', jitter: '20s', for: '15s' },
    { fault: 'add-mon', daemons: 'mon.d', every: '25s', jitter: '9s', for: '16s' },
    { fault: 'add-mon', daemons: 'mon.e', every: '37s', jitter: '15s', for: '30s' },
  ],
  storm: {
    weights: {
      ...{ crash: 3, 'power-loss': 3, blackout: 1, hang: 3, restart: 2, 'lose-store': 3 },
      ...{ isolate: 3, leader: 4, split: 2, cut: 3, delay: 2, reset: 3, clog: 1 },
    },
    intervalUs: 5_000_000,
    durationUs: 25_000_000,
    graceUs: 20_000_000,
    maxMons: 2,
    maxOsds: 1,
  },
  redundancyAware: true,
  buggify: true,
});

/** A monitor that lost its store met only those whom its first map did not have; one that was added was never started. */
const FOUND = [22, 31, 40, 68, 113];
const count = Number(process.env['SEEDS'] ?? 3);
const only = process.env['SEED'];
const seeds =
  only === undefined ? [...new Set([...FOUND, ...Array.from({ length: count }, (_, i) => i + 1)])] : [Number(only)];

test.each(seeds)('monitors come and go, and nothing acknowledged is lost (seed %i)', { timeout: 300_000 }, (seed) => {
  const { violations, unclean } = new Lab(spec, seed).run();

  expect([...violations, ...unclean]).toEqual([]);
});

test('one seed, one history', { timeout: 300_000 }, () => {
  const run = () => new Lab(spec, 5).run().digest;

  expect(run()).toBe(run());
});
