import { acceptMonitor, type CryptoKey, connectMonitor, generateKey } from '@spirula/auth';
import type { Message } from '@spirula/messages';
import { type Authentication, AuthMethod, ConnectionMode, type World } from '@spirula/world';
import { expect } from 'vitest';
import { type ContractCase, type ContractFixture, Recorder } from './contract-fixture.ts';

const { crc, secure } = ConnectionMode;

/** By cephx, with a key that all who may come share. */
function sharing({ crypto, clock }: World<Message>, key: CryptoKey, modes: readonly number[]): Authentication {
  return {
    connect: () => connectMonitor(crypto, key, clock.wall(), modes),
    accept: () => [{ method: AuthMethod.cephx, modes, begin: (mode) => acceptMonitor(crypto, key, mode) }],
  };
}

/** Two daemons; `arrange` says how they authenticate; then the first dials the second, which gets a message. */
async function meet(fixture: ContractFixture, arrange: (a: Recorder, b: Recorder) => void) {
  const a = await Recorder.start(fixture, 0);
  const b = await Recorder.start(fixture, 1);
  arrange(a, b);
  await a.act(({ net }) => {
    const session = net.open('public', { type: 'osd', addrs: b.world.net.endpoint('public') });
    net.send(session, { type: 'ping' });
  });
  return { a, b };
}

const letIn = (name: string, modesOfA: readonly number[], modesOfB: readonly number[]): ContractCase => ({
  name: `net: ${name}, who proves to have the key is let in under the name that goes with it`,
  async run(fixture) {
    const { a, b } = await meet(fixture, (from, to) => {
      const key = generateKey(from.world.crypto, from.world.clock.wall());
      from.auth = sharing(from.world, key, modesOfA);
      to.auth = sharing(to.world, key, modesOfB);
    });
    await b.event('message');
    const { session, peer } = await b.event('accepted');
    await b.act(({ net }) => void net.send(session, { type: 'ping' }));
    await a.event('message');

    expect(peer).toMatchObject({ entity: { type: 'mon', id: '' }, globalId: 0n, caps: '' });
    expect(peer.addrs).toEqual(a.world.net.endpoint('public'));
    expect(peer.exchange).toBeDefined();
    expect(a.of('opened')).toMatchObject([{ peer: { entity: { type: 'osd', id: '1' } } }]);
  },
});

const keptOut = (name: string, arrange: (a: Recorder, b: Recorder) => void): ContractCase => ({
  name: `net: ${name} gets a reset, and the other daemon hears nothing of it`,
  async run(fixture) {
    const { a, b } = await meet(fixture, arrange);
    await a.event('reset');

    expect(a.events.map(({ kind }) => kind)).toEqual(['reset']);
    expect(b.events).toEqual([]);
  },
});

const newKey = ({ world }: Recorder) => generateKey(world.crypto, world.clock.wall());

/** What a world does with the ways in which daemons authenticate. */
export const AUTH_CONTRACT: readonly ContractCase[] = [
  letIn('in crc mode', [crc], [secure, crc]),
  letIn('in secure mode', [secure, crc], [crc, secure]),
  keptOut('who has another key', (a, b) => {
    a.auth = sharing(a.world, newKey(a), [crc]);
    b.auth = sharing(b.world, newKey(b), [crc]);
  }),
  keptOut('who has no mode in common with the other', (a, b) => {
    const key = newKey(a);
    a.auth = sharing(a.world, key, [secure]);
    b.auth = sharing(b.world, key, [crc]);
  }),
  keptOut('who just says who it is, to one that wants proof,', (_, b) => {
    b.auth = sharing(b.world, newKey(b), [crc]);
  }),
  keptOut('who wants proof of one that has none', (a) => {
    a.auth = sharing(a.world, newKey(a), [crc]);
  }),
  keptOut('who has nothing to prove itself with', (a, b) => {
    a.auth = { connect: () => undefined, accept: () => [] };
    b.auth = sharing(b.world, newKey(b), [crc]);
  }),
];
