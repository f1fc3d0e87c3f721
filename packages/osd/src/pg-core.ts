/**
 * One PG as this OSD holds it: what is in its store, and, while primary, what is known of its peers. Peering, recovery and
 * the replicated back end work on it together; each change reaches the store with the transaction `persist` adds to.
 *
 * In the store the PG is a collection. Its metadata is the omap of the object `pgMetaOid`:
 *
 *   _info  _past_intervals  _epoch  log.<version>  dup.<version>  missing.<version>  snap.<snapshot>.<clone>
 */
import {
  type Bytes,
  Decoder,
  Encoder,
  type Epoch,
  formatPgId,
  type OsdId,
  type PgId,
  type RawString,
} from '@spirula/encoding';
import type { HObject, OsdMap, PgPlacement, Pool } from '@spirula/maps';
import {
  type OsdPeerMessage,
  type PastInterval,
  type PgInfo,
  pastIntervalsRecord,
  pgInfoRecord,
} from '@spirula/messages';
import type { Cid, Transaction, TransactionOp } from '@spirula/objectstore';
import { invariant, seconds } from '@spirula/world';
import { Missing, type OmapChanges } from './missing.ts';
import { pgMetaOid } from './object-id.ts';
import { membersOf } from './past-intervals.ts';
import type { PgHost } from './pg-host.ts';
import { checkInfo, emptyInfo } from './pg-info.ts';
import { PgLog } from './pg-log.ts';
import { ReadLease } from './read-lease.ts';
import { indexChanges } from './snap-mapper.ts';

const INFO_KEY: RawString = '_info';
const PAST_KEY: RawString = '_past_intervals';
const EPOCH_KEY: RawString = '_epoch';
const LOG_PREFIX: RawString = 'log.';
const DUP_PREFIX: RawString = 'dup.';
const MISSING_PREFIX: RawString = 'missing.';
/** Read from the store in pieces of so many entries. */
const LOAD_BATCH = 1024;
/** Epochs a PG's stored epoch may lag behind (osd_pg_epoch_persisted_max_stale). */
const MAX_STALE_EPOCHS = 40;
/** Past intervals kept. Beyond it those that cannot have gone read-write are dropped. */
const MAX_PAST_INTERVALS = 500;

export class PgCore {
  readonly host: PgHost;
  readonly pgid: PgId;
  readonly cid: Cid;
  /** The object whose omap holds the PG's metadata. */
  readonly metaOid: HObject;
  readonly log = new PgLog();
  readonly lease: ReadLease;
  missing = new Missing();

  map: OsdMap;
  pool: Pool;
  #placement!: PgPlacement;
  #acting: readonly OsdId[] = [];
  #up: readonly OsdId[] = [];
  #otherActing: readonly OsdId[] = [];
  #info: PgInfo;
  #pastIntervals: readonly PastInterval[] = [];
  /** Epoch of the newest interval, or of the newest restart of peering in it. What is older than that is ignored. */
  lastPeeringReset: Epoch = 0;

  /** While primary: what the others have said, adjusted to what they will be once activated. */
  readonly peerInfo = new Map<OsdId, PgInfo>();
  readonly peerMissing = new Map<OsdId, Missing>();
  /** Acting set and backfill targets: all that get every write. Self included; set by choose_acting. */
  actingRecoveryBackfill: readonly OsdId[] = [];
  backfillTargets: readonly OsdId[] = [];
  /** OSDs outside up and acting that have a copy. */
  readonly strays = new Set<OsdId>();

  #writes = 0;
  #infoDirty = false;
  #pastDirty = false;
  /** Epoch in the store. */
  persistedEpoch: Epoch = 0;
  #blockedMessages: [OsdId, OsdPeerMessage][] | undefined;
  #flushRound = 0;

  constructor(host: PgHost, pgid: PgId, map: OsdMap, pool: Pool, placement: PgPlacement) {
    this.host = host;
    this.pgid = pgid;
    this.cid = formatPgId(pgid);
    this.metaOid = pgMetaOid(pgid);
    this.map = map;
    this.pool = pool;
    this.placement = placement;
    this.#info = emptyInfo(pgid);
    const { osd_heartbeat_grace: grace, osd_pool_default_read_lease_ratio: ratio } = host.world.config;
    this.lease = new ReadLease(seconds(grace * ratio));
  }

  get whoami(): OsdId {
    return this.host.whoami;
  }

  get epoch(): Epoch {
    return this.map.epoch;
  }

  get info(): PgInfo {
    return this.#info;
  }

  /** Replaces the info; it is stored with the next `persist`. */
  setInfo(info: PgInfo): void {
    checkInfo(info);
    this.#info = info;
    this.#infoDirty = true;
  }

  get pastIntervals(): readonly PastInterval[] {
    return this.#pastIntervals;
  }

  setPastIntervals(intervals: readonly PastInterval[]): void {
    this.#pastIntervals =
      intervals.length <= MAX_PAST_INTERVALS ? intervals : intervals.filter((interval) => interval.maybeWentRw);
    this.#pastDirty = true;
  }

  get placement(): PgPlacement {
    return this.#placement;
  }

  set placement(placement: PgPlacement) {
    this.#placement = placement;
    this.#acting = membersOf(placement.acting);
    this.#up = membersOf(placement.up);
    this.#otherActing = this.#acting.filter((osd) => osd !== this.whoami);
  }

  get acting(): readonly OsdId[] {
    return this.#acting;
  }

  get up(): readonly OsdId[] {
    return this.#up;
  }

  get primary(): OsdId {
    return this.placement.actingPrimary;
  }

  get isPrimary(): boolean {
    return this.primary === this.whoami;
  }

  get isActing(): boolean {
    return this.acting.includes(this.whoami);
  }

  /** First epoch of the current interval. */
  get intervalSince(): Epoch {
    return this.#info.history.sameIntervalSince;
  }

  /** The other members of the acting set. */
  get otherActing(): readonly OsdId[] {
    return this.#otherActing;
  }

  /** Enough OSDs for writes. */
  get hasMinSize(): boolean {
    return this.acting.length >= this.pool.minSize;
  }

  /** How many transactions of this PG the store was given. */
  get writes(): number {
    return this.#writes;
  }

  /** Adds to `transaction` what of this PG the store does not have yet. */
  persist(transaction: TransactionOp[]): void {
    const changes: OmapChanges = { put: new Map(), fresh: new Map(), rm: new Set() };
    this.log.takeChanges(LOG_PREFIX, DUP_PREFIX, changes);
    this.missing.takeChanges(MISSING_PREFIX, changes);
    if (this.#infoDirty) changes.put.set(INFO_KEY, pgInfoRecord.encode(this.#info));
    if (this.#pastDirty) changes.put.set(PAST_KEY, pastIntervalsRecord.encode(this.#pastIntervals));
    if (this.#infoDirty || this.#pastDirty || this.map.epoch - this.persistedEpoch > MAX_STALE_EPOCHS) {
      changes.put.set(EPOCH_KEY, encodeEpoch(this.map.epoch));
      this.persistedEpoch = this.map.epoch;
    }
    this.#infoDirty = false;
    this.#pastDirty = false;
    const { cid, metaOid: oid } = this;
    const { put, fresh, rm } = changes;
    const keys = rm.size === 0 ? [] : [...rm].filter((key) => !put.has(key));
    if (keys.length > 0) transaction.push({ op: 'omapRmKeys', cid, oid, keys });
    if (put.size > 0) transaction.push({ op: 'omapSet', cid, oid, entries: put });
    if (fresh.size > 0) transaction.push({ op: 'omapSet', cid, oid, entries: fresh, fresh: true });
  }

  /** Stores what changed, with `changes` in the same transaction. */
  commit(changes: Transaction = [], onCommit?: () => void): void {
    const transaction: TransactionOp[] = [...changes];
    this.#indexClones(changes, transaction);
    this.persist(transaction);
    if (transaction.length > 0) {
      this.#writes += 1;
      this.host.submit(transaction, onCommit);
    } else if (onCommit) this.host.afterCommit(onCommit);
  }

  #indexClones(changes: Transaction, transaction: TransactionOp[]): void {
    const { cid, metaOid: oid } = this;
    const index = indexChanges(this.host.store, cid, changes);
    if (!index) return;
    if (index.rm.length > 0) transaction.push({ op: 'omapRmKeys', cid, oid, keys: index.rm });
    if (index.put.size > 0) transaction.push({ op: 'omapSet', cid, oid, entries: index.put });
  }

  /** Reads the PG back after a restart. The epoch it was stored at is `persistedEpoch`. */
  load(): void {
    const { store } = this.host;
    const oid = this.metaOid;
    const meta = store.omapGet(this.cid, oid, [INFO_KEY, PAST_KEY, EPOCH_KEY]);
    this.#info = pgInfoRecord.decode(required(meta.get(INFO_KEY), 'a stored PG has its info'));
    const past = meta.get(PAST_KEY);
    this.#pastIntervals = past ? pastIntervalsRecord.decode(past) : [];
    this.persistedEpoch = new Decoder(required(meta.get(EPOCH_KEY), 'a stored PG has its epoch')).u32('epoch');
    const values = (prefix: RawString) => [...this.#scan(prefix)].map(([, value]) => value);
    this.log.load(this.#info.logTail, this.#info.lastUpdate, values(LOG_PREFIX), values(DUP_PREFIX));
    for (const [key, value] of this.#scan(MISSING_PREFIX)) this.missing.load(key, value);
    this.lastPeeringReset = this.persistedEpoch;
  }

  *#scan(prefix: RawString): Generator<readonly [RawString, Bytes]> {
    const oid = this.metaOid;
    let start = prefix;
    for (;;) {
      const batch = this.host.store.omapList(this.cid, oid, start, LOAD_BATCH);
      for (const [key, value] of batch) {
        if (!key.startsWith(prefix)) return;
        yield [key, value];
        start = `${key}\0`;
      }
      if (batch.size < LOAD_BATCH) return;
    }
  }

  /**
   * Holds back what is told to peers until all that was submitted before is durable: what a peer builds on must not be
   * undone by a loss of power here (PeeringState::set_last_peering_reset, begin_block_outgoing).
   */
  beginFlush(then: () => void): void {
    const round = ++this.#flushRound;
    this.#blockedMessages = [];
    this.host.afterCommit(() => {
      if (round !== this.#flushRound) return;
      const blocked = this.#blockedMessages ?? [];
      this.#blockedMessages = undefined;
      for (const [osd, message] of blocked) this.host.send(osd, message);
      then();
    });
  }

  get isFlushed(): boolean {
    return this.#blockedMessages === undefined;
  }

  send(osd: OsdId, message: OsdPeerMessage): void {
    invariant(osd !== this.whoami, 'an OSD sends no messages to itself');
    if (this.#blockedMessages) this.#blockedMessages.push([osd, message]);
    else this.host.send(osd, message);
  }

  /** The PG is being removed here: nothing held back leaves any more. */
  abandon(): void {
    this.#flushRound += 1;
    this.#blockedMessages = [];
  }
}

function required<T>(value: T | undefined, rule: string): T {
  invariant(value !== undefined, rule);
  return value;
}

function encodeEpoch(epoch: Epoch): Bytes {
  const encoder = new Encoder(4);
  encoder.u32(epoch);
  return encoder.finish();
}
