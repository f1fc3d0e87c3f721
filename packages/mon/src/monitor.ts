/**
 * A monitor (mon/Monitor.cc): probes for the others, elects, and under a quorum keeps the cluster's maps by Paxos.
 *
 *   probing --(answers)--> electing --> leader or peon --(lease lost, election called)--> electing
 *      \--(too far behind)--> synchronizing --> probing
 *
 * This file finds the machine that an event belongs to and carries its effects out. Requests run on the leader; a peon
 * forwards them; without a quorum they wait, bounded.
 */

import { AdminSocket, PerfCounters } from '@spirula/admin-socket';
import type { CryptoKey, Keyring } from '@spirula/auth';
import { DaemonConfig } from '@spirula/config';
import { type Bytes, EMPTY, Errno, equalBytes, formatAddrVec, MalformedInput, sameAddrVec } from '@spirula/encoding';
import { decodeMonMap, dumpMonMap, encodeMonMap, MON_FEATURES, type MonMap, RELEASE_METADATA } from '@spirula/maps';
import type {
  Command,
  CommandReply,
  LogEntry,
  Message,
  MonElection,
  MonForward,
  MonGlobalId,
  MonMetadata,
  MonPaxos,
  MonProbe,
  MonRoute,
  MonScrub,
  MonStanding,
  MonSync,
  MonTimecheck,
} from '@spirula/messages';
import {
  type AuthDecision,
  type AuthRequest,
  type Daemon,
  DeviceError,
  type Instant,
  invariant,
  SECOND,
  type SessionId,
  seconds,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { Acquaintance } from './acquaintance.ts';
import { ALL_FEATURES, featureMap } from './commands/feature-map.ts';
import { quorumFeatures } from './commands/quorum-summary.ts';
import { type Elector, type ElectorEffect, type ElectorEvent, stepElector } from './elector.ts';
import { Forwarding } from './forward.ts';
import { dumpHealth } from './health/health-text.ts';
import { Lease } from './lease.ts';
import { Membership } from './membership.ts';
import { MgrProxy } from './mgr-proxy.ts';
import { answerAuth, MonAuthentication } from './mon-auth.ts';
import { MonPeers } from './mon-peers.ts';
import { MonSessions } from './mon-sessions.ts';
import { MonStore, MonTransaction } from './mon-store.ts';
import { keepMonMap, storedMonMap } from './monmap-monitor.ts';
import { Paxos, type PaxosTimer } from './paxos.ts';
import { Prober } from './probe.ts';
import { Proposals } from './proposals.ts';
import { type MonRole, RequestRouter } from './request-router.ts';
import type { Request } from './requester.ts';
import { Services } from './services.ts';
import type { MonSession } from './session.ts';
import { StoreScrub } from './store-scrub.ts';
import { StoreWriter } from './store-writer.ts';
import { StoreSync } from './sync.ts';
import { monTellCommands } from './tell-commands.ts';
import { TimeCheck } from './time-check.ts';
import { paxosTimeout } from './timers.ts';

const ENDPOINT = 'public';
/** Prefixes whose content is each monitor's own, or not the same at any moment. */
const NOT_OF_SERVICES = ['elector', 'mkfs', 'mon_sync', 'paxos'];
/** What a peer of a monitor of 16.2 must support (Monitor::apply_quorum_to_compatset_features). */
const REQUIRED_FEATURES = '2449958747317026820';
/** Versions kept when a seed wants few: others soon have to copy the store. */
const FEW_VERSIONS = 5;
/** From its removal to its end: for what was said before. */
const FAREWELL: Instant = SECOND / 2;

export interface MonitorOptions {
  readonly name: string;
  /** The first monitors, or those to join: used until the store holds a MonMap. This one is among them. */
  readonly monmap: MonMap;
  /** The monitor's own keyring: `mon.`, which all monitors share, and the entities that a new cluster begins with. */
  readonly keyring?: Keyring;
  /** What is known of the machine, under Ceph's names: `hostname`, `arch` … */
  readonly host?: ReadonlyMap<string, string>;
}

type MonMessage =
  | MonElection
  | MonPaxos
  | MonSync
  | MonForward
  | MonRoute
  | MonGlobalId
  | MonTimecheck
  | MonMetadata
  | MonScrub;

function describeRemoval({ name, monmap }: Membership): string {
  return `mon.${name} is not in the monitor map of epoch ${monmap.epoch}: it was removed`;
}

/** Undefined for what is no map. */
function parseMonMap(bytes: Bytes): MonMap | undefined {
  try {
    return decodeMonMap(bytes);
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

export class Monitor implements Daemon<Message> {
  /** By cephx, for one that has a keyring. */
  readonly auth: MonAuthentication | undefined;
  readonly #world: World<Message>;
  readonly #store: MonStore;
  readonly #writer: StoreWriter;
  readonly #membership: Membership;
  readonly #acquaintance: Acquaintance;
  readonly #peers: MonPeers;
  readonly #sessions: MonSessions;
  readonly #prober: Prober;
  readonly #sync: StoreSync;
  readonly #paxos: Paxos;
  readonly #proposals: Proposals;
  readonly #lease: Lease;
  readonly #requests: RequestRouter;
  readonly #mgrProxy: MgrProxy;
  readonly #services: Services;
  readonly #timeCheck: TimeCheck;
  readonly #scrub: StoreScrub;
  #elector: Elector;
  #role: MonRole = 'probing';
  /** When this monitor last joined a quorum; since when it is in none, undefined while it is in one. */
  #quorumSince: Instant = 0;
  #leftQuorumAt: Instant | undefined;
  readonly #options: DaemonConfig;
  readonly #admin: AdminSocket;
  /** What this monitor says of itself. */
  readonly #metadata: ReadonlyMap<string, string>;
  /** Version of the centrally set options that are in force here. */
  #configVersion = 0;
  /** Whether it takes part in elections: until somebody tells it otherwise. */
  #isParticipating = true;
  /** The tick found a round under way. */
  #tickDue = false;

  constructor(world: World<Message>, options: MonitorOptions) {
    this.#world = world;
    this.#options = new DaemonConfig(world.config, { cluster: 'ceph', type: 'mon', id: options.name });
    this.#admin = this.#makeAdmin();
    this.#store = new MonStore(world.kv);
    this.#writer = new StoreWriter(world.kv);
    const membership = new Membership(options.name, storedMonMap(this.#store) ?? options.monmap);
    this.#membership = membership;
    const addrs = formatAddrVec(membership.addrsOf(options.name) ?? []);
    this.#metadata = new Map([...(options.host ?? []), ...RELEASE_METADATA, ['addrs', addrs]]);
    this.#peers = new MonPeers(
      world,
      ENDPOINT,
      (name) => membership.addrsOf(name),
      (name) => this.#onPeerBack(name),
    );
    this.#sessions = new MonSessions(world.net, membership);
    this.#sync = new StoreSync(this.#store, this.#writer, {
      log: world.log,
      send: (rank, message) => this.#sendDurably(rank, message),
      armTimeout: () => this.#arm('sync', seconds(world.config.mon_sync_timeout)),
      disarmTimeout: () => world.clock.disarm('sync'),
      lastCommitted: () => this.#paxos.lastCommitted,
      cookie: () => world.random.u32(),
      inSmallChunks: () => world.buggify('mon sync in small chunks'),
      reload: () => this.#onStoreReplaced(),
      finished: () => {
        if (!this.#followMonMap()) this.#probe();
      },
    });
    this.#sync.recover();
    const { rank, size } = membership;
    this.#elector = { rank, size, epoch: this.#store.getNumber('elector', 'epoch'), state: { name: 'idle' } };
    this.#prober = new Prober({
      get rank() {
        return membership.rank;
      },
      get size() {
        return membership.size;
      },
      get mapEpoch() {
        return membership.monmap.epoch;
      },
      fsid: membership.monmap.fsid,
      clock: world.clock,
      config: world.config,
      log: world.log,
      lastCommitted: () => this.#paxos.lastCommitted,
      isBlank: () => this.#paxos.isBlank,
      syncFloor: () => this.#sync.floor,
      describe: (op) => this.#describe(op),
      // After the commit of the map that it tells of.
      send: (rank, message) => this.#sendDurably(rank, message),
      elect: () => this.#elect({ kind: 'start' }),
      sync: (rank, floor) => {
        if (this.#paxos.isBlank) this.#note((transaction) => this.#acquaintance.forget(transaction));
        this.#startSync(rank, floor);
      },
      join: (rank, floor) => this.#startSync(rank, floor),
    });
    this.#paxos = new Paxos(rank, this.#store, {
      send: (rank, message) => this.#sendDurably(rank, message),
      submit: (transaction) => this.#writer.submit(transaction.toBatch()),
      whenDurable: (then) => this.#writer.whenDurable(then),
      arm: (timer) => this.#armPaxos(timer),
      disarm: (timer) => this.#world.clock.disarm(`paxos ${timer}`),
      onLeaseGranted: () => this.#lease.onGranted(),
      onLeaseSent: (lease) => this.#lease.onSent(lease),
      onLeaseHeld: (lease) => this.#lease.onAcknowledged(lease),
      refused: (rank, why) => world.log.warn('dropped a message', { from: membership.nameOf(rank), why }),
      bootstrap: (reason) => this.#callElection(reason),
      sync: (rank) => this.#startSync(rank, this.#paxos.lastCommitted),
      onCommitted: () => this.#onCommitted(),
      onReadable: () => {
        this.#services.auth.onReadable();
        this.#askForIds();
      },
      onActive: () => this.#onPaxosActive(),
    });
    this.#acquaintance = new Acquaintance(this.#store, this.#paxos.isBlank && this.#sync.floor === undefined);
    this.#proposals = new Proposals(world.clock, world.config, () => world.buggify('mon proposes at once'));
    this.#lease = new Lease(world.clock, world.config);
    this.#requests = new RequestRouter({
      peers: this.#peers,
      forwarding: new Forwarding(world.random),
      role: () => this.#role,
      writeable: () => this.#writeable,
      leader: () => this.#leader(),
      nameOf: (each) => membership.nameOf(each)!,
      serve: (request) => this.#serve(request),
      passOn: (request) => this.#mgrProxy.take(request),
      onForwarded: (request) => this.#services.onForwarded(request),
    });
    this.#mgrProxy = new MgrProxy({
      world,
      endpoint: ENDPOINT,
      commands: () => this.#services.mgr.commands,
      onCommand: (found, from, cmd) => this.#services.onCommand(found, from, cmd),
    });
    this.#scrub = new StoreScrub({
      clock: world.clock,
      config: world.config,
      lastCommitted: () => this.#paxos.lastCommitted,
      checksums: () => this.#store.checksums((prefix) => NOT_OF_SERVICES.includes(prefix)),
      // After the commits that were said before it.
      send: (rank, message) => this.#sendDurably(rank, message),
      say: (level, text) => this.#services.say(level, text),
    });
    this.#timeCheck = new TimeCheck({
      get rank() {
        return membership.rank;
      },
      clock: world.clock,
      config: world.config,
      send: (to, message) => this.#send(to, message),
    });
    this.#services = new Services({
      config: world.config,
      log: world.log,
      random: world.random,
      crypto: world.crypto,
      store: this.#store,
      now: () => world.clock.now(),
      wall: () => world.clock.wall(),
      changed: () => this.#proposeSoon(),
      membership,
      keyring: options.keyring ?? new Map(),
      quorum: () => this.#quorumView(),
      timeCheck: () => this.#timeCheck.view,
      connected: () => this.#sessions.connected(),
      scrub: () => this.#scrub.start(this.#elector.epoch, membership.rank, this.#quorum()),
      sendLog: (entries) => this.#sendLog(entries),
    });
    this.auth = this.#makeAuth(options.keyring?.get('mon.')?.key);
  }

  #makeAuth(shared: CryptoKey | undefined): MonAuthentication | undefined {
    if (shared === undefined) return undefined;
    const { auth, rotating } = this.#services;
    const { crypto, config, clock } = this.#world;
    return new MonAuthentication({
      ...{ shared, crypto, config },
      wall: () => clock.wall(),
      entity: (name) => auth.entity(name),
      secretsOf: (service) => rotating.of(service),
      allocateGlobalId: () => auth.allocate(),
      serves: () => !this.#isOutsider(),
    });
  }

  start(): void {
    if (this.#membership.rank < 0) return this.#leaveCluster();
    this.#note((transaction) => keepMonMap(transaction, this.#membership.monmap));
    this.#refresh();
    this.#leftQuorumAt = this.#world.clock.now();
    this.#probe();
    this.#arm('tick', seconds(this.#world.config.mon_tick_interval));
  }

  /** For checkers: what this monitor is and holds. */
  inspect() {
    return {
      name: this.#membership.name,
      rank: this.#membership.rank,
      monmap: this.#membership.monmap,
      role: this.#role,
      epoch: this.#elector.epoch,
      quorum: this.#quorum(),
      firstCommitted: this.#paxos.firstCommitted,
      lastCommitted: this.#paxos.lastCommitted,
      readable: this.#isReadable,
      value: (version: number): Bytes | undefined => this.#paxos.value(version),
      osdMap: this.#services.osd.map,
      /** Name of the manager that serves; undefined while none does. */
      activeMgr: this.#services.mgr.activeName,
      health: () => this.#services.health(),
      /** Checksum of all that the services keep: equal where the last committed version is. */
      storeDigest: (): number => this.#store.digest((prefix) => NOT_OF_SERVICES.includes(prefix)),
    };
  }

  authorize({ globalId, entity }: AuthRequest): AuthDecision {
    if (entity.type === 'mon') return { kind: 'accept', globalId };
    // Long without a quorum, or without ids, which only a quorum makes: the client tries another monitor, or again.
    const id = this.#isOutsider() ? undefined : globalId === 0n ? this.#services.auth.allocate() : globalId;
    return id === undefined ? { kind: 'refuse', code: Errno.EAGAIN } : { kind: 'accept', globalId: id };
  }

  handle(event: WorldEvent<Message>): void {
    if (this.#mgrProxy.handle(event)) return;
    switch (event.kind) {
      case 'accepted':
        this.#sessions.accept(event.session, event.peer);
        return;
      case 'message':
        return this.#onMessage(event.session, event.message);
      case 'reset':
        return this.#onReset(event.session);
      case 'drained':
        return this.#serveSubscriptions(this.#sessions.get(event.session));
      case 'committed':
        return this.#writer.onCommitted(event.token);
      case 'timer':
        return this.#onTimer(event.name);
      case 'storageFailed':
        throw new DeviceError(event.code, `mon.${this.#membership.name}: ${event.detail}`);
      case 'terminate':
        return this.#world.lifecycle.stop('terminated');
      default:
        return;
    }
  }

  // Sessions

  #onReset(id: SessionId): void {
    const session = this.#sessions.forget(id);
    const name = session === undefined ? this.#peers.onReset(id) : this.#monitorAt(session);
    const rank = name === undefined ? undefined : this.#membership.rankOf(name);
    if (name === undefined || rank === undefined) return;
    if (session !== undefined) this.#peers.pause(name);
    this.#sync.onPeerLost(rank);
  }

  /** A connection to or from another monitor broke and may be tried again: whatever still matters is said again. */
  #onPeerBack(name: string): void {
    const rank = this.#membership.rankOf(name);
    if (rank === undefined) return;
    this.#prober.onPeerBack(rank);
    if (this.#role === 'probing' || this.#role === 'synchronizing') return;
    this.#elect({ kind: 'peerBack', rank });
    this.#paxos.onPeerBack(rank);
    this.#timeCheck.onPeerBack(rank);
    if (this.#role !== 'peon' || rank !== this.#leader()) return;
    this.#requests.forwardAll();
    this.#sayMetadata();
  }

  /** Name of the other monitor that connected by this session. */
  #monitorAt(session: MonSession): string | undefined {
    const rank = this.#sessions.rankOf(session);
    return rank === undefined ? undefined : this.#membership.nameOf(rank);
  }

  #send(rank: number, message: Message): void {
    this.#peers.send(this.#membership.nameOf(rank)!, message);
  }

  /** Leaves when everything submitted before it survives a crash; by then the rank may be that of another. */
  #sendDurably(rank: number, message: Message): void {
    const name = this.#membership.nameOf(rank)!;
    this.#writer.whenDurable(() => this.#peers.send(name, message));
  }

  /** Out of quorum for so long that clients are better served by another monitor. */
  #isOutsider(): boolean {
    const patience = seconds(2 * this.#world.config.mon_lease);
    return this.#leftQuorumAt !== undefined && this.#world.clock.now() - this.#leftQuorumAt > patience;
  }

  #serveSubscriptions(session: MonSession | undefined): void {
    if (session === undefined) return;
    const { net } = this.#world;
    this.#services.serveSubscriptions(session, (message) => net.send(session.id, message) <= net.highWater);
  }

  // Messages

  #onMessage(id: SessionId, message: Message): void {
    const session = this.#sessions.get(id);
    switch (message.type) {
      case 'mon_probe':
        return this.#onProbe(id, session, message);
      case 'mon_election':
      case 'mon_paxos':
      case 'mon_sync':
      case 'mon_forward':
      case 'mon_route':
      case 'mon_global_id':
      case 'mon_timecheck':
      case 'mon_metadata':
      case 'mon_scrub':
        return this.#onMonMessage(session, message);
      default:
        break;
    }
    if (session === undefined) return;
    switch (message.type) {
      case 'mon_get_map':
        this.#world.net.send(id, { type: 'mon_map', monmap: encodeMonMap(this.#membership.monmap) });
        return;
      case 'mon_subscribe':
        session.subscribe(message.what);
        session.host = message.hostname;
        return this.#serveSubscriptions(session);
      case 'auth':
        this.#world.net.send(id, answerAuth(session.peer, message, this.#world.log));
        return;
      case 'command':
        this.#world.net.send(id, this.#runTold(session, message));
        return;
      case 'ping':
        this.#world.net.send(id, { type: 'ping', status: this.#pong() });
        return;
      default:
        this.#requests.route({ from: this.#sessions.requesterOf(session), message });
    }
  }

  /** A command for this monitor itself, whoever leads: only for those who may do everything. */
  #runTold(session: MonSession, { tid, cmd }: Command): CommandReply {
    const { rights } = this.#sessions.requesterOf(session);
    // A manager may not do everything, and yet shows people what options are in force here.
    const isShown = session.peer.entity.type === 'mgr' && this.#admin.prefixOf(cmd[0] ?? '') === 'config show-sources';
    const isAllowed = isShown || rights.may('mon', 'rwx');
    const answer = isAllowed ? this.#admin.run(cmd[0] ?? '') : { code: Errno.EACCES, status: '', data: EMPTY };
    return { type: 'command_reply', tid, ...answer };
  }

  /** Answers a request that came over the admin socket. */
  admin(request: Bytes): Bytes {
    return this.#admin.serve(request);
  }

  #makeAdmin(): AdminSocket {
    return new AdminSocket({
      config: this.#options,
      perf: new PerfCounters({
        mon: {
          num_sessions: {
            kind: 'gauge',
            description: 'open sessions',
            priority: 5,
            read: () => [...this.#sessions.all()].length,
          },
        },
        paxos: {
          commit: { kind: 'counter', description: 'versions committed', read: () => this.#paxos.lastCommitted },
        },
      }),
      commands: monTellCommands({
        status: () => this.#status(),
        sessions: () => this.#sessions.all(),
        setParticipating: (isParticipating) => this.#setParticipating(isParticipating),
        forceSync: () => this.#sync.force(),
      }),
    });
  }

  /** What who asks for nothing else is told, in the quorum or out of it (Monitor::handle_ping). */
  #pong(): string {
    const health = dumpHealth(this.#services.health(), false);
    return `${JSON.stringify({ health, mon_status: this.#status() }, undefined, 4)}\n`;
  }

  #status() {
    const { epoch, ranks, ageSeconds } = this.#quorumView();
    return {
      name: this.#membership.name,
      rank: this.#membership.rank,
      state: this.#role,
      election_epoch: epoch,
      quorum: ranks,
      quorum_age: ageSeconds,
      features: { required_con: REQUIRED_FEATURES, required_mon: MON_FEATURES, ...quorumFeatures() },
      outside_quorum: this.#membership.monmap.ranks.filter((_, rank) => !ranks.includes(rank)),
      extra_probe_peers: [],
      sync_provider: [],
      monmap: dumpMonMap(this.#membership.monmap),
      feature_map: featureMap([{ type: 'mon', features: ALL_FEATURES, count: 1 }, ...this.#sessions.connected()]),
      stretch_mode: false,
    };
  }

  #onMonMessage(session: MonSession | undefined, message: MonMessage): void {
    const rank = session === undefined ? undefined : this.#sessions.rankOf(session);
    if (rank === undefined) return message.type === 'mon_election' ? this.#tellStranger(session) : undefined;
    switch (message.type) {
      case 'mon_election':
        return this.#onElection(rank, message);
      case 'mon_paxos':
        this.#paxos.onMessage(rank, message);
        if (this.#followMonMap()) return;
        // A lease that requests wait for may have been acknowledged.
        if (this.#writeable && this.#requests.someWait) this.#requests.dispatchWaiting();
        return;
      case 'mon_sync':
        return this.#sync.onMessage(rank, message);
      case 'mon_forward':
        return this.#requests.onForward(rank, message);
      case 'mon_route':
        return this.#requests.onRoute(rank, message);
      case 'mon_global_id':
        if (this.#writeable) this.#services.auth.askForMore();
        return;
      case 'mon_timecheck':
        return this.#timeCheck.onMessage(rank, this.#leader(), message);
      case 'mon_metadata':
        return this.#onMetadata(rank, message);
      case 'mon_scrub':
        return this.#scrub.onMessage(rank, this.#leader(), message);
    }
  }

  /** What a peon of this leader says of itself. */
  #onMetadata(rank: number, { epoch, metadata, connected }: MonMetadata): void {
    if (this.#role !== 'leader' || epoch !== this.#elector.epoch || !this.#quorum().includes(rank)) return;
    this.#services.monMetadata.hear(this.#membership.nameOf(rank)!, metadata, connected);
  }

  /** Says what this monitor is, and who is connected to it: to itself where it leads, else to its leader. */
  #sayMetadata(): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    if (this.#role === 'leader') return this.#services.monMetadata.hear(this.#membership.name, this.#metadata, []);
    const { epoch } = this.#elector;
    const connected = this.#sessions.connected();
    this.#send(leader, { type: 'mon_metadata', epoch, metadata: this.#metadata, connected });
  }

  // The monitor map

  /** Writes what belongs to this monitor alone, and outlives a store that is copied. */
  #note(fill: (transaction: MonTransaction) => void): void {
    const transaction = new MonTransaction();
    fill(transaction);
    if (!transaction.empty) this.#writer.submit(transaction.toBatch());
  }

  #hasMet(rank: number): boolean {
    return rank !== this.#membership.rank && this.#acquaintance.hasMet(this.#membership.nameOf(rank)!);
  }

  /** Whether another map was agreed on, and with it this monitor begins anew (Monitor::notify_new_monmap). */
  #followMonMap(): boolean {
    const { map } = this.#services.monmap;
    const before = this.#membership.monmap;
    if (map === undefined || map === before || map.epoch < before.epoch) return false;
    this.#membership.adopt(map);
    this.#note((transaction) => keepMonMap(transaction, map));
    // The first that was agreed on: each may have been given one with a stamp of its own.
    if (map.epoch === before.epoch) return false;
    this.#beginAnew(before);
    return true;
  }

  #beginAnew(before: MonMap): void {
    const { monmap, name, rank, size } = this.#membership;
    const { log } = this.#world;
    log.info('another monitor map', { epoch: monmap.epoch, mons: monmap.ranks.join(',') });
    for (const session of this.#sessions.all()) this.#serveSubscriptions(session);
    if (!this.#membership.isIn(before) || rank < 0) return this.#leaveCluster();
    for (const { name: other, addrs } of monmap.mons.values()) {
      const old = before.mons.get(other)?.addrs;
      if (other !== name && old !== undefined && !sameAddrVec(old, addrs)) this.#peers.moved(other);
    }
    this.#leaveQuorum('electing');
    this.#prober.forget();
    this.#paxos.reconfigure(rank);
    this.#note((transaction) => this.#acquaintance.begin(transaction));
    this.#services.onMembership();
    this.#elector = { rank, size, epoch: this.#elector.epoch, state: { name: 'idle' } };
    this.#probe();
  }

  /** This monitor was removed: it takes part in nothing, and stops when what it said to others has left. */
  #leaveCluster(): void {
    this.#world.log.warn(describeRemoval(this.#membership));
    this.#isParticipating = false;
    this.#elector = { ...this.#elector, state: { name: 'idle' } };
    this.#leaveQuorum('electing');
    this.#writer.whenDurable(() => this.#arm('farewell', FAREWELL));
  }

  // Probing

  /** Whatever who is or says it is a monitor sends, this does not throw. */
  #onProbe(id: SessionId, session: MonSession | undefined, probe: MonProbe): void {
    if (!this.#prober.isSane(probe)) return;
    const theirs = parseMonMap(probe.monmap);
    if (theirs === undefined)
      return this.#world.log.warn('a monitor sends a map that does not parse', { name: probe.name });
    const name = session === undefined ? this.#peers.nameOf(id) : this.#monitorAt(session);
    const rank = name === undefined ? undefined : this.#membership.rankOf(name);
    if (name === undefined || rank === undefined) {
      if (probe.op === 'probe') this.#tellStranger(session);
      // Its first map may be old: of those there, perhaps none is left.
      const isMonitor = session?.peer.entity.type === 'mon';
      if (isMonitor && this.#paxos.isBlank && this.#sync.floor === undefined) {
        this.#learnsMonMap(undefined, theirs, probe);
      }
      return;
    }
    this.#peers.heardFrom(name);
    // Who answers with an older map may not know whom it answers: to an election, say.
    const isBehind = theirs.epoch < this.#membership.monmap.epoch;
    if (probe.op === 'probe' || isBehind) this.#sendDurably(rank, this.#describe('reply'));
    if (this.#learnsMonMap(rank, theirs, probe)) return;
    if (theirs.epoch !== this.#membership.monmap.epoch) return;
    if (probe.standing !== 'blank' && this.#paxos.isBlank) this.#distrustElection();
    this.#prober.onProbe(rank, probe);
  }

  /** A monitor that was removed, or waits to be added, learns how things are. */
  #tellStranger(session: MonSession | undefined): void {
    if (session?.peer.entity.type === 'mon') this.#world.net.send(session.id, this.#describe('reply'));
  }

  /**
   * Whether the sender's map is to replace this monitor's. A store that holds something is replaced with the map: what was
   * agreed on since is in the sender's. Who is in a quorum waits for the commit, or for the quorum's end.
   */
  #learnsMonMap(from: number | undefined, theirs: MonMap, { standing, lastCommitted, monmap }: MonProbe): boolean {
    const own = this.#membership.monmap;
    const { floor } = this.#sync;
    const isBlank = this.#paxos.isBlank && floor === undefined;
    const isOther = isBlank ? !equalBytes(monmap, encodeMonMap(own)) : theirs.epoch > own.epoch;
    if (!isOther || standing === 'blank' || this.#role === 'synchronizing') return false;
    if (!this.#membership.isIn(theirs)) {
      if (!isBlank) {
        this.#membership.adopt(theirs);
        this.#leaveCluster();
      } else {
        const { name } = this.#membership;
        this.#world.log.info(`waiting to be added: ceph mon add ${name} ${formatAddrVec(own.mons.get(name)!.addrs)}`);
      }
      return true;
    }
    if (isBlank) {
      this.#membership.adopt(theirs);
      this.#note((transaction) => keepMonMap(transaction, theirs));
      this.#beginAnew(own);
      return true;
    }
    if (this.#role === 'leader' || this.#role === 'peon') return true;
    const isAhead = lastCommitted >= Math.max(floor ?? 0, this.#paxos.lastCommitted);
    if (from !== undefined && isAhead) this.#startSync(from, lastCommitted);
    return true;
  }

  #probe(): void {
    this.#role = 'probing';
    this.#elector = { ...this.#elector, state: { name: 'idle' } };
    this.#world.clock.disarm('election');
    this.#prober.start();
  }

  #describe(op: MonProbe['op']): MonProbe {
    const { firstCommitted, lastCommitted } = this.#paxos;
    return {
      type: 'mon_probe',
      op,
      fsid: this.#membership.monmap.fsid,
      name: this.#membership.name,
      quorum: this.#quorum(),
      standing: this.#standing(),
      firstCommitted,
      lastCommitted,
      monmap: encodeMonMap(this.#membership.monmap),
      met: [...this.#membership.monmap.ranks.keys()].filter((rank) => this.#hasMet(rank)),
    };
  }

  #standing(): MonStanding {
    if (this.#paxos.isSettled) return 'settled';
    // Of half a copy something was agreed on.
    return this.#paxos.isBlank && this.#sync.floor === undefined ? 'blank' : 'apart';
  }

  // Store sync

  #startSync(from: number, floor: number): void {
    this.#world.log.info('copying the store of another monitor', { from: this.#membership.nameOf(from) });
    this.#leaveQuorum('synchronizing');
    this.#elector = { ...this.#elector, state: { name: 'idle' } };
    this.#world.clock.disarm('election');
    this.#sync.start(from, floor);
  }

  #onStoreReplaced(): void {
    this.#paxos.reload();
    this.#refresh();
  }

  /** Reads the committed state anew, and with it the options that hold for this monitor. */
  #refresh(): void {
    this.#services.refresh();
    const { config, osd, mgr } = this.#services;
    this.#mgrProxy.onMgrMap(mgr.map);
    if (config.version === this.#configVersion) return;
    this.#configVersion = config.version;
    this.#options.applyMon(config.valuesFor({ type: 'mon', id: this.#membership.name }, osd.map, ''));
  }

  /** To the leader; without one the lines wait. */
  #sendLog(entries: readonly LogEntry[]): void {
    const { fsid } = this.#membership.monmap;
    if (this.#role === 'peon') this.#send(this.#leader()!, { type: 'log', fsid, version: 0, entries });
  }

  // Elections

  /** `quorum exit` and `quorum enter` (Elector::stop_participating). */
  #setParticipating(isParticipating: boolean): void {
    this.#isParticipating = isParticipating;
    if (isParticipating) return this.#probe();
    this.#elector = { ...this.#elector, state: { name: 'idle' } };
    this.#world.clock.disarm('election');
    this.#leaveQuorum('electing');
  }

  #callElection(reason: string): void {
    this.#world.log.info('calling an election', { reason });
    this.#elect({ kind: 'start' });
  }

  #onElection(from: number, message: MonElection): void {
    // Without a history no vote.
    const { fsid, epoch: mapEpoch } = this.#membership.monmap;
    if (!equalBytes(message.fsid, fsid) || this.#sync.floor !== undefined || !this.#isParticipating) return;
    // With another map there is no common election; one of the two learns of it by the answer.
    if (message.mapEpoch !== mapEpoch) return this.#sendDurably(from, this.#describe('probe'));
    if (!this.#prober.mayVoteFor(from)) return this.#distrustElection();
    const { op: kind, epoch, quorum } = message;
    this.#elect({ kind, from, epoch, quorum });
  }

  /** This monitor, blank as it is, took others for the founders of a cluster; there may be one already. */
  #distrustElection(): void {
    if (this.#role === 'electing') this.#probe();
  }

  #elect(event: ElectorEvent): void {
    if (!this.#isParticipating) return;
    if (event.kind === 'start') this.#services.say('info', `mon.${this.#membership.name} calling monitor election`);
    const [next, effects] = stepElector(this.#elector, event);
    this.#elector = next;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: ElectorEffect): void {
    switch (effect.kind) {
      case 'store': {
        const transaction = new MonTransaction();
        transaction.putNumber('elector', 'epoch', effect.epoch);
        this.#writer.submit(transaction.toBatch());
        return;
      }
      case 'send': {
        const { op, quorum, to } = effect;
        const { fsid, epoch: mapEpoch } = this.#membership.monmap;
        this.#sendDurably(to, { type: 'mon_election', op, fsid, epoch: this.#elector.epoch, mapEpoch, quorum });
        return;
      }
      case 'timer': {
        const timeout = seconds(this.#world.config.mon_election_timeout);
        this.#arm('election', effect.long ? timeout * 2 : timeout);
        return;
      }
      case 'electing':
        return this.#leaveQuorum('electing');
      case 'won':
        return this.#join('leader', this.#membership.rank, effect.quorum);
      case 'lost':
        return this.#join('peon', effect.leader, effect.quorum);
      case 'leaderBack':
        return this.#requests.forwardAll();
    }
  }

  #leaveQuorum(role: 'electing' | 'synchronizing'): void {
    if (this.#role === 'leader' || this.#role === 'peon') this.#leftQuorumAt = this.#world.clock.now();
    this.#role = role;
    this.#prober.stop();
    this.#paxos.suspend();
    this.#timeCheck.stop();
    this.#scrub.stop();
    for (const request of this.#proposals.abandon()) this.#requests.wait(request);
  }

  #join(role: 'leader' | 'peon', leader: number, quorum: readonly number[]): void {
    invariant(this.#sync.floor === undefined, 'a monitor in quorum holds a whole store');
    this.#role = role;
    this.#quorumSince = this.#world.clock.now();
    this.#leftQuorumAt = undefined;
    this.#world.clock.disarm('election');
    const names = quorum.map((rank) => this.#membership.nameOf(rank)!);
    this.#note((transaction) => this.#acquaintance.meet(names, transaction));
    this.#world.log.info(`${role} in quorum`, { epoch: this.#elector.epoch, quorum: names.join(',') });
    this.#services.monMetadata.forget();
    this.#sayMetadata();
    if (role === 'leader') {
      this.#lease.onElected(quorum.length);
      this.#paxos.lead(this.#elector.epoch, quorum);
      return;
    }
    this.#paxos.follow(this.#elector.epoch, leader, quorum);
    this.#timeCheck.follow(this.#elector.epoch);
    this.#services.sayAgain();
    this.#requests.forwardAll();
    this.#requests.dispatchWaiting();
  }

  #quorum(): readonly number[] {
    return this.#elector.state.name === 'quorum' ? this.#elector.state.quorum : [];
  }

  #leader(): number | undefined {
    return this.#elector.state.name === 'quorum' ? this.#elector.state.leader : undefined;
  }

  #quorumView() {
    return {
      epoch: this.#elector.epoch,
      ranks: this.#quorum(),
      leader: this.#leader() ?? -1,
      ageSeconds: Math.floor((this.#world.clock.now() - this.#quorumSince) / SECOND),
      role: this.#role,
    };
  }

  // Proposals

  #proposeSoon(): void {
    if (this.#role === 'leader') this.#proposals.soon(this.#paxos.lastCommitted <= 1 || this.#services.monmap.dirty);
  }

  #propose(): void {
    // While a round is under way the changes wait for its end.
    if (this.#role !== 'leader' || this.#paxos.state !== 'active') return;
    const transaction = new MonTransaction();
    this.#services.encodePending(transaction);
    this.#proposals.onProposed();
    if (transaction.empty) return this.#proposals.finish();
    this.#trimPaxos(transaction);
    this.#paxos.propose(transaction);
  }

  /** Adds the removal of old versions to a proposal, as far as Ceph keeps them (paxos_min, paxos_trim_min, _max). */
  #trimPaxos(transaction: MonTransaction): void {
    const { paxos_trim_min, paxos_trim_max } = this.#world.config;
    const early = this.#world.buggify('mon keeps few paxos versions');
    const kept = early ? Math.min(FEW_VERSIONS, this.#world.config.paxos_min) : this.#world.config.paxos_min;
    const { firstCommitted, lastCommitted } = this.#paxos;
    if (lastCommitted - firstCommitted < kept + Math.min(paxos_trim_min, kept)) return;
    this.#paxos.trimTo(Math.min(lastCommitted - kept, firstCommitted + paxos_trim_max), transaction);
  }

  #onCommitted(): void {
    this.#proposals.onCommitted();
    this.#refresh();
    for (const session of this.#sessions.all()) this.#serveSubscriptions(session);
  }

  #onPaxosActive(): void {
    if (!this.#services.leading) {
      this.#services.onLeading();
      // Not before: all of the quorum have answered, and know whom they follow.
      this.#timeCheck.lead(this.#elector.epoch, this.#quorum());
    }
    this.#proposals.finish();
    if (this.#followMonMap()) return;
    this.#services.afterCommit();
    if (this.#tickDue) this.#tick();
    this.#requests.dispatchWaiting();
    if (this.#services.dirty || this.#proposals.awaited) this.#proposeSoon();
  }

  // Requests

  get #writeable(): boolean {
    // A change of the map is decided by itself.
    const { leading, monmap } = this.#services;
    return this.#role === 'leader' && leading && this.#isReadable && !monmap.dirty;
  }

  /** Whether what is stored here counts as the newest. */
  get #isReadable(): boolean {
    return this.#paxos.state === 'active' && this.#lease.holds;
  }

  #armPaxos(timer: PaxosTimer): void {
    this.#arm(`paxos ${timer}`, paxosTimeout(timer, this.#world.config));
  }

  #serve(request: Request): void {
    this.#services.serve(request, (finish) => {
      this.#proposals.await({ request, finish });
      this.#proposeSoon();
    });
  }

  // Timers

  #arm(timer: string, after: Instant): void {
    this.#world.clock.arm(timer, this.#world.clock.now() + after);
  }

  #onTimer(name: string): void {
    if (name.startsWith('paxos ')) return this.#paxos.onTimer(name.slice('paxos '.length) as PaxosTimer);
    if (this.#prober.onTimer(name) || this.#peers.onTimer(name) || this.#timeCheck.onTimer(name)) return;
    if (this.#scrub.onTimer(name)) return;
    if (this.#proposals.onTimer(name)) return this.#propose();
    switch (name) {
      case 'election':
        return this.#elect({ kind: 'timeout' });
      case 'sync':
        return this.#sync.onTimeout();
      case 'farewell':
        return this.#world.lifecycle.stop(describeRemoval(this.#membership));
      case 'tick':
        this.#arm('tick', seconds(this.#world.config.mon_tick_interval));
        if (this.#isOutsider() || this.#world.buggify('mon sends its clients away')) this.#sessions.dismissClients();
        return this.#tick();
      default:
        return;
    }
  }

  #tick(): void {
    this.#tickDue = this.#role === 'leader' && !this.#writeable;
    this.#sayMetadata();
    if (this.#writeable) return this.#services.tick();
    this.#askForIds();
    if (this.#role === 'peon') this.#services.sayAgain();
  }

  /** A peon that runs short of ids for clients tells its leader; one that has just come back has none. */
  #askForIds(): void {
    if (this.#role !== 'peon' || !this.#services.auth.isLow) return;
    this.#send(this.#leader()!, { type: 'mon_global_id' });
  }
}
