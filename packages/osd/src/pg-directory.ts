/**
 * The PGs of an OSD: reads them from the store, has them follow the maps, and decides which begin and end here.
 *
 * A PG begins on the members of the acting set its pool is created with. Elsewhere it begins when a holder tells the new
 * primary of it, or the primary tells a new member. A primary that nobody tells, though it knows the pool's whole history,
 * begins it from that history: peering then asks all who may have it.
 */
import { comparePgIds, type Epoch, formatPgId, type OsdId, type PgId, parsePgId } from '@spirula/encoding';
import { mapPg, type OsdMap, type PgKey, type Pool, PoolType, pgKey } from '@spirula/maps';
import type { OsdPeerMessage, PastInterval, PgHistory } from '@spirula/messages';
import type { TransactionOp } from '@spirula/objectstore';
import { invariant } from '@spirula/world';
import type { ClientOp } from './client-op.ts';
import { pgMetaOid } from './object-id.ts';
import type { OsdMapStore } from './osd-map-store.ts';
import { META_CID } from './osd-superblock.ts';
import { Pg } from './pg.ts';
import type { PgHost } from './pg-host.ts';
import { emptyInfo, NO_HISTORY, NO_VERSION } from './pg-info.ts';

/** Objects removed in one transaction. */
const REMOVE_BATCH = 64;

export class PgDirectory {
  readonly #host: PgHost;
  readonly #maps: OsdMapStore;
  readonly #onDone: (op: ClientOp) => void;
  readonly #pgs = new Map<PgKey, Pg>();
  readonly #removing = new Set<PgKey>();
  #searchedAt: Epoch = 0;

  constructor(host: PgHost, maps: OsdMapStore, onDone: (op: ClientOp) => void) {
    this.#host = host;
    this.#maps = maps;
    this.#onDone = onDone;
  }

  all(): Iterable<Pg> {
    return this.#pgs.values();
  }

  get count(): number {
    return this.#pgs.size;
  }

  get(pgid: PgId): Pg | undefined {
    return this.#pgs.get(pgKey(pgid));
  }

  /** The oldest epoch that a stored PG may still need. */
  oldestEpochNeeded(): Epoch {
    let oldest = this.#maps.newest;
    for (const pg of this.#pgs.values()) oldest = Math.min(oldest, pg.core.persistedEpoch);
    return oldest;
  }

  // From the store.

  load(): void {
    const { store } = this.#host;
    const pgids = store.collections().flatMap((cid) => (cid === META_CID ? [] : (parsePgId(cid) ?? [])));
    for (const pgid of [...pgids].sort(comparePgIds)) this.#loadPg(pgid);
  }

  #loadPg(pgid: PgId): void {
    const { store } = this.#host;
    const stored = store.omapList(formatPgId(pgid), pgMetaOid(pgid), '_epoch', 1);
    if (stored.size === 0 || this.#maps.newest === 0) {
      // Its removal was under way.
      this.#removing.add(pgKey(pgid));
      this.#removeSome(pgid);
      return;
    }
    const current = this.#maps.current!;
    // What the PG knows of the map it was stored under, and then follows from there.
    const probe = this.#make(pgid, current, current.pools.get(pgid.pool));
    if (!probe) {
      this.#beginRemoval(pgid);
      return;
    }
    probe.load();
    const map = this.#mapFrom(probe.core.persistedEpoch);
    const pool = map.pools.get(pgid.pool);
    invariant(pool !== undefined, 'a stored PG has its pool in the map of its epoch');
    const { core } = probe;
    core.map = map;
    core.pool = pool;
    core.placement = mapPg(map, pgid);
    this.#pgs.set(pgKey(pgid), probe);
    // Its own epoch is gone: whatever happened since counts as a change.
    const { persistedEpoch } = core;
    if (map.epoch > persistedEpoch) this.#advance(probe, map, { ...map, epoch: persistedEpoch });
    this.#follow(probe, map);
    if (this.#pgs.has(pgKey(pgid))) probe.activateMap();
  }

  /** The map of `epoch`, or, where it is gone, the oldest after it. */
  #mapFrom(epoch: Epoch): OsdMap {
    for (let at = Math.max(epoch, this.#maps.oldest); at <= this.#maps.newest; at++) {
      const map = this.#maps.at(at);
      if (map) return map;
    }
    invariant(false, 'the newest map is there');
  }

  // Maps.

  /** The maps of one message, in order, each already the newest of the store when this is called for the last. */
  onMaps(maps: readonly OsdMap[], before: OsdMap | undefined): void {
    let last = before;
    for (const map of maps) {
      for (const pg of [...this.#pgs.values()]) this.#advance(pg, map, last ?? map);
      this.#beginNewPools(map, last);
      last = map;
    }
    for (const pg of this.#pgs.values()) pg.activateMap();
  }

  #advance(pg: Pg, map: OsdMap, lastMap: OsdMap): void {
    const pool = map.pools.get(pg.pgid.pool);
    if (!pool) this.#beginRemoval(pg.pgid);
    else if (lastMap !== map) pg.advanceMap(map, lastMap, mapPg(map, pg.pgid), pool);
  }

  /** Takes a PG from `from` to the newest map. */
  #follow(pg: Pg, from: OsdMap): void {
    let last = from;
    for (let epoch = from.epoch + 1; epoch <= this.#maps.newest; epoch++) {
      const map = this.#maps.at(epoch);
      if (!map || !this.#pgs.has(pgKey(pg.pgid))) continue;
      this.#advance(pg, map, last);
      last = map;
    }
  }

  #beginNewPools(map: OsdMap, last: OsdMap | undefined): void {
    for (const [id, pool] of map.pools) {
      if (pool.type !== PoolType.replicated) continue;
      const before = last?.pools.get(id);
      if (before || this.#maps.poolCreated(id) !== map.epoch) continue;
      for (let seed = 0; seed < pool.pgNum; seed++) {
        const pgid = { pool: id, seed };
        const { up, acting } = mapPg(map, pgid);
        const { whoami } = this.#host;
        if (acting.includes(whoami) || up.includes(whoami)) this.#begin(pgid, map, newHistory(map.epoch), []);
      }
    }
  }

  /**
   * Looks for PGs that this OSD is primary of and does not have, of pools whose every map since their creation is here.
   * Call now and then: mostly somebody tells of them first.
   */
  searchUnbegun(): void {
    const { current } = this.#maps;
    if (!current || current.epoch === this.#searchedAt) return;
    this.#searchedAt = current.epoch;
    for (const [id, pool] of current.pools) {
      const created = this.#maps.poolCreated(id);
      if (pool.type !== PoolType.replicated || created === undefined) continue;
      for (let seed = 0; seed < pool.pgNum; seed++) {
        const pgid = { pool: id, seed };
        if (this.#pgs.has(pgKey(pgid)) || mapPg(current, pgid).actingPrimary !== this.#host.whoami) continue;
        const map = this.#maps.at(created);
        if (map) this.#beginAndFollow(pgid, map, newHistory(created), []);
      }
    }
  }

  #make(pgid: PgId, map: OsdMap, pool: Pool | undefined): Pg | undefined {
    if (!pool || pool.type !== PoolType.replicated || pgid.seed >= pool.pgNum) return undefined;
    return new Pg(this.#host, pgid, map, pool, mapPg(map, pgid), this.#onDone);
  }

  #begin(pgid: PgId, map: OsdMap, history: PgHistory, pastIntervals: readonly PastInterval[]): Pg | undefined {
    if (this.#pgs.has(pgKey(pgid))) return undefined;
    const pg = this.#make(pgid, map, map.pools.get(pgid.pool));
    if (!pg) return undefined;
    this.#finishRemoval(pgid);
    pg.create(history, pastIntervals);
    this.#pgs.set(pgKey(pgid), pg);
    return pg;
  }

  #beginAndFollow(pgid: PgId, map: OsdMap, history: PgHistory, pastIntervals: readonly PastInterval[]): void {
    const pg = this.#begin(pgid, map, history, pastIntervals);
    if (!pg) return;
    this.#follow(pg, map);
    if (!this.#pgs.has(pgKey(pgid))) return;
    pg.activateMap();
  }

  // Messages.

  onMessage(from: OsdId, message: Exclude<OsdPeerMessage, { readonly type: 'pg_leases' | 'pg_lease_acks' }>): void {
    const { pgid } = message;
    if (!this.get(pgid)) this.#onUnknown(from, message);
    const pg = this.get(pgid);
    if (!pg) return;
    pg.onMessage(from, message);
    if (this.#pgs.has(pgKey(pgid))) pg.check();
  }

  /** A PG that does not live here (yet). */
  #onUnknown(from: OsdId, message: OsdPeerMessage): void {
    const { current } = this.#maps;
    if (message.type === 'pg_query') {
      const { pgid, epoch, query } = message;
      const answer = { pgid, epoch: current!.epoch, queryEpoch: epoch, info: emptyInfo(pgid), pastIntervals: [] };
      const { admittedIn } = this.#host;
      if (query === 'info') this.#host.send(from, { type: 'pg_notify', ...answer, priorReadableUs: 0, admittedIn });
      else {
        const log = { head: NO_VERSION, tail: NO_VERSION, entries: [], dups: [] };
        this.#host.send(from, { type: 'pg_log', ...answer, log, missing: [], lease: undefined });
      }
      return;
    }
    if (message.type !== 'pg_notify' && message.type !== 'pg_log') return;
    const { pgid, info, pastIntervals } = message;
    const map = this.#maps.at(message.epoch);
    const placement = current?.pools.has(pgid.pool) && mapPg(current, pgid);
    if (!map || !placement || info.history.epochCreated === 0) return;
    const { whoami } = this.#host;
    const { up, acting, actingPrimary } = placement;
    // Told by a holder, as its primary; or by the primary, as a member.
    const isWanted =
      message.type === 'pg_notify'
        ? actingPrimary === whoami
        : from === actingPrimary && (acting.includes(whoami) || up.includes(whoami));
    if (isWanted) this.#beginAndFollow(pgid, map, info.history, pastIntervals);
  }

  /** Whether a PG that is not here should be: this OSD is its primary. Somebody will tell of it, or `searchUnbegun` finds it. */
  isExpected(pgid: PgId): boolean {
    const { current } = this.#maps;
    const pool = current?.pools.get(pgid.pool);
    if (!current || !pool || pool.type !== PoolType.replicated || pgid.seed >= pool.pgNum) return false;
    return mapPg(current, pgid).actingPrimary === this.#host.whoami;
  }

  // Removal: the metadata first, so that a restart sees what is going on; then the objects, some at a time.

  remove(pgid: PgId): void {
    if (this.get(pgid)) this.#beginRemoval(pgid);
  }

  #beginRemoval(pgid: PgId): void {
    const cid = formatPgId(pgid);
    this.#pgs.get(pgKey(pgid))?.onRemoved();
    this.#pgs.delete(pgKey(pgid));
    this.#removing.add(pgKey(pgid));
    this.#host.pgChanged(pgid);
    this.#host.submit([{ op: 'omapClear', cid, oid: pgMetaOid(pgid) }], () => this.#removeSome(pgid));
  }

  #removeSome(pgid: PgId): void {
    if (!this.#removing.has(pgKey(pgid))) return;
    const { transaction, isLast } = this.#removalStep(pgid, REMOVE_BATCH);
    if (isLast) this.#removing.delete(pgKey(pgid));
    this.#host.submit(transaction, () => this.#removeSome(pgid));
  }

  /** A PG that is to begin again: what is left of the old one goes at once. */
  #finishRemoval(pgid: PgId): void {
    while (this.#removing.has(pgKey(pgid))) {
      const { transaction, isLast } = this.#removalStep(pgid, 16 * REMOVE_BATCH);
      if (isLast) this.#removing.delete(pgKey(pgid));
      this.#host.submit(transaction);
    }
  }

  #removalStep(pgid: PgId, count: number): { readonly transaction: TransactionOp[]; readonly isLast: boolean } {
    const cid = formatPgId(pgid);
    const objects = this.#host.store.list(cid, undefined, count);
    const transaction = objects.map((oid): TransactionOp => ({ op: 'remove', cid, oid }));
    const isLast = objects.length < count;
    if (isLast) transaction.push({ op: 'removeCollection', cid });
    return { transaction, isLast };
  }
}

/** The history of a PG whose pool came into being in `epoch`. */
function newHistory(epoch: Epoch): PgHistory {
  return {
    ...NO_HISTORY,
    epochCreated: epoch,
    sameUpSince: epoch,
    sameIntervalSince: epoch,
    samePrimarySince: epoch,
  };
}
