/**
 * The scenario `gateways`: clients share objects and versions through several object gateways, while these and the cluster
 * beneath them fail. No half of an object is ever seen, and nothing acknowledged is lost; at rest listings, counters, heads and
 * the data pool agree.
 */
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import type { Scenario } from '../scenario.ts';
import { type ScenarioInput, scenarioSchema } from '../spec.ts';
import { drawAuth } from './auth.ts';

export const gateways: Scenario = {
  name: 'gateways',
  source: 'gateways',
  summary: '2 or 3 object gateways and their clients, 4 OSDs; crashes of both, power cuts, hangs, resets for 30 s',
  isDrawn: true,
  draw: (seed) => scenarioSchema.parse(drawGateways(seed)),
};

function drawGateways(seed: number): ScenarioInput {
  const random = new SeededRandom(seed, 'config');
  const crash = !random.oneIn(4);
  const weight = (most: number) => (random.oneIn(4) ? 0 : random.between(1, most));
  const { auth, options } = drawAuth(seed);
  const buckets = new SeededRandom(seed, 'buckets');
  return {
    name: 'gateways',
    cluster: {
      mons: random.pick([1, 3]),
      osds: 4,
      mgrs: 0,
      clients: 1,
      auth,
      // Whoever reshards and crashes is soon known to have.
      options: { ...options, rgw_reshard_bucket_lock_duration: 30, rgw_reshard_batch_size: 8 },
      network: { latencyUs: [100, random.pick([200, 2000])] },
      timerSlackUs: random.pick([1, 1000]),
    },
    pools: [{ name: 'data', pgNum: 4 }],
    workloads: [{ kind: 'objects', objects: 2 }],
    gateways: {
      count: random.between(2, 3),
      clients: random.between(3, 5),
      work: random.pick([['objects'], ['versions'], ['objects', 'versions']] as const).slice(),
      suspends: !random.oneIn(3),
      reshards: buckets.oneIn(2),
      removes: buckets.oneIn(3),
      crash,
    },
    duration: '30s',
    storm: {
      weights: {
        ...(crash && { gateway: random.between(4, 12) }),
        crash: weight(4),
        'power-loss': weight(4),
        hang: weight(4),
        isolate: weight(1),
        cut: weight(2),
        delay: weight(2),
        reset: weight(4),
        ambush: weight(2),
      },
      intervalUs: random.between(1, 6) * SECOND,
      durationUs: random.between(5, 15) * SECOND,
      graceUs: 20 * SECOND,
      maxMons: 1,
      maxOsds: random.between(1, 2),
    },
    checkOneIn: 100,
  };
}
