import { SECOND } from '@spirula/world';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Layers, type Undo } from './layers.ts';
import type { SimProcess } from './process.ts';
import { Simulation } from './simulation.ts';
import { addListener, type Place } from './world.test-support.ts';

test('what holds is all that was added and not taken away, the oldest first', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 9 }), { maxLength: 40 }), (steps) => {
      let values: readonly number[] = [];
      const layers = new Layers<number>((now) => {
        values = now;
      });
      const expected: number[] = [];
      const undos: Undo[] = [];
      for (const [i, step] of steps.entries()) {
        if (step < 5) {
          expected.push(i);
          undos[i] = layers.add(i);
        } else {
          const victim = expected[step - 5];
          if (victim === undefined) continue;
          expected.splice(expected.indexOf(victim), 1);
          undos[victim]!();
          undos[victim]!();
        }
        expect(values).toEqual(expected);
      }
    }),
  );
});

const paths = (process: SimProcess) => process.host.network.paths;
const path = (process: SimProcess) => paths(process).path('osd.0', 'osd.1', 'back');

/** Two faults of a kind, and what shows of both, of the second, and of none. */
type Case = readonly [
  what: string,
  first: (process: SimProcess) => Undo,
  second: (process: SimProcess) => Undo,
  shown: (process: SimProcess, place: Place) => unknown,
  values: readonly [both: unknown, second: unknown, none: unknown],
];

const CASES: readonly Case[] = [
  [
    'cuts',
    (process) => paths(process).cut('osd.0', 'osd.1'),
    (process) => paths(process).part(['osd.1'], ['osd.0'], 'back'),
    (process) => path(process).isCut,
    [true, true, false],
  ],
  [
    'clogs',
    (process) => paths(process).clog('osd.0', 'osd.1', 9 * SECOND),
    (process) => paths(process).clog('osd.0', 'osd.1', SECOND),
    (process) => path(process).cloggedUntil,
    [9 * SECOND, SECOND, undefined],
  ],
  [
    'delays',
    (process) => paths(process).delay('osd.0', 'osd.1', 200),
    (process) => paths(process).delay('osd.0', 'osd.1', 100),
    (process) => path(process).extraUs,
    [200, 100, 0],
  ],
  [
    'tails',
    (process) => paths(process).tail('osd.0', 'osd.1', { oneIn: 2, fromUs: 1, maxUs: 2 }),
    (process) => paths(process).tail('osd.0', 'osd.1', { oneIn: 3, fromUs: 1, maxUs: 2 }),
    (process) => path(process).tail?.oneIn,
    [3, 3, undefined],
  ],
  [
    'limits of a path',
    (process) => paths(process).limit('osd.0', 'osd.1', 100),
    (process) => paths(process).limit('osd.0', 'osd.1', 200),
    (process) => path(process).links[0]?.bytesPerSecond,
    [100, 200, undefined],
  ],
  [
    'limits of a machine',
    (process) => paths(process).limitMachine('osd.0', 100),
    (process) => paths(process).limitMachine('osd.0', 200, 'back'),
    (process) => path(process).links[0]?.bytesPerSecond,
    [100, 200, undefined],
  ],
  [
    'slow processors',
    (process) => process.slow(10),
    (process) => process.slow(2),
    ({ cpu }) => cpu.costOf(0),
    [10_000, 2000, 1000],
  ],
  [
    'drifts',
    (process) => process.drift(100),
    (process) => process.drift(-200),
    (_, place) => driftOf(place),
    [-200, -200, 0],
  ],
  [
    'refusals',
    (process) => process.refuse('public', 9 * SECOND),
    (process) => process.refuse('public', SECOND),
    (process) => process.host.network.listenerAt(process.addrs('public')[0]!) === undefined,
    [true, true, false],
  ],
  [
    'full disks',
    ({ disk }) => disk.faults.limit(100),
    ({ disk }) => disk.faults.limit(200),
    ({ disk }) => disk.faults.limitBytes,
    [100, 200, undefined],
  ],
  [
    'failing disks',
    ({ disk }) => disk.faults.fail('read'),
    ({ disk }) => disk.faults.fail('read', { oneIn: 3 }),
    ({ disk }) => disk.faults.failsReads,
    [true, true, false],
  ],
];

test.each(CASES)('of two %s that overlap each ends by itself', (_, first, second, shown, values) => {
  const simulation = new Simulation({ seed: 1 });
  const place = addListener(simulation, 0, { cpu: { eventUs: 1000, perKiBUs: 0 } });
  const { process } = place;
  addListener(simulation, 1);
  const before = shown(process, place);
  const end = first(process);
  const endSecond = second(process);

  expect(shown(process, place)).toEqual(values[0]);
  end();
  expect(shown(process, place)).toEqual(values[1]);
  endSecond();
  expect(shown(process, place)).toEqual(values[2]);
  expect(before).toEqual(values[2]);
});

test('of writes that are to be spoiled those are left that were not taken back', () => {
  const { disk } = addListener(new Simulation({ seed: 1 }), 0).process;
  disk.faults.spoilNextWrite('lost')();
  disk.faults.spoilNextWrite('torn');

  expect([disk.faults.takeFate(), disk.faults.takeFate()]).toEqual(['torn', undefined]);
});

/** Parts per million, as a second on its clock shows. */
function driftOf({ process, daemon }: Place): number {
  const { scheduler } = process.host;
  const { clock } = daemon.world;
  const [from, until] = [clock.now(), scheduler.now + SECOND];
  while (scheduler.step(until));
  return clock.now() - from - SECOND;
}
