import { OsdCaps } from '@spirula/auth';
import { builtinClasses, ClassRegistry } from '@spirula/cls';
import { EMPTY, Errno, type EVersion, utf8 } from '@spirula/encoding';
import { EBLOCKLISTED, PoolFlag } from '@spirula/maps';
import {
  callOp,
  extentOp,
  NOSNAP,
  OsdFlag,
  type OsdOp,
  OsdOpCode,
  type OsdOpReply,
  plainOp,
  WatchOp,
  watchOp,
} from '@spirula/messages';
import { makeConfig } from '@spirula/world';
import { describe, expect, test } from 'vitest';
import type { Backfill } from './backfill.ts';
import type { ClientOp } from './client-op.ts';
import { ClientOps } from './client-ops.ts';
import { DynamicPerfStats } from './dynamic-perf-stats.ts';
import { NO_IO } from './ops/io-count.ts';
import type { PgCore } from './pg-core.ts';
import { emptyInfo } from './pg-info.ts';
import { PgLog } from './pg-log.ts';
import type { Recovery } from './recovery.ts';
import type { ReplicatedBackend } from './replicated-backend.ts';

const pgid = { pool: 1, seed: 0 };

/** A PG of one object that does not exist, with the writes that are under way. */
class Bench {
  readonly replies: bigint[] = [];
  readonly results: number[] = [];
  /** What was answered to each op. */
  readonly answers: OsdOpReply['ops'][] = [];
  isFailsafeFull = false;
  /** Requests that ended, answered or not. */
  done = 0;
  readonly log = new PgLog();
  readonly commits: (() => void)[] = [];
  readonly pool = { pgNum: 1, size: 1, lastForceResend: 0, flags: 0n };
  /** Version of the newest write that is durable everywhere. */
  committed = 0;
  isReadable = true;
  /** The epoch in which the PG's interval began. */
  readonly interval = 5;
  readonly blocklist: (readonly [object, object])[] = [];
  readonly ops: ClientOps;
  caps = OsdCaps.everything;
  readonly perf = new DynamicPerfStats();
  now = 0;
  #arrivals = 0;

  constructor() {
    const self = this;
    const core = {
      isPrimary: true,
      pgid,
      cid: '1.0',
      epoch: 5,
      map: { blocklist: this.blocklist, pools: new Map(), poolNames: new Map([[1, 'p']]) },
      acting: [0],
      pool: this.pool,
      info: emptyInfo(pgid, { ...emptyInfo(pgid).history, sameIntervalSince: this.interval }),
      log: this.log,
      host: {
        world: { config: makeConfig(), clock: { now: () => this.now } },
        perf: this.perf,
        get isFailsafeFull() {
          return self.isFailsafeFull;
        },
        store: { getAttr: () => undefined, getAttrs: () => new Map(), stat: () => undefined },
        classes: new ClassRegistry(builtinClasses, { loadList: '*', defaultList: '*' }),
        reply: (_: number, { tid, result, ops }: OsdOpReply) => {
          this.answers.push(ops);
          this.replies.push(tid);
          this.results.push(result);
        },
      },
    } as unknown as PgCore;
    const backend = {
      nextVersion: () => ({ epoch: 5, version: this.commits.length + 1 }),
      isCommitted: ({ version }: EVersion) => version <= this.committed,
      submit: (...[entries, , , , , onCommit]: Parameters<ReplicatedBackend['submit']>) => {
        for (const entry of entries) this.log.append(entry);
        this.commits.push(onCommit);
      },
    } as unknown as ReplicatedBackend;
    const recovery = { isMissing: () => false, isDegraded: () => false, isNeeded: false } as unknown as Recovery;
    const backfill = { isBusy: () => false, isNeeded: false } as unknown as Backfill;
    const host = {
      isActive: true,
      isReadable: () => this.isReadable,
      onDone: () => {
        this.done += 1;
      },
      filterSnaps: (snaps: readonly bigint[]) => snaps,
    };
    this.ops = new ClientOps(core, host, backend, recovery, backfill);
  }

  /** @param epoch the newest map that the client had */
  ask(
    op: OsdOp,
    epoch = this.interval,
    { tid, flags = 0, oid = 'object' }: { tid?: number; flags?: number; oid?: string } = {},
  ): void {
    const arrival = this.#arrivals++;
    const number = BigInt(tid ?? arrival);
    const message = {
      type: 'osd_op',
      tid: number,
      pgid,
      hash: 0,
      epoch,
      flags,
      mtime: { sec: 1, nsec: 0 },
      locator: { pool: 1, key: '', nspace: '', hash: -1n },
      oid,
      ops: [op],
      snapid: NOSNAP,
      snapSeq: 0n,
      snaps: [],
      retry: 0,
    };
    const client = { session: 1, addr: { ip: '10.0.0.1', port: 0, nonce: arrival } };
    this.ops.handle({
      session: 1,
      client,
      caps: this.caps,
      message,
      reqid: { entityType: 8, entityNum: 1n, tid: number, inc: 0 },
      arrival,
      bytes: 0,
      arrivedAt: this.perf.isEnabled ? this.now : undefined,
    } as unknown as ClientOp);
  }
}

const write = extentOp(OsdOpCode.writefull, 0, 1, new Uint8Array(1));
const read = extentOp(OsdOpCode.read, 0, 0);

test('requests keep their order when one that waited for a write then waits for the lease', () => {
  const bench = new Bench();
  bench.ask(write);
  bench.ask(read);
  bench.isReadable = false;
  bench.ask(read);
  bench.commits[0]!();
  bench.isReadable = true;
  bench.ops.onReadable();

  expect(bench.replies).toEqual([0n, 1n, 2n]);
});

test('a ping from before the interval is not answered: its client has yet to connect the watch again', () => {
  const bench = new Bench();
  const ping = watchOp({ cookie: 1n, ver: 0n, op: WatchOp.ping, gen: 0, timeout: 0 });

  bench.ask(ping, bench.interval - 1);
  bench.ask(ping, bench.interval);

  expect([bench.replies, bench.results]).toEqual([[1n], [Errno.ENOENT]]);
});

test('requests of blocklisted clients are refused', () => {
  const bench = new Bench();
  bench.blocklist.push([{ ip: '10.0.0.1', port: 0, nonce: 1 }, {}]);
  for (let arrival = 0; arrival < 3; arrival++) bench.ask(read);

  expect(bench.results).toEqual([Errno.ENOENT, EBLOCKLISTED, Errno.ENOENT]);
});

test('what becomes of requests on an image is counted while a manager asks', () => {
  const bench = new Bench();
  const oid = 'rbd_data.abc.0';
  bench.ask(write, bench.interval, { oid });
  bench.perf.setQueries([{ id: 1, pool: undefined, namespace: undefined, maxImages: 1 }]);
  for (let i = 0; i < 2; i++) bench.ask(write, bench.interval, { oid });
  bench.now = 4;
  for (const commit of bench.commits.slice(0, 2)) commit();
  // There is no object to be read.
  bench.ask(read, bench.interval, { oid: 'rbd_data.abc.1' });

  const counters = { writeOps: 1, readOps: 0, writeBytes: 1, readBytes: 0, writeLatency: 4000, readLatency: 0 };
  expect(bench.perf.takeReports()).toEqual([{ query: 1, images: [{ pool: 1, namespace: '', id: 'abc', counters }] }]);
});

test('what capabilities do not allow is refused, also when it had to wait before', () => {
  const bench = new Bench();
  bench.caps = OsdCaps.parse('allow r pool=p');
  bench.isReadable = false;
  bench.ask(write);
  bench.ask(read);
  bench.isReadable = true;
  bench.ops.onReadable();
  bench.caps = OsdCaps.parse('allow rw pool=q');
  bench.ask(read);

  expect(bench.results).toEqual([Errno.EPERM, Errno.ENOENT, Errno.EPERM]);
  expect(bench.commits).toEqual([]);
});

describe('a write that is sent again', () => {
  const call = callOp('hello', 'write_return_data');
  const first = { rval: 42, output: utf8('you might see this') };

  test.each(['while it is under way', 'when it is done'])('is answered op by op as the first time, %s', (when) => {
    const bench = new Bench();
    bench.ask(call, bench.interval, { tid: 7, flags: OsdFlag.returnvec });
    if (when === 'when it is done') bench.committed = 1;
    if (when === 'when it is done') bench.commits[0]!();
    bench.ask(call, bench.interval, { tid: 7, flags: OsdFlag.returnvec });
    if (when === 'while it is under way') bench.commits[0]!();

    expect(bench.commits).toHaveLength(1);
    expect(bench.results).toEqual([42, 42]);
    expect(bench.answers).toMatchObject([[first], [first]]);
  });

  test('is told no more than the first time when its client asked for no answers', () => {
    const bench = new Bench();
    bench.ask(call, bench.interval, { tid: 7 });
    bench.committed = 1;
    bench.commits[0]!();
    bench.ask(call, bench.interval, { tid: 7 });

    expect(bench.results).toEqual([0, 0]);
    expect(bench.answers[1]).toMatchObject([{ rval: 0, output: EMPTY }]);
    expect(bench.log.entries[0]).not.toHaveProperty('opReturns');
  });

  test.each(['while it is under way', 'when it is done'])(
    'and failed fails again, though the object is there now, %s',
    (when) => {
      const bench = new Bench();
      const remove = plainOp(OsdOpCode.delete);
      bench.ask(remove, bench.interval, { tid: 7 });
      bench.ask(write, bench.interval, { tid: 8 });
      if (when === 'when it is done') {
        bench.committed = 2;
        for (const commit of bench.commits) commit();
      }
      bench.ask(remove, bench.interval, { tid: 7 });
      if (when === 'while it is under way') for (const commit of bench.commits) commit();

      expect(bench.log.entries.map(({ kind, result }) => [kind, result])).toEqual([
        ['error', Errno.ENOENT],
        ['modify', 0],
      ]);
      expect([...bench.results].sort()).toEqual([Errno.ENOENT, Errno.ENOENT, 0]);
    },
  );
});

test('what is answered at once counts as read, unless it failed', () => {
  const bench = new Bench();
  bench.ask(read);
  bench.ask(callOp('hello', 'say_hello'));

  expect([bench.results, bench.ops.io]).toEqual([[Errno.ENOENT, Errno.ENOENT], NO_IO]);
});

test('a write over quota is answered before those under way, which its client has sent without waiting', () => {
  const bench = new Bench();
  bench.ask(write);
  bench.pool.flags = PoolFlag.full | PoolFlag.fullQuota;
  bench.ask(write, bench.interval, { flags: OsdFlag.fullTry });
  bench.commits[0]!();

  expect([bench.replies, bench.results]).toEqual([
    [1n, 0n],
    [Errno.EDQUOT, 0],
  ]);
});

describe('an OSD over its failsafe ratio', () => {
  test('drops writes without a word, answers reads, and takes what asks for an answer', () => {
    const bench = new Bench();
    bench.isFailsafeFull = true;
    const write = plainOp(OsdOpCode.create);

    bench.ask(write);
    expect([bench.commits.length, bench.results, bench.done]).toEqual([0, [], 1]);
    bench.ask(plainOp(OsdOpCode.stat));
    expect(bench.results).toEqual([Errno.ENOENT]);
    bench.ask(write, bench.interval, { flags: OsdFlag.fullForce });
    expect(bench.commits).toHaveLength(0);
    bench.ask(write, bench.interval, { flags: OsdFlag.fullTry });
    expect(bench.commits).toHaveLength(1);
  });
});
