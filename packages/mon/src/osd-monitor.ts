/**
 * The OSDMap service (mon/OSDMonitor.cc): boots, failures, who is in, pools and placement. Every epoch is stored whole and
 * as the incremental that led to it.
 *
 *   osd_boot --> up        failure reports, refused connections, silence --> down --(down_out_interval)--> out
 */
import { type CrushMap, decodeCrushMap, encodeCrushMap, locationOf, subtreeOf } from '@spirula/crush';
import {
  type Bytes,
  type EntityAddr,
  type Epoch,
  equalBytes,
  formatUuid,
  type OsdId,
  type PoolId,
  sameAddrVec,
  type UTime,
  type Uuid,
} from '@spirula/encoding';
import {
  applyIncremental,
  crcOfFullMap,
  emptyIncremental,
  emptyOsdMap,
  encodeIncremental,
  encodeOsdMap,
  followIncremental,
  isFlagged,
  mapPg,
  type OsdMap,
  OsdMapFlag,
  type OsdMapIncremental,
  OsdState,
  type OsdXInfo,
  osdExists,
  osdIn,
  osdUp,
  type Pool,
  pgKey,
  readOsdMap,
} from '@spirula/maps';
import type { OsdAlive, OsdBeacon, OsdBoot, OsdFailure, OsdFull, OsdMarkMeDown, OsdPgTemp } from '@spirula/messages';
import { type Instant, invariant, SECOND, seconds } from '@spirula/world';
import { addToBlocklist, clearBlocklist, expireBlocklist, removeFromBlocklist } from './blocklist.ts';
import { cleanTemps, sameOsds } from './clean-temps.ts';
import { decodeMetadata, encodeMetadata } from './daemon-metadata.ts';
import { DownOut } from './down-out.ts';
import { FailureReports } from './failure-reports.ts';
import { initialCrush } from './initial-crush.ts';
import { heartbeatGrace, learnFromBoot } from './laggy.ts';
import { LastEpochClean } from './last-epoch-clean.ts';
import { type MonTransaction, versionKey } from './mon-store.ts';
import { markOsd, markPools } from './osd-full.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';
import { findQuotaChanges } from './pool-quotas.ts';
import { PoolSnaps } from './pool-snaps.ts';

const PREFIX = 'osdmap';
const FULL = 'full:';
const INC = 'inc:';
/** Under which prefix and key what an OSD said of itself at its last boot is kept. */
const METADATA = 'osd_metadata';
/** A fresh Pacific cluster's: sortbitwise, recovery_deletes, purged_snapdirs, pglog_hardlimit. */
const INITIAL_FLAGS =
  OsdMapFlag.sortbitwise | OsdMapFlag.recoveryDeletes | OsdMapFlag.purgedSnapdirs | OsdMapFlag.pglogHardlimit;
const RELEASE_LUMINOUS = 12;
const RELEASE_PACIFIC = 16;
const IN = 0x10000;
const NO_UUID: Uuid = new Uint8Array(16);
/** Features that OSDs of Pacific report. */
const OSD_FEATURES = 0x3f01_cfbd_fffd_ffffn;

export class OsdMonitor implements PaxosService {
  readonly #context: ServiceContext;
  readonly #fsid: Uuid;
  #map: OsdMap;
  #first: Epoch = 0;
  #pending: OsdMapIncremental;
  #dirty = false;
  readonly #failures: FailureReports;
  readonly #downOut: DownOut;
  readonly #lastBeacon = new Map<OsdId, Instant>();
  readonly #lastEpochClean = new LastEpochClean();
  #pendingMetadata = new Map<OsdId, ReadonlyMap<string, string>>();
  readonly snaps: PoolSnaps;

  constructor(context: ServiceContext, fsid: Uuid) {
    this.#context = context;
    this.#fsid = fsid;
    this.#map = emptyOsdMap(fsid);
    this.#pending = emptyIncremental(fsid, 1);
    this.#failures = new FailureReports(context.config);
    this.#downOut = new DownOut(context.config);
    const self = this;
    this.snaps = new PoolSnaps({
      store: context.store,
      get map() {
        return self.#map;
      },
      get pending() {
        return self.#pending;
      },
      pendingPool: (id) => this.pendingPool(id),
      setPool: (id, pool) => this.setPool(id, pool),
      propose: () => this.propose(),
      wall: () => context.wall(),
    });
  }

  /** The newest committed map. */
  get map(): OsdMap {
    return this.#map;
  }

  /** Oldest epoch still stored. */
  get first(): Epoch {
    return this.#first;
  }

  get dirty(): boolean {
    return this.#dirty;
  }

  /** The changes that will make the next epoch: to be filled in, then `propose`. */
  get pending(): OsdMapIncremental {
    return this.#pending;
  }

  propose(): void {
    this.#dirty = true;
    this.#context.changed();
  }

  /** What an OSD said of itself when it booted last. */
  metadata(osd: OsdId): ReadonlyMap<string, string> {
    const bytes = this.#context.store.get(METADATA, String(osd));
    return bytes === undefined ? new Map() : decodeMetadata(bytes);
  }

  full(epoch: Epoch): Bytes | undefined {
    return this.#context.store.get(PREFIX, FULL + versionKey(epoch));
  }

  incremental(epoch: Epoch): Bytes | undefined {
    return this.#context.store.get(PREFIX, INC + versionKey(epoch));
  }

  refresh(): void {
    const { store } = this.#context;
    this.#first = store.getNumber(PREFIX, 'first');
    const last = store.getNumber(PREFIX, 'last');
    if (last === this.#map.epoch) return;
    if (last === this.#map.epoch + 1) {
      const inc = this.incremental(last);
      if (inc !== undefined) {
        this.#map = followIncremental(this.#map, inc).map;
        this.#resetPending();
        return;
      }
    }
    const full = this.full(last);
    // A store that was wiped to be copied anew has none.
    this.#map = full === undefined ? emptyOsdMap(this.#fsid) : readOsdMap(full);
    this.#resetPending();
  }

  #resetPending(): void {
    this.#pending = emptyIncremental(this.#fsid, this.#map.epoch + 1);
    this.#pendingMetadata = new Map();
    this.snaps.resetPending();
    this.#dirty = false;
  }

  onLeading(): void {
    this.#resetPending();
    this.#failures.clear();
    this.#downOut.clear();
    this.#lastBeacon.clear();
    this.#lastEpochClean.clear();
    this.#afterCommit = [];
    if (this.#map.epoch === 0) this.#createInitial();
  }

  #createInitial(): void {
    const crush = initialCrush(this.#context.config);
    const now = this.#context.wall();
    const map: OsdMap = {
      ...emptyOsdMap(this.#fsid),
      epoch: 1,
      created: now,
      modified: now,
      flags: INITIAL_FLAGS,
      crush,
      crushBytes: encodeCrushMap(crush),
      lastUpChange: now,
      lastInChange: now,
      nearfullRatio: Math.fround(this.#context.config.mon_osd_nearfull_ratio),
      backfillfullRatio: Math.fround(this.#context.config.mon_osd_backfillfull_ratio),
      fullRatio: Math.fround(this.#context.config.mon_osd_full_ratio),
      requireMinCompatClient: RELEASE_LUMINOUS,
      requireOsdRelease: RELEASE_PACIFIC,
    };
    this.#pending.fullmap = encodeOsdMap(map);
    this.propose();
  }

  encodePending(transaction: MonTransaction): void {
    const inc = this.#pending;
    inc.modified = this.#context.wall();
    if (this.#upChanges(inc)) inc.newLastUpChange = inc.modified;
    if ([...inc.newWeight].some(([osd, weight]) => weight > 0 !== osdIn(this.#map, osd))) {
      inc.newLastInChange = inc.modified;
    }
    let next = applyIncremental(this.#map, inc);
    const isCleaned = cleanTemps(next, inc);
    if (markPools(next, inc) || isCleaned) next = applyIncremental(this.#map, inc);
    const full = inc.fullmap.length > 0 ? inc.fullmap : encodeOsdMap(next);
    inc.fullCrc = crcOfFullMap(full);
    const key = versionKey(inc.epoch);
    transaction.put(PREFIX, FULL + key, full);
    transaction.put(PREFIX, INC + key, encodeIncremental(inc));
    transaction.putNumber(PREFIX, 'last', inc.epoch);
    this.snaps.encodePending(transaction);
    for (const [osd, metadata] of this.#pendingMetadata) {
      if (metadata.size === 0) transaction.del(METADATA, String(osd));
      else transaction.put(METADATA, String(osd), encodeMetadata(metadata));
    }
    const first = this.#trimDue
      ? Math.min(this.#trimPoint(), this.#first + this.#context.config.paxos_trim_max)
      : Math.max(this.#first, 1);
    for (let epoch = this.#first; epoch > 0 && epoch < first; epoch++) {
      transaction.del(PREFIX, FULL + versionKey(epoch));
      transaction.del(PREFIX, INC + versionKey(epoch));
    }
    if (first !== this.#first) transaction.putNumber(PREFIX, 'first', first);
    this.#dirty = false;
  }

  #upChanges(inc: OsdMapIncremental): boolean {
    return (
      inc.newUpClient.size > 0 || [...inc.newState.values()].some((bits) => bits === 0 || (bits & OsdState.up) !== 0)
    );
  }

  /** First epoch to keep: mon_min_osdmap_epochs of them, and all that a PG which is not clean may ask for. */
  #trimPoint(): Epoch {
    const { mon_min_osdmap_epochs: kept } = this.#context.config;
    return Math.min(this.#map.epoch - kept, this.#lastEpochClean.lowerBound(this.#map));
  }

  /** Maps are trimmed many at a time. */
  get #trimDue(): boolean {
    return this.#first > 0 && this.#trimPoint() >= this.#first + this.#context.config.paxos_trim_min;
  }

  // What OSDs say. `addrs` are those of the connection, checked against the map by the caller but for a boot.

  onBoot(boot: OsdBoot): void {
    const { osd } = boot;
    if (!osdExists(this.#map, osd) || !equalBytes(this.#map.osdUuid[osd]!, boot.uuid)) {
      this.#context.log.warn('boot of an OSD that is not registered', { osd, uuid: formatUuid(boot.uuid) });
      return;
    }
    if (osdUp(this.#map, osd) && sameAddrVec(this.#map.clientAddrs[osd]!, boot.publicAddrs)) return;
    const inc = this.#pending;
    // Just registered, or removed: the next epoch shows which.
    if (inc.newUuid.has(osd)) {
      this.#afterCommit.push(() => this.onBoot(boot));
      return;
    }
    if (osdUp(this.#map, osd)) {
      // The process we know is gone; this is its successor. Down first: the next epoch brings it up.
      this.#markDown(osd);
      this.#afterCommit.push(() => this.onBoot(boot));
      return;
    }
    if (isFlagged(this.#map, osd, 'noup')) return;
    inc.newUpClient.set(osd, boot.publicAddrs);
    inc.newUpCluster.set(osd, boot.clusterAddrs);
    inc.newHbBackUp.set(osd, boot.hbBackAddrs);
    inc.newHbFrontUp.set(osd, boot.hbFrontAddrs);
    const info = this.#map.osdInfo[osd]!;
    inc.newUpThru.set(osd, info.upThru);
    if (boot.cleanBegin > info.lastCleanBegin) inc.newLastCleanInterval.set(osd, [boot.cleanBegin, boot.cleanEnd]);
    const xinfo = this.#map.osdXInfo[osd]!;
    const { config } = this.#context;
    const learned = learnFromBoot(xinfo, this.#sameProcess(boot), this.#context.wall(), config);
    inc.newXInfo.set(osd, { ...learned, features: OSD_FEATURES });
    this.#takeBackOut(osd);
    this.#bringIn(osd, xinfo);
    this.#pendingMetadata.set(osd, boot.metadata);
    this.#lastBeacon.set(osd, this.#context.now());
    this.#failures.forget(osd);
    this.#context.clusterLog('info', `osd.${osd} ${this.#formatBootAddrs(boot)} boot`);
    this.propose();
  }

  #formatBootAddrs(boot: OsdBoot): string {
    return boot.publicAddrs.map((addr) => `v2:${addr.ip}:${addr.port}/${addr.nonce}`).join(',');
  }

  /** New OSDs come in; so do those the monitors put out by themselves (mon_osd_auto_mark_*_in). */
  #bringIn(osd: OsdId, xinfo: OsdXInfo): void {
    if (isFlagged(this.#map, osd, 'noin')) return;
    const state = this.#map.osdState[osd]!;
    if ((state & (OsdState.new | OsdState.autoout)) === 0) return;
    this.#pending.newWeight.set(osd, xinfo.oldWeight > 0 ? xinfo.oldWeight : IN);
    this.#pending.newXInfo.set(osd, { ...this.#pendingXInfo(osd), oldWeight: 0 });
  }

  onFailure(failure: OsdFailure): void {
    const { target } = failure;
    if (!osdUp(this.#map, target) || !sameAddrVec(this.#map.clientAddrs[target]!, failure.targetAddrs)) return;
    if (failure.alive) {
      this.#failures.cancel(target, failure.reporter);
      return;
    }
    if (!this.#mayMarkDown(target)) return;
    const at = this.#context.now() - seconds(failure.failedFor);
    this.#failures.report(target, failure.reporter, at);
    if (failure.immediate) {
      this.#context.clusterLog('debug', `osd.${target} reported immediately failed by osd.${failure.reporter}`);
      this.#markFailed(target, `connection refused reported by osd.${failure.reporter}`);
      this.#markDead(target);
      return;
    }
    this.#checkFailure(target);
  }

  #checkFailure(target: OsdId): void {
    const { config } = this.#context;
    const now = this.#context.now();
    const verdict = this.#failures.verdict(
      target,
      now,
      (failedFor, reporters) =>
        seconds(heartbeatGrace(this.#map, target, failedFor / SECOND, reporters, this.#context.wall(), config)),
      (osd) => this.#reporterSubtree(osd),
    );
    if (verdict !== undefined && this.#mayMarkDown(target)) this.#markFailed(target, verdict);
  }

  /** With too few left up, it is more likely that those who report are cut off (can_mark_down). */
  #mayMarkDown(osd: OsdId): boolean {
    if (isFlagged(this.#map, osd, 'nodown')) return false;
    const exist = this.#count(() => true);
    const up = this.#count((osd) => osdUp(this.#map, osd) && !this.#pendingDown(osd));
    return exist > 0 && up / exist >= this.#context.config.mon_osd_min_up_ratio;
  }

  #pendingDown(osd: OsdId): boolean {
    return ((this.#pending.newState.get(osd) ?? 0) & OsdState.up) !== 0;
  }

  /** Whether the process that boots is the one that was up before: the monitors had it wrong. */
  #sameProcess(boot: OsdBoot): boolean {
    const before = this.#map.clientAddrs[boot.osd]![0]?.nonce;
    return before !== undefined && before === boot.publicAddrs[0]?.nonce;
  }

  #reporterSubtree(osd: OsdId): string {
    const { mon_osd_reporter_subtree_level: level } = this.#context.config;
    return String(subtreeOf(this.#map.crush, osd, level) ?? `osd.${osd}`);
  }

  #markFailed(osd: OsdId, why: string): void {
    const place = [...locationOf(this.#map.crush, osd)].reverse().map(([type, name]) => `${type}=${name}`);
    this.#markDown(osd, `failed (${place.join(',')}) (${why})`);
  }

  /** `why` is for the cluster log; what came by a command stands in the audit log. */
  #markDown(osd: OsdId, why?: string): void {
    const inc = this.#pending;
    if (this.#pendingDown(osd)) return;
    // The bits of an incremental are flipped, not set: this would bring it up again.
    invariant(osdUp(this.#map, osd), 'only an OSD that is up is marked down');
    inc.newState.set(osd, (inc.newState.get(osd) ?? 0) | OsdState.up);
    this.#failures.forget(osd);
    if (why !== undefined) this.#context.clusterLog('info', `osd.${osd} ${why}`);
    this.propose();
  }

  /** Marks an OSD out by command. `who`, `client.admin` say, asks for it. */
  setOut(osd: OsdId, who: string): void {
    const inc = this.#pending;
    inc.newWeight.set(osd, 0);
    inc.newXInfo.set(osd, { ...this.#map.osdXInfo[osd]!, oldWeight: this.#map.osdWeight[osd]! });
    const down = this.#downOut.downForSeconds(osd, this.#context.now());
    const how = osdUp(this.#map, osd) ? ', while it was still marked up' : `, after it was down for ${down} seconds`;
    this.#context.clusterLog('info', `Client ${who} marked osd.${osd} out${how}`);
    this.propose();
  }

  /** Marks an OSD dead by command. */
  setDead(osd: OsdId): void {
    this.#markDead(osd);
  }

  /** Its process is gone, not merely silent: whoever takes over need not wait for its read leases (dead_epoch). */
  #markDead(osd: OsdId): void {
    const inc = this.#pending;
    // An extended record replaces what going down writes into the old one.
    const downStamp = this.#context.wall();
    inc.newXInfo.set(osd, { ...this.#pendingXInfo(osd), downStamp, deadEpoch: inc.epoch });
    this.propose();
  }

  /** Marks an OSD down by command. */
  setDown(osd: OsdId): void {
    if (osdUp(this.#map, osd)) this.#markDown(osd);
  }

  onMarkMeDown(request: OsdMarkMeDown): void {
    if (!osdUp(this.#map, request.osd) || !this.#mayMarkDown(request.osd)) return;
    this.#markDown(request.osd, 'marked itself down and dead');
    this.#markDead(request.osd);
  }

  onAlive(alive: OsdAlive): void {
    const { osd, want } = alive;
    if (!osdUp(this.#map, osd) || this.#map.osdInfo[osd]!.upThru >= want || this.#map.osdInfo[osd]!.upFrom > want)
      return;
    this.#raiseUpThru(osd, alive.epoch);
    this.propose();
  }

  onPgTemp(request: OsdPgTemp): void {
    for (const { pgid, acting } of request.pgs) {
      const pool = this.#map.pools.get(pgid.pool);
      if (pool === undefined || pgid.seed >= pool.pgNum) continue;
      if (!acting.every((osd) => osdUp(this.#map, osd))) continue;
      const key = pgKey(pgid);
      // What CRUSH says by itself needs no entry.
      const wanted = sameOsds(acting, mapPg(this.#map, pgid).up) ? [] : acting;
      if (sameOsds(wanted, this.#map.pgTemp.get(key) ?? [])) continue;
      this.#pending.newPgTemp.set(key, wanted);
      // It will ask for up_thru next: granted with it.
      if (this.#map.osdInfo[request.osd]!.upThru < request.epoch) this.#raiseUpThru(request.osd, request.epoch);
      this.propose();
    }
  }

  /** No further than the OSD itself had got: it may not know yet of an interval that began since. */
  #raiseUpThru(osd: OsdId, epoch: Epoch): void {
    this.#pending.newUpThru.set(osd, Math.min(epoch, this.#map.epoch));
  }

  onBeacon(beacon: OsdBeacon): void {
    this.#lastBeacon.set(beacon.osd, this.#context.now());
    this.#lastEpochClean.report(this.#map, beacon.pgs, Math.min(beacon.minLastEpochClean, this.#map.epoch));
  }

  onFull({ osd, epoch, state }: OsdFull): void {
    // Of an earlier life of it.
    if (!osdUp(this.#map, osd) || epoch < this.#map.osdInfo[osd]!.upFrom) return;
    if (markOsd(this.#map, this.#pending, osd, state)) this.propose();
  }

  #afterCommit: (() => void)[] = [];

  /** The leader's, after a commit: what had to wait for the next epoch. */
  afterCommit(): void {
    // Also who was reported once more while the map that marks it down was being made (OSDMonitor::process_failures).
    for (const target of this.#failures.targets()) if (!osdUp(this.#map, target)) this.#failures.forget(target);
    const waiting = this.#afterCommit;
    this.#afterCommit = [];
    for (const each of waiting) each();
  }

  /** Down OSDs go out in time; silent ones go down; old maps go. */
  tick(): void {
    const now = this.#context.now();
    const { config } = this.#context;
    for (let osd = 0; osd < this.#map.maxOsd; osd++) {
      if (!osdUp(this.#map, osd)) continue;
      const heard = this.#lastBeacon.get(osd);
      if (heard === undefined) this.#lastBeacon.set(osd, now);
      else if (now - heard > seconds(config.mon_osd_report_timeout) && this.#mayMarkDown(osd)) {
        this.#markDown(osd, `marked down after no beacon for ${((now - heard) / SECOND).toFixed(6)} seconds`);
      }
    }
    for (const target of this.#failures.targets()) this.#checkFailure(target);
    for (const [osd, downFor] of this.#downOut.due(this.#map, now)) this.#markOut(osd, downFor);
    if (expireBlocklist(this.#map, this.#pending, this.#context.wall())) this.propose();
    if (this.#trimDue) this.propose();
  }

  /** Refuses a client for so long. Returns until when. */
  blocklist(addr: EntityAddr, forSeconds: number): UTime {
    const until = addToBlocklist(this.#pending, addr, forSeconds, this.#context.wall());
    this.propose();
    return until;
  }

  /** Returns false when it is not refused. */
  unblocklist(addr: EntityAddr): boolean {
    const removed = removeFromBlocklist(this.#map, this.#pending, addr);
    if (removed) this.propose();
    return removed;
  }

  clearBlocklist(): void {
    clearBlocklist(this.#map, this.#pending);
    this.propose();
  }

  #markOut(osd: OsdId, downForSeconds: number): void {
    const inc = this.#pending;
    inc.newWeight.set(osd, 0);
    inc.newState.set(osd, (inc.newState.get(osd) ?? 0) | OsdState.autoout);
    inc.newXInfo.set(osd, { ...this.#pendingXInfo(osd), oldWeight: this.#map.osdWeight[osd]! });
    this.#context.clusterLog('info', `Marking osd.${osd} out (has been down for ${downForSeconds} seconds)`);
    this.propose();
  }

  /** The next map was to put it out for being down. */
  #takeBackOut(osd: OsdId): void {
    this.#downOut.forget(osd);
    const { newState, newWeight } = this.#pending;
    const state = newState.get(osd) ?? 0;
    if ((state & OsdState.autoout) === 0) return;
    newWeight.delete(osd);
    if (state === OsdState.autoout) newState.delete(osd);
    else newState.set(osd, state & ~OsdState.autoout);
  }

  #pendingXInfo(osd: OsdId): OsdXInfo {
    return this.#pending.newXInfo.get(osd) ?? this.#map.osdXInfo[osd]!;
  }

  #count(which: (osd: OsdId) => boolean): number {
    let count = 0;
    for (let osd = 0; osd < this.#map.maxOsd; osd++) if (osdExists(this.#map, osd) && which(osd)) count += 1;
    return count;
  }

  /** The leader's, now and then: which pools hold as much as their quotas let them. */
  updateQuotas(statsOf: (pool: PoolId) => { readonly objects: number; readonly bytes: number } | undefined): void {
    for (const { id, flags, says } of findQuotaChanges(this.#map, statsOf)) {
      const pool = this.pendingPool(id);
      if (pool === undefined || this.#pending.oldPools.has(id) || pool.flags === flags) continue;
      for (const { level, text } of says) this.#context.clusterLog(level, text);
      this.setPool(id, { ...pool, flags });
    }
  }

  // Changes made by commands

  /**
   * Registers an OSD (`osd new`): the number given or the lowest free one. One that was destroyed keeps all that the map
   * says of its number (OSDMonitor::prepare_command_osd_new, do_osd_create).
   */
  register(uuid: Uuid, id: OsdId | undefined): OsdId {
    const osd = id ?? this.#lowestFree();
    const inc = this.#pending;
    const state = this.#map.osdState[osd] ?? 0;
    if ((state & OsdState.destroyed) !== 0) {
      inc.newState.set(osd, OsdState.destroyed | (~state & OsdState.new));
    } else {
      if (osd >= Math.max(this.#map.maxOsd, inc.newMaxOsd)) inc.newMaxOsd = osd + 1;
      // In, though down: what has a weight exists.
      inc.newWeight.set(osd, IN);
      inc.newState.set(osd, OsdState.new);
    }
    inc.newUuid.set(osd, uuid);
    this.propose();
    return osd;
  }

  /** Whether the number is taken, or about to be, by an OSD that was not destroyed. */
  isTaken(osd: OsdId): boolean {
    if (this.#pending.newUuid.has(osd)) return true;
    return osdExists(this.#map, osd) && (this.#map.osdState[osd]! & OsdState.destroyed) === 0;
  }

  /** Forgets an OSD that is down. */
  unregister(osd: OsdId): void {
    this.#forget(osd);
    this.#pending.newState.set(osd, this.#map.osdState[osd]!);
    this.#pending.newXInfo.delete(osd);
  }

  /** Marks an OSD that is down as destroyed: the number is kept for another, `register` gives it away. */
  destroy(osd: OsdId): void {
    this.#forget(osd);
    this.#pending.newState.set(osd, OsdState.destroyed);
  }

  #forget(osd: OsdId): void {
    const inc = this.#pending;
    // It may be about to come up: that boot is void.
    for (const addrs of [inc.newUpClient, inc.newUpCluster, inc.newHbBackUp, inc.newHbFrontUp]) addrs.delete(osd);
    inc.newUpThru.delete(osd);
    inc.newUuid.set(osd, NO_UUID);
    this.#pendingMetadata.set(osd, new Map());
    this.propose();
  }

  /** Whether a pool that is, or is about to be, places its data by this ruleset. */
  isRuleUsed(ruleset: number): boolean {
    const pools = [...this.#map.pools.keys(), ...this.#pending.newPools.keys()];
    return pools.some((id) => this.pendingPool(id)!.crushRule === ruleset);
  }

  #lowestFree(): OsdId {
    for (let osd = 0; ; osd++) {
      if (!osdExists(this.#map, osd) && !this.#pending.newState.has(osd)) return osd;
    }
  }

  osdOfUuid(uuid: Uuid): OsdId | undefined {
    for (const [osd, each] of this.#pending.newUuid) if (equalBytes(each, uuid)) return osd;
    const found = this.#map.osdUuid.findIndex((each, osd) => osdExists(this.#map, osd) && equalBytes(each, uuid));
    return found < 0 ? undefined : found;
  }

  /** The CRUSH map as it will be: pending changes included. */
  get pendingCrush(): CrushMap {
    return this.#pending.crush.length > 0 ? decodeCrushMap(this.#pending.crush) : this.#map.crush;
  }

  setCrush(crush: CrushMap): void {
    this.#pending.crush = encodeCrushMap(crush);
    this.propose();
  }

  /** A pool as it will be. */
  pendingPool(id: number): Pool | undefined {
    return this.#pending.newPools.get(id) ?? this.#map.pools.get(id);
  }

  setPool(id: number, pool: Pool): void {
    this.#pending.newPools.set(id, pool);
    this.propose();
  }
}
