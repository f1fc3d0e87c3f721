/**
 * How the OSDs of a PG agree on its history and go active (PeeringState, osd/PeeringState.cc). One per PG and OSD.
 *
 *   Initial, Reset --ActMap--+--> GetInfo --> GetLog --> GetMissing --> WaitUpThru --> Active      (primary)
 *                            |       |          |
 *                            |       +-> Down   +-> Incomplete, WaitActingChange
 *                            +--> Stray --pg_log or pg_info of the primary--> ReplicaActive        (everyone else)
 *
 * A new interval leads to Reset from anywhere; so does, before Active, a map that changes what the prior set was built
 * from. A message that belongs to an older interval is ignored.
 */
import { compareVersions, type Epoch, type EVersion, type OsdId, type UTime } from '@spirula/encoding';
import { type OsdMap, osdExists, osdUp, type PgPlacement, type Pool } from '@spirula/maps';
import type { Lease, PgHistory, PgInfo, PgInfoMessage, PgLogMessage, PgNotify, PgQuery } from '@spirula/messages';
import type { Transaction } from '@spirula/objectstore';
import { invariant } from '@spirula/world';
import { calcReplicatedActing, findBestInfo, type PeerInfos } from './choose-acting.ts';
import {
  activateReplica,
  isValidLog,
  mergeAuthoritativeLog,
  sharedFields,
  takeActivationInfo,
  takeActivationLog,
} from './log-exchange.ts';
import { Missing } from './missing.ts';
import { isFirst } from './object-id.ts';
import {
  buildPriorSet,
  closeInterval,
  hasUnwitnessed,
  isNewInterval,
  isPriorSetAffected,
  type PriorSet,
} from './past-intervals.ts';
import type { PgCore } from './pg-core.ts';
import {
  hasMissing,
  isConsistentInfo,
  isEmpty,
  isIncomplete,
  mergeHistory,
  NO_VERSION,
  sameVersion,
} from './pg-info.ts';
import { completeUpTo, judgeReplicaLog } from './pg-log-merge.ts';

export type PeeringState =
  | { readonly name: 'Initial' }
  | { readonly name: 'Reset' }
  | { readonly name: 'GetInfo'; readonly prior: PriorSet; readonly requested: ReadonlySet<OsdId> }
  | { readonly name: 'Down'; readonly prior: PriorSet }
  | { readonly name: 'GetLog'; readonly prior: PriorSet; readonly authority: OsdId }
  | { readonly name: 'GetMissing'; readonly prior: PriorSet; readonly requested: ReadonlySet<OsdId> }
  | { readonly name: 'WaitUpThru'; readonly prior: PriorSet }
  | { readonly name: 'WaitActingChange'; readonly prior: PriorSet; readonly want: readonly OsdId[] }
  | { readonly name: 'Incomplete'; readonly prior: PriorSet }
  | { readonly name: 'Active'; readonly activated: ReadonlySet<OsdId>; readonly allActivated: boolean }
  | { readonly name: 'Stray' }
  | { readonly name: 'ReplicaActive' };

/** States of who is not the primary, or not yet. */
const OTHERS_STATES: ReadonlySet<PeeringState['name']> = new Set(['Initial', 'Reset', 'Stray', 'ReplicaActive']);

/** What the rest of the PG does at turns of peering. */
export interface PeeringListener {
  /** What was under way in the interval before is void. */
  onReset(): void;
  /** Primary: everyone has activated durably. Writes and recovery may begin. */
  onActivated(): void;
  /** Primary, active: an OSD that was not asked before has said what it has. */
  onStrayInfo(osd: OsdId): void;
  /** Primary, active: an OSD has said what it misses. */
  onPeerMissing(osd: OsdId): void;
  /** Replica: a lease has arrived or the PG is active now. */
  onReplicaActive(): void;
}

export class Peering {
  readonly #pg: PgCore;
  readonly #listener: PeeringListener;
  /** Of those that have told of themselves: each has no part in what happened up to that epoch. */
  readonly #admittedIn = new Map<OsdId, Epoch>();
  #current: PeeringState = { name: 'Initial' };
  #enteredAt: UTime;
  #startedAt: UTime;

  constructor(pg: PgCore, listener: PeeringListener) {
    this.#pg = pg;
    this.#listener = listener;
    this.#enteredAt = pg.host.world.clock.wall();
    this.#startedAt = this.#enteredAt;
  }

  get #state(): PeeringState {
    return this.#current;
  }

  set #state(state: PeeringState) {
    const before = this.#current.name;
    this.#current = state;
    if (state.name === before) return;
    this.#enteredAt = this.#pg.host.world.clock.wall();
    if (before === 'Initial' || before === 'Reset') this.#startedAt = this.#enteredAt;
  }

  /** When the state was entered, and when peering of this interval began. */
  get since(): { readonly entered: UTime; readonly started: UTime } {
    return { entered: this.#enteredAt, started: this.#startedAt };
  }

  get state(): PeeringState {
    return this.#state;
  }

  get isActive(): boolean {
    return this.#state.name === 'Active' && this.#state.allActivated;
  }

  /** Whom the PG waits for, as `pg dump` shows it. */
  get blockedBy(): readonly OsdId[] {
    const state = this.#state;
    if (state.name === 'Down') return [...state.prior.blockedBy.keys()];
    if (state.name === 'GetInfo' || state.name === 'GetMissing') return [...state.requested];
    return state.name === 'GetLog' ? [state.authority] : [];
  }

  // Maps.

  /**
   * The next map. Call for each epoch in turn, then `activateMap` once.
   *
   * @param lastMap the map before; not the epoch before, when maps in between cannot be had any more
   */
  advanceMap(map: OsdMap, lastMap: OsdMap, placement: PgPlacement, pool: Pool): void {
    const pg = this.#pg;
    const before = { placement: pg.placement, pool: pg.pool };
    const gap = map.epoch !== lastMap.epoch + 1;
    const cameUp = !osdUp(lastMap, pg.whoami) && osdUp(map, pg.whoami);
    const isNew = isNewInterval(before, { placement, pool }) || gap;
    pg.map = map;
    pg.pool = pool;
    if (isNew || cameUp) {
      pg.placement = placement;
      if (isNew) this.#startInterval(before, lastMap);
      this.#becomeReset(true);
    } else if ('prior' in this.#state && this.#isAffectedBy(map, this.#state)) {
      this.#becomeReset(false);
    } else if (this.#state.name === 'Active') this.#dropDownPeers();
  }

  #isAffectedBy(map: OsdMap, state: Extract<PeeringState, { readonly prior: PriorSet }>): boolean {
    if (isPriorSetAffected(state.prior, map)) return true;
    if (state.name === 'GetLog') return !osdUp(map, state.authority);
    return state.name === 'WaitActingChange' && state.want.some((osd) => !osdUp(map, osd));
  }

  /** All maps known have been taken in. */
  activateMap(): void {
    const pg = this.#pg;
    switch (this.#state.name) {
      case 'Initial':
      case 'Reset':
        if (this.#state.name === 'Initial') pg.beginFlush(() => this.#onFlushed());
        if (pg.isPrimary) this.#becomeGetInfo();
        else this.#becomeStray();
        break;
      case 'WaitUpThru':
        this.#maybeActivate();
        break;
      default:
        break;
    }
    pg.commit();
  }

  #startInterval(before: { placement: PgPlacement; pool: Pool }, lastMap: OsdMap): void {
    const pg = this.#pg;
    const { history } = pg.info;
    const past = closeInterval(before, history.sameIntervalSince, lastMap.epoch, lastMap, history.lastEpochClean);
    if (past.last >= past.first && history.sameIntervalSince > 0) pg.setPastIntervals([...pg.pastIntervals, past]);
    // Epochs that could not be had count for the new interval: it may have been longer than it looks from here.
    const since = lastMap.epoch + 1;
    const [was, is] = [before.placement, pg.placement];
    const upChanged = was.upPrimary !== is.upPrimary || was.up.join() !== is.up.join();
    pg.setInfo({
      ...pg.info,
      history: {
        ...history,
        sameIntervalSince: since,
        sameUpSince: upChanged ? since : history.sameUpSince,
        samePrimarySince: was.actingPrimary === is.actingPrimary ? history.samePrimarySince : since,
      },
    });
    pg.lease.onNewInterval();
  }

  #becomeReset(newInterval: boolean): void {
    const pg = this.#pg;
    pg.lastPeeringReset = pg.map.epoch;
    this.#state = { name: 'Reset' };
    pg.actingRecoveryBackfill = [];
    pg.backfillTargets = [];
    pg.peerMissing.clear();
    for (const osd of [...pg.peerInfo.keys()]) {
      // Strays tell of themselves once an interval.
      if (newInterval || !pg.strays.has(osd) || !osdUp(pg.map, osd)) pg.peerInfo.delete(osd);
    }
    if (newInterval) pg.strays.clear();
    for (const osd of [...pg.strays]) if (!pg.peerInfo.has(osd)) pg.strays.delete(osd);
    pg.host.wantPgTemp(pg.pgid, undefined);
    this.#listener.onReset();
    pg.beginFlush(() => this.#onFlushed());
  }

  #onFlushed(): void {
    if (this.#state.name === 'GetInfo') this.#maybeGotInfo();
  }

  #dropDownPeers(): void {
    const pg = this.#pg;
    for (const osd of [...pg.peerInfo.keys()]) {
      if (osdUp(pg.map, osd)) continue;
      pg.peerInfo.delete(osd);
      pg.peerMissing.delete(osd);
      pg.strays.delete(osd);
    }
  }

  /** Messages of before the newest restart of peering are void (PeeringState::old_peering_msg). */
  #isOld(...epochs: readonly Epoch[]): boolean {
    return epochs.some((epoch) => epoch < this.#pg.lastPeeringReset);
  }

  // Primary: GetInfo, Down.

  #becomeGetInfo(): void {
    const pg = this.#pg;
    const { history } = pg.info;
    const prior = buildPriorSet(pg.map, pg.placement, pg.pastIntervals, history.lastEpochStarted);
    if (this.#needsUpThru()) pg.host.wantUpThru(history.sameIntervalSince);
    const requested = new Set<OsdId>();
    for (const osd of prior.probe) {
      if (osd === pg.whoami || pg.peerInfo.has(osd) || !osdUp(pg.map, osd)) continue;
      requested.add(osd);
      this.#sendQuery(osd, 'info', NO_VERSION);
    }
    this.#becomeProbing(prior, requested);
  }

  #becomeProbing(prior: PriorSet, requested: ReadonlySet<OsdId>): void {
    this.#state = prior.pgDown ? { name: 'Down', prior } : { name: 'GetInfo', prior, requested };
    this.#pg.host.pgChanged(this.#pg.pgid);
    this.#maybeGotInfo();
  }

  #sendQuery(osd: OsdId, query: PgQuery['query'], since: EVersion): void {
    const { pgid, epoch } = this.#pg;
    this.#pg.send(osd, { type: 'pg_query', pgid, epoch, query, since });
  }

  #needsUpThru(): boolean {
    const pg = this.#pg;
    return pg.map.osdInfo[pg.whoami]!.upThru < pg.info.history.sameIntervalSince;
  }

  onNotify(from: OsdId, message: PgNotify): void {
    const pg = this.#pg;
    if (!pg.isPrimary || this.#isOld(message.epoch, message.queryEpoch)) return;
    if (!isConsistentInfo(message.info) || !this.#hasBeenUpSince(from, message.epoch)) return;
    this.#admittedIn.set(from, message.admittedIn);
    if (this.#state.name === 'Active') {
      // A stray's word; what a member of the acting set has is known better here. And of every interval's leases
      // somebody who was in it has told before the PG went active.
      if (pg.peerInfo.has(from)) return;
      this.#learnInfo(from, message);
      this.#listener.onStrayInfo(from);
      return;
    }
    pg.lease.onPeerPrior(message.priorReadableUs, pg.host.world.clock.now());
    const startedBefore = pg.info.history.lastEpochStarted;
    if (this.#state.name === 'GetInfo' || this.#state.name === 'Down') {
      if (!this.#learnInfo(from, message)) return;
      const startedNow = pg.info.history.lastEpochStarted > startedBefore;
      const { prior } = this.#state;
      if (startedNow) {
        // Fewer past intervals matter now.
        this.#becomeGetInfo();
        return;
      }
      const requested = new Set(this.#state.name === 'GetInfo' ? this.#state.requested : []);
      requested.delete(from);
      this.#becomeProbing(prior, requested);
    } else if (!pg.peerInfo.has(from)) {
      this.#learnInfo(from, message);
      if (this.#state.name === 'Incomplete') this.#becomeGetInfo();
    }
  }

  /** proc_replica_info. Returns whether it was news, or an answer. */
  #learnInfo(from: OsdId, { info }: PgNotify): boolean {
    const pg = this.#pg;
    if (pg.peerInfo.has(from) && sameVersion(pg.peerInfo.get(from)!.lastUpdate, info.lastUpdate)) {
      // Said twice; but what it says twice it has answered.
      return this.#state.name === 'GetInfo' && this.#state.requested.has(from);
    }
    pg.peerInfo.set(from, info);
    this.#updateHistory(info.history);
    if (!pg.up.includes(from) && !pg.acting.includes(from)) {
      if (!isEmpty(info) || info.history.epochCreated > 0) pg.strays.add(from);
    }
    return true;
  }

  #updateHistory(history: PgHistory): void {
    const pg = this.#pg;
    const merged = mergeHistory(pg.info.history, history);
    pg.setInfo({ ...pg.info, history: merged });
    if (merged.lastEpochClean >= merged.sameIntervalSince && pg.pastIntervals.length > 0) pg.setPastIntervals([]);
  }

  #hasBeenUpSince(osd: OsdId, epoch: Epoch): boolean {
    const { map } = this.#pg;
    return osdUp(map, osd) && map.osdInfo[osd]!.upFrom <= epoch;
  }

  #maybeGotInfo(): void {
    const pg = this.#pg;
    if (this.#state.name !== 'GetInfo' || this.#state.requested.size > 0 || !pg.isFlushed) return;
    this.#becomeGetLog(this.#state.prior);
  }

  // Primary: GetLog, GetMissing, WaitUpThru.

  /** Self and everyone heard of. */
  #allInfos(): PeerInfos {
    return new Map(this.#pg.peerInfo).set(this.#pg.whoami, this.#pg.info);
  }

  /**
   * Chooses whose log counts and who should serve. Asks the monitors for another acting set where that is better than
   * the present one (PeeringState::choose_acting).
   *
   * @returns the authority and the members to be, once the acting set is as wanted; else what it is waiting for
   */
  #chooseActing(
    restrictToUpActing: boolean,
  ):
    | { readonly kind: 'chosen'; readonly authority: OsdId; readonly backfill: readonly OsdId[] }
    | { readonly kind: 'change'; readonly want: readonly OsdId[] }
    | { readonly kind: 'none' } {
    const pg = this.#pg;
    const infos = this.#allInfos();
    const eligible = (osd: OsdId) => pg.up.includes(osd) || pg.acting.includes(osd);
    const authority = findBestInfo(infos, pg.whoami, restrictToUpActing ? eligible : undefined);
    if (authority === undefined) {
      if (pg.up.join() === pg.acting.join() || pg.up.length === 0) return { kind: 'none' };
      pg.host.wantPgTemp(pg.pgid, []);
      return { kind: 'change', want: pg.up };
    }
    const { want, backfill } = calcReplicatedActing(
      infos,
      authority,
      pg.up,
      pg.placement.upPrimary,
      pg.acting,
      pg.pool.size,
    );
    if (want.join() !== pg.acting.join()) {
      pg.host.wantPgTemp(pg.pgid, want.join() === pg.up.join() ? [] : want);
      return { kind: 'change', want };
    }
    return { kind: 'chosen', authority, backfill };
  }

  /**
   * Whether nobody has heard that the PG was ever active, nor is anybody left who would know. Ceph's OSDs never begin a PG by
   * themselves: there the monitors remember which PGs have been created, and such a one stays `unknown`.
   */
  #mayHaveBeenForgotten(): boolean {
    const pg = this.#pg;
    const infos = this.#allInfos();
    const wasActive = [...infos.values()].some(({ history }) => history.lastEpochStarted > 0);
    if (wasActive) return false;
    const witnesses = new Map([[pg.whoami, pg.host.admittedIn]]);
    for (const osd of pg.peerInfo.keys()) witnesses.set(osd, this.#admittedIn.get(osd)!);
    return hasUnwitnessed(pg.pastIntervals, witnesses);
  }

  #becomeGetLog(prior: PriorSet): void {
    const pg = this.#pg;
    if (this.#mayHaveBeenForgotten()) {
      this.#state = { name: 'Incomplete', prior };
      pg.host.pgChanged(pg.pgid);
      return;
    }
    const choice = this.#chooseActing(false);
    if (choice.kind !== 'chosen') {
      this.#state =
        choice.kind === 'change'
          ? { name: 'WaitActingChange', prior, want: choice.want }
          : { name: 'Incomplete', prior };
      pg.host.pgChanged(pg.pgid);
      return;
    }
    pg.backfillTargets = choice.backfill;
    pg.actingRecoveryBackfill = [...pg.acting, ...choice.backfill];
    const { authority } = choice;
    if (authority === pg.whoami) {
      this.#becomeGetMissing(prior);
      return;
    }
    const best = pg.peerInfo.get(authority)!;
    if (compareVersions(pg.info.lastUpdate, best.logTail) < 0) {
      this.#state = { name: 'Incomplete', prior };
      pg.host.pgChanged(pg.pgid);
      return;
    }
    // Far enough back for everyone who is behind this replica and can still be brought up by the authority's log.
    let since = pg.info.lastUpdate;
    for (const osd of pg.actingRecoveryBackfill) {
      const info = osd === pg.whoami ? undefined : pg.peerInfo.get(osd);
      if (!info || compareVersions(info.lastUpdate, since) >= 0) continue;
      if (
        compareVersions(info.lastUpdate, pg.info.logTail) < 0 &&
        compareVersions(info.lastUpdate, best.logTail) >= 0
      ) {
        since = info.lastUpdate;
      }
    }
    this.#state = { name: 'GetLog', prior, authority };
    this.#sendQuery(authority, 'log', since);
  }

  /** An answer to a query for a log; from the primary, an activation. */
  onLog(from: OsdId, message: PgLogMessage): void {
    if (this.#isOld(message.epoch, message.queryEpoch) || !isValidLog(message)) return;
    switch (this.#state.name) {
      case 'GetLog':
        if (from === this.#state.authority) this.#onAuthoritativeLog(from, message, this.#state.prior);
        return;
      case 'GetMissing': {
        const { prior, requested } = this.#state;
        if (!requested.has(from)) return;
        this.#learnReplicaLog(from, message);
        const remaining = new Set(requested);
        remaining.delete(from);
        this.#state = { name: 'GetMissing', prior, requested: remaining };
        this.#maybeGotMissing();
        return;
      }
      case 'Active':
        if (this.#pg.peerMissing.has(from)) return;
        this.#learnReplicaLog(from, message);
        this.#listener.onPeerMissing(from);
        return;
      case 'Stray':
        if (from === this.#pg.primary) {
          this.#becomeReplicaActive(message.info, message.lease, takeActivationLog(this.#pg, message));
        }
        return;
      default:
        return;
    }
  }

  #onAuthoritativeLog(from: OsdId, message: PgLogMessage, prior: PriorSet): void {
    const pg = this.#pg;
    const transaction = mergeAuthoritativeLog(pg, message);
    if (!transaction) {
      this.#state = { name: 'Incomplete', prior };
      pg.host.pgChanged(pg.pgid);
      return;
    }
    pg.peerInfo.set(from, message.info);
    pg.peerMissing.set(from, Missing.of(message.missing));
    this.#updateHistory(message.info.history);
    pg.commit(transaction);
    this.#becomeGetMissing(prior);
  }

  #becomeGetMissing(prior: PriorSet): void {
    const pg = this.#pg;
    const requested = new Set<OsdId>();
    for (const osd of pg.actingRecoveryBackfill) {
      const info = pg.peerInfo.get(osd);
      if (osd === pg.whoami || !info) continue;
      const willBackfill = compareVersions(info.lastUpdate, pg.log.tail) < 0 || isFirst(info.lastBackfill);
      const isUpToDate = !hasMissing(info) && sameVersion(info.lastUpdate, pg.info.lastUpdate);
      if (isEmpty(info) || willBackfill || isUpToDate) {
        pg.peerMissing.set(osd, new Missing());
        continue;
      }
      if (pg.peerMissing.has(osd)) continue;
      // From its last_epoch_started on: enough of its log to see what is divergent.
      const since = { epoch: info.lastEpochStarted, version: 0 };
      if (compareVersions(info.logTail, since) <= 0) this.#sendQuery(osd, 'log', since);
      else this.#sendQuery(osd, 'fulllog', NO_VERSION);
      requested.add(osd);
    }
    this.#state = { name: 'GetMissing', prior, requested };
    pg.host.pgChanged(pg.pgid);
    this.#maybeGotMissing();
  }

  #learnReplicaLog(from: OsdId, message: PgLogMessage): void {
    const pg = this.#pg;
    const missing = Missing.of(message.missing);
    pg.peerInfo.set(from, judgeReplicaLog(pg.log, message, missing));
    pg.peerMissing.set(from, missing);
  }

  #maybeGotMissing(): void {
    if (this.#state.name !== 'GetMissing' || this.#state.requested.size > 0) return;
    this.#state = { name: 'WaitUpThru', prior: this.#state.prior };
    this.#maybeActivate();
  }

  #maybeActivate(): void {
    if (this.#state.name !== 'WaitUpThru' || this.#needsUpThru()) return;
    this.#activate();
  }

  // Primary: Active.

  /** PeeringState::activate, the primary's side. */
  #activate(): void {
    const pg = this.#pg;
    const reset = pg.lastPeeringReset;
    this.#state = { name: 'Active', activated: new Set(), allActivated: false };
    // Below min_size the PG is only peered: no write can have happened, so nobody need be asked about this interval.
    const started = pg.hasMinSize
      ? { lastEpochStarted: pg.epoch, lastIntervalStarted: pg.intervalSince }
      : { lastEpochStarted: pg.info.lastEpochStarted, lastIntervalStarted: pg.info.lastIntervalStarted };
    pg.setInfo({ ...pg.info, ...started, lastComplete: completeUpTo(pg.info, pg.missing) });
    const lease = pg.lease.renew(pg.host.world.clock.now());
    for (const osd of pg.actingRecoveryBackfill) {
      if (osd !== pg.whoami) activateReplica(pg, osd, lease);
    }
    pg.commit([], () => {
      if (pg.lastPeeringReset === reset) this.#onActivationCommitted(pg.whoami);
    });
    pg.host.pgChanged(pg.pgid);
  }

  #onActivationCommitted(osd: OsdId): void {
    const pg = this.#pg;
    if (this.#state.name !== 'Active' || this.#state.allActivated) return;
    const activated = new Set(this.#state.activated).add(osd);
    const allActivated = pg.actingRecoveryBackfill.every((member) => activated.has(member));
    this.#state = { name: 'Active', activated, allActivated };
    if (!allActivated) return;
    const { info } = pg;
    pg.setInfo({
      ...info,
      history: {
        ...info.history,
        lastEpochStarted: Math.max(info.history.lastEpochStarted, info.lastEpochStarted),
        lastIntervalStarted: Math.max(info.history.lastIntervalStarted, info.lastIntervalStarted),
      },
    });
    pg.commit();
    this.shareInfo();
    this.#listener.onActivated();
  }

  /** Tells the members how far the PG has come. */
  shareInfo(): void {
    const pg = this.#pg;
    const { pgid, epoch } = pg;
    for (const osd of pg.actingRecoveryBackfill) {
      if (osd === pg.whoami) continue;
      const info = { ...pg.info, lastBackfill: pg.peerInfo.get(osd)!.lastBackfill };
      pg.send(osd, {
        type: 'pg_info',
        pgid,
        epoch,
        info,
        lease: undefined,
        leaseAck: undefined,
      });
    }
  }

  /**
   * Recovery and backfill are done: asks for the up set to act where it does not yet, or else records that the PG is
   * clean. Returns whether it is (Recovered, Clean).
   */
  tryMarkClean(): boolean {
    const pg = this.#pg;
    invariant(this.isActive, 'only an active PG becomes clean');
    if (pg.acting.join() !== pg.up.join()) {
      for (const osd of pg.actingRecoveryBackfill) {
        const peer = pg.peerInfo.get(osd);
        if (!peer) continue;
        // Every write since the activation went there as well.
        const { lastUpdate } = pg.info;
        pg.peerInfo.set(osd, { ...peer, lastUpdate, lastComplete: lastUpdate, logTail: pg.info.logTail });
      }
      if (this.#chooseActing(true).kind !== 'chosen') return false;
    }
    if (pg.acting.length < pg.pool.size) return false;
    const { info } = pg;
    if (info.history.lastEpochClean < pg.intervalSince) {
      pg.setInfo({
        ...info,
        history: { ...info.history, lastEpochClean: pg.epoch, lastIntervalClean: pg.intervalSince },
      });
      pg.setPastIntervals([]);
      pg.commit();
      this.shareInfo();
    }
    return true;
  }

  /** Asks an OSD what it has and misses, to find objects that nobody heard of has. */
  queryMissing(osd: OsdId): void {
    this.#sendQuery(osd, 'fulllog', NO_VERSION);
  }

  // Everyone else.

  #becomeStray(): void {
    this.#state = { name: 'Stray' };
    this.#pg.host.pgChanged(this.#pg.pgid);
    this.#sendNotify(this.#pg.primary, this.#pg.epoch);
  }

  #sendNotify(to: OsdId, queryEpoch: Epoch): void {
    const pg = this.#pg;
    if (to < 0 || to === pg.whoami || !osdExists(pg.map, to)) return;
    pg.send(to, {
      type: 'pg_notify',
      pgid: pg.pgid,
      epoch: pg.epoch,
      queryEpoch,
      info: pg.info,
      pastIntervals: pg.pastIntervals,
      priorReadableUs: pg.lease.priorRemaining(pg.host.world.clock.now()),
      admittedIn: pg.host.admittedIn,
    });
  }

  onQuery(from: OsdId, message: PgQuery): void {
    const pg = this.#pg;
    if (this.#isOld(message.epoch)) return;
    if (message.query === 'info') {
      this.#sendNotify(from, message.epoch);
      return;
    }
    const log = message.query === 'log' ? pg.log.copyAfter(message.since) : pg.log.copy();
    pg.send(from, {
      type: 'pg_log',
      pgid: pg.pgid,
      epoch: pg.epoch,
      queryEpoch: message.epoch,
      info: pg.info,
      log,
      missing: pg.missing.items(),
      pastIntervals: [],
      lease: undefined,
    });
  }

  onInfo(from: OsdId, message: PgInfoMessage): void {
    const pg = this.#pg;
    if (this.#isOld(message.epoch)) return;
    if (!isConsistentInfo(message.info)) return;
    switch (this.#state.name) {
      case 'Active':
        if (!pg.actingRecoveryBackfill.includes(from)) return;
        if (message.leaseAck !== undefined) pg.lease.onAck(from, message.leaseAck);
        this.#onActivationCommitted(from);
        return;
      case 'Stray':
        if (from === pg.primary) {
          this.#becomeReplicaActive(message.info, message.lease, takeActivationInfo(pg, message.info));
        }
        return;
      case 'ReplicaActive':
        if (from !== pg.primary) return;
        this.#updateHistory(message.info.history);
        pg.setInfo({ ...pg.info, ...sharedFields(message.info) });
        pg.commit();
        return;
      default:
        return;
    }
  }

  /**
   * PeeringState::activate, a replica's side.
   *
   * @param transaction what brings the store in line; undefined: the primary's log does not fit this one
   */
  #becomeReplicaActive(primaryInfo: PgInfo, lease: Lease | undefined, transaction: Transaction | undefined): void {
    if (!transaction) return;
    const pg = this.#pg;
    const { world } = pg.host;
    this.#state = { name: 'ReplicaActive' };
    this.#updateHistory(primaryInfo.history);
    const started = primaryInfo.lastEpochStarted;
    if (pg.info.lastEpochStarted < started) {
      pg.setInfo({ ...pg.info, lastEpochStarted: started, lastIntervalStarted: primaryInfo.lastIntervalStarted });
    }
    pg.setInfo({ ...pg.info, lastComplete: completeUpTo(pg.info, pg.missing) });
    if (lease && pg.isActing) pg.lease.onLease(lease, world.clock.now());
    const { pgid, primary } = pg;
    const reset = pg.lastPeeringReset;
    pg.commit(transaction, () => {
      if (pg.lastPeeringReset !== reset) return;
      pg.send(primary, {
        type: 'pg_info',
        pgid,
        epoch: pg.epoch,
        info: pg.info,
        lease: undefined,
        leaseAck: lease?.until,
      });
    });
    this.#listener.onReplicaActive();
  }

  /** What holds of every PG after every event. */
  check(): void {
    const pg = this.#pg;
    invariant(sameVersion(pg.log.head, pg.info.lastUpdate), 'the log ends at last_update');
    invariant(sameVersion(pg.log.tail, pg.info.logTail), 'the log begins at log_tail');
    invariant(pg.isPrimary || OTHERS_STATES.has(this.#state.name), 'only the primary peers');
    if (this.isActive) {
      for (const osd of pg.acting) {
        invariant(pg.actingRecoveryBackfill.includes(osd), 'every acting OSD takes part');
      }
      invariant(!isIncomplete(pg.info), 'an active primary has all objects, or knows that it misses them');
    }
  }
}
