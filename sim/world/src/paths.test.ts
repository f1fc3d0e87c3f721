import { SECOND } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import type { NetworkProfile } from './paths.ts';
import { Simulation } from './simulation.ts';
import { addListener, type Place } from './world.test-support.ts';

const LATENCY = 100;
const MB = 1_000_000;

interface Three {
  readonly simulation: Simulation;
  readonly a: Place;
  readonly b: Place;
  readonly c: Place;
}

function startThree(network: Partial<NetworkProfile> = {}): Three {
  const simulation = new Simulation({ seed: 1, network: { latencyUs: [LATENCY, LATENCY], codecOneIn: 0, ...network } });
  const [a, b, c] = [0, 1, 2].map((id) => addListener(simulation, id)) as [Place, Place, Place];
  return { simulation, a, b, c };
}

/** Opens a connection from one to the other and waits until it is there. */
function connect(simulation: Simulation, from: Place, to: Place, endpoint = 'public'): number {
  const session = from.open(to, endpoint);
  simulation.runFor(10 * LATENCY);
  return session;
}

describe('networks apart', () => {
  test.each([
    ['front', ['cluster', 'hb_back']],
    ['back', ['public', 'hb_front']],
    ['both', []],
  ] as const)('a cut of %s leaves to an OSD its endpoints %j', (network, reached) => {
    const { simulation, a, b } = startThree();
    const endpoints = ['public', 'cluster', 'hb_front', 'hb_back'];
    const sessions = endpoints.map((endpoint) => connect(simulation, a, b, endpoint));
    simulation.network.paths.cut('osd.0', 'osd.1', network);
    for (const [i, session] of sessions.entries()) a.note(session, i);
    simulation.runFor(SECOND);

    expect(b.daemon.notes.map((i) => endpoints[i]).sort()).toEqual([...reached].sort());
  });

  test('answers take the network of the question', () => {
    const { simulation, a, b } = startThree();
    connect(simulation, a, b, 'cluster');
    simulation.network.paths.cut('osd.1', 'osd.0', 'front');
    b.note(1, 7);
    simulation.runFor(SECOND);
    expect(a.daemon.notes).toEqual([7]);

    simulation.network.paths.cut('osd.1', 'osd.0', 'back');
    b.note(1, 8);
    simulation.runFor(SECOND);
    expect(a.daemon.notes).toEqual([7]);
  });

  test('a mended network carries what waited for it, and the other stays cut', () => {
    const { simulation, a, b } = startThree();
    const [front, back] = [connect(simulation, a, b), connect(simulation, a, b, 'cluster')];
    const { paths } = simulation.network;
    const mendFront = paths.cut('osd.0', 'osd.1', 'front');
    const mendBack = paths.cut('osd.0', 'osd.1', 'back');
    a.note(front, 1);
    a.note(back, 2);
    simulation.runFor(SECOND);
    mendBack();
    simulation.runFor(SECOND);
    expect(b.daemon.notes).toEqual([2]);

    mendFront();
    simulation.runFor(SECOND);
    expect(b.daemon.notes).toEqual([2, 1]);
  });
});

test('a partial partition parts two groups and nobody else', () => {
  const { simulation, a, b, c } = startThree();
  const sessions = [connect(simulation, a, b), connect(simulation, a, c), connect(simulation, c, b)] as const;
  const { paths } = simulation.network;
  const join = paths.part(['osd.0'], ['osd.1']);
  a.note(sessions[0], 1);
  a.note(sessions[1], 2);
  c.note(sessions[2], 3);
  b.note(1, 4);
  simulation.runFor(SECOND);
  expect([a.daemon.notes, b.daemon.notes, c.daemon.notes]).toEqual([[], [3], [2]]);

  join();
  simulation.runFor(SECOND);
  expect([a.daemon.notes, b.daemon.notes]).toEqual([[4], [3, 1]]);
});

describe('a clogged path', () => {
  test('holds packets, then lets all through in order, and no connection is lost by it', () => {
    const { simulation, a, b } = startThree({ stallTimeoutUs: 1000 });
    const session = connect(simulation, a, b);
    const start = simulation.now;
    simulation.network.paths.clog('osd.0', 'osd.1', 2 * SECOND);
    for (const i of [1, 2, 3]) {
      a.note(session, i);
      simulation.runFor(10_000);
    }
    b.note(1, 9);
    simulation.runFor(SECOND);
    expect([b.daemon.notes, a.daemon.notes]).toEqual([[], [9]]);

    simulation.runFor(2 * SECOND);
    expect(b.daemon.notes).toEqual([1, 2, 3]);
    expect([1, 2, 3].map((i) => b.daemon.noteAt(i)! - start)).toEqual([2 * SECOND, 2 * SECOND, 2 * SECOND]);
    expect(a.daemon.resets).toEqual([]);
  });

  test('is free at once when the last clog is ended, and as late as the later of two says', () => {
    const { simulation, a, b } = startThree();
    const session = connect(simulation, a, b);
    const { paths } = simulation.network;
    const unclog = paths.clog('osd.0', 'osd.1', 9 * SECOND);
    paths.clog('osd.0', 'osd.1', SECOND);
    a.note(session, 1);
    simulation.runFor(2 * SECOND);
    expect(b.daemon.notes).toEqual([]);

    unclog();
    simulation.runFor(10);
    expect(b.daemon.notes).toEqual([1]);
  });

  test('is free when all is mended', () => {
    const { simulation, a, b } = startThree();
    const session = connect(simulation, a, b);
    simulation.network.paths.clog('osd.0', 'osd.1', 9 * SECOND);
    a.note(session, 1);
    simulation.runFor(SECOND);
    simulation.network.paths.mendAll();
    simulation.runFor(10);

    expect(b.daemon.notes).toEqual([1]);
  });

  test('that is cut meanwhile is cut when the clog ends', () => {
    const { simulation, a, b } = startThree();
    const session = connect(simulation, a, b);
    const { paths } = simulation.network;
    paths.clog('osd.0', 'osd.1', SECOND);
    a.note(session, 1);
    simulation.runFor(SECOND / 2);
    paths.cut('osd.0', 'osd.1');
    simulation.runFor(2 * SECOND);
    expect(b.daemon.notes).toEqual([]);

    paths.mendAll();
    simulation.runFor(SECOND);
    expect(b.daemon.notes).toEqual([1]);
  });

  test('holds resets, too: whoever is behind it learns of a break when it ends', () => {
    const { simulation, a, b } = startThree();
    connect(simulation, a, b);
    simulation.network.paths.clog('osd.0', 'osd.1', SECOND);
    a.process.sessions[0]!.breakOff();
    simulation.runFor(SECOND / 2);
    expect(b.daemon.resets).toEqual([]);

    simulation.runFor(SECOND);
    expect(b.daemon.resets).toEqual(['closed']);
  });
});

describe('latency', () => {
  test('a tail is heavy: few packets are late, and a few of them very', () => {
    const { simulation } = startThree();
    const { paths } = simulation.network;
    paths.tail('osd.0', 'osd.1', { oneIn: 10, fromUs: 1000, maxUs: 1_000_000 });
    const late = Array.from(
      { length: 20_000 },
      () => paths.drawLatency(paths.path('osd.0', 'osd.1', 'front')) - LATENCY,
    );
    const share = (least: number) => late.filter((us) => us >= least).length / late.length;

    expect(share(1)).toBeCloseTo(0.1, 1);
    expect(share(1)).toBe(share(1000));
    for (const doublings of [1, 3, 5]) {
      const expected = share(1000) / 2 ** doublings;
      expect(share(1000 * 2 ** doublings) / expected).toBeGreaterThan(0.75);
      expect(share(1000 * 2 ** doublings) / expected).toBeLessThan(1.25);
    }
    expect(share(1500) / share(1000)).toBeCloseTo(0.75, 1);
    expect(Math.max(...late)).toBeLessThanOrEqual(1_000_000);
    expect(late.every(Number.isInteger)).toBe(true);
  });

  test('is longer on the path and the network it is asked for, until it is ended', () => {
    const { simulation } = startThree();
    const { paths } = simulation.network;
    const end = paths.delay('osd.0', 'osd.1', 1_000_000, 'back');
    const longest = (from: string, to: string, network: 'front' | 'back') =>
      Math.max(...Array.from({ length: 50 }, () => paths.drawLatency(paths.path(from, to, network))));

    expect(longest('osd.0', 'osd.1', 'back')).toBeGreaterThan(100_000);
    expect([longest('osd.0', 'osd.1', 'front'), longest('osd.1', 'osd.0', 'back')]).toEqual([LATENCY, LATENCY]);
    end();
    expect(longest('osd.0', 'osd.1', 'back')).toBe(LATENCY);
  });
});

describe('bandwidth', () => {
  /** How long a note of so many bytes takes on its way, in ms, when those before it were sent just before. */
  function lasts(
    three: Three,
    sends: readonly (readonly [from: Place, session: number, to: Place, bytes: number])[],
  ): number[] {
    const start = three.simulation.now;
    for (const [i, [from, session, , bytes]] of sends.entries()) from.note(session, i, bytes);
    three.simulation.runFor(60 * SECOND);
    return sends.map(([, , to], i) => Math.round((to.daemon.noteAt(i)! - start) / 1000));
  }

  test('of a port is shared by all connections of its machine, in each direction and network for itself', () => {
    const three = startThree({ portBytesPerSecond: 10 * MB });
    const { simulation, a, b, c } = three;
    const ab = connect(simulation, a, b);
    const ac = connect(simulation, a, c);
    const abBack = connect(simulation, a, b, 'cluster');

    // From one to two: its port out is shared. From the others back, and on the other network: nothing is in the way.
    expect(
      lasts(three, [
        [a, ab, b, MB],
        [a, ac, c, MB],
        [b, 1, a, MB],
        [a, abBack, b, MB],
      ]),
    ).toEqual([100, 200, 100, 100]);
  });

  test('of a port is shared by those who send to its machine', () => {
    const three = startThree({ portBytesPerSecond: 10 * MB });
    const { simulation, a, b, c } = three;
    const [ac, bc] = [connect(simulation, a, c), connect(simulation, b, c)];

    expect(
      lasts(three, [
        [a, ac, c, MB],
        [b, bc, c, MB],
      ]),
    ).toEqual([100, 200]);
  });

  test('of a rack is shared by its machines on the way out, and not within', () => {
    const network = { latencyUs: [1, 1] as const, portBytesPerSecond: 10 * MB, rackOversubscription: 4 };
    const simulation = new Simulation({ seed: 1, network: { ...network, codecOneIn: 0 } });
    const [a, b, c, d] = ['left', 'left', 'right', 'right'].map((rack, id) =>
      addListener(simulation, id, { rack }),
    ) as [Place, Place, Place, Place];
    const three = { simulation, a, b, c };
    const [ab, ac, bd] = [connect(simulation, a, b), connect(simulation, a, c), connect(simulation, b, d)];

    // Two ports of 10 MB/s behind an uplink of a quarter: 5 MB/s.
    expect(lasts(three, [[a, ab, b, MB]])).toEqual([100]);
    expect(
      lasts({ simulation, a, b, c: d }, [
        [a, ac, c, MB],
        [b, bd, d, MB],
      ]),
    ).toEqual([200, 400]);
  });

  test('can be limited on a path or at a machine while it runs, and given back', () => {
    const three = startThree();
    const { simulation, a, b } = three;
    const session = connect(simulation, a, b);
    const { paths } = simulation.network;
    const endPath = paths.limit('osd.0', 'osd.1', 2 * MB, 'front');
    expect(lasts(three, [[a, session, b, MB]])).toEqual([500]);

    b.daemon.heard.length = 0;
    const endMachine = paths.limitMachine('osd.1', MB);
    expect(lasts(three, [[a, session, b, MB]])).toEqual([1000]);

    b.daemon.heard.length = 0;
    endMachine();
    endPath();
    expect(lasts(three, [[a, session, b, MB]])).toEqual([0]);
  });

  test('of small packets is not rounded up: ten thousand of them take what their bytes take', () => {
    const three = startThree({ portBytesPerSecond: 3_000 * MB });
    const { simulation, a, b } = three;
    const { paths } = simulation.network;
    connect(simulation, a, b);
    const path = paths.path('osd.0', 'osd.1', 'front');
    const start = simulation.now;
    let passed = 0;
    for (let i = 0; i < 10_000; i++) passed = paths.passLinks(path, 300);

    expect(passed - start).toBe(1000);
  });
});
