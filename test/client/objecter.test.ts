import { EMPTY, Encoder } from '@spirula/encoding';
import { encodeHObject, MAX_HOBJECT, MIN_HOBJECT, mapPg, OsdMapFlag, objectToPg, PoolFlag } from '@spirula/maps';
import { extentOp, NOSNAP, OsdFlag, OsdOpCode, type OsdOpReply } from '@spirula/messages';
import {
  ALL_NAMESPACES,
  type ListPage,
  listObjects,
  Objecter,
  type ObjectReply,
  type ObjectRequest,
} from '@spirula/objecter';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeWorld } from './fake-world.ts';
import { MapHistory } from './osd-maps.ts';

const DATA = 2;
const NEWEST = 5;

let fake: FakeWorld;
let history: MapHistory;
let objecter: Objecter;
let versionsAsked: ((result: { code: number; newest: number }) => void)[];

function makeObjecter(world: FakeWorld): Objecter {
  const made = new Objecter({
    world: world.world,
    endpoint: 'public',
    mon: {
      subscribe: () => {},
      unsubscribe: () => {},
      gotMap: () => {},
      getVersion: (_what, done) => void versionsAsked.push(done),
    },
  });
  world.handler = (event) => void made.handle(event);
  made.start();
  return made;
}

beforeEach(() => {
  fake = new FakeWorld({ objecter_inflight_ops: 8 });
  history = new MapHistory();
  versionsAsked = [];
  objecter = makeObjecter(fake);
});

function write(oid: string, pool = DATA, more: Partial<ObjectRequest> = {}): ObjectRequest {
  return {
    oid,
    locator: { pool, key: '', nspace: '', hash: -1n },
    ops: [extentOp(OsdOpCode.writefull, 0, 1, new Uint8Array(1))],
    flags: OsdFlag.write,
    ...more,
  };
}

function submit(request: ObjectRequest): ObjectReply[] {
  const replies: ObjectReply[] = [];
  objecter.submit(request, (reply) => void replies.push(reply));
  return replies;
}

/** The OSD that must get requests on `oid`. */
function primaryOf(oid: string): number {
  const pg = objectToPg(history.map, DATA, { nspace: '', key: '', name: oid })!;
  return mapPg(history.map, pg).actingPrimary;
}

const osdOfSession = (session: number, on = fake) =>
  on.dialled.find((each) => each.session === session)!.addrs[0]!.port - 23510;

function replyTo(sent: { tid: bigint; retry: number; oid: string; pgid: OsdOpReply['pgid'] }): OsdOpReply {
  return {
    type: 'osd_op_reply',
    tid: sent.tid,
    oid: sent.oid,
    pgid: sent.pgid,
    flags: 0,
    result: 0,
    epoch: 5,
    ops: [{ code: OsdOpCode.writefull, flags: 0, args: new Uint8Array(28), rval: 0, output: EMPTY }],
    retry: sent.retry,
    replayVersion: { epoch: 5, version: 1 },
    userVersion: 1,
  };
}

describe('placement', () => {
  test('a request waits for the first map, then goes to the primary of its PG', () => {
    const replies = submit(write('greeting'));
    expect(fake.dialled).toEqual([]);

    objecter.handleOsdMap(history.full());
    const [sent] = fake.take('osd_op');
    fake.deliver(sent!.on, replyTo(sent!));

    expect(osdOfSession(sent!.on)).toBe(primaryOf('greeting'));
    expect(sent).toMatchObject({ retry: 0, epoch: NEWEST, flags: OsdFlag.write | OsdFlag.ondisk | OsdFlag.knownRedir });
    expect(replies).toMatchObject([{ result: 0 }]);
  });

  test('one OSD has one session, whatever the number of requests', () => {
    objecter.handleOsdMap(history.full());
    for (let i = 0; i < 8; i++) submit(write(`object-${i}`));

    expect(fake.dialled.length).toBeLessThanOrEqual(3);
    expect(new Set(fake.dialled.map(({ addrs }) => addrs[0]!.port)).size).toBe(fake.dialled.length);
  });
});

describe('sending again', () => {
  test('when the primary goes down, the request goes to the next one under its old tid', () => {
    objecter.handleOsdMap(history.full());
    submit(write('greeting'));
    const [first] = fake.take('osd_op');

    history.markDown(primaryOf('greeting'));
    objecter.handleOsdMap(history.since(NEWEST + 1));
    const [second] = fake.take('osd_op');

    expect(second).toMatchObject({ tid: first!.tid, retry: 1 });
    expect(second!.flags & OsdFlag.retry).not.toBe(0);
    expect(osdOfSession(second!.on)).toBe(primaryOf('greeting'));
    expect(fake.closed).toContain(first!.on);
  });

  test('an interval that came and went between two maps means sending again, once', () => {
    objecter.handleOsdMap(history.full());
    submit(write('greeting'));
    fake.take('osd_op');
    const replica = mapPg(history.map, objectToPg(history.map, DATA, { nspace: '', key: '', name: 'greeting' })!)
      .acting[1]!;

    history.markDown(replica);
    history.markUp(replica);
    objecter.handleOsdMap(history.since(NEWEST + 1));

    expect(fake.take('osd_op')).toHaveLength(1);
  });

  test('a map that changes nothing for the PG sends nothing', () => {
    objecter.handleOsdMap(history.full());
    submit(write('greeting'));
    fake.take('osd_op');

    history.advance();
    objecter.handleOsdMap(history.since(NEWEST + 1));

    expect(fake.take('osd_op')).toEqual([]);
  });

  test('a broken session is opened again, later each time, and its requests follow in order', () => {
    objecter.handleOsdMap(history.full());
    const oids = ['greeting', 'greeting', 'greeting'];
    for (const oid of oids) submit(write(oid));
    const tids = fake.take('osd_op').map(({ tid }) => tid);

    fake.reset(fake.lastDialled.session);
    expect(fake.dialled).toHaveLength(1);
    fake.advance(0.02);
    expect(fake.take('osd_op').map(({ tid }) => tid)).toEqual(tids);
    fake.reset(fake.lastDialled.session);
    fake.advance(0.015);

    expect(fake.dialled).toHaveLength(2);
  });

  test('a reply to an earlier sending, or from another OSD, ends nothing', () => {
    objecter.handleOsdMap(history.full());
    const replies = submit(write('greeting'));
    const [first] = fake.take('osd_op');
    fake.reset(first!.on);
    fake.advance(0.02);
    const [second] = fake.take('osd_op');

    fake.deliver(first!.on, replyTo(first!));
    fake.deliver(second!.on, replyTo(first!));
    expect(replies).toEqual([]);
    fake.deliver(second!.on, replyTo(second!));
    fake.deliver(second!.on, replyTo(second!));

    expect(replies).toHaveLength(1);
  });

  test('a congested session takes no more until it drains', () => {
    objecter.handleOsdMap(history.full());
    fake.queuedBytes = 2 << 20;
    for (let i = 0; i < 3; i++) submit(write('greeting'));
    expect(fake.take('osd_op')).toHaveLength(1);

    fake.queuedBytes = 0;
    fake.handler({ kind: 'drained', session: fake.lastDialled.session });

    expect(fake.take('osd_op')).toHaveLength(2);
  });
});

describe('holding back', () => {
  test('pausewr holds writes and lets reads pass; they go when it is lifted', () => {
    history.advance((increment) => {
      increment.newFlags = history.map.flags | OsdMapFlag.pausewr;
    });
    objecter.handleOsdMap(history.full());
    submit(write('greeting'));
    submit(write('greeting', DATA, { ops: [extentOp(OsdOpCode.read, 0, 0)], flags: OsdFlag.read }));
    expect(fake.take('osd_op')).toHaveLength(1);

    history.advance((increment) => {
      increment.newFlags = history.map.flags & ~OsdMapFlag.pausewr;
    });
    objecter.handleOsdMap(history.since(history.map.epoch));

    expect(fake.take('osd_op').map(({ flags }) => flags & OsdFlag.write)).toContain(OsdFlag.write);
  });

  test('a full pool holds writes, but not those that may pass', () => {
    history.advance((increment) => {
      const pool = history.map.pools.get(DATA)!;
      increment.newPools.set(DATA, { ...pool, flags: pool.flags | PoolFlag.full });
    });
    objecter.handleOsdMap(history.full());
    submit(write('greeting'));
    expect(fake.take('osd_op')).toEqual([]);

    submit(write('greeting', DATA, { flags: OsdFlag.write | OsdFlag.fullForce }));

    expect(fake.take('osd_op')).toHaveLength(1);
  });

  test('objects that an OSD blocks wait until it unblocks them; then all is sent again, in order', () => {
    objecter.handleOsdMap(history.full());
    submit(write('greeting'));
    const [sent] = fake.take('osd_op');
    const { pgid, on, hash } = sent!;
    const whole = { begin: MIN_HOBJECT, end: MAX_HOBJECT };
    const block = { type: 'osd_backoff', pgid, epoch: NEWEST, op: 'block', id: 7n, ...whole } as const;
    fake.deliver(on, block);
    expect(fake.take('osd_backoff')).toMatchObject([{ op: 'ackBlock', id: 7n, pgid }]);
    submit(write('greeting'));
    submit(write('greeting', DATA, { locator: { pool: DATA, key: '', nspace: '', hash: BigInt(hash + 1) } }));
    expect(fake.take('osd_op').map(({ hash: other }) => other)).toEqual([hash + 1]);

    fake.deliver(on, { ...block, op: 'unblock' });

    expect(fake.take('osd_op').map(({ tid, retry }) => [tid, retry])).toEqual([
      [sent!.tid, 1],
      [sent!.tid + 1n, 0],
    ]);
  });

  test('one object may be blocked, and a broken session unblocks it', () => {
    objecter.handleOsdMap(history.full());
    submit(write('greeting'));
    const [sent] = fake.take('osd_op');
    const { pgid, on, hash } = sent!;
    const object = { ...MIN_HOBJECT, pool: DATA, name: 'greeting', snap: NOSNAP, hash };
    fake.deliver(on, { type: 'osd_backoff', pgid, epoch: NEWEST, op: 'block', id: 1n, begin: object, end: object });
    submit(write('greeting'));
    submit(write('another', DATA, { locator: { pool: DATA, key: '', nspace: '', hash: BigInt(hash) } }));
    expect(fake.take('osd_op').map(({ oid }) => oid)).toEqual(['another']);

    fake.reset(on);
    fake.advance(0.02);

    expect(fake.take('osd_op').map(({ oid }) => oid)).toEqual(['greeting', 'greeting', 'another']);
  });

  test('at most objecter_inflight_ops are under way', () => {
    objecter.handleOsdMap(history.full());
    for (let i = 0; i < 20; i++) submit(write(`object-${i}`));
    const sent = fake.take('osd_op');
    expect(sent).toHaveLength(8);

    fake.deliver(sent[0]!.on, replyTo(sent[0]!));

    expect(fake.take('osd_op')).toHaveLength(1);
  });
});

describe('pools', () => {
  test('one that no map has is looked for in the newest, then ENOENT', () => {
    objecter.handleOsdMap(history.full());
    const replies = submit(write('greeting', 77));
    expect(replies).toEqual([]);

    versionsAsked[0]!({ code: 0, newest: NEWEST + 1 });
    expect(replies).toEqual([]);
    history.advance();
    objecter.handleOsdMap(history.since(NEWEST + 1));

    expect(replies).toMatchObject([{ result: -2 }]);
  });

  test('one that is deleted ends its requests with ENOENT', () => {
    objecter.handleOsdMap(history.full());
    const replies = submit(write('greeting'));

    history.advance((increment) => increment.oldPools.add(DATA));
    objecter.handleOsdMap(history.since(NEWEST + 1));

    expect(replies).toMatchObject([{ result: -2 }]);
  });
});

test('a request with a timeout ends with ETIMEDOUT, one given up with ECANCELED', () => {
  const late = submit(write('greeting', DATA, { timeoutUs: 1_000_000 }));
  const given: ObjectReply[] = [];
  const tid = objecter.submit(write('greeting'), (reply) => void given.push(reply));

  fake.advance(1);
  objecter.cancel(tid);

  expect(late).toMatchObject([{ result: -110 }]);
  expect(given).toMatchObject([{ result: -125 }]);
});

test('an increment that is not what the message says is refused', () => {
  objecter.handleOsdMap(history.full());
  history.advance();
  history.advance();
  const message = history.since(NEWEST + 2);
  const shifted = new Map([...message.incrementals].map(([epoch, bytes]) => [epoch - 1, bytes]));

  objecter.handleOsdMap({ ...message, incrementals: shifted });

  expect(objecter.map?.epoch).toBe(NEWEST);
});

test('a listing visits PG after PG until the last', () => {
  objecter.handleOsdMap(history.full());
  const pages: ListPage[] = [];
  const list = (cursor = MIN_HOBJECT) =>
    listObjects(objecter, { pool: DATA, nspace: ALL_NAMESPACES, cursor, count: 10 }, (page) => void pages.push(page));
  const answer = (next: typeof MIN_HOBJECT) => {
    const [sent] = fake.take('osd_op');
    const output = new Encoder();
    output.struct(1, 1, () => {
      encodeHObject(output, next);
      output.list(['a'], (oid) => {
        output.rawString('');
        output.rawString(oid);
        output.rawString('');
      });
    });
    const reply = replyTo(sent!);
    fake.deliver(sent!.on, { ...reply, result: 1, ops: [{ ...reply.ops[0]!, output: output.finish() }] });
    return sent!.pgid.seed;
  };

  list();
  const first = answer({ ...MIN_HOBJECT, pool: DATA, hash: 4 });
  list(pages[0]!.next);
  const second = answer(MAX_HOBJECT);

  expect([first, second]).toEqual([0, 4]);
  expect(pages.map(({ objects, next }) => [objects.length, next === undefined])).toEqual([
    [1, false],
    [1, true],
  ]);
});

const event = fc.oneof(
  fc.record({ kind: fc.constant('submit' as const), oid: fc.constantFrom('a', 'b', 'c', 'd') }),
  fc.record({ kind: fc.constant('toggle' as const), osd: fc.nat(2) }),
  fc.record({ kind: fc.constant('deliverMaps' as const) }),
  fc.record({ kind: fc.constant('answer' as const), pick: fc.nat(7) }),
  fc.record({ kind: fc.constant('reset' as const), pick: fc.nat(3) }),
  fc.record({ kind: fc.constant('wait' as const) }),
);

test('whatever happens, every request is sent at most once a map or reset, answered once, and none is lost', () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 60 }), (events) => {
      fake = new FakeWorld();
      history = new MapHistory();
      objecter = makeObjecter(fake);
      objecter.handleOsdMap(history.full());
      let held = history.map.epoch;
      const answers = new Map<bigint, number>();
      const live = new Set<number>();
      const causes: number[] = [];
      const sendings = new Map<bigint, { retry: number; causes: number }>();
      const watch = () => {
        for (const { session } of fake.dialled)
          if (!fake.closed.includes(session) && !broken.has(session)) live.add(session);
        const batch = new Set<bigint>();
        for (const sent of fake.sent.splice(0)) {
          if (sent.message.type !== 'osd_op') continue;
          const { tid, retry } = sent.message;
          expect(batch.has(tid), 'sent twice at once').toBe(false);
          batch.add(tid);
          const before = sendings.get(tid);
          expect(retry).toBe(before === undefined ? 0 : before.retry + 1);
          if (before) expect(before.causes, 'sent again without a cause').toBeLessThan(causes.length);
          sendings.set(tid, { retry, causes: causes.length });
          inFlight.set(tid, { ...sent.message, on: sent.session });
        }
      };
      const broken = new Set<number>();
      const inFlight = new Map<bigint, OsdOpSent>();
      const answerOne = (sent: OsdOpSent) => {
        if (broken.has(sent.on) || fake.closed.includes(sent.on)) return;
        fake.deliver(sent.on, replyTo(sent));
      };
      for (const each of events) {
        if (each.kind === 'submit') {
          const tid: bigint = objecter.submit(
            write(each.oid),
            () => void answers.set(tid, (answers.get(tid) ?? 0) + 1),
          );
          answers.set(tid, 0);
        } else if (each.kind === 'toggle') {
          if ((history.map.osdState[each.osd]! & 2) !== 0) history.markDown(each.osd);
          else history.markUp(each.osd);
        } else if (each.kind === 'deliverMaps') {
          causes.push(1);
          objecter.handleOsdMap(history.since(held + 1));
          held = history.map.epoch;
        } else if (each.kind === 'answer') {
          const sent = [...inFlight.values()][each.pick];
          if (sent) answerOne(sent);
        } else if (each.kind === 'reset') {
          const session = [...live].filter((id) => !broken.has(id) && !fake.closed.includes(id))[each.pick];
          if (session !== undefined) {
            broken.add(session);
            causes.push(1);
            fake.reset(session);
          }
        } else fake.advance(0.5);
        watch();
      }
      // Everything is well again: all OSDs up, every sending answered.
      for (const osd of [0, 1, 2]) if ((history.map.osdState[osd]! & 2) === 0) history.markUp(osd);
      causes.push(1);
      objecter.handleOsdMap(history.since(held + 1));
      for (let round = 0; round < 3; round++) {
        watch();
        fake.advance(3);
        watch();
        for (const sent of inFlight.values()) answerOne(sent);
      }

      expect([...answers.values()].every((count) => count === 1)).toBe(true);
      expect(objecter.inflight).toBe(0);
    }),
    { numRuns: 150 },
  );
});

type OsdOpSent = Parameters<typeof replyTo>[0] & { readonly on: number };
