import { expect, test } from 'vitest';
import type { FaultPlan } from '../faults/plan.ts';
import { Lab } from '../lab.ts';
import { scenarioSchema } from '../spec.ts';
import { findUnreported, saysLoss } from './reported-loss.ts';

test('a PG says loss when it is down, incomplete or gone, or has unfound objects; not when it peers or is undersized', () => {
  expect(
    [
      'down',
      'incomplete',
      'stale',
      'active+recovery_unfound+degraded',
      'active+undersized+degraded',
      'peering',
      'unknown',
      'active+clean',
    ].filter(saysLoss),
  ).toEqual(['down', 'incomplete', 'stale', 'active+recovery_unfound+degraded']);
});

test('what PGs say must be in the health of the cluster', () => {
  expect(findUnreported(['down+remapped'], ['OSD_DOWN'])).toEqual(['PG_AVAILABILITY']);
  expect(findUnreported(['active+recovery_unfound'], ['OBJECT_UNFOUND'])).toEqual(['PG_DAMAGED']);
  expect(findUnreported(['down'], ['OSD_DOWN', 'PG_AVAILABILITY'])).toEqual([]);
  expect(findUnreported([], [])).toEqual([]);
});

function runWith(faults: readonly unknown[], mayLose: boolean): Lab {
  const spec = scenarioSchema.parse({
    name: 'lossy',
    cluster: {
      osds: 5,
      mgrs: 2,
      clients: 2,
      options: {
        ...{ mon_osd_min_down_reporters: 1, osd_heartbeat_grace: 6, osd_heartbeat_interval: 1 },
        ...{ mon_osd_down_out_interval: 15, mon_osd_min_in_ratio: 0.1, mon_osd_min_up_ratio: 0.1 },
      },
    },
    pools: [{ size: 2, minSize: 1, pgNum: 16 }],
    workloads: [{ kind: 'objects', objects: 48 }],
    duration: '30s',
    healWithin: '120s',
    faults: faults as FaultPlan[],
    mayLose,
  });
  return new Lab(spec, 1);
}

// Of 16 PGs of two copies on five OSDs about five are on these three alone, wherever CRUSH puts them.
const GONE = [{ fault: 'lose-disk', daemons: ['osd.0', 'osd.1', 'osd.2'], at: '10s' }];
/** Nobody is left who knows what there was, nor who could come back and tell. */
const PURGED = [{ fault: 'replace', daemons: ['osd.0', 'osd.1', 'osd.2'], at: '10s' }];
/** Every copy of everything, while nobody writes it anew. */
const ROTTEN = [{ fault: 'bit-rot', daemons: 'osds', count: 10_000, at: '29s' }];

test.each([
  ['all OSDs of a PG are gone', GONE],
  ['all OSDs of a PG were purged and created anew', PURGED],
  ['no copy of an object can be read', ROTTEN],
])('when %s the loss is reported, and what is left is right', (_, faults) => {
  const outcome = runWith(faults, true).run();

  expect(outcome).toMatchObject({ violations: [], unclean: [] });
  expect(outcome.stats['reportedLosses']).toBeGreaterThan(0);
  // Not all is lost: the rest was read and compared.
  expect(outcome.stats['reportedLosses']).toBeLessThan(16);
});

test('where nothing may be lost, a loss that is reported is one all the same', () => {
  const outcome = runWith(GONE, false).run();

  expect(outcome.unclean.join()).toMatch(/is down/);
});
