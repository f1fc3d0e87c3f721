/** What another monitor says may be anything: it is refused or dropped, and the quorum goes on. */
import { concatBytes, EMPTY, MalformedInput } from '@spirula/encoding';
import { encodeMonMap } from '@spirula/maps';
import { decodeMessage, encodeMessage, type Message } from '@spirula/messages';
import { SECOND } from '@spirula/world';
import {
  type Arbitrary,
  assert,
  constantFrom,
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
import { expectAlike, FSID, monMap, NAMES, quorum, ThreeMonitors } from './three-monitors.test-support.ts';

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
    case 'mon_scrub':
      return { ...message, epoch: Math.max(0, epoch + message.epoch), version: version(message.version) };
    case 'mon_election':
    case 'mon_metadata':
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
    lease: integer({ min: 0, max: 1000 }),
    values,
  }),
  record({
    type: constantFrom('mon_election' as const),
    op: constantFrom('propose', 'ack', 'victory'),
    fsid: constantFrom(FSID, new Uint8Array(16)),
    epoch,
    mapEpoch: constantFrom(1, 0, 2),
    quorum: ranks,
  }),
  record({
    type: constantFrom('mon_probe' as const),
    op: constantFrom('probe', 'reply'),
    fsid: constantFrom(FSID, new Uint8Array(16)),
    name: constantFrom(...NAMES, 'nobody'),
    quorum: ranks,
    standing: constantFrom('blank', 'apart', 'settled'),
    firstCommitted: integer({ min: 0, max: 60 }),
    lastCommitted: version,
    monmap: constantFrom(encodeMonMap(monMap()), EMPTY),
    met: ranks,
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
    type: constantFrom('mon_scrub' as const),
    op: constantFrom('get', 'result'),
    epoch,
    version,
    checksums: constantFrom(new Map(), new Map([['osdmap', { keys: 1, crc: 2 }]])),
  }),
  record({
    type: constantFrom('mon_metadata' as const),
    epoch,
    metadata: constantFrom(new Map(), new Map([['hostname', 'nowhere']])),
    connected: constantFrom([], [{ type: 'osd' as const, features: 1n, count: 2 }]),
  }),
  record({
    type: constantFrom('mon_timecheck' as const),
    op: constantFrom('ping', 'pong'),
    epoch,
    round: integer({ min: 0, max: 5 }),
    stampUs: integer({ min: -1, max: 2 ** 40 }),
  }),
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

/** Everything that monitors say to one another: elections, changes asked of a peon, one that is away and must copy. */
function busyQuorum(onTheWay: (message: Message) => Message | undefined): ThreeMonitors {
  const mons = new ThreeMonitors();
  mons.onTheWay = onTheWay;
  for (const name of NAMES) mons.start(name);
  mons.run(10 * SECOND);
  mons.change('b', 2);
  mons.stop('c');
  mons.run(15 * SECOND);
  mons.change('b', 25);
  mons.command('b', { prefix: 'mon scrub' });
  mons.start('c');
  mons.run(15 * SECOND);
  mons.stop('a');
  mons.run(15 * SECOND);
  mons.change('c', 2);
  return mons;
}

function kindOf(message: Message): string {
  return 'op' in message ? `${message.type} ${message.op}` : message.type;
}

const KINDS = [
  ...['mon_probe probe', 'mon_probe reply', 'mon_election propose', 'mon_election ack', 'mon_election victory'],
  ...['mon_paxos collect', 'mon_paxos last', 'mon_paxos begin', 'mon_paxos accept', 'mon_paxos commit'],
  ...['mon_paxos lease', 'mon_paxos leaseAck', 'mon_sync get', 'mon_sync chunk', 'mon_forward', 'mon_route'],
  ...['mon_timecheck ping', 'mon_timecheck pong', 'mon_global_id', 'mon_metadata', 'log'],
  ...['mon_scrub get', 'mon_scrub result'],
];

test('the quorum whose messages are damaged below says all that monitors say', () => {
  const said = new Set<string>();
  busyQuorum((message) => {
    said.add(kindOf(message));
    return message;
  });

  expect([...said].sort()).toEqual([...KINDS].sort());
});

interface Damage {
  /** Bit n: the message that is the nth of its kind is damaged. */
  readonly which: number;
  readonly at: number;
  readonly how: 'flip' | 'cut';
}

const damage: Arbitrary<Damage> = record({
  which: integer({ min: 1, max: 0xfff }),
  at: integer({ min: 0, max: 1 << 20 }),
  how: constantFrom('flip', 'cut'),
});

function damagedBytes(bytes: Uint8Array, { at, how }: Damage): Uint8Array {
  if (bytes.length === 0) return bytes;
  if (how === 'cut') return bytes.slice(0, at % bytes.length);
  const copy = bytes.slice();
  copy[at % bytes.length]! ^= 1 << (at % 8);
  return copy;
}

/** What a value in a message is, damaged: the message itself is well-formed. */
function withDamagedValues(message: Message, how: Damage): Message {
  if (message.type === 'mon_sync') return { ...message, data: damagedBytes(message.data, how) };
  if (message.type !== 'mon_paxos') return message;
  return { ...message, values: new Map([...message.values].map(([at, value]) => [at, damagedBytes(value, how)])) };
}

/** As it arrives when the wire damaged it, undefined when it does not parse. */
function damagedOnTheWire(message: Message, how: Damage): Message | undefined {
  const { code, version, compat, tid, front, data } = encodeMessage(message);
  const whole = { code, version, compat, tid, front, middle: EMPTY, data: concatBytes(data) };
  const inData = how.at % 2 === 0 && whole.data.length > 0;
  try {
    if (inData) return decodeMessage({ ...whole, data: damagedBytes(whole.data, how) });
    return decodeMessage({ ...whole, front: damagedBytes(front, how) });
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

type Spoil = (message: Message, how: Damage) => Message | undefined;

function agreesAgain(kind: string, how: Damage, spoil: Spoil): void {
  let count = 0;
  const mons = busyQuorum((message) => {
    if (kindOf(message) !== kind) return message;
    const damaged = count < 12 && (how.which & (1 << count)) !== 0;
    count += 1;
    return damaged ? spoil(message, how) : message;
  });
  mons.start('a');
  mons.run(60 * SECOND);
  // Whoever copies a store gives a round up only after mon_sync_timeout, 60 s; up to 12 may be spoilt.
  for (let i = 0; i < 12 && mons.inspect('a').quorum.length < 3; i++) mons.run(61 * SECOND);
  mons.change('b', 2);
  mons.run(5 * SECOND);

  expectAlike(mons);
}

test.each(KINDS)('no monitor fails when %s is damaged on the wire, and they agree again', (kind) => {
  assert(
    property(damage, (how) => agreesAgain(kind, how, damagedOnTheWire)),
    { numRuns: 3 },
  );
});

test.each(['mon_paxos last', 'mon_paxos begin', 'mon_paxos commit', 'mon_sync chunk'])(
  'no monitor fails when %s holds damaged values, and they agree again',
  (kind) => {
    assert(
      property(damage, (how) => agreesAgain(kind, how, withDamagedValues)),
      { numRuns: 6 },
    );
  },
);

test.each([0, 1, 2])('a committed value that is no transaction calls an election (rank %i says so)', (from) => {
  const mons = quorum();
  const to = from === 0 ? 'b' : 'a';
  const { epoch, lastCommitted, firstCommitted } = mons.inspect(to);
  const op = from === 0 ? 'commit' : 'last';
  const next = lastCommitted + 1;
  mons.say(NAMES[from]!, to, {
    ...{ type: 'mon_paxos', op, epoch, firstCommitted, lastCommitted: next, pn: 0, uncommittedPn: 0, lease: 0 },
    values: new Map([[next, Uint8Array.of(1)]]),
  });
  mons.run(30 * SECOND);

  expectAlike(mons);
  if (op === 'commit') expect(mons.inspect(to).epoch).toBeGreaterThan(epoch);
});
