/**
 * The OSDMap service (mon/OSDMonitor.cc): boots, failures, who is in, pools and placement. Every epoch is stored whole and
 * as the incremental that led to it.
 *
 *   osd_boot --> up        failure reports, refused connections, silence --> down --(down_out_interval)--> out
 */
import { type CrushMap, decodeCrushMap, encodeCrushMap, subtreeOf } from '@spirula/crush';
import { type Bytes, type Epoch, equalBytes, formatUuid, type OsdId, sameAddrVec, type Uuid } from '@spirula/encoding';
import {
  applyIncremental,
  crcOfFullMap,
  decodeIncremental,
  decodeOsdMap,
  emptyIncremental,
  emptyOsdMap,
  encodeIncremental,
  encodeOsdMap,
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
} from '@spirula/maps';
import type { OsdAlive, OsdBeacon, OsdBoot, OsdFailure, OsdMarkMeDown, OsdPgTemp } from '@spirula/messages';
import { type Instant, seconds } from '@spirula/world';
import { FailureReports } from './failure-reports.ts';
import { initialCrush } from './initial-crush.ts';
import { type MonTransaction, versionKey } from './mon-store.ts';
import type { PaxosService, ServiceContext } from './paxos-service.ts';

const PREFIX = 'osdmap';
const FULL = 'full:';
const INC = 'inc:';
/** A fresh Pacific cluster's: sortbitwise, recovery_deletes, purged_snapdirs, pglog_hardlimit. */
const INITIAL_FLAGS =
  OsdMapFlag.sortbitwise | OsdMapFlag.recoveryDeletes | OsdMapFlag.purgedSnapdirs | OsdMapFlag.pglogHardlimit;
const RELEASE_LUMINOUS = 12;
const RELEASE_PACIFIC = 16;
const IN = 0x10000;
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
  /** When each down OSD was first seen down by this leader. */
  readonly #downSince = new Map<OsdId, Instant>();
  readonly #lastBeacon = new Map<OsdId, Instant>();
  readonly #lastEpochClean = new Map<OsdId, Epoch>();
  readonly #metadata = new Map<OsdId, ReadonlyMap<string, string>>();
  /** What was logged for people since the last `takeLog`. */
  #log: { readonly level: 'info' | 'warn'; readonly text: string }[] = [];

  constructor(context: ServiceContext, fsid: Uuid) {
    this.#context = context;
    this.#fsid = fsid;
    this.#map = emptyOsdMap(fsid);
    this.#pending = emptyIncremental(fsid, 1);
    this.#failures = new FailureReports(context.config);
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

  takeLog(): readonly { readonly level: 'info' | 'warn'; readonly text: string }[] {
    const log = this.#log;
    this.#log = [];
    return log;
  }

  metadata(osd: OsdId): ReadonlyMap<string, string> | undefined {
    return this.#metadata.get(osd);
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
        this.#map = applyIncremental(this.#map, decodeIncremental(inc));
        this.#resetPending();
        return;
      }
    }
    const full = this.full(last);
    if (full !== undefined) this.#map = decodeOsdMap(full);
    this.#resetPending();
  }

  #resetPending(): void {
    this.#pending = emptyIncremental(this.#fsid, this.#map.epoch + 1);
    this.#dirty = false;
  }

  onLeading(): void {
    this.#resetPending();
    this.#failures.clear();
    this.#downSince.clear();
    this.#lastBeacon.clear();
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
    const next = applyIncremental(this.#map, inc);
    const full = inc.fullmap.length > 0 ? inc.fullmap : encodeOsdMap(next);
    inc.fullCrc = crcOfFullMap(full);
    const key = versionKey(inc.epoch);
    transaction.put(PREFIX, FULL + key, full);
    transaction.put(PREFIX, INC + key, encodeIncremental(inc));
    transaction.putNumber(PREFIX, 'last', inc.epoch);
    const first = Math.max(this.#trimPoint(), this.#first, 1);
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

  /** First epoch to keep: mon_min_osdmap_epochs of them, and none that a PG not yet clean may ask for. */
  #trimPoint(): Epoch {
    const keep = this.#map.epoch - this.#context.config.mon_min_osdmap_epochs;
    let floor = keep;
    for (let osd = 0; osd < this.#map.maxOsd; osd++) {
      if (!osdUp(this.#map, osd)) continue;
      floor = Math.min(floor, this.#lastEpochClean.get(osd) ?? 0);
    }
    return floor;
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
    if (osdUp(this.#map, osd)) {
      // The process we know is gone; this is its successor. Down first: the next epoch brings it up.
      if (!inc.newState.has(osd)) this.#markDown(osd, 'restarted');
      this.#afterCommit.push(() => this.onBoot(boot));
      return;
    }
    if ((this.#map.flags & OsdMapFlag.noup) !== 0) return;
    inc.newUpClient.set(osd, boot.publicAddrs);
    inc.newUpCluster.set(osd, boot.clusterAddrs);
    inc.newHbBackUp.set(osd, boot.hbBackAddrs);
    inc.newHbFrontUp.set(osd, boot.hbFrontAddrs);
    const info = this.#map.osdInfo[osd]!;
    inc.newUpThru.set(osd, info.upThru);
    if (boot.cleanBegin > info.lastCleanBegin) inc.newLastCleanInterval.set(osd, [boot.cleanBegin, boot.cleanEnd]);
    const xinfo = this.#map.osdXInfo[osd]!;
    inc.newXInfo.set(osd, { ...this.#learnLaggy(boot, xinfo), features: OSD_FEATURES });
    this.#bringIn(osd, xinfo);
    this.#metadata.set(osd, boot.metadata);
    this.#lastBeacon.set(osd, this.#context.now());
    this.#failures.forget(osd);
    this.#log.push({ level: 'info', text: `osd.${osd} ${this.#formatBootAddrs(boot)} boot` });
    this.propose();
  }

  #formatBootAddrs(boot: OsdBoot): string {
    return boot.publicAddrs.map((addr) => `v2:${addr.ip}:${addr.port}/${addr.nonce}`).join(',');
  }

  /** New OSDs come in; so do those the monitors put out by themselves (mon_osd_auto_mark_*_in). */
  #bringIn(osd: OsdId, xinfo: OsdXInfo): void {
    if (osdIn(this.#map, osd) || (this.#map.flags & OsdMapFlag.noin) !== 0) return;
    const state = this.#map.osdState[osd]!;
    if ((state & (OsdState.new | OsdState.autoout)) === 0) return;
    this.#pending.newWeight.set(osd, xinfo.oldWeight > 0 ? xinfo.oldWeight : IN);
  }

  onFailure(failure: OsdFailure): void {
    const { target } = failure;
    if (!osdUp(this.#map, target) || !sameAddrVec(this.#map.clientAddrs[target]!, failure.targetAddrs)) return;
    if (failure.alive) {
      this.#failures.cancel(target, failure.reporter);
      return;
    }
    if ((this.#map.flags & OsdMapFlag.nodown) !== 0) return;
    const at = this.#context.now() - seconds(failure.failedFor);
    this.#failures.report(target, failure.reporter, at);
    if (failure.immediate) {
      this.#markDown(target, `reported immediately failed by osd.${failure.reporter}`);
      this.#markDead(target);
      return;
    }
    this.#checkFailure(target);
  }

  #checkFailure(target: OsdId): void {
    const verdict = this.#failures.verdict(target, this.#context.now(), this.#grace(target), (osd) =>
      this.#reporterSubtree(osd),
    );
    if (verdict === undefined) return;
    this.#markDown(target, verdict);
  }

  /** The grace grows with how often this OSD was wrongly reported (mon_osd_adjust_heartbeat_grace). */
  #grace(target: OsdId): Instant {
    const { config } = this.#context;
    const grace = seconds(config.osd_heartbeat_grace);
    if (!config.mon_osd_adjust_heartbeat_grace) return grace;
    const { laggyProbability, laggyInterval, downStamp } = this.#map.osdXInfo[target]!;
    const age = Math.max(0, this.#context.wall().sec - downStamp.sec);
    const decay = 2 ** (-age / config.mon_osd_laggy_halflife);
    return grace + seconds(laggyProbability * laggyInterval * decay);
  }

  /** Learns from a boot whether the OSD had only been slow: the same process comes back (mon_osd_laggy_weight). */
  #learnLaggy(boot: OsdBoot, xinfo: OsdXInfo): OsdXInfo {
    const { mon_osd_laggy_weight: weight } = this.#context.config;
    const before = this.#map.clientAddrs[boot.osd]![0]?.nonce;
    const sameProcess = before !== undefined && before === boot.publicAddrs[0]?.nonce;
    const old = 1 - weight;
    if (!sameProcess || xinfo.downStamp.sec === 0) {
      const laggyInterval = Math.floor(xinfo.laggyInterval * old);
      return { ...xinfo, laggyProbability: xinfo.laggyProbability * old, laggyInterval };
    }
    const interval = Math.max(0, this.#context.wall().sec - xinfo.downStamp.sec);
    return {
      ...xinfo,
      laggyProbability: weight + xinfo.laggyProbability * old,
      laggyInterval: Math.floor(interval * weight + xinfo.laggyInterval * old),
    };
  }

  #reporterSubtree(osd: OsdId): string {
    const { mon_osd_reporter_subtree_level: level } = this.#context.config;
    return String(subtreeOf(this.#map.crush, osd, level) ?? `osd.${osd}`);
  }

  #markDown(osd: OsdId, why: string): void {
    const inc = this.#pending;
    if (inc.newState.has(osd)) return;
    inc.newState.set(osd, OsdState.up);
    this.#failures.forget(osd);
    this.#log.push({ level: 'info', text: `osd.${osd} ${why.startsWith('marked') ? why : `failed (${why})`}` });
    this.propose();
  }

  /** Its process is gone, not merely silent: whoever takes over need not wait for its read leases (dead_epoch). */
  #markDead(osd: OsdId): void {
    const inc = this.#pending;
    const xinfo = inc.newXInfo.get(osd) ?? this.#map.osdXInfo[osd]!;
    inc.newXInfo.set(osd, { ...xinfo, deadEpoch: inc.epoch });
    this.propose();
  }

  /** Marks an OSD down by command. */
  setDown(osd: OsdId): void {
    if (osdUp(this.#map, osd)) this.#markDown(osd, 'marked down by command');
  }

  onMarkMeDown(request: OsdMarkMeDown): void {
    if (!osdUp(this.#map, request.osd)) return;
    this.#markDown(request.osd, 'marked itself down and dead');
    this.#markDead(request.osd);
  }

  onAlive(alive: OsdAlive): void {
    const { osd, want } = alive;
    if (!osdUp(this.#map, osd) || this.#map.osdInfo[osd]!.upThru >= want || this.#map.osdInfo[osd]!.upFrom > want)
      return;
    // No further than the OSD itself had got: it may not know yet of an interval that began since.
    this.#pending.newUpThru.set(osd, Math.min(alive.epoch, this.#map.epoch));
    this.propose();
  }

  onPgTemp(request: OsdPgTemp): void {
    for (const { pgid, acting } of request.pgs) {
      const pool = this.#map.pools.get(pgid.pool);
      if (pool === undefined || pgid.seed >= pool.pgNum) continue;
      if (!acting.every((osd) => osdUp(this.#map, osd))) continue;
      const key = pgKey(pgid);
      const current = this.#map.pgTemp.get(key) ?? [];
      if (current.length === acting.length && current.every((osd, i) => osd === acting[i])) continue;
      this.#pending.newPgTemp.set(key, acting);
      this.propose();
    }
  }

  onBeacon(beacon: OsdBeacon): void {
    this.#lastBeacon.set(beacon.osd, this.#context.now());
    this.#lastEpochClean.set(beacon.osd, beacon.minLastEpochClean);
  }

  #afterCommit: (() => void)[] = [];

  /** The leader's, after a commit: what had to wait for the next epoch. */
  afterCommit(): void {
    const waiting = this.#afterCommit;
    this.#afterCommit = [];
    for (const each of waiting) each();
  }

  /** Down OSDs go out in time; silent ones go down; PGs of gone OSDs lose their pg_temp. */
  tick(): void {
    const now = this.#context.now();
    const { config } = this.#context;
    let down = 0;
    let exists = 0;
    for (let osd = 0; osd < this.#map.maxOsd; osd++) {
      if (!osdExists(this.#map, osd)) continue;
      exists += 1;
      if (osdUp(this.#map, osd)) {
        this.#downSince.delete(osd);
        const heard = this.#lastBeacon.get(osd);
        if (heard === undefined) this.#lastBeacon.set(osd, now);
        else if (now - heard > seconds(config.mon_osd_report_timeout)) this.#markDown(osd, 'no beacon');
        continue;
      }
      down += 1;
      if (!this.#downSince.has(osd)) this.#downSince.set(osd, now);
    }
    for (const target of this.#failures.targets()) this.#checkFailure(target);
    if ((this.#map.flags & OsdMapFlag.noout) === 0 && down < exists) this.#markOut(now, exists);
    this.#trimWhenDue();
  }

  #markOut(now: Instant, exists: number): void {
    const { config } = this.#context;
    const interval = seconds(config.mon_osd_down_out_interval);
    if (interval === 0) return;
    for (const [osd, since] of this.#downSince) {
      if (!osdExists(this.#map, osd) || !osdIn(this.#map, osd) || now - since < interval) continue;
      const stillIn = this.#count((each) => osdIn(this.#map, each) && !this.#pending.newWeight.has(each)) - 1;
      if (stillIn < exists * config.mon_osd_min_in_ratio) continue;
      if (this.#wholeSubtreeDown(osd, config.mon_osd_down_out_subtree_limit)) continue;
      this.#pending.newWeight.set(osd, 0);
      this.#pending.newState.set(osd, (this.#pending.newState.get(osd) ?? 0) | OsdState.autoout);
      this.#pending.newXInfo.set(osd, { ...this.#map.osdXInfo[osd]!, oldWeight: this.#map.osdWeight[osd]! });
      const waited = Math.floor((now - since) / 1_000_000);
      this.#log.push({ level: 'info', text: `Marking osd.${osd} out (has been down for ${waited} seconds)` });
      this.propose();
    }
  }

  #count(which: (osd: OsdId) => boolean): number {
    let count = 0;
    for (let osd = 0; osd < this.#map.maxOsd; osd++) if (osdExists(this.#map, osd) && which(osd)) count += 1;
    return count;
  }

  /** A whole rack (or what the limit says) down is an outage, not disks that died: nothing is put out. */
  #wholeSubtreeDown(osd: OsdId, limit: string): boolean {
    const subtree = subtreeOf(this.#map.crush, osd, limit);
    if (subtree === undefined) return false;
    for (let other = 0; other < this.#map.maxOsd; other++) {
      if (subtreeOf(this.#map.crush, other, limit) === subtree && osdUp(this.#map, other)) return false;
    }
    return true;
  }

  #trimWhenDue(): void {
    if (this.#first > 0 && this.#trimPoint() > this.#first + this.#context.config.paxos_trim_min) this.propose();
  }

  // Changes made by commands

  /** Registers an OSD (`osd new`): the number given or the lowest free one. */
  register(uuid: Uuid, id: OsdId | undefined): OsdId {
    const osd = id ?? this.#lowestFree();
    const inc = this.#pending;
    if (osd >= Math.max(this.#map.maxOsd, inc.newMaxOsd)) inc.newMaxOsd = osd + 1;
    // A weight makes it exist (OSDMap::set_weight); "exists" among the state bits would destroy it again.
    inc.newWeight.set(osd, IN);
    inc.newState.set(osd, OsdState.new);
    inc.newUuid.set(osd, uuid);
    this.propose();
    return osd;
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
