/**
 * An object storage daemon: finds for each event the machine it is for, and gives the machines what they need of the
 * world. The protocols are elsewhere: boot.ts, heartbeat.ts, peer-links.ts, pg-directory.ts and what a Pg is made of.
 */
import { AdminSocket, PerfCounters } from '@spirula/admin-socket';
import { CephxCredentials, type CryptoKey } from '@spirula/auth';
import { builtinClasses, ClassRegistry, type ObjectClass } from '@spirula/cls';
import { DaemonConfig } from '@spirula/config';
import {
  type AddrVec,
  type Bytes,
  type Epoch,
  Errno,
  equalBytes,
  formatUuid,
  MalformedInput,
  type OsdId,
  type PgId,
  type Uuid,
} from '@spirula/encoding';
import { osdUp, type PgKey, pgKey, pgOfKey, RELEASE_METADATA } from '@spirula/maps';
import type { Message, OsdMapMessage, OsdPeerMessage, OsdStat, PgStat } from '@spirula/messages';
import { LogClient, MonClient } from '@spirula/mon-client';
import { Objecter } from '@spirula/objecter';
import type { ObjectStore, Transaction, TransactionOp } from '@spirula/objectstore';
import {
  type AuthDecision,
  type AuthRequest,
  type Config,
  type Daemon,
  DeviceError,
  type Instant,
  invariant,
  type Peer,
  type ResetReason,
  type SessionId,
  seconds,
  type Token,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { Backoffs } from './backoffs.ts';
import { Boot } from './boot.ts';
import { ClientSessions } from './client-sessions.ts';
import { DynamicPerfStats } from './dynamic-perf-stats.ts';
import { markedAs, OsdFullness } from './fullness.ts';
import { Heartbeat } from './heartbeat.ts';
import { inspectPg, type OsdInspection } from './inspect.ts';
import { InternalHeartbeat } from './internal-heartbeat.ts';
import { LeaseRounds } from './lease-rounds.ts';
import { MgrReports } from './mgr-reports.ts';
import { MonWishes } from './mon-wishes.ts';
import { type CopyResult, type CopySource, ObjectCopier } from './object-copier.ts';
import { OpTracker, type SlowOps } from './op-tracker.ts';
import { OsdMapStore } from './osd-map-store.ts';
import { decodeSuperblock, encodeSuperblock, META_CID, type OsdSuperblock, SUPERBLOCK_OID } from './osd-superblock.ts';
import { PeerLinks } from './peer-links.ts';
import { PgDirectory } from './pg-directory.ts';
import type { PgHost } from './pg-host.ts';
import { queryPg } from './pg-query.ts';
import { PgStatKeeper } from './pg-stat.ts';
import { RecoverySlots } from './recovery-slots.ts';
import { Reservations } from './reservations.ts';
import { slowOpsLine } from './slow-ops-line.ts';
import { StoreBench } from './store-bench.ts';
import { type OsdView, osdCommands, osdCounters } from './tell-commands.ts';

const TICK_TIMER = 'osd tick';
const BEACON_TIMER = 'osd beacon';
const WAKE_TIMER = 'pg wake ';
/** Between looks for PGs that nobody told of, and for maps to trim. */
const TICK_SECONDS = 2;
/** Own maps are kept for as many epochs as the monitors keep theirs, and trimmed so many at a time. */
const TRIM_BATCH = 30;
const SUPERBLOCK_KEY = 'superblock';

/** What Ceph's OSDs call a device that does not rotate, which is what the stores behave like. */
const DEVICE_CLASS = 'ssd';

export interface OsdOptions {
  readonly id: OsdId;
  readonly uuid: Uuid;
  readonly fsid: Uuid;
  /** One address vector a monitor. */
  readonly monAddrs: readonly AddrVec[];
  /** Its secret key: it authenticates by cephx. */
  readonly key?: CryptoKey | undefined;
  /** CRUSH types and names, such as `host` and `root`: where the OSD belongs. */
  readonly crushLocation: ReadonlyMap<string, string>;
  readonly store: ObjectStore;
  /** What is known of the machine, under Ceph's names: `hostname`, `arch` … */
  readonly host?: ReadonlyMap<string, string>;
  /** Object classes beside the built-in ones, and instead of those of their names; they need no leave of osd_class_load_list. */
  readonly classes?: readonly ObjectClass[];
}

export class Osd implements Daemon<Message> {
  readonly auth: CephxCredentials | undefined;
  readonly #world: World<Message>;
  readonly #options: OsdOptions;
  readonly #config: DaemonConfig;
  readonly #ops: OpTracker;
  readonly #perf = new DynamicPerfStats();
  readonly #admin: AdminSocket;
  readonly #store: ObjectStore;
  readonly #localReservations: Reservations;
  readonly #remoteReservations: Reservations;
  readonly #snapTrimReservations: Reservations;
  readonly #maps: OsdMapStore;
  readonly #mon: MonClient;
  readonly #clusterLog: LogClient;
  readonly #wishes: MonWishes;
  readonly #fullness: OsdFullness;
  readonly #boot: Boot;
  readonly #heartbeat: Heartbeat;
  readonly #internalHeartbeat: InternalHeartbeat;
  readonly #links: PeerLinks;
  readonly #clients: ClientSessions;
  readonly #mgr: MgrReports;
  readonly #pgs: PgDirectory;
  readonly #leases: LeaseRounds;
  readonly #recoverySlots: RecoverySlots;
  readonly #stats = new Map<PgKey, PgStatKeeper>();
  readonly #backoffs: Backoffs;
  /** Reads other objects as a client does; made when it is first needed. */
  #objecter: Objecter | undefined;
  #copier: ObjectCopier | undefined;
  readonly #wakes = new Map<PgKey, Instant>();
  /** What follows when transactions are durable, oldest first. */
  readonly #commits = new Map<Token, (() => void)[]>();
  #lastToken: Token = 0;
  /** Notifies in this run. */
  #notifies = 0;
  #superblock: OsdSuperblock;

  constructor(world: World<Message>, options: OsdOptions) {
    const { id: whoami, store, fsid } = options;
    this.#world = world;
    this.#options = options;
    this.#config = new DaemonConfig(world.config, { cluster: 'ceph', type: 'osd', id: String(whoami) });
    this.#ops = new OpTracker(world.clock, world.config);
    this.#store = store;
    const slots = () => world.config.osd_max_backfills;
    this.#localReservations = new Reservations(slots);
    this.#remoteReservations = new Reservations(slots);
    this.#snapTrimReservations = new Reservations(() => world.config.osd_max_trimming_pgs);
    this.#admin = this.#makeAdmin();
    const noMaps = { oldestMap: 0, newestMap: 0, mountedEpoch: 0, cleanThru: 0 };
    this.#superblock = { fsid, osdUuid: options.uuid, whoami, ...noMaps, admittedIn: 0 };
    this.#maps = new OsdMapStore(store, world.log);
    this.auth = options.key && new CephxCredentials(world, { type: 'osd', id: String(whoami) }, options.key);
    this.#mon = new MonClient({
      world,
      credentials: this.auth,
      endpoint: 'public',
      monAddrs: options.monAddrs,
      fsid,
      hostname: options.host?.get('hostname') ?? '',
      onMessage: (message) => this.#onMonMessage(message),
      onSession: () => {
        this.#boot.onMonSession();
        this.#wishes.repeat();
        this.#clusterLog.onSession();
      },
    });
    this.#clusterLog = new LogClient({
      ...{ world, mon: this.#mon, fsid, name: { type: 'osd', id: String(whoami) }, rank: BigInt(whoami) },
      addrs: () => world.net.endpoint('public'),
    });
    this.#fullness = this.#makeFullness();
    this.#wishes = new MonWishes(whoami, this.#mon);
    this.#recoverySlots = new RecoverySlots(
      () => world.config.osd_recovery_max_active || world.config.osd_recovery_max_active_ssd,
    );
    this.#boot = this.#makeBoot();
    this.#heartbeat = this.#makeHeartbeat();
    this.#internalHeartbeat = new InternalHeartbeat(world.clock.now(), {
      maxIntervalUs: seconds(2 * TICK_SECONDS),
      get timeoutUs() {
        return seconds(world.config.osd_op_thread_timeout);
      },
      get suicideUs() {
        return seconds(world.config.osd_op_thread_suicide_timeout);
      },
    });
    this.#links = this.#makeLinks();
    this.#clients = this.#makeClients();
    this.#backoffs = this.#makeBackoffs();
    this.#mgr = this.#makeMgrReports();
    this.#pgs = new PgDirectory(this.#makePgHost(), this.#maps, (op) => this.#clients.onDone(op));
    this.#leases = new LeaseRounds({
      world,
      pgs: this.#pgs,
      epoch: () => this.epoch,
      send: (osd, message) => this.#links.send(osd, message),
    });
  }

  start(): void {
    this.#orDiskFailure(() => this.#start());
  }

  #start(): void {
    this.#mount();
    const { newestMap } = this.#superblock;
    if (newestMap > 0) this.#mon.subscribe('osdmap', newestMap + 1);
    this.#mon.subscribe('mgrmap', 0);
    this.#mon.subscribe('config', 0);
    this.#mon.start();
    this.#boot.start();
    this.#heartbeat.start();
    this.#leases.start();
    this.#arm(TICK_TIMER, TICK_SECONDS);
    this.#arm(BEACON_TIMER, this.#world.config.osd_beacon_report_interval);
    this.#afterEvent();
  }

  authorize({ globalId }: AuthRequest): AuthDecision {
    return { kind: 'accept', globalId };
  }

  /** The only way in. Runs to completion. @throws DeviceError when its disk fails or is full: this OSD is at its end. */
  handle(event: WorldEvent<Message>): void {
    this.#orDiskFailure(() => this.#handle(event));
  }

  /** Says whose disk it is. */
  #orDiskFailure(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      throw new DeviceError(error.code, `osd.${this.#options.id}: ${error.message}`);
    }
  }

  #handle(event: WorldEvent<Message>): void {
    switch (event.kind) {
      case 'committed':
      case 'flushed':
        for (const token of this.#store.onEvent(event)) this.#onCommitted(token);
        break;
      case 'timer':
        if (!this.#handleAsClient(event)) this.#onTimer(event.name);
        break;
      case 'accepted':
        this.#onAccepted(event.session, event.endpoint, event.peer);
        break;
      case 'opened':
        this.#handleAsClient(event);
        break;
      case 'message':
        if (!this.#handleAsClient(event)) this.#onMessage(event.session, event.message);
        break;
      case 'reset':
        if (!this.#handleAsClient(event)) this.#onReset(event.session, event.reason);
        break;
      case 'drained':
        if (!this.#handleAsClient(event)) this.#links.onDrained(event.session);
        break;
      case 'posted':
        // OSDs post nothing.
        break;
      case 'storageFailed':
        throw new DeviceError(event.code, event.detail);
      case 'terminate':
        this.#boot.onTerminate();
        // Who leads its PGs next does not wait for an OSD that says itself that it is gone.
        for (const pg of this.#pgs.all()) pg.ops.dropWaiting();
        break;
    }
    this.#afterEvent();
  }

  /** Whether it was for what this OSD is a client with: then it has been taken care of. */
  #handleAsClient(event: WorldEvent<Message>): boolean {
    return this.#mon.handle(event) || this.#objecter?.handle(event) === true;
  }

  /** Answers a request that came over the admin socket. */
  admin(request: Bytes): Bytes {
    return this.#admin.serve(request);
  }

  /** Requests of clients that have been under way for too long. */
  slowOps(): SlowOps {
    return this.#ops.slowOps();
  }

  /** For checkers: what every PG is like. */
  inspect(): OsdInspection {
    return {
      osd: this.#options.id,
      epoch: this.epoch,
      boot: this.#boot.state.name,
      pgs: [...this.#pgs.all()].map(inspectPg),
    };
  }

  /** Epoch of the newest map that this OSD has taken in; 0 before the first. */
  get epoch(): Epoch {
    return this.#maps.current?.epoch ?? 0;
  }

  /** PGs for which a client's request would be carried out now. */
  servedPgs(): readonly PgId[] {
    if (!this.#boot.isActive) return [];
    const served: PgId[] = [];
    for (const pg of this.#pgs.all()) if (pg.isServing) served.push(pg.pgid);
    return served;
  }

  serves(pgid: PgId): boolean {
    return this.#boot.isActive && this.#pgs.get(pgid)?.isServing === true;
  }

  /** Everything that must hold between events. Throws InvariantViolation. */
  checkPgInvariants(): void {
    for (const pg of this.#pgs.all()) pg.check();
  }

  #arm(timer: string, inSeconds: number): void {
    this.#world.clock.arm(timer, this.#world.clock.now() + seconds(inSeconds));
  }

  /** What gathers during an event and is done once. */
  #afterEvent(): void {
    for (let pgid = this.#recoverySlots.takeWaiting(); pgid; pgid = this.#recoverySlots.takeWaiting()) {
      this.#pgs.get(pgid)?.onRecoverySlot();
    }
    this.#backoffs.update();
    this.#wishes.flush(this.#maps.current);
  }

  // The store.

  #mount(): void {
    const { id, fsid, uuid } = this.#options;
    const whoami = `osd.${id}`;
    const found = this.#store.mount();
    if (!found) {
      this.#store.mkfs({ fsid, whoami });
      this.#submit([
        { op: 'createCollection', cid: META_CID },
        { op: 'touch', cid: META_CID, oid: SUPERBLOCK_OID },
      ]);
      this.#writeSuperblock([]);
      return;
    }
    invariant(found.whoami === whoami && equalBytes(found.fsid, fsid), 'the store belongs to this OSD and cluster');
    const stored = this.#store.omapGet(META_CID, SUPERBLOCK_OID, [SUPERBLOCK_KEY]).get(SUPERBLOCK_KEY);
    if (!stored) {
      // Its first start was cut short.
      this.#writeSuperblock(
        this.#store.collections().includes(META_CID) ? [] : [{ op: 'createCollection', cid: META_CID }],
      );
      return;
    }
    this.#superblock = decodeSuperblock(stored);
    invariant(equalBytes(this.#superblock.osdUuid, uuid), 'the store belongs to this incarnation of the OSD');
    this.#maps.load(this.#superblock.oldestMap, this.#superblock.newestMap);
    this.#pgs.load();
  }

  #writeSuperblock(transaction: TransactionOp[], changes: Partial<OsdSuperblock> = {}): void {
    this.#superblock = { ...this.#superblock, ...changes };
    const entries = new Map([[SUPERBLOCK_KEY, encodeSuperblock(this.#superblock)]]);
    this.#submit([...transaction, { op: 'omapSet', cid: META_CID, oid: SUPERBLOCK_OID, entries }]);
  }

  #submit(transaction: Transaction, onCommit?: () => void): void {
    this.#lastToken += 1;
    this.#commits.set(this.#lastToken, onCommit ? [onCommit] : []);
    this.#store.submit(transaction, this.#lastToken);
  }

  #afterCommit(then: () => void): void {
    const last = this.#commits.get(this.#lastToken);
    if (last) last.push(then);
    else then();
  }

  #onCommitted(token: Token): void {
    const callbacks = this.#commits.get(token);
    invariant(callbacks !== undefined, 'a transaction commits once');
    this.#commits.delete(token);
    for (const callback of callbacks) callback();
  }

  // Events.

  #onTimer(name: string): void {
    if (name === TICK_TIMER) this.#onTick();
    else if (name === BEACON_TIMER) this.#sendBeacon();
    else if (name.startsWith(WAKE_TIMER)) this.#onWake(Number(name.slice(WAKE_TIMER.length)));
    else {
      const machines = [this.#boot, this.#heartbeat, this.#links, this.#leases, this.#mgr, this.#clusterLog];
      machines.some((machine) => machine.onTimer(name));
    }
  }

  #onAccepted(session: SessionId, endpoint: string, peer: Peer): void {
    if (endpoint === 'cluster') this.#links.onAccepted(session, peer);
    else if (endpoint === 'public') this.#clients.onAccepted(session, peer);
    else this.#heartbeat.onAccepted(session, peer);
  }

  #onMessage(session: SessionId, message: Message): void {
    if (this.#clients.onMessage(session, message) || this.#mgr.onMessage(session, message)) return;
    if (this.#links.onMessage(session, message)) return;
    this.#heartbeat.onMessage(session, message);
  }

  #onReset(session: SessionId, reason: ResetReason): void {
    if (this.#clients.onReset(session) || this.#mgr.onReset(session)) return;
    if (!this.#links.onReset(session, reason)) this.#heartbeat.onReset(session, reason);
  }

  #onMonMessage(message: Message): void {
    if (message.type === 'osd_map') this.#onMaps(message);
    else if (message.type === 'log_ack') this.#clusterLog.onAck(message);
    else if (message.type === 'config') {
      this.#config.applyMon(message.config);
      this.#onOptionsChanged();
    } else if (message.type === 'mgr_map') {
      try {
        this.#mgr.onMgrMap(message);
      } catch (error) {
        if (!(error instanceof MalformedInput)) throw error;
        this.#world.log.warn('the MgrMap does not parse', { error: error.message });
      }
    }
  }

  /** More may be under way at a time than before. */
  #onOptionsChanged(): void {
    this.#localReservations.onSlotsChanged();
    this.#remoteReservations.onSlotsChanged();
    this.#snapTrimReservations.onSlotsChanged();
  }

  #onPeerMessage(from: OsdId, message: OsdPeerMessage): void {
    if (message.type === 'pg_leases') this.#leases.onLeases(from, message);
    else if (message.type === 'pg_lease_acks') this.#leases.onAcks(from, message);
    else this.#pgs.onMessage(from, message);
  }

  // Maps.

  #onMaps(message: OsdMapMessage): void {
    if (!equalBytes(message.fsid, this.#options.fsid)) return;
    const before = this.#maps.current;
    const transaction: TransactionOp[] = [];
    const { maps, lacking } = this.#maps.take(message, transaction);
    const map = maps.at(-1);
    if (map) {
      this.#writeSuperblock(transaction, { oldestMap: this.#maps.oldest, newestMap: this.#maps.newest });
      this.#mon.gotMap('osdmap', map.epoch);
      for (const each of maps) this.#links.onMap(each);
      for (const each of maps) this.#objecter?.follow(each);
      this.#pgs.onMaps(maps, before);
      this.#wishes.onMap(map);
      for (const each of maps) this.#boot.onMap(each);
      this.#heartbeat.updatePeers();
      this.#links.deliverEarly();
      this.#clients.onMap();
      this.#reportFullness();
    }
    if (lacking) this.#subscribeMaps(this.epoch + 1);
  }

  #subscribeMaps(from: Epoch): void {
    // Asked anew even for what is awaited already: it may have been sent before this OSD could use it.
    this.#mon.unsubscribe('osdmap');
    this.#mon.subscribe('osdmap', from);
  }

  #wantMap(epoch: Epoch): void {
    if (epoch > this.epoch) this.#mon.subscribe('osdmap', this.epoch + 1);
  }

  /** Tells a peer of maps it does not have; by its next message it will. */
  #shareMaps(osd: OsdId, epoch: Epoch): void {
    const maps = this.#maps.messageSince(Math.max(epoch, this.#links.mapsSentTo(osd)));
    if (maps) this.#links.send(osd, maps);
  }

  #onTick(): void {
    this.#arm(TICK_TIMER, TICK_SECONDS);
    this.#checkInternalHeartbeat();
    if (this.#boot.isActive) this.#pgs.searchUnbegun();
    this.#wishes.repeat();
    this.#reportFullness();
    this.#saySlowOps();
    const { mon_min_osdmap_epochs: kept } = this.#world.config;
    const { oldest, newest } = this.#maps;
    const target = Math.min(newest - kept, this.#pgs.oldestEpochNeeded(), oldest + TRIM_BATCH);
    if (target <= oldest) return;
    const transaction: TransactionOp[] = [];
    this.#maps.trim(target, transaction);
    this.#writeSuperblock(transaction, { oldestMap: this.#maps.oldest });
  }

  #saySlowOps(): void {
    const map = this.#maps.current;
    const line = map && slowOpsLine(this.#ops.countSlow(), map);
    if (line !== undefined) this.#clusterLog.say('warn', line);
  }

  /** Tells the monitors how full this OSD is, until the map says the same. */
  #reportFullness(): void {
    this.#fullness.update();
    const map = this.#maps.current;
    const { id } = this.#options;
    if (!map || !this.#boot.isActive || !osdUp(map, id)) return;
    const state = this.#fullness.reported;
    if (state !== markedAs(map, id)) this.#mon.send({ type: 'osd_full', osd: id, epoch: map.epoch, state }, 'drop');
  }

  #checkInternalHeartbeat(): void {
    const { clock, log, config } = this.#world;
    const [oldest] = this.#commits.keys();
    const before = this.#internalHeartbeat.isHealthy;
    const state = this.#internalHeartbeat.check(clock.now(), oldest);
    if (state === 'suicide') {
      throw new DeviceError(Errno.EIO, `no transaction became durable for ${config.osd_op_thread_suicide_timeout} s`);
    }
    if (state === 'timed out' && before) {
      log.warn('the disk is stuck: pings are ignored', {
        osd: this.#options.id,
        seconds: config.osd_op_thread_timeout,
      });
    } else if (state === 'healthy' && !before) log.info('the disk goes on', { osd: this.#options.id });
  }

  // Monitors.

  #sendBeacon(): void {
    this.#arm(BEACON_TIMER, this.#world.config.osd_beacon_report_interval);
    if (!this.#boot.isActive) return;
    let minLastEpochClean = this.epoch;
    const pgs: PgId[] = [];
    for (const pg of this.#pgs.all()) {
      if (!pg.core.isPrimary) continue;
      pgs.push(pg.pgid);
      // A PG that is clean now has been so up to now.
      if (pg.phase === 'Clean') continue;
      minLastEpochClean = Math.min(minLastEpochClean, pg.info.history.lastEpochClean);
    }
    this.#mon.send({ type: 'osd_beacon', osd: this.#options.id, epoch: this.epoch, pgs, minLastEpochClean }, 'drop');
  }

  #reportFailure(osd: OsdId, failedForUs: Instant, immediate: boolean): void {
    const map = this.#maps.current;
    if (!map || !this.#boot.isActive || !osdUp(map, osd)) return;
    this.#wishes.sendFailure(map, osd, failedForUs, immediate, false);
  }

  #withdrawFailure(osd: OsdId): void {
    const map = this.#maps.current;
    if (map && osdUp(map, osd)) this.#wishes.sendFailure(map, osd, 0, false, true);
  }

  #onActive(upEpoch: Epoch): void {
    this.#world.log.info('active', { osd: this.#options.id, epoch: upEpoch });
    this.#writeSuperblock([], { mountedEpoch: upEpoch });
    // Of pools made while it was away.
    this.#pgs.searchUnbegun();
    this.#mgr.onActive();
    this.#sendBeacon();
    this.#heartbeat.updatePeers();
  }

  // Statistics.

  #onWake(key: PgKey): void {
    this.#wakes.delete(key);
    this.#pgs.get(pgOfKey(key))?.onTimer();
  }

  #wakeAt(pgid: PgId, at: Instant): void {
    const key = pgKey(pgid);
    const before = this.#wakes.get(key);
    if (before !== undefined && before <= at) return;
    this.#wakes.set(key, at);
    this.#world.clock.arm(WAKE_TIMER + key, at);
  }

  #pgStat(pgid: PgId): PgStat | undefined {
    const key = pgKey(pgid);
    const pg = this.#pgs.get(pgid);
    if (!pg?.core.isPrimary) {
      this.#stats.delete(key);
      return undefined;
    }
    const now = this.#world.clock.wall();
    const keeper = this.#stats.get(key) ?? new PgStatKeeper(now);
    this.#stats.set(key, keeper);
    return keeper.report(pg, now);
  }

  #queryPg(pgid: PgId): object | 'not primary' | undefined {
    const pg = this.#pgs.get(pgid);
    if (pg === undefined) return undefined;
    const stat = this.#pgStat(pgid);
    return stat === undefined ? 'not primary' : queryPg(pg, stat);
  }

  /** Since which map this OSD is up; 0 while it is not. */
  get #upFrom(): Epoch {
    const { state } = this.#boot;
    return state.name === 'active' ? state.upEpoch : 0;
  }

  #osdStat(): OsdStat {
    const { total, available, data, omap, metadata } = this.#store.statfs();
    const kb = (bytes: number) => Math.floor(bytes / 1024);
    const slow = this.slowOps();
    return {
      kb: kb(total),
      kbUsed: kb(total - available),
      kbUsedData: kb(data),
      kbUsedOmap: kb(omap),
      kbUsedMeta: kb(metadata),
      kbAvail: kb(available),
      hbPeers: this.#heartbeat.peers,
      numPgs: this.#pgs.count,
      upFrom: this.#upFrom,
      seq: this.#mgr.seq,
      commitLatencyMs: 0,
      applyLatencyMs: 0,
      slowOps: { count: slow.count, oldestSeconds: Math.floor(slow.oldestSeconds) },
      pings: this.#heartbeat.pingTimes(),
    };
  }

  #onPgChanged(pgid: PgId): void {
    this.#backoffs.onPgChanged(pgid);
    this.#mgr.pgChanged(pgid);
  }

  // What the machines need of this OSD.

  #makePgHost(): PgHost {
    const { id: whoami, store } = this.#options;
    const self = this;
    return {
      whoami,
      get admittedIn() {
        return self.#superblock.admittedIn;
      },
      world: this.#world,
      store,
      get isFailsafeFull() {
        return self.#fullness.isFailsafe;
      },
      isBackfillFull: (moreBytes) => this.#fullness.isBackfillFull(moreBytes),
      classes: makeClasses(this.#world.config, this.#options.classes ?? []),
      perf: this.#perf,
      localReservations: this.#localReservations,
      remoteReservations: this.#remoteReservations,
      snapTrimReservations: this.#snapTrimReservations,
      send: (osd, message) => this.#links.send(osd, message),
      reply: (session, message, use) => void this.#world.net.send(session, message, use),
      submit: (transaction, onCommit) => this.#submit(transaction, onCommit),
      afterCommit: (then) => this.#afterCommit(then),
      wantUpThru: (epoch) => this.#wishes.wantUpThru(epoch),
      wantPgTemp: (pgid, acting) => this.#wishes.wantPgTemp(pgid, acting),
      beginRecoveryOp: (pgid) => this.#recoverySlots.begin(pgid),
      endRecoveryOp: () => this.#recoverySlots.end(),
      wakeAt: (pgid, at) => this.#wakeAt(pgid, at),
      pgChanged: (pgid) => this.#onPgChanged(pgid),
      copyObject: (source, done) => this.#copyObject(source, done),
      nextNotifyId: () => (BigInt(this.epoch) << 32n) | BigInt(this.#notifies++),
      removePg: (pgid) => this.#pgs.remove(pgid),
    };
  }

  #copyObject(source: CopySource, done: (result: CopyResult) => void): () => void {
    if (this.#copier === undefined) {
      // It is given the maps that this OSD has.
      const mon = {
        subscribe: () => {},
        unsubscribe: () => {},
        gotMap: () => {},
        getVersion: this.#mon.getVersion.bind(this.#mon),
      };
      this.#objecter = new Objecter({ world: this.#world, endpoint: 'public', mon });
      if (this.#maps.current) this.#objecter.follow(this.#maps.current);
      this.#copier = new ObjectCopier(this.#objecter);
    }
    return this.#copier.copy(source, done);
  }

  #makeAdmin(): AdminSocket {
    const self = this;
    const { id: whoami, fsid, uuid } = this.#options;
    const view: OsdView = {
      whoami,
      fsid,
      uuid,
      ops: this.#ops,
      get state() {
        return self.#boot.state.name;
      },
      get oldestMap() {
        return self.#maps.oldest;
      },
      get newestMap() {
        return self.#maps.newest;
      },
      get numPgs() {
        return self.#pgs.count;
      },
      get numPrimaryPgs() {
        return [...self.#pgs.all()].filter(({ core }) => core.isPrimary).length;
      },
      get stat() {
        return self.#osdStat();
      },
      queryPg: (pgid) => this.#queryPg(pgid),
      bench: new StoreBench({
        world: this.#world,
        get available() {
          return self.#store.statfs().available;
        },
        submit: (transaction, onCommit) => this.#submit(transaction, onCommit),
      }),
      reportNow: () => {
        this.#mgr.flush();
        return this.#mgr.seq;
      },
      say: (level, text) => this.#clusterLog.say(level, text),
      get map() {
        return self.#maps.current;
      },
      *watchers() {
        for (const pg of self.#pgs.all()) if (pg.core.isPrimary) yield* pg.ops.watchers();
      },
      requests: () => this.#objecter?.dumpRequests() ?? [],
      localReservations: this.#localReservations,
      remoteReservations: this.#remoteReservations,
      *pools() {
        for (const { pgid } of self.#pgs.all()) yield pgid.pool;
      },
    };
    return new AdminSocket({
      config: this.#config,
      perf: new PerfCounters({ osd: osdCounters(view) }),
      commands: osdCommands(view, () => this.#world.config.osd_enable_op_tracker),
      onOptionsChanged: () => this.#onOptionsChanged(),
    });
  }

  #makeFullness(): OsdFullness {
    const self = this;
    return new OsdFullness({
      config: this.#world.config,
      get map() {
        return self.#maps.current;
      },
      statfs: () => this.#store.statfs(),
      say: (level, text) => this.#clusterLog.say(level, text),
    });
  }

  #makeBoot(): Boot {
    const self = this;
    const { id: whoami, uuid, crushLocation, host = new Map() } = this.#options;
    return new Boot({
      whoami,
      uuid,
      world: this.#world,
      mon: this.#mon,
      say: (level, text) => this.#clusterLog.say(level, text),
      crushLocation,
      deviceClass: DEVICE_CLASS,
      metadata: new Map([
        ...host,
        ...RELEASE_METADATA,
        ['osd_objectstore', 'spirula'],
        ['default_device_class', DEVICE_CLASS],
        ['rotational', '0'],
        ['osd_uuid', formatUuid(uuid)],
      ]),
      get map() {
        return self.#maps.current;
      },
      get storeBytes() {
        return self.#store.statfs().total;
      },
      get cleanInterval(): readonly [Epoch, Epoch] {
        return [self.#superblock.mountedEpoch, self.#superblock.cleanThru];
      },
      get isAdmitted() {
        return self.#superblock.admittedIn > 0;
      },
      admit: (then) => {
        this.#writeSuperblock([], { admittedIn: this.epoch });
        this.#afterCommit(then);
      },
      subscribeMaps: (from) => this.#subscribeMaps(from),
      get isHealthy() {
        return self.#internalHeartbeat.isHealthy && self.#heartbeat.hasHealthyPeers;
      },
      onActive: (upEpoch) => this.#onActive(upEpoch),
      onDown: () => this.#heartbeat.restart(),
      kickHeartbeat: () => this.#heartbeat.kick(),
    });
  }

  #makeHeartbeat(): Heartbeat {
    const self = this;
    return new Heartbeat({
      whoami: this.#options.id,
      world: this.#world,
      get map() {
        return self.#maps.current;
      },
      get isPinging() {
        return self.#boot.isPinging;
      },
      get isAnswering() {
        return self.#boot.state.name !== 'stopping' && self.#internalHeartbeat.isHealthy;
      },
      pgPeers: () => {
        const peers = new Set<OsdId>();
        for (const { core } of this.#pgs.all()) for (const osd of [...core.up, ...core.acting]) peers.add(osd);
        return peers;
      },
      reportFailure: (osd, failedForUs, immediate) => this.#reportFailure(osd, failedForUs, immediate),
      withdrawFailure: (osd) => this.#withdrawFailure(osd),
      wantMap: (epoch) => this.#wantMap(epoch),
      onOlderPeer: (osd, epoch) => this.#shareMaps(osd, epoch),
    });
  }

  #makeLinks(): PeerLinks {
    const self = this;
    return new PeerLinks({
      whoami: this.#options.id,
      world: this.#world,
      get map() {
        return self.#maps.current;
      },
      onPeerMessage: (from, message) => this.#onPeerMessage(from, message),
      onPeerMaps: (message) => this.#onMaps(message),
      wantMap: (epoch) => this.#wantMap(epoch),
      onStalePeer: (session, epoch) => {
        const maps = this.#maps.messageSince(epoch);
        if (maps) this.#world.net.send(session, maps);
      },
      onRefused: (osd) => {
        if (this.#world.config.osd_fast_fail_on_connection_refused) this.#reportFailure(osd, 0, true);
      },
    });
  }

  #makeClients(): ClientSessions {
    const self = this;
    return new ClientSessions({
      world: this.#world,
      get epoch() {
        return self.epoch;
      },
      mapsSince: (epoch) => this.#maps.messageSince(epoch),
      wantMap: (epoch) => this.#wantMap(epoch),
      onRequest: (op) => this.#backoffs.onRequest(op),
      ops: this.#ops,
      perf: this.#perf,
      runCommand: (line, done) => this.#admin.begin(line, done),
      onBackoffAck: (session, message) => this.#backoffs.onAck(session, message),
      onClosed: (session) => {
        this.#backoffs.onReset(session);
        for (const pg of this.#pgs.all()) pg.ops.dropSession(session);
      },
    });
  }

  #makeBackoffs(): Backoffs {
    const self = this;
    return new Backoffs({
      get epoch() {
        return self.epoch;
      },
      get isActive() {
        return self.#boot.isActive;
      },
      pg: (pgid) => this.#pgs.get(pgid),
      pgNum: (pool) => this.#maps.current?.pools.get(pool)?.pgNum,
      isExpected: (pgid) => this.#pgs.isExpected(pgid),
      isOpen: (session) => this.#clients.isOpen(session),
      onDone: (op) => this.#clients.onDone(op),
      send: (session, message) => void this.#world.net.send(session, message),
    });
  }

  #makeMgrReports(): MgrReports {
    const self = this;
    return new MgrReports({
      whoami: this.#options.id,
      world: this.#world,
      get epoch() {
        return self.epoch;
      },
      get isActive() {
        return self.#boot.isActive;
      },
      get upFrom() {
        return self.#upFrom;
      },
      osdStat: () => this.#osdStat(),
      primaryPgs: () => [...this.#pgs.all()].filter(({ core }) => core.isPrimary).map(({ pgid }) => pgid),
      pgStat: (pgid) => this.#pgStat(pgid),
      perf: this.#perf,
    });
  }
}

function makeClasses(config: Config, own: readonly ObjectClass[]): ClassRegistry {
  const names = own.map(({ name }) => name).join(' ');
  return new ClassRegistry([...builtinClasses, ...own], {
    loadList: `${config.osd_class_load_list} ${names}`,
    defaultList: `${config.osd_class_default_list} ${names}`,
  });
}
