/** What monitors do for peers whose capabilities are limited, whichever monitor they are connected to. */
import { type EntityName, Errno, utf8 } from '@spirula/encoding';
import { type Message, type MonCommandAck, PoolOpCode } from '@spirula/messages';
import { type Peer, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import { FSID, NAMES, quorum } from './three-monitors.test-support.ts';

const mons = quorum();

function peerWith(caps: string | undefined, entity: EntityName = { type: 'client', id: 'a' }): Peer {
  return { entity, addrs: [{ type: 2, nonce: 7, family: 2, ip: '10.0.0.1', port: 0 }], globalId: 5n, caps };
}

/** All that is said to a peer who says `message` at a monitor. */
function ask(name: string, peer: Peer, message: Message): readonly Message[] {
  const session = mons.hear(name, peer, message);
  mons.run(2 * SECOND);
  return mons.said.get(session)!;
}

function command(name: string, peer: Peer, args: Record<string, unknown>): MonCommandAck {
  const cmd = [JSON.stringify(args)];
  const [answer] = ask(name, peer, { type: 'mon_command', tid: 1n, fsid: FSID, cmd, data: utf8('') });
  return answer as MonCommandAck;
}

const status = { prefix: 'status' };
const setFlag = { prefix: 'osd set', key: 'noout' };
const dumpMgr = { prefix: 'mgr dump' };
const DENIED = { code: Errno.EACCES, status: 'access denied' };

test.each([
  ['allow *', setFlag, true],
  ['allow r', status, true],
  ['allow r', setFlag, false],
  ['allow rw', setFlag, true],
  ['allow rw', { prefix: 'auth get-or-create', entity: 'client.mine', caps: ['mon', 'allow *'] }, false],
  ['allow service osd rw', setFlag, true],
  ['allow service osd rw', status, false],
  ['allow command "osd set" with key=noout', setFlag, true],
  ['allow command "osd set" with key=noup', setFlag, false],
  ['profile simple-rados-client', { prefix: 'osd stat' }, true],
  ['profile simple-rados-client', dumpMgr, false],
  [
    'profile bootstrap-rgw',
    { prefix: 'auth get-or-create', entity: 'client.rgw.a', caps: ['mon', 'allow rw', 'osd', 'allow rwx'] },
    true,
  ],
  [
    'profile bootstrap-rgw',
    { prefix: 'auth get-or-create', entity: 'client.rgw.a', caps: ['mon', 'allow *', 'osd', 'allow rwx'] },
    false,
  ],
  ['allow * network 10.0.0.0/24', status, true],
  ['allow * network 10.1.0.0/24', status, false],
  // Caps that cannot be read, or none at all, grant nothing.
  ['bogus', status, false],
  ['', status, false],
  [undefined, setFlag, true],
] as const)('caps %j, %j: run or refused alike at leader and peons: %j', (caps, args, isAllowed) => {
  for (const name of NAMES) {
    const answer = command(name, peerWith(caps), args);
    expect({ name, denied: answer.code === Errno.EACCES }).toEqual({ name, denied: !isAllowed });
    if (!isAllowed) expect(answer).toMatchObject(DENIED);
  }
});

test('a network is that from where the peer comes, not the one it says it is in', () => {
  const peer = {
    ...peerWith('allow r network 10.0.0.0/24'),
    socketAddr: { ...peerWith('').addrs[0]!, ip: '10.9.9.9' },
  };

  for (const name of NAMES) expect(command(name, peer, status)).toMatchObject(DENIED);
});

test('what commands there are is told to everyone, and what is none is said before it is refused', () => {
  expect(command('a', peerWith('allow command x'), { prefix: 'get_command_descriptions' }).code).toBe(0);
  expect(command('a', peerWith('allow command x'), { prefix: 'no such thing' })).toMatchObject({ code: Errno.EINVAL });
});

const subscription = { start: 0, once: true };

test.each([
  [undefined, ['monmap', 'osdmap']],
  ['allow r', ['monmap', 'osdmap']],
  ['allow service mon r', ['monmap']],
  ['allow service osd r', ['monmap']],
  ['allow service mon r, allow service osd r', ['monmap', 'osdmap']],
  ['profile osd', ['monmap', 'osdmap']],
])('caps %j: subscribers are sent %j', (caps, maps) => {
  const what = new Map(['monmap', 'osdmap'].map((name) => [name, subscription]));
  const heard = ask('b', peerWith(caps), { type: 'mon_subscribe', what, hostname: '' });

  expect(heard.map(({ type }) => type)).toEqual(maps.map((name) => (name === 'monmap' ? 'mon_map' : 'osd_map')));
});

test.each([
  ['allow r', 1],
  ['allow service pg r', 1],
  ['allow service mon r', 0],
])('caps %j: statistics are asked for, and %i answers come', (caps, answers) => {
  for (const name of NAMES) {
    expect(ask(name, peerWith(caps), { type: 'statfs', tid: 1n, fsid: FSID, pool: undefined })).toHaveLength(answers);
  }
});

const EPERM = Errno.EPERM;
test.each([
  ['allow r', PoolOpCode.createSnap, EPERM],
  ['allow rw', PoolOpCode.createSnap, Errno.ENOENT],
  ['allow r', PoolOpCode.createUnmanagedSnap, EPERM],
  ['allow command "osd pool op unmanaged-snap"', PoolOpCode.createUnmanagedSnap, Errno.ENOENT],
  ['allow command "osd pool op unmanaged-snap" with poolname=p', PoolOpCode.createUnmanagedSnap, EPERM],
])('caps %j: the operation %i on a pool that is not there gives %i', (caps, op, code) => {
  const message = { type: 'pool_op', tid: 1n, fsid: FSID, pool: 77, op, snapid: 0n, name: '', crushRule: 0 } as const;

  for (const name of NAMES) expect(ask(name, peerWith(caps), message)).toMatchObject([{ code }]);
});

test('only who may act as an OSD boots one', () => {
  const fresh = quorum();
  const osd: EntityName = { type: 'osd', id: '0' };
  fresh.command('a', { prefix: 'osd new', uuid: '00000000-0000-0000-0000-000000000001', id: 0 });
  fresh.run(3 * SECOND);
  const isUp = () => (fresh.inspect('a').osdMap.osdState[0]! & 2) !== 0;
  const boot = (caps: string) => {
    const peer = peerWith(caps, osd);
    const addrs = peer.addrs;
    const uuid = new Uint8Array(16);
    uuid[15] = 1;
    fresh.hear('b', peer, {
      ...{ type: 'osd_boot', osd: 0, uuid, bootEpoch: 0, publicAddrs: addrs, clusterAddrs: addrs, hbFrontAddrs: addrs },
      ...{ hbBackAddrs: addrs, cleanBegin: 0, cleanEnd: 0, metadata: new Map() },
    });
    fresh.run(3 * SECOND);
  };

  boot('allow rw');
  expect(isUp()).toBe(false);
  boot('allow profile osd');
  expect(isUp()).toBe(true);
});
