import { type Instant, SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { Cpu, type CpuProfile } from './cpu.ts';
import { SeededRandom } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { Simulation } from './simulation.ts';
import { Turns } from './turns.ts';
import { addListener, type Place } from './world.test-support.ts';

const MS = 1000;

/** Turns, and a record of what was done when, in ms. */
function start(profile: CpuProfile = { eventUs: MS, perKiBUs: 0 }) {
  const scheduler = new Scheduler();
  const cpu = new Cpu(profile);
  const turns = new Turns(scheduler, new SeededRandom(1, 'turns'), cpu);
  const done: [what: string, atMs: number][] = [];
  const post = (source: number, what: string, bytes = 0) =>
    turns.post(source, () => void done.push([what, scheduler.now / MS]), bytes);
  const run = (us: Instant) => {
    const until = scheduler.now + us;
    while (scheduler.step(until));
  };
  return { cpu, turns, done, post, run };
}

describe('a processor', () => {
  test('has a job done at the end of its time, and the next behind it', () => {
    const { done, post, run } = start({ eventUs: MS, perKiBUs: 2 * MS });
    post(1, 'a');
    post(1, 'b', 1024);
    post(1, 'c', 100);
    run(SECOND);

    // 100 bytes are 195.3 us, rounded up.
    expect(done).toEqual([
      ['a', 1],
      ['b', 4],
      ['c', 5.196],
    ]);
  });

  test('goes from source to source, and takes what comes from one in order', () => {
    const { done, post, run } = start();
    for (const what of ['a1', 'a2', 'a3']) post(1, what);
    for (const what of ['b1', 'b2']) post(2, what);
    post(3, 'c1');
    run(SECOND);

    expect(done.map(([what]) => what)).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
  });

  test('that is slow takes longer for what it begins', () => {
    const { cpu, done, post, run } = start();
    post(1, 'a');
    const recover = cpu.slow(10);
    post(1, 'b');
    run(5 * MS);
    recover();
    post(1, 'c');
    run(SECOND);

    expect(done).toEqual([
      ['a', 1],
      ['b', 11],
      ['c', 12],
    ]);
    expect(() => cpu.slow(0)).toThrow();
    expect(() => cpu.slow(1.5)).toThrow();
  });

  test('that costs nothing does a job as it comes', () => {
    const { done, post } = start({ eventUs: 0, perKiBUs: 0 });
    post(1, 'a');
    post(2, 'b', 1 << 20);

    expect(done).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  test.each([0, MS])('that owes time does nothing until it is over (events cost %i us)', (eventUs) => {
    const { turns, done, post, run } = start({ eventUs, perKiBUs: 0 });
    turns.post(1, () => {
      turns.owe(5 * MS);
      turns.owe(2 * MS);
    });
    post(1, 'b');
    post(2, 'c');
    run(SECOND);

    const cost = eventUs / MS;
    expect(done).toEqual([
      ['b', 7 + 2 * cost],
      ['c', 7 + 3 * cost],
    ]);
  });

  test('does what is posted by a job after it', () => {
    const { turns, done, post, run } = start();
    turns.post(1, () => turns.during(() => post(1, 'later')));
    run(SECOND);

    expect(done).toEqual([['later', 2]]);
  });
});

describe('a hang', () => {
  test('in the middle of a job stops it there, and it goes on there', () => {
    const { turns, done, post, run } = start({ eventUs: 10 * MS, perKiBUs: 0 });
    post(1, 'a');
    run(4 * MS);
    turns.hang();
    post(1, 'b');
    run(96 * MS);
    expect(done).toEqual([]);

    turns.resume();
    run(SECOND);
    expect(done).toEqual([
      ['a', 106],
      ['b', 116],
    ]);
  });

  test('that ends before the job would have does not make it shorter, nor two such hangs', () => {
    const { turns, done, post, run } = start({ eventUs: 10 * MS, perKiBUs: 0 });
    post(1, 'a');
    for (let i = 0; i < 2; i++) {
      run(2 * MS);
      turns.hang();
      run(MS);
      turns.hang();
      run(MS);
      turns.resume();
    }
    run(SECOND);

    expect(done).toEqual([['a', 14]]);
  });

  test('leaves what waited in an order that is drawn, but for what came from one source', () => {
    const { turns, done, post, run } = start();
    turns.hang();
    for (const number of [1, 2, 3, 4]) for (let source = 1; source <= 4; source++) post(source, `${source}.${number}`);
    turns.resume();
    run(SECOND);

    const order = done.map(([what]) => what);
    for (let source = 1; source <= 4; source++) {
      const own = order.filter((what) => what.startsWith(`${source}.`));
      expect(own).toEqual([1, 2, 3, 4].map((number) => `${source}.${number}`));
    }
    expect(order.slice(0, 4)).not.toEqual(['1.1', '2.1', '3.1', '4.1']);
    expect(done.at(-1)![1]).toBe(16);
  });
});

test('what has been begun when its run ends is not done', () => {
  const { turns, done, post, run } = start();
  post(1, 'a');
  post(1, 'b');
  run(MS);
  turns.stop();
  post(1, 'c');
  run(SECOND);

  expect(done).toEqual([['a', 1]]);
});

describe('a daemon on a processor that costs', () => {
  function startPair(cpu: CpuProfile) {
    const simulation = new Simulation({ seed: 1, network: { latencyUs: [100, 100], codecOneIn: 0 } });
    const [a, b] = [addListener(simulation, 0), addListener(simulation, 1, { cpu })] as [Place, Place];
    const session = a.open(b);
    simulation.runFor(SECOND);
    return { simulation, a, b, session, from: simulation.now };
  }

  test('answers when it has handled the question', () => {
    const { simulation, a, b, session, from } = startPair({ eventUs: 2 * MS, perKiBUs: 0 });
    b.daemon.onEvent = (event) => {
      if (event.kind === 'message') b.daemon.world.net.send(event.session, event.message);
    };
    a.note(session, 1);
    a.note(session, 2);
    simulation.runFor(SECOND);

    expect([1, 2].map((number) => a.daemon.noteAt(number)! - from)).toEqual([2200, 4200]);
  });

  test('that is killed has not handled what it was at, and starts with nothing to do', () => {
    const { simulation, a, b, session } = startPair({ eventUs: 20 * MS, perKiBUs: 0 });
    const before = b.daemon;
    a.note(session, 1);
    simulation.runFor(10 * MS);
    b.process.crash();
    b.process.start();
    simulation.runFor(SECOND);

    expect([before.notes, b.daemon.notes]).toEqual([[], []]);
    a.note(a.open(b), 2);
    simulation.runFor(SECOND);
    expect(b.daemon.notes).toEqual([2]);
  });

  test('waits for its disk when that says so, with what comes next', () => {
    const { simulation, a, b, session, from } = startPair({ eventUs: 0, perKiBUs: 0 });
    let charge = 5 * MS;
    Object.assign(b.process.disk, {
      takeCharge: () => {
        const taken = charge;
        charge = 0;
        return taken;
      },
    });
    a.note(session, 1);
    a.note(session, 2);
    simulation.runFor(SECOND);

    expect([1, 2].map((number) => b.daemon.noteAt(number)! - from)).toEqual([100, 5100]);
  });

  test('is slowed while it runs, and started again as slow', () => {
    const { simulation, a, b, session, from } = startPair({ eventUs: MS, perKiBUs: 0 });
    b.process.slow(100);
    a.note(session, 1);
    simulation.runFor(SECOND);
    expect(b.daemon.noteAt(1)! - from).toBe(100_100);

    b.process.crash();
    b.process.start();
    const again = a.open(b);
    simulation.runFor(2 * SECOND);
    const sent = simulation.now;
    a.note(again, 2);
    simulation.runFor(SECOND);
    expect(b.daemon.noteAt(2)! - sent).toBe(100_100);
  });
});
