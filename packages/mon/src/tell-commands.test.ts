/** What monitors say of themselves, and what one of them is told by `tell`. */
import { EMPTY, fromUtf8 } from '@spirula/encoding';
import { type Peer, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { expectAlike, FSID, quorum, type ThreeMonitors } from './three-monitors.test-support.ts';

const admin: Peer = { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4n };

function tell(mons: ThreeMonitors, name: string, cmd: Readonly<Record<string, unknown>>, peer = admin) {
  const message = { type: 'command', tid: 1n, fsid: FSID, cmd: [JSON.stringify(cmd)], data: EMPTY } as const;
  const session = mons.hear(name, peer, message);
  mons.run(SECOND);
  const reply = mons.said.get(session)!.find((each) => each.type === 'command_reply');
  if (reply?.type !== 'command_reply') throw new Error('no reply');
  return { code: reply.code, status: reply.status, text: fromUtf8(reply.data) };
}

/** As any monitor of the quorum is asked. */
function ask(mons: ThreeMonitors, name: string, cmd: Readonly<Record<string, unknown>>) {
  const data = EMPTY;
  const message = { type: 'mon_command', tid: 1n, fsid: FSID, cmd: [JSON.stringify(cmd)], data } as const;
  const session = mons.hear(name, admin, message);
  mons.run(SECOND);
  const reply = mons.said.get(session)!.find((each) => each.type === 'mon_command_ack');
  if (reply?.type !== 'mon_command_ack') throw new Error('no reply');
  return JSON.parse(fromUtf8(reply.data)) as unknown;
}

test('the leader knows what the others are, and knows it still when they are down', () => {
  const mons = quorum();
  const metadata = { prefix: 'mon metadata', format: 'json' };
  expect(ask(mons, 'b', metadata)).toMatchObject([
    { name: 'a', addrs: 'v2:127.0.0.1:6800/0', ceph_release: 'pacific' },
    { name: 'b', addrs: 'v2:127.0.0.1:6801/0' },
    { name: 'c', addrs: 'v2:127.0.0.1:6802/0' },
  ]);

  mons.stop('a');
  mons.run(20 * SECOND);

  expect(ask(mons, 'c', metadata)).toHaveLength(3);
  expect(ask(mons, 'c', { prefix: 'mon count-metadata', property: 'ceph_version_short', format: 'json' })).toEqual({
    '16.2.15': 3,
  });
});

test('features counts the quorum, and who is connected to any monitor of it', () => {
  const mons = quorum();
  const osd: Peer = { entity: { type: 'osd', id: '3' }, addrs: [], globalId: 0n, features: 1n << 18n };
  mons.hear('c', osd, { type: 'ping' });
  mons.run(10 * SECOND);

  expect(ask(mons, 'a', { prefix: 'features', format: 'json' })).toEqual({
    mon: [{ features: '0x3f01cfbdfffdffff', release: 'luminous', num: 3 }],
    osd: [{ features: '0x40000', release: 'argonaut', num: 1 }],
    client: [{ features: '0x3f01cfbdfffdffff', release: 'luminous', num: 1 }],
  });
});

test.each(['a', 'b'])('mon.%s leaves the quorum when it is told, and comes back with all it missed', (name) => {
  const mons = quorum();
  const stays = name === 'a' ? 'b' : 'a';

  expect(tell(mons, name, { prefix: 'quorum exit' }).text).toContain('stopped responding to quorum');
  mons.run(30 * SECOND);
  expect(mons.inspect(name).quorum).toEqual([]);
  expect(mons.inspect(stays).quorum).toHaveLength(2);

  mons.change(stays, 30);
  tell(mons, name, { prefix: 'quorum enter' });
  mons.run(30 * SECOND);

  expect(mons.inspect(stays).quorum).toEqual([0, 1, 2]);
  expectAlike(mons);
});

test('sync_force asks twice, and the store is copied anew at the next start', () => {
  const mons = quorum();
  expect(tell(mons, 'c', { prefix: 'sync_force' }).code).toBe(-1);
  expect(tell(mons, 'c', { prefix: 'sync_force', validate: '--yes-i-really-mean-it' }).code).toBe(0);
  expectAlike(mons);

  mons.stop('c');
  mons.start('c');
  mons.run(1);
  expect(mons.inspect('c').lastCommitted).toBe(0);
  mons.run(30 * SECOND);

  expect(mons.inspect('a').quorum).toEqual([0, 1, 2]);
  expectAlike(mons);
});

test('what a monitor cannot do it refuses with the reason', () => {
  const mons = quorum();

  expect(tell(mons, 'b', { prefix: 'heap', heapcmd: 'stats' })).toMatchObject({ code: -95 });
  expect(tell(mons, 'b', { prefix: 'compact' })).toEqual({ code: -95, status: 'the store compacts itself', text: '' });
});

test('only who may do everything tells a monitor anything', () => {
  const mons = quorum();

  expect(tell(mons, 'b', { prefix: 'quorum exit' }, { ...admin, caps: 'allow r' }).code).toBe(-13);
  expect(mons.inspect('b').quorum).toEqual([0, 1, 2]);
});

test('who pings a monitor is told how the cluster and the monitor are, also when there is no quorum', () => {
  const mons = quorum();
  const client: Peer = { entity: { type: 'client', id: 'a' }, addrs: [], globalId: 0n };
  const ping = () => {
    const session = mons.hear('c', client, { type: 'ping' });
    mons.run(SECOND);
    const [pong] = mons.said.get(session)!;
    return pong?.type === 'ping' && JSON.parse(pong.status ?? '');
  };

  expect(ping()).toMatchObject({
    health: { status: 'HEALTH_OK', checks: {}, mutes: [] },
    mon_status: { name: 'c', state: 'peon', quorum: [0, 1, 2] },
  });
  mons.stop('a');
  mons.stop('b');
  mons.run(30 * SECOND);
  expect(ping()).toMatchObject({ mon_status: { name: 'c', quorum: [] } });
});
