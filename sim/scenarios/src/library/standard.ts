/**
 * The scenario `standard`: three monitors and five OSDs serve clients that share objects, while daemons crash, lose power,
 * hang, are cut off, come late and lose connections. Acknowledged writes are flushed on every acting OSD, so nothing that
 * happens here may lose or change one, however many fail at a time. Disks do not die in this scenario.
 */
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import type { Scenario } from '../scenario.ts';
import { type ScenarioInput, scenarioSchema } from '../spec.ts';
import { drawAuth } from './auth.ts';
import { drawOptions } from './options.ts';
import { drawSpareMons, drawUpkeepWeight } from './upkeep.ts';
import { drawClassCalls, drawSnapshots, drawWatchers, drawWorkloads } from './workloads.ts';

export const standard: Scenario = {
  name: 'standard',
  source: 'standard',
  summary: '3 monitors, 5 OSDs, clients at work; crashes, power cuts, hangs, partitions, delays, resets for 180 s',
  isDrawn: true,
  draw: (seed) => scenarioSchema.parse(drawStandard(seed)),
};

/** What the seed makes of the cluster and of its misfortune. */
function drawStandard(seed: number): ScenarioInput {
  const random = new SeededRandom(seed, 'config');
  const size = random.between(2, 3);
  const minSize = random.oneIn(3) ? random.between(1, size) : size - 1;
  const rtt = random.pick([100, 500, 2000]);
  const { options, grace } = drawOptions(random);
  const auth = drawAuth(seed);
  const weight = (most: number) => (random.oneIn(4) ? 0 : random.between(1, most));
  // Those that find most.
  const sharp = (most: number) => (random.oneIn(10) ? 0 : random.between(2, most));
  return {
    name: 'standard',
    cluster: {
      mons: 3,
      spareMons: drawSpareMons(seed),
      osds: 5,
      mgrs: random.between(1, 2),
      clients: random.between(2, 3),
      auth: auth.auth,
      options: { ...options, ...auth.options },
      disk: {
        flushUs: random.pick([
          [50, 500],
          [500, 5000],
          [2000, 20_000],
        ] as const),
        stallOneIn: random.pick([0, 100, 1000]),
        stallUs: random.pick([100_000, SECOND]),
      },
      slowDiskOneIn: random.pick([0, 2, 3]),
      slowDiskFactor: random.pick([5, 20]),
      network: {
        latencyUs: [rtt, rtt * random.between(1, 5)],
        spikeOneIn: random.pick([0, 50, 500]),
        spikeUs: random.pick([20_000, 300_000]),
        bytesPerSecond: random.pick([0, 20_000_000]),
        stallTimeoutUs: random.between(5, 60) * SECOND,
        codecOneIn: random.between(8, 40),
      },
      wallSkewUs: random.pick([0, 20_000, 2 * SECOND]),
      driftPpm: random.pick([0, 100]),
      timerSlackUs: random.pick([1, 1000, 20_000]),
    },
    pools: [{ name: 'data', size, minSize, pgNum: random.pick([4, 8, 16]) }],
    workloads: [...drawWorkloads(random), ...drawClassCalls(seed), ...drawSnapshots(seed), ...drawWatchers(seed)],
    duration: '180s',
    storm: {
      weights: {
        crash: weight(4),
        'power-loss': weight(4),
        blackout: random.oneIn(4) ? 1 : 0,
        hang: weight(3),
        isolate: weight(3),
        ambush: sharp(5),
        corner: sharp(5),
        leader: sharp(3),
        split: weight(2),
        cut: weight(3),
        delay: weight(2),
        reset: weight(2),
        upkeep: drawUpkeepWeight(seed),
      },
      intervalUs: random.between(2, 15) * SECOND,
      durationUs: random.between(10, 60) * SECOND,
      graceUs: grace * SECOND,
      maxMons: random.between(1, 2),
      maxOsds: random.between(1, 4),
    },
    buggify: true,
    checkOneIn: random.between(5, 20),
  };
}
