/** Single rules of Paxos that chance breaks too seldom to be caught by running quorums. */
import type { MonPaxos } from '@spirula/messages';
import { KvOverlay } from '@spirula/world';
import { expect, test } from 'vitest';
import { MonStore, MonTransaction } from './mon-store.ts';
import { Paxos } from './paxos.ts';

const EPOCH = 4;
const QUORUM = [0, 1, 2];

/** One of three, its peers played by the test; what it writes becomes durable when the test says so. */
class Lone {
  readonly paxos: Paxos;
  readonly sent: { readonly rank: number; readonly message: MonPaxos }[] = [];
  readonly elections: string[] = [];
  readonly refused: string[] = [];
  #undurable: (() => void)[] = [];

  constructor(rank: number) {
    const table = new KvOverlay('stands-alone');
    const store = new MonStore({
      get: (key) => {
        const value = table.get(key);
        return value === 'deleted' ? undefined : value;
      },
      range: (range) => table.range(range),
      submit: (batch) => table.apply(batch),
    });
    this.paxos = new Paxos(rank, store, {
      send: (to, message) => void this.sent.push({ rank: to, message }),
      submit: (transaction) => table.apply(transaction.toBatch()),
      whenDurable: (then) => void this.#undurable.push(then),
      arm: () => {},
      disarm: () => {},
      refused: (_, why) => void this.refused.push(why),
      bootstrap: (reason) => void this.elections.push(reason),
      sync: () => {},
      onCommitted: () => {},
      onReadable: () => {},
      onActive: () => {},
    });
  }

  becomeDurable(): void {
    for (const then of this.#undurable.splice(0)) then();
  }

  say(from: number, message: Partial<MonPaxos> & Pick<MonPaxos, 'op'>): void {
    const blank = { epoch: EPOCH, firstCommitted: 0, lastCommitted: 0, pn: 0, uncommittedPn: 0, values: new Map() };
    this.paxos.onMessage(from, { type: 'mon_paxos', ...blank, ...message });
  }

  sentOf(op: MonPaxos['op']): MonPaxos[] {
    return this.sent.filter(({ message }) => message.op === op).map(({ message }) => message);
  }
}

function change(): MonTransaction {
  const transaction = new MonTransaction();
  transaction.put('config', 'key', Uint8Array.of(1));
  return transaction;
}

/** A leader whose quorum has answered its collect. */
function activeLeader(): { leader: Lone; pn: number } {
  const leader = new Lone(0);
  leader.paxos.lead(EPOCH, QUORUM);
  const { pn } = leader.sentOf('collect')[0]!;
  for (const rank of [1, 2]) leader.say(rank, { op: 'last', pn });
  return { leader, pn };
}

test('a leader commits no sooner than its own copy is durable', () => {
  const { leader, pn } = activeLeader();
  leader.paxos.propose(change());
  for (const rank of [1, 2]) leader.say(rank, { op: 'accept', pn });

  expect(leader.paxos.lastCommitted).toBe(0);
  leader.becomeDurable();
  expect(leader.paxos.lastCommitted).toBe(1);
});

test('a leader counts no acceptance of another proposal number, version or election', () => {
  const { leader, pn } = activeLeader();
  leader.paxos.propose(change());
  leader.becomeDurable();
  leader.say(1, { op: 'accept', pn });
  leader.say(2, { op: 'accept', pn: pn - 100 });
  leader.say(2, { op: 'accept', pn, lastCommitted: 1 });
  leader.say(2, { op: 'accept', pn, epoch: EPOCH - 2 });

  expect(leader.paxos.lastCommitted).toBe(0);
  leader.say(2, { op: 'accept', pn });
  expect(leader.paxos.lastCommitted).toBe(1);
});

test('a peon accepts nothing under a number below its promise, of another election, or from another than the leader', () => {
  const peon = new Lone(1);
  peon.paxos.follow(EPOCH, 0, QUORUM);
  peon.say(0, { op: 'collect', pn: 300 });
  const begin = { op: 'begin', pn: 300, values: new Map([[1, change().encode()]]) } as const;

  peon.say(0, { ...begin, pn: 200 });
  peon.say(0, { ...begin, epoch: EPOCH - 2 });
  peon.say(2, begin);
  expect(peon.sentOf('accept')).toEqual([]);
  peon.say(0, begin);
  expect(peon.sentOf('accept')).toHaveLength(1);
});

test('a peon that promised more than it is asked says so, and the leader asks for more', () => {
  const peon = new Lone(1);
  peon.paxos.follow(EPOCH, 2, QUORUM);
  peon.say(2, { op: 'collect', pn: 502 });
  peon.paxos.follow(EPOCH + 2, 0, QUORUM);
  peon.say(0, { op: 'collect', epoch: EPOCH + 2, pn: 100 });
  const [, answer] = peon.sentOf('last');
  const leader = new Lone(0);
  leader.paxos.lead(EPOCH + 2, QUORUM);
  leader.paxos.onMessage(1, answer!);

  expect(answer).toMatchObject({ pn: 502 });
  expect(leader.sentOf('collect').at(-1)!.pn).toBeGreaterThan(502);
});

test('of values that nobody is known to have committed, the one accepted under the highest number goes on', () => {
  const leader = new Lone(0);
  leader.paxos.lead(EPOCH, QUORUM);
  const { pn } = leader.sentOf('collect')[0]!;
  const value = (byte: number) => {
    const transaction = new MonTransaction();
    transaction.put('config', 'key', Uint8Array.of(byte));
    return transaction.encode();
  };
  leader.say(1, { op: 'last', pn, uncommittedPn: 90, values: new Map([[1, value(90)]]) });
  leader.say(2, { op: 'last', pn, uncommittedPn: 80, values: new Map([[1, value(80)]]) });

  expect(leader.sentOf('begin')[0]!.values.get(1)).toEqual(value(90));
});

/** Cut short; one bit of it another. */
function damaged(value: Uint8Array): Uint8Array[] {
  const flipped = value.slice();
  flipped[flipped.length >> 1]! ^= 4;
  return [new Uint8Array(0), value.subarray(0, value.length - 1), flipped];
}

test('a damaged value is neither accepted nor learned, and calls an election that says whose it was', () => {
  for (const value of damaged(change().encode())) {
    const peon = new Lone(1);
    peon.paxos.follow(EPOCH, 0, QUORUM);
    peon.say(0, { op: 'collect', pn: 300 });
    peon.say(0, { op: 'begin', pn: 300, values: new Map([[1, value]]) });
    peon.say(0, { op: 'commit', lastCommitted: 1, values: new Map([[1, value]]) });

    expect(peon.sentOf('accept')).toEqual([]);
    expect(peon.paxos.lastCommitted).toBe(0);
    const reason = 'the monitor of rank 0 sent a value for version 1 that is no transaction';
    expect(peon.elections).toEqual([reason, reason]);
  }
});

test('a damaged value that a peer says it accepted is not proposed again', () => {
  for (const value of damaged(change().encode())) {
    const leader = new Lone(0);
    leader.paxos.lead(EPOCH, QUORUM);
    const { pn } = leader.sentOf('collect')[0]!;
    leader.say(1, { op: 'last', pn, uncommittedPn: 90, values: new Map([[1, value]]) });
    leader.say(2, { op: 'last', pn });

    expect(leader.sentOf('begin')).toEqual([]);
    expect(leader.elections).toEqual(['the monitor of rank 1 sent a value for version 1 that is no transaction']);
  }
});

test('a value that writes what belongs to one monitor alone is none', () => {
  for (const prefix of ['elector', 'mon_sync', 'monmap', '']) {
    const own = new MonTransaction();
    own.putNumber(prefix, 'epoch', 1000);
    const peon = new Lone(1);
    peon.paxos.follow(EPOCH, 0, QUORUM);
    peon.say(0, { op: 'commit', lastCommitted: 1, values: new Map([[1, own.encode()]]) });

    expect(peon.paxos.lastCommitted).toBe(0);
  }
});

test.each([
  ['versions that cannot be', { firstCommitted: 5, lastCommitted: 3 }],
  ['a proposal number that no leader reaches', { pn: Number.MAX_SAFE_INTEGER }],
  ['an uncommitted value under such a number', { uncommittedPn: Number.MAX_SAFE_INTEGER }],
])('a message with %s is dropped', (_, wrong) => {
  const leader = new Lone(0);
  leader.paxos.lead(EPOCH, QUORUM);
  const { pn } = leader.sentOf('collect')[0]!;
  leader.say(1, { op: 'last', pn, ...wrong });
  leader.say(2, { op: 'last', pn });

  expect(leader.paxos.state).toBe('recovering');
  expect(leader.refused).toHaveLength(1);
});
