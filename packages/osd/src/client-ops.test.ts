import { OsdCaps } from '@spirula/auth';
import { Errno } from '@spirula/encoding';
import { EBLOCKLISTED } from '@spirula/maps';
import { extentOp, NOSNAP, type OsdOp, OsdOpCode, type OsdOpReply, WatchOp, watchOp } from '@spirula/messages';
import { makeConfig } from '@spirula/world';
import { expect, test } from 'vitest';
import type { Backfill } from './backfill.ts';
import { type ClientOp, ClientOps } from './client-ops.ts';
import type { PgCore } from './pg-core.ts';
import { emptyInfo } from './pg-info.ts';
import type { Recovery } from './recovery.ts';
import type { ReplicatedBackend } from './replicated-backend.ts';

const pgid = { pool: 1, seed: 0 };

/** A PG of one object that does not exist, with the writes that are under way. */
class Bench {
  readonly replies: bigint[] = [];
  readonly results: number[] = [];
  readonly commits: (() => void)[] = [];
  isReadable = true;
  /** The epoch in which the PG's interval began. */
  readonly interval = 5;
  readonly blocklist: (readonly [object, object])[] = [];
  readonly ops: ClientOps;
  caps = OsdCaps.everything;
  #arrivals = 0;

  constructor() {
    const core = {
      isPrimary: true,
      pgid,
      cid: '1.0',
      epoch: 5,
      map: { blocklist: this.blocklist, pools: new Map(), poolNames: new Map([[1, 'p']]) },
      acting: [0],
      pool: { pgNum: 1, size: 1, lastForceResend: 0, flags: 0n },
      info: emptyInfo(pgid, { ...emptyInfo(pgid).history, sameIntervalSince: this.interval }),
      log: { findRequest: () => undefined },
      host: {
        world: { config: makeConfig() },
        store: { getAttr: () => undefined, stat: () => undefined },
        reply: (_: number, { tid, result }: OsdOpReply) => {
          this.replies.push(tid);
          this.results.push(result);
        },
      },
    } as unknown as PgCore;
    const backend = {
      nextVersion: () => ({ epoch: 5, version: this.commits.length + 1 }),
      isCommitted: () => true,
      submit: (...args: Parameters<ReplicatedBackend['submit']>) => this.commits.push(args[5]),
    } as unknown as ReplicatedBackend;
    const recovery = { isMissing: () => false, isDegraded: () => false, isNeeded: false } as unknown as Recovery;
    const backfill = { isBusy: () => false, isNeeded: false } as unknown as Backfill;
    const host = {
      isActive: true,
      isReadable: () => this.isReadable,
      onDone: () => {},
      filterSnaps: (snaps: readonly bigint[]) => snaps,
    };
    this.ops = new ClientOps(core, host, backend, recovery, backfill);
  }

  /** @param epoch the newest map that the client had */
  ask(op: OsdOp, epoch = this.interval): void {
    const arrival = this.#arrivals++;
    const message = {
      type: 'osd_op',
      tid: BigInt(arrival),
      pgid,
      hash: 0,
      epoch,
      flags: 0,
      mtime: { sec: 1, nsec: 0 },
      locator: { pool: 1, key: '', nspace: '', hash: -1n },
      oid: 'object',
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
      reqid: { tid: BigInt(arrival) },
      arrival,
      bytes: 0,
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
