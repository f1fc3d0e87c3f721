/** Requests on their way from clients to PGs. */
import { extentOp, OsdOpCode, type OsdOpMessage } from '@spirula/messages';
import { beforeEach, expect, test } from 'vitest';
import type { ClientOp } from '../../packages/osd/src/client-op.ts';
import { ClientSessions } from '../../packages/osd/src/client-sessions.ts';
import { DynamicPerfStats } from '../../packages/osd/src/dynamic-perf-stats.ts';
import { OpTracker } from '../../packages/osd/src/op-tracker.ts';
import { FakeWorld } from '../client/fake-world.ts';
import { MapHistory } from '../client/osd-maps.ts';

const SESSION = 9;
const OTHER = 10;

let fake: FakeWorld;
let history: MapHistory;
let sessions: ClientSessions;
let requests: ClientOp[];
let wanted: number[];
let epoch: number;
let gone: number[];
let acks: bigint[];

beforeEach(() => {
  fake = new FakeWorld({ osd_client_message_size_cap: 1000 });
  history = new MapHistory();
  ({ epoch } = history.map);
  requests = [];
  wanted = [];
  gone = [];
  acks = [];
  sessions = new ClientSessions({
    world: fake.world,
    get epoch() {
      return epoch;
    },
    mapsSince: (from) => history.since(from + 1),
    wantMap: (newer) => void wanted.push(newer),
    onRequest: (op) => void requests.push(op),
    perf: new DynamicPerfStats(),
    ops: new OpTracker(fake.world.clock, fake.world.config),
    runCommand: () => ({ code: 0, status: '', data: new Uint8Array(0) }),
    onBackoffAck: (session, { id }) => void (session === SESSION && acks.push(id)),
    onClosed: (session) => void gone.push(session),
  });
  sessions.onAccepted(SESSION, { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4100n });
  sessions.onAccepted(OTHER, { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4200n });
});

function say(tid: number, bytes = 1, at = epoch, session = SESSION): void {
  const message: OsdOpMessage = {
    type: 'osd_op',
    tid: BigInt(tid),
    pgid: { pool: 1, seed: 0 },
    hash: 0,
    epoch: at,
    flags: 0,
    reqid: { entityType: 0, entityNum: 0n, tid: 0n, inc: 0 },
    clientInc: 0,
    mtime: { sec: 0, nsec: 0 },
    locator: { pool: 1, key: '', nspace: '', hash: -1n },
    oid: 'x',
    ops: [extentOp(OsdOpCode.writefull, 0, bytes, new Uint8Array(bytes))],
    snapid: 0n,
    snapSeq: 0n,
    snaps: [],
    retry: 0,
    features: 0n,
  };
  sessions.onMessage(session, message);
}

test('a request goes on in order of arrival, under its client’s global id', () => {
  say(1);
  say(2);

  expect(requests.map(({ reqid, arrival }) => [reqid.entityNum, reqid.tid, arrival])).toEqual([
    [4100n, 1n, 0],
    [4100n, 2n, 1],
  ]);
});

test('one of a later epoch waits for that map, and then keeps its place', () => {
  say(1, 1, epoch + 2);
  say(2, 1, epoch + 1);
  expect([requests.length, wanted]).toEqual([0, [epoch + 2, epoch + 1]]);
  epoch += 1;
  sessions.onMap();
  expect(requests.map(({ message }) => message.tid)).toEqual([2n]);
  epoch += 1;
  sessions.onMap();

  expect(requests.map(({ message }) => message.tid)).toEqual([2n, 1n]);
});

test('a client behind is told the maps it lacks, once', () => {
  const old = epoch;
  epoch = history.advance().epoch;
  say(1, 1, old);
  say(2, 1, old);

  expect(fake.take('osd_map').map(({ incrementals }) => [...incrementals.keys()])).toEqual([[epoch]]);
});

test('requests beyond the bound close sessions; those that end make room', () => {
  for (let tid = 0; tid < 3; tid++) say(tid, 700);
  for (const op of requests) sessions.onDone(op);
  say(3, 700);
  expect([requests.length, fake.closed]).toEqual([4, []]);
  for (let tid = 4; tid < 6; tid++) say(tid, 700);
  expect(fake.closed).toEqual([]);
  requests.length = 0;
  say(1, 700, epoch, OTHER);

  // What has begun cannot be taken back: there is room for nobody until it is done.
  expect([fake.closed, gone]).toEqual([
    [SESSION, OTHER],
    [SESSION, OTHER],
  ]);
});

test('the session that has most is closed first, and what it had waiting makes room for the others', () => {
  for (let tid = 0; tid < 5; tid++) {
    say(tid, 700, epoch, OTHER);
    sessions.onDone(requests.pop()!);
  }
  for (let tid = 0; tid < 3; tid++) say(tid, 700, epoch + 1);
  expect(sessions.requests).toBe(3);
  say(1, 700, epoch, OTHER);

  expect([fake.closed, requests.length]).toEqual([[SESSION], 1]);
  expect(sessions.isOpen(OTHER)).toBe(true);
  say(4, 700);
  expect(requests.length).toBe(1);
});

test('a session that breaks is forgotten with what it had waiting', () => {
  say(1, 1, epoch + 1);
  say(2, 1, epoch + 1, OTHER);
  expect(sessions.onReset(SESSION)).toBe(true);
  expect([sessions.requests, gone]).toEqual([1, [SESSION]]);
  epoch += 1;
  sessions.onMap();

  expect(requests.map(({ message }) => message.tid)).toEqual([2n]);
  expect(sessions.onReset(SESSION)).toBe(false);
  expect(sessions.onMessage(SESSION, { type: 'ping' })).toBe(false);
});

test('acknowledgements of backoffs are handed on', () => {
  const position = { pool: 1, nspace: '', key: '', name: '', snap: 0n, hash: 0, max: false };
  const ack = { type: 'osd_backoff', op: 'ackBlock', epoch, pgid: { pool: 1, seed: 0 } } as const;
  sessions.onMessage(SESSION, { ...ack, id: 3n, begin: position, end: position });

  expect(acks).toEqual([3n]);
});
