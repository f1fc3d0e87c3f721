/**
 * The scenario `lossy`: more disks are lost and spoilt at a time than the pool survives, and nobody holds anything back. Data may
 * be lost, but never silently: a PG serves what it was given, or says that it cannot.
 */
import { SeededRandom } from '@spirula/sim-world';
import { SECOND } from '@spirula/world';
import type { StormKind } from '../faults/storm-kinds.ts';
import type { Scenario } from '../scenario.ts';
import { type ScenarioInput, scenarioSchema } from '../spec.ts';
import { drawOptions } from './options.ts';
import { drawSurroundings } from './surroundings.ts';
import { drawSpareMons, drawUpkeepWeight } from './upkeep.ts';
import { drawClassCalls, drawWorkloads } from './workloads.ts';

export const lossy: Scenario = {
  name: 'lossy',
  source: 'lossy',
  summary: 'disks die, rot and lie on several OSDs at once, beyond what the pool survives: every loss must be reported',
  isDrawn: true,
  draw: (seed) => scenarioSchema.parse(drawLossy(seed)),
};

/** What takes OSDs away for a while: the more of it, the more often the last who knew something is the one that is lost. */
const COMINGS_AND_GOINGS: readonly StormKind[] = [
  'crash',
  'power-loss',
  'subtree',
  'hang',
  'restart',
  'isolate',
  'split',
  'cut',
  'clog',
  'delay',
  'reset',
  'ambush',
];
const SPOILT_DISKS: readonly StormKind[] = ['bit-rot', 'lost-write', 'misdirected-write', 'torn-write', 'read-error'];

function drawLossy(seed: number): ScenarioInput {
  const random = new SeededRandom(seed, 'config');
  const size = random.between(2, 3);
  const maxOsds = random.between(2, 4);
  const { options, grace } = drawOptions(random);
  const some = (kinds: readonly StormKind[], most: number) =>
    kinds.flatMap((kind) => (random.oneIn(2) ? [[kind, random.between(1, most)] as const] : []));
  return {
    name: 'lossy',
    cluster: {
      mons: random.pick([1, 3]),
      spareMons: drawSpareMons(seed),
      // However many are lost, there are enough for each PG to be made whole again.
      osds: size + maxOsds + random.between(0, 2),
      mgrs: 2,
      clients: random.between(1, 3),
      ...drawSurroundings(seed),
      options: {
        ...options,
        // What does not come back is put out, however much that is.
        mon_osd_down_out_interval: random.pick([15, 40]),
        mon_osd_min_in_ratio: 0.1,
        mon_osd_min_up_ratio: 0.1,
      },
    },
    pools: [{ name: 'data', size, minSize: random.between(1, size), pgNum: random.pick([4, 8, 16]) }],
    workloads: [...drawWorkloads(random), ...drawClassCalls(seed)],
    duration: '120s',
    storm: {
      weights: Object.fromEntries([
        ...some(COMINGS_AND_GOINGS, 4),
        ...some(SPOILT_DISKS, 4),
        ['lose-disk', random.between(1, 3)],
        ['upkeep', drawUpkeepWeight(seed)],
      ]),
      intervalUs: random.between(2, 8) * SECOND,
      durationUs: random.between(10, 60) * SECOND,
      graceUs: grace * SECOND,
      maxMons: 1,
      maxOsds,
    },
    mayLose: true,
    // An OSD that is gone for good, and the only one that the map has up, is reported by nobody: mon_osd_report_timeout ends it.
    healWithin: '1200s',
    buggify: true,
    checkOneIn: random.between(5, 20),
  };
}
