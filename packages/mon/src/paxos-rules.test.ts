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
      bootstrap: () => {},
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
