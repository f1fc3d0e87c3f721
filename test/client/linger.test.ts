/** Watches and notifies of the objecter, against OSDs that the test speaks for. */
import { EMPTY, Encoder, Errno, utf8 } from '@spirula/encoding';
import { mapPg, objectToPg } from '@spirula/maps';
import {
  decodeNotifyAck,
  decodeNotifyRequest,
  encodeNotifyOutcome,
  type NotifyOutcome,
  notifyArgs,
  OsdOpCode,
  type OsdOpMessage,
  type WatchNotify,
  WatchOp,
  watchArgs,
} from '@spirula/messages';
import { type Notification, Objecter } from '@spirula/objecter';
import { SECOND } from '@spirula/world';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeWorld } from './fake-world.ts';
import { MapHistory } from './osd-maps.ts';

const DATA = 2;
const target = { oid: 'watched', locator: { pool: DATA, key: '', nspace: '', hash: -1n } };
type Sent = OsdOpMessage & { readonly on: number };

let fake: FakeWorld;
let history: MapHistory;
let objecter: Objecter;

beforeEach(() => {
  fake = new FakeWorld();
  history = new MapHistory();
  objecter = new Objecter({
    world: fake.world,
    endpoint: 'public',
    mon: { subscribe: () => {}, unsubscribe: () => {}, gotMap: () => {}, getVersion: () => {} },
  });
  fake.handler = (event) => void objecter.handle(event);
  objecter.start();
  objecter.handleOsdMap(history.full());
});

function answer({ on, ...sent }: Sent, result = 0, output = EMPTY): void {
  fake.deliver(on, {
    type: 'osd_op_reply',
    tid: sent.tid,
    oid: sent.oid,
    pgid: sent.pgid,
    flags: 0,
    result,
    epoch: 5,
    ops: sent.ops.map(({ code, args }) => ({ code, flags: 0, args, rval: result, output })),
    retry: sent.retry,
    replayVersion: { epoch: 5, version: 1 },
    userVersion: 1,
  });
}

function tell(session: number, message: Partial<WatchNotify>): void {
  const nothing = { cookie: 0n, version: 1, notifyId: 0n, payload: EMPTY, result: 0, notifierGid: 7n, data: EMPTY };
  fake.deliver(session, { type: 'watch_notify', event: 'notify', ...nothing, ...message });
}

/** The only request sent since. */
function only(): Sent {
  const sent = fake.take('osd_op');
  expect(sent).toHaveLength(1);
  return sent[0]!;
}

function beginWatch(timeoutSeconds = 0) {
  const log = { done: [] as number[], notified: [] as Notification[], errors: [] as number[] };
  const cookie = objecter.lingers.watch(
    {
      ...target,
      timeoutSeconds,
      onNotify: (notification) => log.notified.push(notification),
      onError: (code) => log.errors.push(code),
    },
    (code) => log.done.push(code),
  );
  return { cookie, log };
}

function watching() {
  const watch = beginWatch();
  const sent = only();
  answer(sent);
  return { ...watch, session: sent.on };
}

/** The primary of the object goes down. */
function loseThePrimary(): void {
  const pg = objectToPg(history.map, DATA, { nspace: '', key: '', name: target.oid })!;
  const { epoch } = history.markDown(mapPg(history.map, pg).actingPrimary);
  objecter.handleOsdMap(history.since(epoch));
}

const kindOf = (sent: Sent) => watchArgs(sent.ops[0]!);

describe('a watch', () => {
  test('is asked for, and is told of notifies', () => {
    const { cookie, log } = beginWatch(7);
    const sent = only();
    expect(kindOf(sent)).toMatchObject({ cookie, op: WatchOp.watch, timeout: 7 });
    answer(sent);
    tell(sent.on, { cookie, notifyId: 3n, payload: utf8('hello') });
    tell(sent.on, { cookie: cookie + 1n, notifyId: 4n });

    expect(log).toMatchObject({ done: [0], errors: [], notified: [{ notifyId: 3n, cookie, payload: utf8('hello') }] });
  });

  test('that is refused is none', () => {
    const { cookie, log } = beginWatch();
    answer(only(), Errno.ENOENT);
    fake.advance(60);

    expect(log).toEqual({ done: [Errno.ENOENT], notified: [], errors: [] });
    expect(objecter.lingers.check(cookie)).toBe(Errno.ENOTCONN);
    expect(fake.take('osd_op')).toEqual([]);
  });

  test('is pinged, and is as old as its last ping that was answered', () => {
    const { cookie, log } = watching();
    fake.advance(5);
    const ping = only();
    expect(kindOf(ping)).toMatchObject({ cookie, op: WatchOp.ping });
    fake.advance(1);
    answer(ping);
    expect(objecter.lingers.check(cookie)).toBe(SECOND);
    fake.advance(20);

    expect(objecter.lingers.check(cookie)).toBe(21 * SECOND);
    // One ping at a time.
    expect(fake.take('osd_op')).toHaveLength(1);
    expect(log.errors).toEqual([]);
  });

  test('connects again when its connection breaks', () => {
    const { cookie, log, session } = watching();
    fake.reset(session);
    fake.advance(1);
    const sent = only();

    expect(sent.on).not.toBe(session);
    expect(kindOf(sent)).toMatchObject({ cookie, op: WatchOp.reconnect, gen: 1 });
    answer(sent);
    expect(log).toMatchObject({ done: [0], errors: [] });
  });

  test('connects again where the map says', () => {
    const { cookie, session } = watching();
    loseThePrimary();
    const sent = only();

    expect(sent.on).not.toBe(session);
    expect(kindOf(sent)).toMatchObject({ cookie, op: WatchOp.reconnect });
  });

  test('that was not answered yet is asked for anew, by another request', () => {
    const { log } = beginWatch();
    const first = only();
    loseThePrimary();
    const second = only();
    answer(first);
    expect(log.done).toEqual([]);
    answer(second);

    expect(kindOf(second).op).toBe(WatchOp.watch);
    expect([second.tid === first.tid, second.retry]).toEqual([false, 0]);
    expect(log.done).toEqual([0]);
  });

  test.each([
    ['a ping is refused', Errno.ENOTCONN, Errno.ENOTCONN],
    ['its object has gone', Errno.ENOENT, Errno.ENOTCONN],
    ['its client is blocklisted', Errno.ESHUTDOWN, Errno.ESHUTDOWN],
  ])('is broken, once, when %s', (_, result, error) => {
    const { cookie, log, session } = watching();
    fake.advance(5);
    answer(only(), result);
    tell(session, { cookie, event: 'disconnect' });
    fake.advance(60);
    fake.reset(session);
    fake.advance(60);

    expect(log.errors).toEqual([error]);
    expect(objecter.lingers.check(cookie)).toBe(error);
    expect(fake.take('osd_op')).toEqual([]);
  });

  test('is broken when the OSD says so, or does not know it any more', () => {
    const disconnected = watching();
    tell(disconnected.session, { cookie: disconnected.cookie, event: 'disconnect' });
    const forgotten = watching();
    fake.reset(forgotten.session);
    fake.advance(1);
    answer(only(), Errno.ENOTCONN);

    expect([disconnected.log.errors, forgotten.log.errors]).toEqual([[Errno.ENOTCONN], [Errno.ENOTCONN]]);
  });

  test('is told of nothing after it was ended', () => {
    const { cookie, log, session } = watching();
    const ended: number[] = [];
    objecter.lingers.unwatch(cookie, (code) => ended.push(code));
    tell(session, { cookie, notifyId: 3n });
    const sent = only();
    expect(kindOf(sent)).toMatchObject({ cookie, op: WatchOp.unwatch });
    answer(sent);
    objecter.lingers.unwatch(cookie, (code) => ended.push(code));

    expect(ended).toEqual([0, Errno.ENOTCONN]);
    expect(log.notified).toEqual([]);
  });

  test('that pings what was blocked does not ask again and again', () => {
    const { session } = watching();
    fake.advance(5);
    const ping = only();
    const [begin, end] = [
      { pool: DATA, nspace: '', key: '', name: '', snap: 0n, hash: 0, max: false },
      { pool: DATA, nspace: '', key: '', name: '', snap: 0n, hash: 0, max: true },
    ];
    const backoff = { type: 'osd_backoff', pgid: ping.pgid, epoch: 5, id: 1n, begin, end } as const;
    fake.deliver(session, { ...backoff, op: 'block' });
    fake.deliver(session, { ...backoff, op: 'unblock' });
    fake.advance(5);

    expect(kindOf(only()).op).toBe(WatchOp.ping);
  });

  test('acknowledges', () => {
    const { cookie } = watching();
    const done: number[] = [];
    objecter.lingers.acknowledge(target, cookie, 3n, utf8('seen'), (code) => done.push(code));
    const sent = only();
    answer(sent);

    expect(decodeNotifyAck(sent.ops[0]!.input)).toEqual({ notifyId: 3n, cookie, reply: utf8('seen') });
    expect(done).toEqual([0]);
  });
});

describe('a notify', () => {
  const outcome: NotifyOutcome = { acks: [{ gid: 7n, cookie: 1n, reply: utf8('seen') }], timedOut: [] };
  const data = encodeNotifyOutcome(outcome);

  function begin() {
    const ends: (readonly [number, NotifyOutcome])[] = [];
    objecter.lingers.notify({ ...target, payload: utf8('hello'), timeoutSeconds: 9 }, (code, what) =>
      ends.push([code, what]),
    );
    return ends;
  }

  function number(id: bigint) {
    const output = new Encoder(8);
    output.u64big(id);
    return output.finish();
  }

  function complete(sent: Sent, notifyId: bigint, result = 0): void {
    tell(sent.on, { event: 'notifyComplete', cookie: notifyArgs(sent.ops[0]!).cookie, notifyId, result, data });
  }

  test('ends when the OSD says that it is complete', () => {
    const ends = begin();
    const sent = only();
    expect(decodeNotifyRequest(sent.ops[0]!.input)).toEqual({ timeoutSeconds: 9, payload: utf8('hello') });
    expect(sent.ops[0]!.code).toBe(OsdOpCode.notify);
    answer(sent, 0, number(3n));
    expect(ends).toEqual([]);
    complete(sent, 3n);

    expect(ends).toEqual([[0, outcome]]);
  });

  test('may be complete before it is answered, and ends once', () => {
    const ends = begin();
    const sent = only();
    complete(sent, 3n);
    answer(sent, 0, number(3n));
    complete(sent, 3n);
    fake.advance(60);

    expect(ends).toHaveLength(1);
    expect(fake.take('osd_op')).toEqual([]);
  });

  test('that was asked anew ends with the new one', () => {
    const ends = begin();
    const first = only();
    answer(first, 0, number(3n));
    loseThePrimary();
    const second = only();
    answer(second, 0, number(4n));
    complete(second, 3n);
    expect(ends).toEqual([]);
    complete(second, 4n, Errno.ETIMEDOUT);

    expect(ends).toMatchObject([[Errno.ETIMEDOUT, outcome]]);
  });

  test('of what is not there ends with why', () => {
    const ends = begin();
    answer(only(), Errno.ENOENT);

    expect(ends).toMatchObject([[Errno.ENOENT, { acks: [], timedOut: [] }]]);
  });
});

test('a client that ends ends what lingers', () => {
  const ends: number[] = [];
  const { log } = watching();
  objecter.lingers.notify({ ...target, payload: EMPTY, timeoutSeconds: 0 }, (code) => ends.push(code));
  const unanswered = beginWatch();
  objecter.shutdown();

  expect([ends, unanswered.log.done, log.errors]).toEqual([[Errno.ESHUTDOWN], [Errno.ESHUTDOWN], []]);
  expect(fake.armed).toEqual([]);
});
