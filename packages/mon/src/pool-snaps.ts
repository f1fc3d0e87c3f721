/**
 * Snapshots of pools, as the map has them: made and removed by name (pool snapshots), or only numbered, for clients who keep
 * their own account of them (self-managed); a pool has one kind or the other (OSDMonitor::prepare_pool_op, pg_pool_t).
 *
 *   made --> removed: in the map's queue, and OSDs trim --> purged by every PG: out of the queue, remembered here for good
 */
import { Decoder, Encoder, type PoolId, type UTime } from '@spirula/encoding';
import {
  countSnaps,
  decodeSnapIntervals,
  encodeSnapIntervals,
  hasSnap,
  intersectSnaps,
  type OsdMap,
  type OsdMapIncremental,
  oneSnap,
  type Pool,
  PoolFlag,
  type SnapInterval,
  subtractSnaps,
  unionOfSnaps,
} from '@spirula/maps';
import type { MonStore, MonTransaction } from './mon-store.ts';

const PREFIX = 'osd_snap';
const PURGED = 'purged_';

export interface PoolSnapsHost {
  readonly store: MonStore;
  readonly map: OsdMap;
  /** What will make the next epoch. */
  readonly pending: OsdMapIncremental;
  pendingPool(id: PoolId): Pool | undefined;
  setPool(id: PoolId, pool: Pool): void;
  propose(): void;
  wall(): UTime;
}

export class PoolSnaps {
  readonly #host: PoolSnapsHost;
  /** Numbers that removals took: nothing was ever there, and without them what is purged would have holes for ever. */
  #pseudoPurged = new Map<PoolId, readonly SnapInterval[]>();

  constructor(host: PoolSnapsHost) {
    this.#host = host;
  }

  resetPending(): void {
    this.#pseudoPurged = new Map();
  }

  encodePending(transaction: MonTransaction): void {
    const { pending } = this.#host;
    for (const pool of new Set([...pending.newPurgedSnaps.keys(), ...this.#pseudoPurged.keys()])) {
      const added = unionOfSnaps(pending.newPurgedSnaps.get(pool) ?? [], this.#pseudoPurged.get(pool) ?? []);
      const to = new Encoder(64);
      encodeSnapIntervals(to, unionOfSnaps(this.#purged(pool), added));
      transaction.put(PREFIX, PURGED + pool, to.finish());
    }
    for (const pool of pending.oldPools) transaction.del(PREFIX, PURGED + pool);
  }

  /** The snapshot of that name, as the pool will be; undefined without. */
  find(id: PoolId, name: string): bigint | undefined {
    const snaps = this.#host.pendingPool(id)?.snaps.values() ?? [];
    return [...snaps].find((snap) => snap.name === name)?.id;
  }

  /** Makes a pool snapshot. The pool is not one of self-managed snapshots, and has none of this name. */
  make(id: PoolId, name: string): void {
    const pool = this.#host.pendingPool(id)!;
    const snap = pool.snapSeq + 1n;
    const snaps = new Map(pool.snaps).set(snap, { id: snap, stamp: this.#host.wall(), name });
    this.#change(id, { ...pool, flags: pool.flags | PoolFlag.poolSnaps, snapSeq: snap, snaps });
  }

  /** Removes a pool snapshot. */
  remove(id: PoolId, snap: bigint): void {
    const pool = this.#host.pendingPool(id)!;
    const snaps = new Map(pool.snaps);
    snaps.delete(snap);
    this.#change(id, { ...pool, snapSeq: pool.snapSeq + 1n, snaps });
    this.#queue(id, snap);
  }

  /** Gives away the number of a self-managed snapshot. The pool has no pool snapshots. */
  allocate(id: PoolId): bigint {
    const pool = this.#host.pendingPool(id)!;
    // The first is 2: what a pool of old began with has no name.
    const snap = (pool.snapSeq === 0n ? 1n : pool.snapSeq) + 1n;
    this.#change(id, { ...pool, flags: pool.flags | PoolFlag.selfmanagedSnaps, snapSeq: snap });
    return snap;
  }

  /** Removes a self-managed snapshot. */
  release(id: PoolId, snap: bigint): void {
    const pool = this.#host.pendingPool(id)!;
    const seq = pool.snapSeq + 1n;
    this.#change(id, { ...pool, snapSeq: seq });
    this.#queue(id, snap);
    this.#pseudoPurged.set(id, unionOfSnaps(this.#pseudoPurged.get(id) ?? [], oneSnap(seq)));
  }

  /** Whether it is removed already, or about to be. */
  isRemoved(id: PoolId, snap: bigint): boolean {
    const { map, pending } = this.#host;
    const sets = [map.removedSnapsQueue.get(id), pending.newRemovedSnaps.get(id), this.#purged(id)];
    return sets.some((snaps) => hasSnap(snaps ?? [], snap));
  }

  /**
   * Takes from the queue what every PG of a pool has trimmed (OSDMonitor::try_prune_purged_snaps), at most so many at a
   * time.
   */
  prune(purgedByAll: ReadonlyMap<PoolId, readonly SnapInterval[]>, most: number): void {
    const { map, pending } = this.#host;
    if (pending.newPurgedSnaps.size > 0) return;
    let room = most;
    for (const [id, purged] of purgedByAll) {
      const news = subtractSnaps(purged, this.#purged(id));
      const due = firstSnaps(intersectSnaps(news, map.removedSnapsQueue.get(id) ?? []), room);
      if (due.length === 0) continue;
      pending.newPurgedSnaps.set(id, due);
      room -= countSnaps(due);
    }
    if (pending.newPurgedSnaps.size > 0) this.#host.propose();
  }

  #purged(id: PoolId): SnapInterval[] {
    const bytes = this.#host.store.get(PREFIX, PURGED + id);
    return bytes === undefined ? [] : decodeSnapIntervals(new Decoder(bytes), 'purged snaps');
  }

  #change(id: PoolId, pool: Pool): void {
    this.#host.setPool(id, { ...pool, snapEpoch: this.#host.pending.epoch });
  }

  #queue(id: PoolId, snap: bigint): void {
    const { newRemovedSnaps } = this.#host.pending;
    newRemovedSnaps.set(id, unionOfSnaps(newRemovedSnaps.get(id) ?? [], oneSnap(snap)));
  }
}

/** The first so many. */
function firstSnaps(snaps: readonly SnapInterval[], most: number): SnapInterval[] {
  let room = BigInt(Math.max(0, most));
  return snaps.flatMap(({ start, length }) => {
    const taken = length < room ? length : room;
    room -= taken;
    return taken > 0n ? [{ start, length: taken }] : [];
  });
}
