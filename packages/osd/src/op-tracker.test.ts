import { AddrType } from '@spirula/encoding';
import { OsdFlag, OsdOpCode, type OsdOpMessage } from '@spirula/messages';
import { makeConfig, SECOND } from '@spirula/world';
import { expect, test } from 'vitest';
import type { ClientOp } from './client-op.ts';
import { OpTracker } from './op-tracker.ts';

function makeTracker(overrides = {}) {
  let now = 0;
  const clock = {
    now: () => now,
    wall: () => ({ sec: 1_700_000_000 + now / SECOND, nsec: 0 }),
    arm: () => {},
    disarm: () => {},
  };
  const tracker = new OpTracker(clock, makeConfig(overrides));
  return { tracker, pass: (seconds: number) => (now += seconds * SECOND) };
}

function makeOp(tid: bigint, flags: number = OsdFlag.read): ClientOp {
  const addr = { type: AddrType.v2, nonce: 0, family: 2, ip: '10.0.0.1', port: 1 } as const;
  const reqid = { entityType: 8, entityNum: 4123n, tid, inc: 0 };
  const pgid = { pool: 1, seed: 7 };
  const message = { ops: [{ code: OsdOpCode.read }], oid: 'a', pgid, epoch: 5, flags } as unknown as OsdOpMessage;
  return { reqid, message, bytes: 10, client: { addr } } as unknown as ClientOp;
}

test('a request counts as slow after osd_op_complaint_time, until it is answered', () => {
  const { tracker, pass } = makeTracker({ osd_op_complaint_time: 30 });
  const [first, second] = [makeOp(1n), makeOp(2n)];

  tracker.begin(first);
  pass(20);
  tracker.begin(second);
  pass(11);
  expect(tracker.slowOps()).toEqual({ count: 1, oldestSeconds: 31 });
  expect(tracker.dumpBlocked()).toMatchObject({ complaint_time: 30, num_blocked_ops: 1 });
  tracker.end(first);
  expect(tracker.slowOps()).toEqual({ count: 0, oldestSeconds: 0 });
  expect(tracker.dumpUnderWay()).toMatchObject({ num_ops: 1 });
});

test('the newest requests are remembered, for a while, and the slow ones for longer', () => {
  const { tracker, pass } = makeTracker({
    osd_op_history_size: 2,
    osd_op_history_duration: 100,
    osd_op_history_slow_op_threshold: 10,
  });
  const took = [12, 1, 3];

  for (const [i, seconds] of took.entries()) {
    const op = makeOp(BigInt(i));
    tracker.begin(op);
    tracker.mark(op, 'queued_for_pg');
    pass(seconds);
    tracker.end(op);
  }
  expect(tracker.dumpHistory('arrival').ops.map(({ duration }) => duration)).toEqual([1, 3]);
  expect(tracker.dumpHistory('duration').ops.map(({ duration }) => duration)).toEqual([3, 1]);
  expect(tracker.dumpSlowHistory().Ops).toMatchObject([
    {
      description: 'osd_op(client.4123.0:0 1.7 a [read] e5)',
      duration: 12,
      type_data: {
        events: [{ event: 'initiated' }, { event: 'queued_for_pg', duration: 0 }, { event: 'done', duration: 12 }],
      },
    },
  ]);
  pass(101);
  expect(tracker.dumpHistory('arrival').ops).toEqual([]);
});

test('reads and writes are counted, with their time', () => {
  const { tracker, pass } = makeTracker();

  for (const flags of [OsdFlag.read, OsdFlag.write]) {
    const op = makeOp(1n, flags);
    tracker.begin(op);
    pass(2);
    tracker.end(op);
  }
  expect(tracker.totals).toEqual({ count: 2, reads: 1, writes: 1, inBytes: 20, seconds: 4 });
});

test('nothing is watched when osd_enable_op_tracker is off', () => {
  const { tracker } = makeTracker({ osd_enable_op_tracker: false });

  tracker.begin(makeOp(1n));
  expect(tracker.count).toBe(0);
});
