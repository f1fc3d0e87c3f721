/** Requests on their way from clients to PGs. */
import { extentOp, type OsdOpMessage, OsdOpCode } from '@spirula/messages';
import { beforeEach, expect, test } from 'vitest';
import type { ClientOp } from '../../packages/osd/src/client-ops.ts';
import { ClientSessions } from '../../packages/osd/src/client-sessions.ts';
import { FakeWorld } from '../client/fake-world.ts';
import { MapHistory } from '../client/osd-maps.ts';

const SESSION = 9;

let fake: FakeWorld;
let history: MapHistory;
let sessions: ClientSessions;
let requests: ClientOp[];
let wanted: number[];
let epoch: number;

beforeEach(() => {
  fake = new FakeWorld({ osd_client_message_size_cap: 1000 });
  history = new MapHistory();
  ({ epoch } = history.map);
  requests = [];
  wanted = [];
  sessions = new ClientSessions({
    world: fake.world,
    get epoch() {
      return epoch;
    },
    mapsSince: (from) => history.since(from + 1),
    wantMap: (newer) => void wanted.push(newer),
    onRequest: (op) => void requests.push(op),
  });
  sessions.onAccepted(SESSION, { entity: { type: 'client', id: 'admin' }, addrs: [], globalId: 4100n });
});

function say(tid: number, bytes = 1, at = epoch): void {
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
  sessions.onMessage(SESSION, message);
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

test('requests beyond the bound close their session; those that end make room', () => {
  for (let tid = 0; tid < 3; tid++) say(tid, 700);
  for (const op of requests) sessions.onDone(op);
  say(3, 700);
  expect([requests.length, fake.closed]).toEqual([4, []]);
  for (let tid = 4; tid < 8; tid++) say(tid, 700);

  expect(fake.closed).toEqual([SESSION]);
  expect(requests.length).toBe(6);
  expect(sessions.onMessage(SESSION, { type: 'ping' })).toBe(false);
});
