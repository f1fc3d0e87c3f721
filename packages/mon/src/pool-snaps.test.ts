import type { Bytes } from '@spirula/encoding';
import {
  applyIncremental,
  emptyIncremental,
  emptyOsdMap,
  newPool,
  type OsdMap,
  type Pool,
  PoolFlag,
} from '@spirula/maps';
import { PoolOpCode, type PoolOpMessage } from '@spirula/messages';
import { makeConfig } from '@spirula/world';
import { expect, test } from 'vitest';
import type { MonStore, MonTransaction } from './mon-store.ts';
import type { OsdMonitor } from './osd-monitor.ts';
import { runPoolOp } from './pool-ops.ts';
import { PoolSnaps } from './pool-snaps.ts';

const POOL = 1;
const fsid = new Uint8Array(16);

/** One pool, as the leader has it between proposals. */
class Bench {
  map: OsdMap;
  pending = emptyIncremental(fsid, 2);
  dirty = false;
  readonly snaps: PoolSnaps;
  readonly #stored = new Map<string, Bytes>();

  constructor() {
    const at = { sec: 1, nsec: 0 };
    const shape = {
      size: 3,
      minSize: 2,
      crushRule: 0,
      pgNum: 8,
      pgpNum: 8,
      flags: PoolFlag.hashpspool,
      pgAutoscaleMode: 0,
      epoch: 1,
      createTime: at,
      expectedNumObjects: 0,
      opts: new Map(),
    };
    const pools = new Map<number, Pool>([[POOL, newPool(shape)]]);
    this.map = { ...emptyOsdMap(fsid), epoch: 1, pools };
    const self = this;
    this.snaps = new PoolSnaps({
      store: { get: (_prefix: string, key: string) => this.#stored.get(key) } as unknown as MonStore,
      get map() {
        return self.map;
      },
      get pending() {
        return self.pending;
      },
      pendingPool: (id) => this.pendingPool(id),
      setPool: (id, pool) => void this.pending.newPools.set(id, pool),
      propose: () => {
        this.dirty = true;
      },
      wall: () => ({ sec: 5, nsec: 0 }),
    });
  }

  pendingPool(id: number): Pool | undefined {
    return this.pending.newPools.get(id) ?? this.map.pools.get(id);
  }

  commit(): void {
    const put = (_prefix: string, key: string, value: Bytes) => void this.#stored.set(key, value);
    this.snaps.encodePending({ put } as unknown as MonTransaction);
    this.map = applyIncremental(this.map, this.pending);
    this.pending = emptyIncremental(fsid, this.map.epoch + 1);
    this.snaps.resetPending();
    this.dirty = false;
  }

  run(op: number, { name = '', snapid = 0n, pool = POOL } = {}): number {
    const message: PoolOpMessage = { type: 'pool_op', tid: 1n, fsid, pool, op, snapid, name, crushRule: 0 };
    const { code } = runPoolOp(message, {
      osd: this as unknown as OsdMonitor,
      config: makeConfig(),
      wallSeconds: () => 5,
    });
    this.commit();
    return code;
  }

  get pool(): Pool {
    return this.map.pools.get(POOL)!;
  }

  get queue(): unknown {
    return this.map.removedSnapsQueue.get(POOL);
  }
}

const { createSnap, deleteSnap, createUnmanagedSnap, deleteUnmanagedSnap } = PoolOpCode;

test('pool snapshots have names, and removals take numbers, too', () => {
  const bench = new Bench();

  expect(bench.run(createSnap, { name: 'a' })).toBe(0);
  expect(bench.run(createSnap, { name: 'a' })).toBe(0);
  expect(bench.pool).toMatchObject({ snapSeq: 1n, snapEpoch: 2, flags: PoolFlag.hashpspool | PoolFlag.poolSnaps });
  expect([...bench.pool.snaps.values()]).toEqual([{ id: 1n, name: 'a', stamp: { sec: 5, nsec: 0 } }]);
  expect(bench.run(deleteSnap, { name: 'a' })).toBe(0);
  expect(bench.run(deleteSnap, { name: 'a' })).toBe(0);
  expect(bench.pool).toMatchObject({ snapSeq: 2n, snaps: new Map() });
  expect(bench.queue).toEqual([{ start: 1n, length: 1n }]);
});

test('self-managed snapshots begin with 2; what is not theirs to remove is refused', () => {
  const bench = new Bench();

  expect(bench.run(deleteUnmanagedSnap, { snapid: 1n })).toBe(-95);
  expect(bench.run(createUnmanagedSnap)).toBe(0);
  expect(bench.pool).toMatchObject({ snapSeq: 2n, flags: PoolFlag.hashpspool | PoolFlag.selfmanagedSnaps });
  expect(bench.run(deleteUnmanagedSnap, { snapid: 9n })).toBe(-2);
  expect(bench.run(deleteUnmanagedSnap, { snapid: 2n })).toBe(0);
  expect(bench.run(deleteUnmanagedSnap, { snapid: 2n })).toBe(0);
  expect(bench.pool.snapSeq).toBe(3n);
  expect(bench.run(createSnap, { pool: 7 })).toBe(-2);
});

test('a pool has one kind of snapshots', () => {
  const [named, numbered] = [new Bench(), new Bench()];
  named.run(createSnap, { name: 'a' });
  numbered.run(createUnmanagedSnap);

  expect(named.run(createUnmanagedSnap)).toBe(-22);
  expect(named.run(deleteUnmanagedSnap, { snapid: 1n })).toBe(-22);
  expect(numbered.run(createSnap, { name: 'a' })).toBe(-22);
  expect(numbered.run(deleteSnap, { name: 'a' })).toBe(-22);
});

test('what every PG has purged leaves the queue, so many at a time, and stays removed', () => {
  const bench = new Bench();
  for (let i = 0; i < 3; i++) bench.run(createUnmanagedSnap);
  for (const snapid of [2n, 3n, 4n]) bench.run(deleteUnmanagedSnap, { snapid });
  const purged = new Map([[POOL, [{ start: 2n, length: 3n }]]]);

  bench.snaps.prune(purged, 2);
  expect(bench.dirty).toBe(true);
  bench.commit();
  expect(bench.queue).toEqual([{ start: 4n, length: 1n }]);
  expect(bench.map.newPurgedSnaps.get(POOL)).toEqual([{ start: 2n, length: 2n }]);
  bench.snaps.prune(purged, 2);
  bench.commit();
  expect(bench.queue).toBeUndefined();
  bench.snaps.prune(purged, 2);

  expect(bench.dirty).toBe(false);
  for (const snap of [2n, 3n, 4n]) expect(bench.snaps.isRemoved(POOL, snap)).toBe(true);
  // The numbers that the removals took are as if purged: there are no holes.
  expect([5n, 6n, 7n].every((snap) => bench.snaps.isRemoved(POOL, snap))).toBe(true);
});
