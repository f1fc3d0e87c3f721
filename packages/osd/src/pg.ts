/**
 * One PG on one OSD: hands events to its machines, and moves recovery on once it is active.
 *
 *   Activating --> [WaitLocal/RemoteRecoveryReserved --> Recovering] -->
 *                  [WaitLocal/RemoteBackfillReserved --> Backfilling] --> Recovered --> Clean
 *
 * Where a member is too full it is NotRecovering or NotBackfilling, and asks again after a while.
 */
import type { Epoch, OsdId, PgId } from '@spirula/encoding';
import {
  type HObject,
  type OsdMap,
  OsdMapFlag,
  OsdState,
  osdExists,
  osdUp,
  type PgPlacement,
  type Pool,
} from '@spirula/maps';
import type { Lease, OsdPeerMessage, PastInterval, PgHistory, PgInfo, PgLeaseAcks, PgReserve } from '@spirula/messages';
import type { TransactionOp } from '@spirula/objectstore';
import { type Instant, invariant, seconds, unreachable } from '@spirula/world';
import { Backfill, BackfillTarget } from './backfill.ts';
import type { ClientOp } from './client-op.ts';
import { ClientOps } from './client-ops.ts';
import { isPgMeta, isTemp, pgMetaOid } from './object-id.ts';
import { readObjectInfo } from './object-part.ts';
import { Peering } from './peering.ts';
import { PgChecks } from './pg-checks.ts';
import { PgCore } from './pg-core.ts';
import type { PgHost } from './pg-host.ts';
import { emptyInfo } from './pg-info.ts';
import { Recovery } from './recovery.ts';
import { ReplicatedBackend } from './replicated-backend.ts';
import { ReservationPriority } from './reservations.ts';
import { cloneBytes, isClone, readSnapSet } from './snap-set.ts';
import { SnapTrimmer } from './snap-trimmer.ts';

/** Of an active primary. */
export type RecoveryPhase =
  | 'None'
  | 'WaitLocalRecoveryReserved'
  | 'WaitRemoteRecoveryReserved'
  | 'Recovering'
  | 'NotRecovering'
  | 'WaitLocalBackfillReserved'
  | 'WaitRemoteBackfillReserved'
  | 'Backfilling'
  | 'NotBackfilling'
  | 'Recovered'
  | 'Clean';

type ReserveKind = PgReserve['kind'];

export class Pg {
  readonly core: PgCore;
  readonly peering: Peering;
  readonly recovery: Recovery;
  readonly backfill: Backfill;
  readonly ops: ClientOps;
  readonly snapTrimmer: SnapTrimmer;
  readonly #checks: PgChecks;
  readonly #backend: ReplicatedBackend;
  readonly #backfillTarget: BackfillTarget;
  #phase: RecoveryPhase = 'None';
  /** Members that hold a slot for this PG, or have been asked for one. */
  #remoteReserved: OsdId[] = [];
  /** What had to be put off because a member is too full; until it goes on. */
  #tooFullFor: ReserveKind | undefined;
  #retryAt: Instant | undefined;
  /** Whom an unfound object may still be found with: asked once an interval. */
  readonly #askedForUnfound = new Set<OsdId>();

  constructor(
    host: PgHost,
    pgid: PgId,
    map: OsdMap,
    pool: Pool,
    placement: PgPlacement,
    onDone: (op: ClientOp) => void,
  ) {
    this.core = new PgCore(host, pgid, map, pool, placement);
    this.#checks = new PgChecks(this.core);
    this.#backend = new ReplicatedBackend(this.core);
    this.recovery = new Recovery(this.core, {
      onObjectRecovered: (oid) => this.#onObjectRecovered(oid),
      onAllRecovered: () => this.#onAllRecovered(),
      onUnfoundLeft: () => this.#onUnfoundLeft(),
      onUnreadable: () => this.#onUnreadable(),
      onBackfillPushed: (osd, oid) => this.backfill.onPushed(osd, oid),
    });
    this.backfill = new Backfill(this.core, {
      onObjectRecovered: (oid) => this.ops.wake(oid),
      onAllBackfilled: () => this.#onAllBackfilled(),
      onUnreadable: () => this.#onBackfillUnreadable(),
      push: (osd, oid, version) => this.recovery.pushForBackfill(osd, oid, version),
    });
    this.#backfillTarget = new BackfillTarget(this.core);
    this.peering = new Peering(this.core, {
      onReset: () => this.#onReset(),
      onActivated: () => this.#onActivated(),
      onStrayInfo: () => this.#onStrayInfo(),
      onPeerMissing: () => this.#onNewSource(),
      onReplicaActive: () => host.pgChanged(pgid),
    });
    this.snapTrimmer = new SnapTrimmer(this.core, {
      isClean: () => this.#phase === 'Clean' && this.peering.isActive,
      nextVersion: () => this.#backend.nextVersion(),
      submit: (write, onCommit) => this.ops.submit(write, onCommit),
      shareInfo: () => this.peering.shareInfo(),
    });
    const self = this;
    this.ops = new ClientOps(
      this.core,
      {
        get isActive() {
          return self.peering.isActive && self.core.hasMinSize;
        },
        isReadable: () => this.isReadable,
        filterSnaps: (snaps) => this.snapTrimmer.filter(snaps),
        onDone,
      },
      this.#backend,
      this.recovery,
      this.backfill,
    );
  }

  get pgid(): PgId {
    return this.core.pgid;
  }

  get info(): PgInfo {
    return this.core.info;
  }

  get phase(): RecoveryPhase {
    return this.#phase;
  }

  /** What waits for room on a member (states `backfill_toofull`, `recovery_toofull`). */
  get tooFullFor(): ReserveKind | undefined {
    return this.#tooFullFor;
  }

  /** Whose grant of a slot for recovery or backfill is awaited. */
  get slotWaitedFor(): OsdId | undefined {
    return this.#phase.startsWith('WaitRemote') ? this.#remoteReserved.at(-1) : undefined;
  }

  /** Whether a client's request would be carried out now: it is primary, active, and covered by a lease. */
  get isServing(): boolean {
    const { core, peering } = this;
    return core.isPrimary && peering.isActive && core.hasMinSize && this.isReadable;
  }

  /** A PG that begins here, empty: it has just come into being, or lives elsewhere. */
  create(history: PgHistory, pastIntervals: readonly PastInterval[]): void {
    const { core } = this;
    core.setInfo(emptyInfo(core.pgid, history));
    core.setPastIntervals(pastIntervals);
    core.lastPeeringReset = core.map.epoch;
    core.commit([
      { op: 'createCollection', cid: core.cid },
      { op: 'touch', cid: core.cid, oid: pgMetaOid(core.pgid) },
    ]);
  }

  /** Reads the PG from the store after a restart. Give it the map of `storedEpoch` at construction. */
  load(): void {
    const { core } = this;
    core.load();
    core.lease.onRestart(core.host.world.clock.now());
    // What was on its way when this OSD stopped.
    const temps = core.host.store.list(core.cid, undefined, 64).filter(isTemp);
    if (temps.length > 0) core.commit(temps.map((oid): TransactionOp => ({ op: 'remove', cid: core.cid, oid })));
  }

  /**
   * Whether nobody can tell when requests will be served: then clients are asked to keep them (PrimaryLogPG::do_request).
   */
  get isBlocked(): boolean {
    const { core, peering } = this;
    if (peering.isActive) return !core.hasMinSize;
    if (!core.isPrimary) return false;
    const { name } = peering.state;
    if (name === 'Down' || name === 'Incomplete') return true;
    return core.host.world.config.osd_backoff_on_peering && 'prior' in peering.state && name !== 'WaitActingChange';
  }

  // Maps.

  advanceMap(map: OsdMap, lastMap: OsdMap, placement: PgPlacement, pool: Pool): void {
    this.peering.advanceMap(map, lastMap, placement, pool);
    this.recovery.onMap();
  }

  activateMap(): void {
    this.peering.activateMap();
    if (!this.core.isPrimary) this.ops.drop();
    else this.ops.onMap();
    // A flag may have been lifted.
    if (this.#retryAt === undefined) this.#recoverWhatWasHeld();
    if (this.#phase === 'Recovered') this.#becomeRecovered();
    if (this.peering.isActive) this.snapTrimmer.follow();
  }

  #recoverWhatWasHeld(): void {
    if (this.#phase === 'NotRecovering' || this.#phase === 'NotBackfilling') this.#recoverMore();
  }

  #onReset(): void {
    const { host, cid } = this.core;
    this.#tooFullFor = undefined;
    this.#retryAt = undefined;
    this.#releaseReservations();
    host.remoteReservations.cancel(cid);
    this.#backend.onReset();
    this.snapTrimmer.onReset();
    this.recovery.onReset();
    this.backfill.onReset();
    this.ops.onReset();
    this.#askedForUnfound.clear();
    this.#phase = 'None';
    host.pgChanged(this.pgid);
  }

  /** The PG is no longer here. */
  onRemoved(): void {
    this.#onReset();
    this.ops.drop();
    this.core.abandon();
  }

  // Messages.

  onMessage(from: OsdId, message: OsdPeerMessage): void {
    switch (message.type) {
      case 'pg_notify':
        this.peering.onNotify(from, message);
        break;
      case 'pg_query':
        this.peering.onQuery(from, message);
        break;
      case 'pg_log':
        this.peering.onLog(from, message);
        break;
      case 'pg_info':
        this.peering.onInfo(from, message);
        // It may have brought the acknowledgement of a lease.
        this.ops.onReadable();
        break;
      default:
        if (message.epoch >= this.core.lastPeeringReset) this.#onActiveMessage(from, message);
    }
  }

  #onActiveMessage(
    from: OsdId,
    message: Exclude<OsdPeerMessage, { readonly type: 'pg_notify' | 'pg_query' | 'pg_log' | 'pg_info' }>,
  ): void {
    const isReplica = this.peering.state.name === 'ReplicaActive' && from === this.core.primary;
    const isPrimary = this.peering.state.name === 'Active';
    switch (message.type) {
      case 'osd_repop':
        if (isReplica) this.#backend.onRepOp(from, message);
        break;
      case 'osd_repop_reply':
        if (isPrimary) this.#backend.onRepOpReply(from, message);
        break;
      case 'pg_pull':
        // A stray is asked too, for what nobody else has.
        this.recovery.onPull(from, message);
        break;
      case 'pg_push':
        if (isReplica || isPrimary) this.recovery.onPush(from, message);
        break;
      case 'pg_push_reply':
        if (isPrimary) this.recovery.onPushReply(from, message);
        break;
      case 'pg_scan':
        if (isReplica) this.#backfillTarget.onScan(from, message);
        break;
      case 'pg_scan_reply':
        if (isPrimary) this.backfill.onScanReply(from, message);
        break;
      case 'pg_backfill_remove':
        if (isReplica) this.#backfillTarget.onRemove(message);
        break;
      case 'pg_backfill_progress':
        if (isReplica) this.#backfillTarget.onProgress(from, message);
        break;
      case 'pg_backfill_progress_reply':
        if (isPrimary) this.backfill.onProgressReply(from, message);
        break;
      case 'pg_reserve':
        this.#onReserve(from, message);
        break;
      case 'pg_remove':
        if (this.peering.state.name === 'Stray' && from === this.core.primary) this.core.host.removePg(this.pgid);
        break;
      case 'pg_leases':
      case 'pg_lease_acks':
        // Taken apart by the OSD: `onLease`, `onLeaseAck`.
        break;
      default:
        unreachable(message);
    }
  }

  // Read leases.

  /** Primary: the lease to send to the members; undefined when it serves nobody. */
  renewLease(now: Instant): Lease | undefined {
    return this.peering.isActive && this.core.hasMinSize ? this.core.lease.renew(now) : undefined;
  }

  /** Replica: returns whether the lease counts and is to be acknowledged. */
  onLease(from: OsdId, epoch: Epoch, lease: Lease): boolean {
    const { core } = this;
    if (epoch < core.lastPeeringReset || from !== core.primary || !core.isActing) return false;
    if (this.peering.state.name !== 'ReplicaActive') return false;
    core.lease.onLease(lease, core.host.world.clock.now());
    return true;
  }

  onLeaseAck(from: OsdId, epoch: Epoch, { until }: PgLeaseAcks['acks'][number]): void {
    const { core } = this;
    if (epoch < core.lastPeeringReset || this.peering.state.name !== 'Active') return;
    core.lease.onAck(from, until);
    this.ops.onReadable();
  }

  get isReadable(): boolean {
    const { lease, otherActing, host } = this.core;
    const now = host.world.clock.now();
    return lease.priorRemaining(now) === 0 && now < lease.readableUntil(otherActing);
  }

  /** Earlier primaries may still serve reads: nothing is served here until that is over (state `wait`). */
  get isWaiting(): boolean {
    return this.core.lease.priorRemaining(this.core.host.world.clock.now()) > 0;
  }

  /** The lease has run out (state `laggy`). */
  get isLaggy(): boolean {
    return this.peering.isActive && this.core.hasMinSize && !this.isWaiting && this.ops.isLaggy;
  }

  /**
   * Whether every primary of an interval before is known to have left it: it is this OSD, it has been heard of since, has
   * started anew, or is dead.
   */
  #havePriorPrimariesLeft(): boolean {
    const { core } = this;
    const { map, info } = core;
    return core.pastIntervals.every(({ primary, last, maybeWentRw }) => {
      if (!maybeWentRw || primary === core.whoami || !osdExists(map, primary)) return true;
      const { upFrom } = map.osdInfo[primary]!;
      if (upFrom > last) return true;
      if (!osdUp(map, primary)) return map.osdXInfo[primary]!.deadEpoch > upFrom;
      // Up all the time: it was asked when the PG went active after that interval, or has been now.
      return core.peerInfo.has(primary) || last < info.history.lastEpochStarted;
    });
  }

  // Active.

  #onActivated(): void {
    const { core } = this;
    if (this.#havePriorPrimariesLeft()) core.lease.forgetPrior();
    else if (this.isWaiting) core.host.wakeAt(this.pgid, core.lease.priorUntil);
    // Before any client's write: no clone is made for a snapshot that is being trimmed.
    this.snapTrimmer.follow();
    this.ops.onActive();
    this.#recoverMore();
    core.host.pgChanged(this.pgid);
  }

  /** The time asked for by `wakeAt` has come. */
  onTimer(): void {
    if (!this.peering.isActive) return;
    this.ops.onTimer();
    this.ops.onReadable();
    if (this.isWaiting) this.core.host.wakeAt(this.pgid, this.core.lease.priorUntil);
    else if (this.#phase === 'Recovered') this.#becomeRecovered();
    this.#retryWhenDue();
    this.snapTrimmer.kick();
    this.core.host.pgChanged(this.pgid);
  }

  #retryWhenDue(): void {
    if (this.#retryAt === undefined) return;
    const { host } = this.core;
    if (host.world.clock.now() < this.#retryAt) return host.wakeAt(this.pgid, this.#retryAt);
    this.#retryAt = undefined;
    this.#recoverWhatWasHeld();
  }

  /** There is room for further recovery operations on this OSD. */
  onRecoverySlot(): void {
    this.recovery.kick();
    if (this.backfill.isRunning) this.backfill.kick();
  }

  #onStrayInfo(): void {
    if (this.#phase === 'Clean') this.#purgeStrays();
    else this.#onNewSource();
  }

  #onNewSource(): void {
    this.recovery.onNewSource();
    if (this.#phase === 'NotRecovering') this.#recoverMore();
    this.#searchUnfound();
  }

  /** What is to be done next. */
  #recoverMore(): void {
    const { map } = this.core;
    if (this.recovery.isNeeded) {
      const isHeld = (map.flags & OsdMapFlag.norecover) !== 0 || !this.recovery.isPossible;
      if (!isHeld) return this.#reserve('recovery');
      this.#become('NotRecovering');
      this.#searchUnfound();
    } else if (this.backfill.isNeeded) {
      if ((map.flags & (OsdMapFlag.nobackfill | OsdMapFlag.norebalance)) !== 0) this.#become('NotBackfilling');
      else this.#reserve('backfill');
    } else this.#becomeRecovered();
  }

  #become(phase: RecoveryPhase): void {
    this.#phase = phase;
    this.core.host.pgChanged(this.pgid);
  }

  #reserve(kind: ReserveKind): void {
    if (kind === 'recovery' && this.#isSomebodyFull()) return this.#waitForRoom(kind);
    if (kind === 'recovery') this.#tooFullFor = undefined;
    this.#become(kind === 'recovery' ? 'WaitLocalRecoveryReserved' : 'WaitLocalBackfillReserved');
    const { host, cid, lastPeeringReset } = this.core;
    host.localReservations.request(cid, ReservationPriority[kind], () => {
      invariant(this.core.lastPeeringReset === lastPeeringReset, 'a reservation ends with its interval');
      this.#reserveRemote(kind);
    });
  }

  #isSomebodyFull(): boolean {
    const { map, actingRecoveryBackfill } = this.core;
    return actingRecoveryBackfill.some((osd) => (map.osdState[osd]! & OsdState.full) !== 0);
  }

  /** A member is too full: it is asked again after a while, whatever maps come meanwhile. */
  #waitForRoom(kind: ReserveKind): void {
    const { host } = this.core;
    const { osd_recovery_retry_interval, osd_backfill_retry_interval } = host.world.config;
    const interval = kind === 'recovery' ? osd_recovery_retry_interval : osd_backfill_retry_interval;
    this.#tooFullFor = kind;
    this.#retryAt = host.world.clock.now() + seconds(interval);
    this.#become(kind === 'recovery' ? 'NotRecovering' : 'NotBackfilling');
    host.wakeAt(this.pgid, this.#retryAt);
  }

  #onBackfillTooFull(from: OsdId): void {
    const isAwaited = this.#phase === 'WaitRemoteBackfillReserved' || this.#phase === 'Backfilling';
    if (!isAwaited || !this.#remoteReserved.includes(from)) return;
    this.backfill.onReset();
    this.#endReservations('backfill');
    this.#waitForRoom('backfill');
  }

  /** One member after the other, in the order of their numbers: so no two PGs wait for each other. */
  #reserveRemote(kind: ReserveKind): void {
    const { core } = this;
    this.#become(kind === 'recovery' ? 'WaitRemoteRecoveryReserved' : 'WaitRemoteBackfillReserved');
    const members = kind === 'recovery' ? core.actingRecoveryBackfill : this.backfill.targets;
    const next = members
      .filter((osd) => osd !== core.whoami && !this.#remoteReserved.includes(osd))
      .sort((a, b) => a - b)[0];
    if (next === undefined) {
      this.#begin(kind);
      return;
    }
    this.#remoteReserved.push(next);
    core.send(next, {
      type: 'pg_reserve',
      pgid: this.pgid,
      epoch: core.epoch,
      kind,
      op: 'request',
      bytes: core.info.counts.bytes,
    });
  }

  #begin(kind: ReserveKind): void {
    if (kind === 'recovery') {
      this.#become('Recovering');
      this.recovery.start();
      this.#searchUnfound();
    } else {
      this.#tooFullFor = undefined;
      this.#become('Backfilling');
      this.backfill.start();
    }
  }

  #onReserve(from: OsdId, { kind, op, bytes }: PgReserve): void {
    const { core } = this;
    const { host, cid } = core;
    switch (op) {
      case 'request': {
        if (this.peering.state.name !== 'ReplicaActive' || from !== core.primary) return;
        const answer = (op: 'grant' | 'toofull') =>
          core.send(from, { type: 'pg_reserve', pgid: this.pgid, epoch: core.epoch, kind, op, bytes: 0 });
        const lacking = Math.max(0, bytes - core.info.counts.bytes);
        if (kind === 'backfill' && host.isBackfillFull(lacking)) return answer('toofull');
        const reset = core.lastPeeringReset;
        host.remoteReservations.request(cid, ReservationPriority[kind], () => {
          invariant(core.lastPeeringReset === reset, 'a reservation ends with its interval');
          answer('grant');
        });
        return;
      }
      case 'release':
        if (from === core.primary) host.remoteReservations.cancel(cid);
        return;
      case 'grant':
        if (this.#remoteReserved.at(-1) !== from) return;
        if (this.#phase === 'WaitRemoteRecoveryReserved' && kind === 'recovery') this.#reserveRemote(kind);
        if (this.#phase === 'WaitRemoteBackfillReserved' && kind === 'backfill') this.#reserveRemote(kind);
        return;
      case 'toofull':
        if (kind === 'backfill') this.#onBackfillTooFull(from);
        return;
      default:
        unreachable(op);
    }
  }

  #releaseReservations(): void {
    const { host, cid } = this.core;
    host.localReservations.cancel(cid);
    this.#remoteReserved = [];
  }

  #endReservations(kind: ReserveKind): void {
    const { core } = this;
    for (const osd of this.#remoteReserved) {
      core.send(osd, { type: 'pg_reserve', pgid: this.pgid, epoch: core.epoch, kind, op: 'release', bytes: 0 });
    }
    this.#releaseReservations();
  }

  #onObjectRecovered(oid: HObject): void {
    this.ops.wake(oid);
    // It was the last, and recovered for a client's sake.
    if (this.#phase === 'NotRecovering' && !this.recovery.isNeeded) this.#recoverMore();
  }

  #onAllRecovered(): void {
    if (this.#phase === 'Recovering') this.#endReservations('recovery');
    if (this.#phase === 'Recovering') this.#recoverMore();
  }

  /** Others need not wait for what may never be found (PeeringState::Recovering, UnfoundRecovery). */
  #onUnfoundLeft(): void {
    if (this.#phase !== 'Recovering') return;
    this.#endReservations('recovery');
    this.#become('NotRecovering');
  }

  /** An object could not be read here: it is recovered first, then backfill begins anew. */
  #onBackfillUnreadable(): void {
    this.backfill.onReset();
    this.#endReservations('backfill');
    this.#recoverMore();
  }

  /** An object that a client reads could not be read here. */
  #onUnreadable(): void {
    switch (this.#phase) {
      case 'WaitLocalBackfillReserved':
      case 'WaitRemoteBackfillReserved':
      case 'Backfilling':
        this.#onBackfillUnreadable();
        break;
      case 'Recovering':
        this.recovery.kick();
        break;
      // What comes next is about to be decided, or is recovery.
      case 'None':
      case 'WaitLocalRecoveryReserved':
      case 'WaitRemoteRecoveryReserved':
        break;
      default:
        this.#recoverMore();
    }
  }

  #onAllBackfilled(): void {
    this.#endReservations('backfill');
    this.#recoverMore();
  }

  #becomeRecovered(): void {
    this.#become('Recovered');
    // While earlier primaries may still read, later ones must know of them: the past is not closed yet.
    if (this.isWaiting) return;
    this.#recount();
    if (!this.peering.tryMarkClean()) return;
    this.#become('Clean');
    this.#purgeStrays();
    this.snapTrimmer.kick();
  }

  /** Asks everyone who may have what nobody known has, once (PeeringState::discover_all_missing). */
  #searchUnfound(): void {
    const { core } = this;
    if (core.missing.size === 0 || this.recovery.unfound().length === 0) return;
    const candidates = new Set<OsdId>([...core.strays, ...core.pastIntervals.flatMap(({ acting }) => acting)]);
    for (const osd of candidates) {
      if (osd === core.whoami || this.#askedForUnfound.has(osd) || !osdUp(core.map, osd)) continue;
      if (core.peerMissing.has(osd)) continue;
      this.#askedForUnfound.add(osd);
      this.peering.queryMissing(osd);
    }
  }

  #purgeStrays(): void {
    const { core } = this;
    for (const osd of core.strays) {
      core.peerInfo.delete(osd);
      core.peerMissing.delete(osd);
      if (osdUp(core.map, osd)) core.send(osd, { type: 'pg_remove', pgid: this.pgid, epoch: core.epoch });
    }
    core.strays.clear();
  }

  /** Counts the objects anew where a cut-off history left the counts in doubt. */
  #recount(): void {
    const { core } = this;
    if (!core.info.countsInvalid) return;
    const { store } = core.host;
    let [objects, bytes, clones, whiteouts] = [0, 0, 0, 0];
    for (let start: ReturnType<typeof store.list>[number] | undefined; ; ) {
      const batch = store.list(core.cid, start, 512);
      for (const oid of start ? batch.slice(1) : batch) {
        const info = isPgMeta(oid) || isTemp(oid) ? undefined : readObjectInfo(store, core.cid, oid);
        if (!info) continue;
        objects += 1;
        if (isClone(oid)) {
          clones += 1;
          continue;
        }
        whiteouts += Number(info.whiteout);
        bytes += info.size;
        for (const clone of readSnapSet(store, core.cid, oid).clones) bytes += cloneBytes(clone);
      }
      if (batch.length < 512) break;
      start = batch.at(-1)!;
    }
    core.setInfo({ ...core.info, counts: { objects, bytes, clones, whiteouts }, countsInvalid: false });
    core.commit();
  }

  /** Everything that must hold after every event. Throws InvariantViolation. */
  check(): void {
    const { core } = this;
    this.peering.check();
    this.#backend.check();
    this.#checks.check();
    if (this.#phase === 'Clean') {
      invariant(core.missing.size === 0, 'a clean PG misses nothing');
      invariant(!this.recovery.isNeeded && !this.backfill.isNeeded, 'a clean PG needs no recovery');
    }
  }
}
