import type { Message } from '@spirula/messages';
import { type Daemon, makeConfig, SECOND, type World, type WorldEvent } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import { EXACT_CLOCK } from './clock.ts';
import { QUICK_DISK } from './disk-profile.ts';
import type { SimProcess } from './process.ts';
import { Simulation } from './simulation.ts';
import { addListener, type Place } from './world.test-support.ts';

const LATENCY = 100;

class Listener implements Daemon<Message> {
  readonly world: World<Message>;
  readonly events: WorldEvent<Message>[] = [];

  constructor(world: World<Message>) {
    this.world = world;
  }

  start(): void {}

  handle(event: WorldEvent<Message>): void {
    this.events.push(event);
  }

  get heard(): number[] {
    return this.events.flatMap((event) =>
      event.kind === 'message' && event.message.type === 'mon_get_version' ? Number(event.message.tid) : [],
    );
  }
}

function startDaemon(
  simulation: Simulation,
  id: number,
  type: 'osd' | 'client' = 'osd',
): { process: SimProcess; daemon: () => Listener } {
  let daemon: Listener | undefined;
  const process = simulation.addProcess({
    entity: { type, id: `${id}` },
    gid: BigInt(id),
    endpoints: { public: 6800 },
    deviceBytes: 1 << 20,
    config: makeConfig(),
    disk: QUICK_DISK,
    clock: EXACT_CLOCK,
    make: (world) => {
      daemon = new Listener(world);
      return daemon;
    },
  });
  process.start();
  return { process, daemon: () => daemon! };
}

function startPair(senderType: 'osd' | 'client' = 'osd'): {
  simulation: Simulation;
  receiver: ReturnType<typeof startDaemon>;
  send(tid: number): void;
} {
  const simulation = new Simulation({ seed: 1, network: { latencyUs: [LATENCY, LATENCY] } });
  const sender = startDaemon(simulation, 0, senderType);
  const receiver = startDaemon(simulation, 1);
  const { net } = sender.daemon().world;
  let session = 0;
  sender.process.call(() => {
    session = net.open('public', { type: 'osd', addrs: receiver.process.addrs('public') });
  });
  simulation.runFor(10 * LATENCY);
  const send = (tid: number) =>
    sender.process.call(() =>
      net.send(session, { type: 'mon_get_version', tid: BigInt(tid), handle: 0n, what: 'osdmap' }),
    );
  return { simulation, receiver, send };
}

test('what comes at the moment a hung process goes on comes after what waited for it', () => {
  const { simulation, receiver, send } = startPair();
  receiver.process.hang();
  simulation.after(3 * LATENCY, () => receiver.process.resume());
  for (const tid of [1, 2, 3]) send(tid);
  simulation.runFor(2 * LATENCY);
  expect(receiver.daemon().heard).toEqual([]);
  // Arrives with the resumption, behind it.
  send(4);
  simulation.runFor(10 * LATENCY);

  expect(receiver.daemon().heard).toEqual([1, 2, 3, 4]);
});

test.each([
  ['is killed: its connections are reset', (process: SimProcess) => process.crash(), 0],
  ['loses power: nothing is heard of it', (process: SimProcess) => process.powerLoss(), 1],
])('a daemon %s', (_, strike, sessionsLeft) => {
  const { simulation, receiver } = startPair();
  strike(receiver.process);
  simulation.runFor(1000 * LATENCY);

  expect(simulation.processes[0]!.sessions).toHaveLength(sessionsLeft);
});

test('a daemon that changes a batch it has submitted is found out', () => {
  const simulation = new Simulation({ seed: 1 });
  const { process, daemon } = startDaemon(simulation, 0);
  const value = new Uint8Array([1]);
  process.call(() => {
    daemon().world.kv.submit([{ op: 'put', key: new Uint8Array([1]), value }], 1);
    value[0] = 2;
  });
  simulation.runFor(1_000_000);

  expect(simulation.violations).toEqual([
    expect.stringContaining('osd.0: nobody changes a batch once it is submitted'),
  ]);
});

test('a daemon that changes a message it has sent is found out', () => {
  const { simulation, receiver } = startPair();
  const sender = simulation.processes[0]!;
  const data = new Uint8Array([1]);
  sender.call(() => {
    sender.sessions[0]!.send({ type: 'command', fsid: new Uint8Array(16), tid: 1n, cmd: [], data });
    data[0] = 2;
  });
  simulation.runFor(10 * LATENCY);

  expect(simulation.violations).toEqual([expect.stringContaining('nobody changes a command once it is sent')]);
  expect(receiver.daemon().heard).toEqual([]);
});

test.each([
  ['client', 'malformed'],
  ['osd', undefined],
] as const)('what daemons say to daemons, said by a %s, ends its session: %s', (type, reason) => {
  const { simulation, receiver } = startPair(type);
  const sender = simulation.processes[0]!;
  sender.call(() => sender.sessions[0]!.send({ type: 'pg_leases', epoch: 1, leases: [] }));
  simulation.runFor(10 * LATENCY);

  const { events } = receiver.daemon();
  expect(events.find(({ kind }) => kind === 'reset')).toEqual(reason && expect.objectContaining({ reason }));
  expect(events.some(({ kind }) => kind === 'message')).toBe(reason === undefined);
});

describe('connections', () => {
  const startThree = () => {
    const simulation = new Simulation({ seed: 1, network: { latencyUs: [LATENCY, LATENCY] } });
    const [a, b, c] = [0, 1, 2].map((id) => addListener(simulation, id)) as [Place, Place, Place];
    return { simulation, a, b, c };
  };

  test('are broken between two daemons, at one endpoint or at all, and between no others', () => {
    const { simulation, a, b, c } = startThree();
    a.open(b, 'public');
    a.open(b, 'cluster');
    b.open(a, 'cluster');
    a.open(c, 'cluster');
    simulation.runFor(10 * LATENCY);

    expect(a.process.breakConnections(b.process, 'cluster')).toBe(2);
    simulation.runFor(10 * LATENCY);
    expect([a, b, c].map(({ daemon }) => daemon.resets.length)).toEqual([2, 2, 0]);
    expect(a.process.breakConnections(b.process)).toBe(1);
    expect(a.process.breakConnections(b.process)).toBe(0);
  });

  test('are refused by a port for a time, though its daemon runs and those that exist go on', () => {
    const { simulation, a, b } = startThree();
    const before = a.open(b);
    simulation.runFor(10 * LATENCY);
    b.process.refuse('public', SECOND);
    a.open(b);
    a.open(b, 'cluster');
    a.note(before, 1);
    simulation.runFor(10 * LATENCY);
    expect(a.daemon.resets).toEqual(['refused']);
    expect(b.daemon.notes).toEqual([1]);

    simulation.runFor(SECOND);
    a.open(b);
    simulation.runFor(10 * LATENCY);
    expect(a.daemon.resets).toEqual(['refused']);
    b.process.refuse('public', SECOND)();
    a.open(b);
    simulation.runFor(10 * LATENCY);
    expect(a.daemon.resets).toEqual(['refused']);
  });
});

test.each([
  ['stops in order and starts again after the pause', (_: SimProcess) => {}, 2 * SECOND],
  ['is killed before it can stop, and starts all the same', (process: SimProcess) => process.crash(), 2 * SECOND],
])('a daemon that is restarted %s', (_, strike, startsAfter) => {
  const simulation = new Simulation({ seed: 1 });
  const { process } = addListener(simulation, 0);
  const exits: string[] = [];
  simulation.onProcessExit((_, reason) => exits.push(reason));
  process.hang();
  process.restart(startsAfter);
  strike(process);
  process.resume();
  simulation.runFor(startsAfter - 1);
  expect([process.state, exits.length, process.runs]).toEqual(['stopped', 1, 1]);

  simulation.runFor(2);
  expect([process.state, process.runs]).toEqual(['running', 2]);
});

test('a daemon that is stopped, and restarted, starts after the pause, once', () => {
  const simulation = new Simulation({ seed: 1 });
  const { process } = addListener(simulation, 0);
  process.crash();
  process.restart(SECOND);
  simulation.runFor(SECOND / 2);
  process.start();
  simulation.runFor(5 * SECOND);

  expect([process.state, process.runs]).toEqual(['running', 2]);
});
