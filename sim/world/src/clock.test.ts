import { SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { Simulation } from './simulation.ts';
import { addListener } from './world.test-support.ts';

const HOUR = 3600 * SECOND;

function start(driftPpm = 0): { readonly simulation: Simulation } & ReturnType<typeof addListener> {
  const simulation = new Simulation({ seed: 1 });
  const place = addListener(simulation, 0, { clock: { wallSkewUs: 0, driftPpm, timerSlackUs: 0 } });
  return { simulation, process: place.process, daemon: place.daemon, open: place.open, note: place.note };
}

test('wall time jumps ahead and back, and the monotonic clock and timers take no notice', () => {
  const { simulation, process, daemon } = start();
  const { clock } = daemon.world;
  process.call(() => clock.arm('tick', 10 * SECOND));
  const { sec } = clock.wall();
  process.jumpWall(24 * HOUR);
  expect([clock.wall().sec - sec, clock.now()]).toEqual([86_400, 0]);

  process.jumpWall(-48 * HOUR);
  simulation.runFor(20 * SECOND);
  expect([clock.wall().sec - sec, clock.now()]).toEqual([20 - 86_400, 20 * SECOND]);
  expect(daemon.heard.map(({ at, event }) => [at, event.kind])).toEqual([[10 * SECOND, 'timer']]);
});

test('what is wrong with a clock outlives the daemon, until it is mended', () => {
  const simulation = new Simulation({ seed: 1 });
  const place = addListener(simulation, 0);
  const { sec } = place.daemon.world.clock.wall();
  place.process.jumpWall(HOUR);
  place.process.drift(1000);
  place.process.crash();
  place.process.start();
  simulation.runFor(1000 * SECOND);
  expect([place.daemon.world.clock.wall().sec - sec, place.daemon.world.clock.now()]).toEqual([4600, 1001 * SECOND]);

  place.process.mendClock();
  simulation.runFor(1000 * SECOND);
  expect([place.daemon.world.clock.wall().sec - sec, place.daemon.world.clock.now()]).toEqual([2000, 2001 * SECOND]);
});

test('a clock whose rate changes at every moment never goes back, and loses nothing by it', () => {
  const { simulation, process, daemon } = start(1000);
  const { clock } = daemon.world;
  const random = simulation.random('rates');
  let last = 0;
  for (let i = 0; i < 2000; i++) {
    process.drift(1000 * (1 - 2 * (i % 2)));
    expect(clock.now()).toBeGreaterThanOrEqual(last);
    last = clock.now();
    simulation.runFor(random.below(3));
    expect(clock.now()).toBeGreaterThanOrEqual(last);
    last = clock.now();
  }
  // As often fast as slow: a microsecond lost at each change would be missed.
  expect(Math.abs(clock.now() - simulation.now)).toBeLessThan(20);
});

test('a timer that is armed follows the clock when its rate changes', () => {
  const { simulation, process, daemon } = start();
  const { clock } = daemon.world;
  const shown: number[] = [];
  daemon.onEvent = () => shown.push(clock.now());
  process.call(() => {
    clock.arm('first', 10 * SECOND);
    clock.arm('second', 100 * SECOND);
  });
  simulation.runFor(5 * SECOND);
  process.drift(-500_000);
  simulation.runFor(20 * SECOND);
  process.drift(1_000_000);
  simulation.runFor(100 * SECOND);

  expect(shown).toEqual([10 * SECOND, 100 * SECOND]);
  // 5 s at its own pace and 5 more at half of it; the rest, from 15 s on, at twice.
  expect(daemon.heard.map(({ at }) => at)).toEqual([15 * SECOND, 25 * SECOND + 42.5 * SECOND]);
});

test('a timer that was due when the rate changed fires once', () => {
  const { simulation, process, daemon } = start();
  process.hang();
  process.resume();
  process.call(() => daemon.world.clock.arm('tick', SECOND));
  process.hang();
  simulation.runFor(2 * SECOND);
  process.drift(1000);
  process.resume();
  simulation.runFor(10 * SECOND);

  expect(daemon.heard.map(({ event }) => event.kind)).toEqual(['timer']);
});

test('timers that are armed from now on are late by up to the slack', () => {
  const { simulation, process, daemon } = start();
  const arm = (at: number) => process.call(() => daemon.world.clock.arm(`${at}`, at));
  arm(SECOND);
  process.setTimerSlack(SECOND);
  for (let i = 2; i < 50; i++) arm(i * SECOND);
  simulation.runFor(100 * SECOND);

  const late = daemon.heard.map(({ at, event }) => (event.kind === 'timer' ? at - Number(event.name) : -1));
  expect(late[0]).toBe(0);
  expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...late)).toBeGreaterThan(SECOND / 2);
  expect(Math.max(...late)).toBeLessThan(SECOND);
});

test('a clock does not stop or run backward', () => {
  const { process } = start();

  expect(() => process.drift(-1_000_000)).toThrow('a clock goes on');
});
