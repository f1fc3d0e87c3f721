/** What another monitor says may be anything: it is refused or dropped, and the quorum goes on. */
import type { Message } from '@spirula/messages';
import { SECOND } from '@spirula/world';
import {
  assert,
  constantFrom,
  type Arbitrary,
  dictionary,
  integer,
  oneof,
  property,
  record,
  tuple,
  uint8Array,
} from 'fast-check';
import { expect, test } from 'vitest';
import { MonTransaction } from './mon-store.ts';
import { expectAlike, FSID, NAMES, quorum } from './three-monitors.test-support.ts';

/** Beside the receiver's own: most is about where it stands. */
const version = integer({ min: -2, max: 3 });
const epoch = oneof(constantFrom(0), integer({ min: -2, max: 5 }));
const ranks = constantFrom<readonly number[]>([], [0], [0, 1], [0, 1, 2], [7]);

/** Never a whole transaction: what parses is believed among monitors. */
const damaged = oneof(
  uint8Array({ minLength: 1, maxLength: 40 }),
  integer({ min: 1, max: 30 }).map((length) => {
    const transaction = new MonTransaction();
    transaction.put('config', 'key', new Uint8Array(30));
    return transaction.encode().subarray(0, length);
  }),
).filter((bytes) => {
  try {
    MonTransaction.decode(bytes);
    return false;
  } catch {
    return true;
  }
});

const values = dictionary(version.map(String), damaged, { maxKeys: 4 }).map(
  (entries) => new Map(Object.entries(entries).map(([key, value]) => [Number(key), value])),
);

/** Versions and epochs as they are counted, not beside the receiver's. */
function placed(message: Message, { epoch, lastCommitted }: { epoch: number; lastCommitted: number }): Message {
  const version = (offset: number) => Math.max(0, lastCommitted + offset);
  switch (message.type) {
    case 'mon_election':
      return { ...message, epoch: Math.max(0, epoch + message.epoch) };
    case 'mon_paxos':
      return {
        ...message,
        epoch: Math.max(0, epoch + message.epoch),
        firstCommitted: version(message.firstCommitted),
        lastCommitted: version(message.lastCommitted),
        values: new Map([...message.values].map(([at, value]) => [version(at), value])),
      };
    case 'mon_probe':
    case 'mon_sync':
      return { ...message, lastCommitted: version(message.lastCommitted) };
    default:
      return message;
  }
}

const monMessage: Arbitrary<Message> = oneof(
  record({
    type: constantFrom('mon_paxos' as const),
    op: constantFrom('collect', 'last', 'begin', 'accept', 'commit', 'lease', 'leaseAck'),
    epoch,
    firstCommitted: version,
    lastCommitted: version,
    pn: integer({ min: 0, max: 1000 }),
    uncommittedPn: integer({ min: 0, max: 1000 }),
    values,
  }),
  record({
    type: constantFrom('mon_election' as const),
    op: constantFrom('propose', 'ack', 'victory'),
    fsid: constantFrom(FSID, new Uint8Array(16)),
    epoch,
    quorum: ranks,
  }),
  record({
    type: constantFrom('mon_probe' as const),
    op: constantFrom('probe', 'reply'),
    fsid: constantFrom(FSID, new Uint8Array(16)),
    name: constantFrom(...NAMES, 'nobody'),
    quorum: ranks,
    firstCommitted: integer({ min: 0, max: 60 }),
    lastCommitted: version,
  }),
  record({
    type: constantFrom('mon_sync' as const),
    op: constantFrom('get', 'chunk'),
    cookie: constantFrom(0, 4),
    after: constantFrom('', 'zz', '6', '636f6e66696700'),
    done: constantFrom(true, false),
    lastCommitted: version,
    data: uint8Array({ minLength: 5, maxLength: 40 }),
  }),
  record({ type: constantFrom('mon_global_id' as const) }),
  record({
    type: constantFrom('mon_route' as const),
    tid: integer({ min: 0, max: 5 }).map(BigInt),
    reply: constantFrom(undefined, { type: 'ping' } as Message),
  }),
  record({
    type: constantFrom('mon_forward' as const),
    tid: integer({ min: 0, max: 5 }).map(BigInt),
    entity: constantFrom({ type: 'client' as const, id: 'admin' }, { type: 'osd' as const, id: '9' }),
    addrs: constantFrom([]),
    globalId: constantFrom(0n, 7n),
    request: constantFrom<Message>(
      { type: 'ping' },
      { type: 'mon_global_id' },
      { type: 'mon_command', tid: 1n, fsid: FSID, cmd: ['{'], data: new Uint8Array(0) },
      { type: 'mon_command', tid: 1n, fsid: FSID, cmd: [], data: new Uint8Array(0) },
    ),
  }),
) as Arbitrary<Message>;

const monitorName = constantFrom(...NAMES);

test('whatever monitors say to one another, none fails, and they agree again', () => {
  const said = tuple(monitorName, monitorName, monMessage);
  assert(
    property(tuple(said, said, said, said), (sayings) => {
      const mons = quorum();
      mons.change('a', 2);
      for (const [from, to, message] of sayings) {
        mons.say(from, to, placed(message, mons.inspect(to)));
        mons.run(SECOND / 20);
      }
      mons.run(60 * SECOND);
      mons.change('b', 2);
      mons.run(10 * SECOND);

      expectAlike(mons);
    }),
    { numRuns: 60 },
  );
});

test.each([0, 1, 2])('a committed value that is no transaction calls an election (rank %i says so)', (from) => {
  const mons = quorum();
  const to = from === 0 ? 'b' : 'a';
  const { epoch, lastCommitted, firstCommitted } = mons.inspect(to);
  const op = from === 0 ? 'commit' : 'last';
  const next = lastCommitted + 1;
  mons.say(NAMES[from]!, to, {
    ...{ type: 'mon_paxos', op, epoch, firstCommitted, lastCommitted: next, pn: 0, uncommittedPn: 0 },
    values: new Map([[next, Uint8Array.of(1)]]),
  });
  mons.run(30 * SECOND);

  expectAlike(mons);
  if (op === 'commit') expect(mons.inspect(to).epoch).toBeGreaterThan(epoch);
});
