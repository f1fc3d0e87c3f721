import { expect, test } from 'vitest';
import { Simulation } from './simulation.ts';
import type { TraceEntry } from './trace.ts';
import { addListener, type Place } from './world.test-support.ts';

const LATENCY = 100;

function startTraced(count: number): {
  simulation: Simulation;
  places: Place[];
  /** What was told since the last call. */
  told(): Record<string, unknown>[];
} {
  const simulation = new Simulation({ seed: 1, network: { latencyUs: [LATENCY, LATENCY] } });
  let entries: TraceEntry[] = [];
  simulation.traceTo({ record: (entry) => void entries.push(entry) });
  const places = Array.from({ length: count }, (_, id) => addListener(simulation, id));
  const told = () => {
    const those = entries.map((entry) => ({ ...entry, event: undefined }));
    entries = [];
    return those;
  };
  return { simulation, places, told };
}

test('what a daemon asks of its disk is told with what comes of it; reads of keys, and of others, are not', () => {
  const { simulation, places, told } = startTraced(1);
  const { process, daemon } = places[0]!;
  const { kv, block } = daemon.world;
  told();
  process.call(() => {
    kv.submit([{ op: 'put', key: new Uint8Array([1]), value: new Uint8Array(9) }], 5);
    kv.get(new Uint8Array([1]));
    block.write(4096, new Uint8Array(8192));
    block.read(0, 4096);
    block.flush(6);
  });
  simulation.runFor(1_000_000);
  block.read(0, 8192);

  const disk = { kind: 'disk', daemon: 'osd.0' };
  const now = told();
  expect(now.slice(0, 4)).toMatchObject([
    { ...disk, at: 0, what: 'submit', token: 5, ops: 1, bytes: 10 },
    { ...disk, what: 'write', offset: 4096, bytes: 8192 },
    { ...disk, what: 'read', offset: 0, bytes: 4096 },
    { ...disk, what: 'flush', token: 6 },
  ]);
  expect(now.slice(4)).toHaveLength(2);
  expect(now).toContainEqual(expect.objectContaining({ ...disk, what: 'committed', token: 5 }));
  expect(now).toContainEqual(expect.objectContaining({ ...disk, what: 'flushed', token: 6 }));
});

test('a message is told when it is sent, with what it says, and when it is taken; a timer when it fires', () => {
  const { simulation, places, told } = startTraced(2);
  const [sender, receiver] = places as [Place, Place];
  const { net, clock } = sender.daemon.world;
  const session = sender.open(receiver);
  simulation.runFor(10 * LATENCY);
  told();
  const sentAt = simulation.now;
  sender.process.call(() => {
    clock.arm('soon', sentAt + 2 * LATENCY);
    net.send(session, { type: 'pg_remove', pgid: { pool: 1, seed: 10 }, epoch: 3 });
  });
  simulation.runFor(10 * LATENCY);

  const message = { kind: 'message', id: 1, from: 'osd.0', to: 'osd.1', type: 'pg_remove', pgid: '1.a' };
  expect(told()).toMatchObject([
    { ...message, what: 'send', at: sentAt, payload: { pgid: '1.a', epoch: 3 } },
    { ...message, what: 'deliver', at: sentAt + LATENCY },
    { kind: 'timer', daemon: 'osd.0', name: 'soon', at: sentAt + 2 * LATENCY },
  ]);
});

test('the ways a process comes and goes are told, each once', () => {
  const { places, told } = startTraced(1);
  const { process } = places[0]!;
  process.hang();
  process.hang();
  process.resume();
  process.resume();
  process.powerLoss();
  process.powerLoss();
  process.start();

  expect(told().map(({ what, reason }) => reason ?? what)).toEqual(['start', 'hang', 'resume', 'powerLoss', 'start']);
});

test('faults, violations and what daemons log are told', () => {
  const { simulation, places, told } = startTraced(1);
  told();
  const first = simulation.noteFault('osd.0 is slow', { daemons: ['osd.0'] });
  const second = simulation.noteFault('all is slow');
  simulation.noteHealed(first);
  simulation.addViolation('two primaries');
  places[0]!.daemon.world.log.warn('slow request', { pgid: { pool: 1, seed: 2 }, tid: 4n });

  expect(second).not.toBe(first);
  expect(told()).toMatchObject([
    { kind: 'fault', what: 'injected', id: first, text: 'osd.0 is slow', facts: { daemons: ['osd.0'] } },
    { kind: 'fault', what: 'injected', id: second },
    { kind: 'fault', what: 'healed', id: first },
    { kind: 'violation', text: 'two primaries' },
    { kind: 'log', daemon: 'osd.0', level: 'warn', text: 'slow request', facts: { pgid: '1.2', tid: '4' } },
  ]);
});
