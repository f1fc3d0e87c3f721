import { readFileSync } from 'node:fs';
import { EMPTY } from '@spirula/encoding';
import { decodeMonMap, encodeMonMap, type MonMap } from '@spirula/maps';
import type { Message } from '@spirula/messages';
import { MonClient } from '@spirula/mon-client';
import { beforeEach, describe, expect, test } from 'vitest';
import { addrOf, FakeWorld } from './fake-world.ts';

const sample = decodeMonMap(
  new Uint8Array(readFileSync(new URL('../golden/samples/monmap.1mon.bin', import.meta.url))),
);
const ports = [3300, 3301, 3302];

/** Monitors a, b and c. */
function monMap(epoch: number, names = ['a', 'b', 'c']): MonMap {
  const [info] = sample.mons.values();
  const mons = new Map(
    ['a', 'b', 'c']
      .map((name, i) => [name, { ...info!, name, addrs: addrOf(ports[i]!) }] as const)
      .filter(([name]) => names.includes(name)),
  );
  return { ...sample, epoch, mons, ranks: names };
}

const monMapMessage = (map: MonMap): Message => ({ type: 'mon_map', monmap: encodeMonMap(map) });

let fake: FakeWorld;
let client: MonClient;
let passedUp: Message[];
let sessions: number;

beforeEach(() => {
  fake = new FakeWorld();
  passedUp = [];
  sessions = 0;
  client = new MonClient({
    world: fake.world,
    endpoint: 'public',
    monAddrs: ports.map((port) => addrOf(port)),
    onMessage: (message) => void passedUp.push(message),
    onSession: () => {
      sessions += 1;
    },
  });
  fake.handler = (event) => void client.handle(event);
  client.start();
});

function connect(): number {
  const { session } = fake.lastDialled;
  fake.open(session);
  fake.deliver(session, monMapMessage(monMap(1)));
  return session;
}

describe('hunting', () => {
  test('dials one monitor, then others while none answers, and keeps the first that does', () => {
    expect(fake.dialled).toHaveLength(1);
    fake.advance(1);
    expect(new Set(fake.dialled.map(({ addrs }) => addrs[0]!.port))).toEqual(new Set(ports));

    fake.open(fake.dialled[1]!.session);

    expect(client.connected).toBe(true);
    expect(fake.closed.toSorted()).toEqual([fake.dialled[0]!.session, fake.dialled[2]!.session].toSorted());
    expect(sessions).toBe(1);
  });

  test('a refused attempt makes room for the next at once, and after a round of refusals all are tried again', () => {
    for (let i = 0; i < 3; i++) fake.reset(fake.lastDialled.session);
    expect(fake.dialled).toHaveLength(3);

    fake.advance(0.06);

    expect(fake.dialled.length).toBeGreaterThan(3);
  });

  test('attempts that hang are given up after mon_client_hunt_interval, and made anew', () => {
    fake.advance(3.01);

    expect(fake.closed).toHaveLength(3);
    expect(fake.dialled.length).toBeGreaterThan(3);
  });

  test('when its monitor dies it goes to another', () => {
    const session = connect();
    const lost = fake.lastDialled.addrs[0]!.port;

    fake.reset(session);

    expect(fake.lastDialled.addrs[0]!.port).not.toBe(lost);
  });

  test('a monitor that falls silent is pinged, then left', () => {
    const session = connect();
    fake.take('mon_get_map');

    fake.advance(21);
    expect(fake.take('mon_get_map').length).toBeGreaterThan(0);
    fake.advance(20);

    expect(fake.closed).toContain(session);
    expect(client.connected).toBe(false);
  });

  test('a monitor that leaves the map is left', () => {
    const session = connect();
    const own = ['a', 'b', 'c'][ports.indexOf(fake.lastDialled.addrs[0]!.port)]!;

    fake.deliver(
      session,
      monMapMessage(
        monMap(
          2,
          ['a', 'b', 'c'].filter((name) => name !== own),
        ),
      ),
    );

    expect(fake.closed).toContain(session);
  });

  test('a monitor of another cluster is left, and its map forgotten', () => {
    const fsid = new Uint8Array(16).fill(9);
    client = new MonClient({
      world: fake.world,
      endpoint: 'public',
      monAddrs: [addrOf(3300)],
      fsid,
      onMessage: () => {},
    });
    client.start();
    const { session } = fake.lastDialled;
    fake.open(session);

    fake.deliver(session, monMapMessage(monMap(1)));

    expect(client.monMap).toBeUndefined();
    expect(fake.closed).toContain(session);
  });
});

describe('requests', () => {
  test('wait for a session and the fsid, and are sent again under the same tid to a new monitor', () => {
    const results: number[] = [];
    client.command({ prefix: 'status' }, EMPTY, ({ code }) => void results.push(code));
    const first = fake.lastDialled.session;
    fake.open(first);
    expect(fake.take('mon_command')).toEqual([]);
    fake.deliver(first, monMapMessage(monMap(1)));
    const [sent] = fake.take('mon_command');
    expect(sent).toMatchObject({ on: first, cmd: ['{"prefix":"status"}'], fsid: sample.fsid });

    fake.reset(first);
    fake.open(fake.lastDialled.session);
    const [again] = fake.take('mon_command');
    const ack = { type: 'mon_command_ack', tid: again!.tid, code: -2, status: '', cmd: [], data: EMPTY } as const;
    fake.deliver(again!.on, ack);
    fake.deliver(again!.on, ack);

    expect(again!.tid).toBe(sent!.tid);
    expect(results).toEqual([-2]);
  });

  test('get_version answers by handle', () => {
    const session = connect();
    let newest = 0;
    client.getVersion('osdmap', (result) => {
      newest = result.newest;
    });
    const { handle, tid } = fake.take('mon_get_version')[0]!;

    fake.deliver(session, { type: 'mon_get_version_reply', tid, handle, newest: 42, oldest: 1 });

    expect(newest).toBe(42);
  });

  test('shutdown answers those waiting', () => {
    let code = 0;
    client.command('{}', EMPTY, (result) => {
      code = result.code;
    });

    client.shutdown();

    expect(code).toBe(-108);
    expect(fake.armed).toEqual([]);
  });
});

describe('subscriptions', () => {
  test('go out with the session and begin, at the next, behind what has arrived', () => {
    client.subscribe('osdmap', 0);
    client.subscribe('mgrmap', 0, true);
    const session = connect();
    expect(fake.take('mon_subscribe')[0]!.what).toEqual(
      new Map([
        ['osdmap', { start: 0, once: false }],
        ['mgrmap', { start: 0, once: true }],
        ['monmap', { start: 0, once: false }],
      ]),
    );
    client.gotMap('osdmap', 7);
    client.gotMap('mgrmap', 3);

    fake.reset(session);
    fake.open(fake.lastDialled.session);

    expect(fake.take('mon_subscribe')[0]!.what).toEqual(
      new Map([
        ['osdmap', { start: 8, once: false }],
        ['monmap', { start: 2, once: false }],
      ]),
    );
  });

  test('maps and the rest are passed up', () => {
    const session = connect();

    fake.deliver(session, { type: 'mgr_map', mgrmap: EMPTY });

    expect(passedUp).toEqual([{ type: 'mgr_map', mgrmap: EMPTY }]);
  });
});

test('messages wait while hunting, up to a bound, unless they are to be dropped', () => {
  client.send({ type: 'ping' }, 'drop');
  for (let i = 0; i < 2000; i++) client.send({ type: 'ping' });

  connect();

  expect(fake.take('ping')).toHaveLength(1024);
});

test('events of sessions that are not its own are left to others', () => {
  connect();

  expect(client.handle({ kind: 'message', session: 999, message: { type: 'ping' } })).toBe(false);
  expect(client.handle({ kind: 'timer', name: 'another' })).toBe(false);
});
