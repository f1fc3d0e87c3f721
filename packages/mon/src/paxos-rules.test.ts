/** Single rules of Paxos that chance breaks too seldom to be caught by running quorums. */
import type { MonPaxos } from '@spirula/messages';
import { KvOverlay } from '@spirula/world';
import { expect, test } from 'vitest';
import { MonStore, MonTransaction } from './mon-store.ts';
import { Paxos, type PaxosTimer } from './paxos.ts';

const EPOCH = 4;
const QUORUM = [0, 1, 2];

/** One of three, its peers played by the test; what it writes becomes durable when the test says so. */
class Lone {
  readonly paxos: Paxos;
  readonly sent: { readonly rank: number; readonly message: MonPaxos }[] = [];
  /** What it sent and stored, in order. */
  readonly done: string[] = [];
  /** Leases that all have acknowledged. */
  readonly held: number[] = [];
  readonly armed = new Set<PaxosTimer>();
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
      send: (to, message) => {
        this.sent.push({ rank: to, message });
        this.done.push(message.op);
      },
      submit: (transaction) => {
        table.apply(transaction.toBatch());
        this.done.push(...transaction.ops.map(({ key }) => `store ${key}`));
      },
      whenDurable: (then) => void this.#undurable.push(then),
      arm: (timer) => void this.armed.add(timer),
      disarm: (timer) => void this.armed.delete(timer),
      onLeaseGranted: () => {},
      onLeaseSent: () => {},
      onLeaseHeld: (lease) => void this.held.push(lease),
      refused: (_, why) => void this.refused.push(why),
      bootstrap: (reason) => void this.elections.push(reason),
      sync: () => {},
      onCommitted: () => {},
      onReadable: () => {},
      onActive: () => {},
    });
  }

  /** The oldest writes that were waited for, or all. */
  becomeDurable(count = this.#undurable.length): void {
    for (const then of this.#undurable.splice(0, count)) then();
  }

  say(from: number, message: Partial<MonPaxos> & Pick<MonPaxos, 'op'>): void {
    const blank = {
      epoch: EPOCH,
      firstCommitted: 0,
      lastCommitted: 0,
      pn: 0,
      uncommittedPn: 0,
      lease: 0,
      values: new Map(),
    };
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

test('that the copy of an earlier proposal is durable says nothing of this one', () => {
  const { leader } = activeLeader();
  leader.paxos.propose(change());
  leader.paxos.lead(EPOCH, QUORUM);
  const { pn } = leader.sentOf('collect').at(-1)!;
  for (const rank of [1, 2]) leader.say(rank, { op: 'last', pn });
  for (const rank of [1, 2]) leader.say(rank, { op: 'accept', pn });

  leader.becomeDurable(1);
  expect(leader.paxos.lastCommitted).toBe(0);
  leader.becomeDurable(1);
  expect(leader.paxos.lastCommitted).toBe(1);
});

test('a leader commits, answers and tells no sooner than all of its quorum have accepted', () => {
  const { leader, pn } = activeLeader();
  leader.paxos.propose(change());
  leader.becomeDurable();
  leader.say(1, { op: 'accept', pn });
  leader.say(1, { op: 'accept', pn });

  expect([leader.paxos.lastCommitted, leader.paxos.state]).toEqual([0, 'updating']);
  expect(leader.sentOf('commit')).toEqual([]);
  leader.say(2, { op: 'accept', pn });
  expect([leader.paxos.lastCommitted, leader.paxos.state]).toEqual([1, 'active']);
  expect(leader.sentOf('commit')).toHaveLength(2);
});

test('a peon stores what it promises before it says so', () => {
  const peon = new Lone(1);
  peon.paxos.follow(EPOCH, 0, QUORUM);
  peon.say(0, { op: 'collect', pn: 300 });
  peon.say(0, { op: 'begin', pn: 300, values: new Map([[1, change().encode()]]) });

  expect(peon.done).toEqual([
    ...['store accepted_pn', 'last'],
    ...['store v:00000000000001', 'store pending_v', 'store pending_pn', 'accept'],
  ]);
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
  peon.say(0, { ...begin, lastCommitted: 1 });
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
  for (const prefix of ['elector', 'mkfs', 'mon_sync', '']) {
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

// Leases

test('a peon takes no lease of another election, of another than its leader, or beyond what it has', () => {
  const peon = new Lone(1);
  peon.paxos.follow(EPOCH, 0, QUORUM);
  peon.say(0, { op: 'collect', pn: 300 });
  peon.armed.clear();

  peon.say(0, { op: 'lease', pn: 300, epoch: EPOCH - 2 });
  peon.say(2, { op: 'lease', pn: 300 });
  expect([peon.paxos.state, peon.armed.size, peon.sentOf('leaseAck').length]).toEqual(['recovering', 0, 0]);
  peon.say(0, { op: 'lease', pn: 300, lastCommitted: 1 });
  expect([peon.paxos.state, peon.armed.size, peon.elections]).toEqual(['recovering', 0, ['a commit did not arrive']]);

  peon.say(0, { op: 'lease', pn: 300, lease: 7 });
  expect([peon.paxos.state, [...peon.armed], peon.sentOf('leaseAck').length]).toEqual(['active', ['lease'], 1]);
  expect(peon.sentOf('leaseAck')).toMatchObject([{ lease: 7 }]);
});

test('a leader that is deposed extends no lease, and waits for nothing', () => {
  for (const depose of [
    (leader: Lone) => leader.paxos.suspend(),
    (leader: Lone) => leader.paxos.follow(EPOCH + 2, 1, QUORUM),
  ]) {
    const { leader } = activeLeader();
    expect([...leader.armed].sort()).toEqual(['leaseAck', 'leaseRenew']);
    const leases = leader.sentOf('lease').length;
    depose(leader);
    for (const timer of leader.armed) if (timer !== 'lease') leader.paxos.onTimer(timer);
    leader.say(1, { op: 'leaseAck' });
    leader.paxos.onPeerBack(1);

    expect(leader.sentOf('lease')).toHaveLength(leases);
    expect(leader.armed.has('leaseAck')).toBe(false);
    expect(leader.paxos.isLeader).toBe(false);
  }
});

test('a leader waits for every acknowledgement of a lease, in each of its terms', () => {
  const { leader } = activeLeader();
  const newest = () => leader.sentOf('lease').at(-1)!.lease;
  leader.say(1, { op: 'leaseAck', lease: newest() });
  expect(leader.armed.has('leaseAck')).toBe(true);

  leader.paxos.lead(EPOCH, QUORUM);
  expect(leader.armed.has('leaseAck')).toBe(false);
  const { pn } = leader.sentOf('collect').at(-1)!;
  for (const rank of [1, 2]) leader.say(rank, { op: 'last', pn });
  expect(leader.armed.has('leaseAck')).toBe(true);
  for (const rank of [1, 2]) leader.say(rank, { op: 'leaseAck', lease: newest() - 1 });
  expect(leader.armed.has('leaseAck')).toBe(true);
  for (const rank of [1, 2]) leader.say(rank, { op: 'leaseAck', lease: newest() });
  expect(leader.armed.has('leaseAck')).toBe(false);
});

test('acknowledgements of older leases hold those, not the newest, and are progress', () => {
  const { leader } = activeLeader();
  const first = leader.sentOf('lease').at(-1)!.lease;
  leader.paxos.onTimer('leaseRenew');
  leader.paxos.onTimer('leaseRenew');
  const newest = leader.sentOf('lease').at(-1)!.lease;

  for (const rank of [1, 2]) leader.say(rank, { op: 'leaseAck', lease: first });
  expect(leader.held).toEqual([first]);
  expect(leader.armed.has('leaseAck')).toBe(true);
  for (const rank of [1, 2]) leader.say(rank, { op: 'leaseAck', lease: newest + 1 });
  expect(leader.held).toEqual([first]);
  leader.say(1, { op: 'leaseAck', lease: newest });
  leader.say(2, { op: 'leaseAck', lease: newest - 1 });
  expect(leader.held).toEqual([first, newest - 1]);
  leader.say(2, { op: 'leaseAck', lease: newest });
  expect(leader.held).toEqual([first, newest - 1, newest]);
  expect(leader.armed.has('leaseAck')).toBe(false);
});
