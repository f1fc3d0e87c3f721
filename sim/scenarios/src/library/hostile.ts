/**
 * The scenario `hostile`: everything that can go wrong, disks that die and lie included, in clusters of all shapes. What could
 * destroy the last good copy of anything is held back (redundancy.ts), so nothing may be lost.
 */
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import { STORM_KINDS, type StormKind } from '../faults/storm-kinds.ts';
import type { Scenario } from '../scenario.ts';
import { type ScenarioInput, scenarioSchema } from '../spec.ts';
import { drawAuth } from './auth.ts';
import { drawOptions } from './options.ts';
import { drawSpareMons, drawUpkeepWeight } from './upkeep.ts';
import { drawClassCalls, drawSnapshots, drawWatchers, drawWorkloads } from './workloads.ts';

export const hostile: Scenario = {
  name: 'hostile',
  source: 'hostile',
  summary:
    'clusters of all shapes; every fault there is, disks that die, rot and lie included, as far as data must survive',
  isDrawn: true,
  draw: (seed) => scenarioSchema.parse(drawHostile(seed)),
};

/** A disk that nobody replaces may leave too few OSDs for every copy to be made again. */
const KINDS = STORM_KINDS.filter(
  (kind): kind is Exclude<StormKind, 'lose-disk' | 'upkeep'> => kind !== 'lose-disk' && kind !== 'upkeep',
);

function drawHostile(seed: number): ScenarioInput {
  const random = new SeededRandom(seed, 'config');
  const size = random.between(2, 3);
  const osdsPerHost = random.pick([1, 1, 2]);
  const hosts = random.between(size, 6);
  const racks = random.oneIn(3);
  const { options, grace } = drawOptions(random);
  const auth = drawAuth(seed);
  // In every run only some kinds, those often: what needs one of them again and again is found so.
  const weights = Object.fromEntries(KINDS.flatMap((kind) => (random.oneIn(2) ? [[kind, random.between(1, 4)]] : [])));
  return {
    name: 'hostile',
    cluster: {
      mons: random.pick([1, 3, 3, 3, 5]),
      spareMons: drawSpareMons(seed),
      osds: hosts * osdsPerHost,
      mgrs: random.between(1, 2),
      clients: random.between(1, 3),
      osdsPerHost,
      ...(racks && { hostsPerRack: random.between(1, 2) }),
      auth: auth.auth,
      options: { ...options, ...auth.options },
      disk: random.pick([
        'hdd-7200',
        'sata-ssd',
        'nvme-ssd',
        { flushUs: [50, 500], stallOneIn: random.pick([0, 100, 1000]), stallUs: SECOND },
        { flushUs: [2000, 20_000], stallOneIn: random.pick([0, 100, 1000]), stallUs: 100_000 },
      ] as const),
      slowDiskOneIn: random.pick([0, 2, 3]),
      slowDiskFactor: random.pick([5, 20]),
      network: random.oneIn(4) ? random.pick(['1gbe', '10gbe', '25gbe'] as const) : drawNetwork(random),
      ...(racks && { rackOversubscription: random.pick([1, 5]) }),
      ...(random.oneIn(3) && { cpu: { eventUs: random.pick([5, 50]), perKiBUs: 2 } }),
      wallSkewUs: random.pick([0, 20_000, 2 * SECOND]),
      driftPpm: random.pick([0, 100, 500]),
      timerSlackUs: random.pick([1, 1000, 20_000]),
    },
    pools: [{ name: 'data', size, minSize: random.between(1, size), pgNum: random.pick([4, 8, 16]) }],
    workloads: [...drawWorkloads(random), ...drawClassCalls(seed), ...drawSnapshots(seed), ...drawWatchers(seed)],
    duration: random.pick(['40s', '80s', '180s']),
    storm: {
      weights: { ...weights, upkeep: drawUpkeepWeight(seed) },
      intervalUs: random.between(2, 15) * SECOND,
      durationUs: random.between(10, 60) * SECOND,
      graceUs: grace * SECOND,
      maxMons: random.between(1, 2),
      maxOsds: random.between(1, 4),
    },
    redundancyAware: true,
    buggify: true,
    checkOneIn: random.between(5, 20),
  };
}

function drawNetwork(random: SeededRandom) {
  const rtt = random.pick([100, 500, 2000]);
  return {
    latencyUs: [rtt, rtt * random.between(1, 5)] as const,
    spikeOneIn: random.pick([0, 50, 500]),
    spikeUs: random.pick([20_000, 300_000]),
    bytesPerSecond: random.pick([0, 20_000_000]),
    stallTimeoutUs: random.between(5, 60) * SECOND,
    // In one run of eight every message goes through its codec.
    codecOneIn: random.oneIn(8) ? 1 : random.between(8, 40),
  };
}
