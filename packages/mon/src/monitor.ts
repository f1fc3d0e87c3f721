/**
 * A monitor (mon/Monitor.cc): probes for the others, elects, and under a quorum keeps the cluster's maps by Paxos.
 *
 *   probing --(a majority answers)--> electing --> leader or peon --(lease lost, election called)--> electing
 *      \--(too far behind)--> synchronizing --> probing
 *
 * This file finds the machine that an event belongs to and carries its effects out. Requests run on the leader; a peon
 * forwards them; without a quorum they wait, bounded.
 */
import { type Bytes, Decoder, Encoder, equalBytes, fromHex, toHex } from '@spirula/encoding';
import { decodeMonMap, encodeMonMap, type MonMap } from '@spirula/maps';
import type { Message, MonElection, MonForward, MonPaxos, MonProbe, MonRoute, MonSync } from '@spirula/messages';
import {
  type AuthDecision,
  type AuthRequest,
  type Daemon,
  type Instant,
  invariant,
  SECOND,
  type SessionId,
  seconds,
  type World,
  type WorldEvent,
} from '@spirula/world';
import { type Elector, type ElectorEffect, type ElectorEvent, stepElector } from './elector.ts';
import { MonStore, MonTransaction } from './mon-store.ts';
import { Paxos, type PaxosTimer } from './paxos.ts';
import type { Request, Requester } from './requester.ts';
import { Services } from './services.ts';
import { MonSession } from './session.ts';
import { paxosTimeout } from './timers.ts';

const ENDPOINT = 'public';
/** Requests that wait for a quorum or for the leader's answer; beyond it the oldest are dropped. */
const MAX_WAITING = 4096;
const SYNC_CHUNK_BYTES = 1 << 20;
/** Between attempts to reach a monitor that refuses connections. */
const RECONNECT_DELAY: Instant = SECOND / 20;
/** How long a majority that has found itself waits for the rest. */
const PROBE_SETTLE: Instant = SECOND / 2;
const LOCAL = 'local';

export interface MonitorOptions {
  readonly name: string;
  /** The first monitors, used until the store holds a MonMap. */
  readonly monmap: MonMap;
}

export type MonRole = 'probing' | 'synchronizing' | 'electing' | 'leader' | 'peon';

export class Monitor implements Daemon<Message> {
  readonly #world: World<Message>;
  readonly #name: string;
  readonly #initialMonmap: MonMap;
  readonly #store: MonStore;
  readonly #monmap: MonMap;
  readonly #rank: number;
  readonly #paxos: Paxos;
  readonly #services: Services;
  #elector: Elector;
  #role: MonRole = 'probing';
  /** When this monitor last joined a quorum. */
  #quorumSince: Instant = 0;
  readonly #sessions = new Map<SessionId, MonSession>();
  /** Outgoing sessions to the other monitors, by rank. */
  readonly #peers = new Map<number, SessionId>();
  readonly #peerRetry = new Map<number, Instant>();
  /** Monitors that answered in this round of probing. */
  #probed = new Map<number, MonProbe>();
  #syncFrom: number | undefined;
  #syncVersion = 0;

  // Durability: a message to a monitor leaves only when everything submitted before it survives a crash.
  #nextToken = 1;
  #committedToken = 0;
  readonly #onDurable = new Map<number, () => void>();
  readonly #held: { readonly token: number; readonly rank: number; readonly message: Message }[] = [];

  /** Requests without a quorum to serve them. */
  #waiting: Request[] = [];
  /** Requests at the leader whose answer waits for the next commit. */
  #uncommitted: { readonly request: Request; readonly finish: () => void }[] = [];
  #proposed: { readonly request: Request; readonly finish: () => void }[] = [];
  /** Requests that this peon forwarded. */
  readonly #forwarded = new Map<bigint, Request>();
  #lastForward = 0n;
  #lastCommitAt: Instant = Number.NEGATIVE_INFINITY;
  #proposeArmed = false;

  constructor(world: World<Message>, options: MonitorOptions) {
    this.#world = world;
    this.#name = options.name;
    this.#initialMonmap = options.monmap;
    this.#store = new MonStore(world.kv);
    const stored = this.#store.get('monmap', 'latest');
    this.#monmap = stored === undefined ? options.monmap : decodeMonMap(stored);
    this.#rank = this.#monmap.ranks.indexOf(options.name);
    invariant(this.#rank >= 0, 'a monitor is in its own map');
    this.#elector = {
      rank: this.#rank,
      size: this.#monmap.ranks.length,
      epoch: this.#store.getNumber('elector', 'epoch'),
      state: { name: 'idle' },
    };
    this.#paxos = new Paxos(this.#rank, this.#store, {
      send: (rank, message) => this.#sendDurably(rank, message),
      submit: (transaction, durable) => this.#submit(transaction, durable),
      arm: (timer) => this.#arm(`paxos ${timer}`, paxosTimeout(timer, world.config)),
      disarm: (timer) => world.clock.disarm(`paxos ${timer}`),
      bootstrap: (reason) => this.#callElection(reason),
      sync: (rank) => this.#startSync(rank),
      onCommitted: () => this.#onCommitted(),
      onActive: () => this.#onPaxosActive(),
    });
    this.#services = new Services({
      config: world.config,
      log: world.log,
      random: world.random,
      store: this.#store,
      now: () => world.clock.now(),
      wall: () => world.clock.wall(),
      changed: () => this.#proposeSoon(),
      monmap: this.#monmap,
      name: this.#name,
      rank: this.#rank,
      quorum: () => this.#quorumView(),
    });
  }

  start(): void {
    if (this.#store.getNumber(LOCAL, 'synchronizing') > 0) this.#wipe();
    if (this.#store.get('monmap', 'latest') === undefined) {
      const first = new MonTransaction();
      first.put('monmap', 'latest', encodeMonMap(this.#initialMonmap));
      this.#submit(first);
    }
    this.#services.refresh();
    this.#probe();
    this.#arm('tick', seconds(this.#world.config.mon_tick_interval));
  }

  /** For checkers: what this monitor is and holds. */
  inspect() {
    return {
      name: this.#name,
      rank: this.#rank,
      role: this.#role,
      epoch: this.#elector.epoch,
      quorum: this.#quorum(),
      firstCommitted: this.#paxos.firstCommitted,
      lastCommitted: this.#paxos.lastCommitted,
      value: (version: number): Bytes | undefined => this.#paxos.value(version),
      osdMap: this.#services.osd.map,
    };
  }

  authorize(request: AuthRequest): AuthDecision {
    if (request.globalId !== 0n || request.entity.type === 'mon') return { kind: 'accept', globalId: request.globalId };
    const globalId = this.#services.auth.allocate();
    // Without a quorum there are no ids: the client looks for another monitor, or tries again.
    return globalId === undefined ? { kind: 'refuse', code: -11 } : { kind: 'accept', globalId };
  }

  handle(event: WorldEvent<Message>): void {
    switch (event.kind) {
      case 'accepted':
        this.#sessions.set(event.session, new MonSession(event.session, event.peer));
        return;
      case 'opened':
        return;
      case 'message':
        return this.#onMessage(event.session, event.message);
      case 'reset':
        return this.#onReset(event.session);
      case 'committed':
        return this.#onDurableToken(event.token);
      case 'timer':
        return this.#onTimer(event.name);
      case 'terminate':
        return this.#world.lifecycle.stop('terminated');
      default:
        return;
    }
  }

  // Sessions

  #onReset(session: SessionId): void {
    this.#sessions.delete(session);
    for (const [rank, each] of this.#peers) {
      if (each !== session) continue;
      this.#peers.delete(rank);
      this.#peerRetry.set(rank, this.#world.clock.now() + RECONNECT_DELAY);
      if (this.#role === 'probing') this.#arm('probe again', RECONNECT_DELAY);
    }
  }

  /** Rank of the monitor at the other end; undefined when it is none of the map. */
  #rankOf(session: MonSession): number | undefined {
    const { entity, addrs } = session.peer;
    if (entity.type !== 'mon') return undefined;
    const rank = this.#monmap.ranks.findIndex((name) => {
      const known = this.#monmap.mons.get(name)!.addrs[0];
      return known !== undefined && addrs.some((addr) => addr.ip === known.ip && addr.port === known.port);
    });
    return rank < 0 || rank === this.#rank ? undefined : rank;
  }

  #sendNow(rank: number, message: Message): void {
    let session = this.#peers.get(rank);
    if (session === undefined) {
      if ((this.#peerRetry.get(rank) ?? 0) > this.#world.clock.now()) return;
      const addrs = this.#monmap.mons.get(this.#monmap.ranks[rank]!)!.addrs;
      session = this.#world.net.open(ENDPOINT, { type: 'mon', addrs });
      this.#peers.set(rank, session);
    }
    this.#world.net.send(session, message);
  }

  #sendDurably(rank: number, message: Message): void {
    const token = this.#nextToken - 1;
    if (token <= this.#committedToken) this.#sendNow(rank, message);
    else this.#held.push({ token, rank, message });
  }

  #submit(transaction: MonTransaction, durable?: () => void): void {
    const token = this.#nextToken++;
    if (durable !== undefined) this.#onDurable.set(token, durable);
    this.#world.kv.submit(transaction.toBatch(), token);
  }

  #onDurableToken(token: number): void {
    this.#committedToken = token;
    while (this.#held.length > 0 && this.#held[0]!.token <= token) {
      const { rank, message } = this.#held.shift()!;
      this.#sendNow(rank, message);
    }
    const durable = this.#onDurable.get(token);
    this.#onDurable.delete(token);
    durable?.();
  }

  // Messages

  #onMessage(id: SessionId, message: Message): void {
    switch (message.type) {
      case 'mon_probe':
      case 'mon_election':
      case 'mon_paxos':
      case 'mon_sync':
      case 'mon_forward':
      case 'mon_route':
        return this.#onMonMessage(id, message);
      default:
        break;
    }
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    switch (message.type) {
      case 'mon_get_map':
        this.#world.net.send(id, { type: 'mon_map', monmap: encodeMonMap(this.#monmap) });
        return;
      case 'mon_subscribe':
        session.subscribe(message.what);
        this.#services.serveSubscriptions(session, (reply) => this.#world.net.send(id, reply));
        return;
      case 'ping':
        return;
      default:
        this.#onRequest({ from: this.#requesterOf(session), message });
    }
  }

  #requesterOf(session: MonSession): Requester {
    return {
      entity: session.peer.entity,
      addrs: session.peer.addrs,
      globalId: session.peer.globalId,
      reply: (message) => void this.#world.net.send(session.id, message),
      done: () => {},
    };
  }

  #onMonMessage(id: SessionId, message: MonProbe | MonElection | MonPaxos | MonSync | MonForward | MonRoute): void {
    const session = this.#sessions.get(id);
    const rank = session === undefined ? undefined : this.#rankOf(session);
    if (rank === undefined) return;
    switch (message.type) {
      case 'mon_probe':
        return this.#onProbe(rank, message);
      case 'mon_election':
        return this.#onElection(rank, message);
      case 'mon_paxos':
        return this.#paxos.onMessage(rank, message);
      case 'mon_sync':
        return this.#onSync(rank, message);
      case 'mon_forward':
        return this.#onForward(rank, message);
      case 'mon_route':
        return this.#onRoute(message);
    }
  }

  // Probing

  #probe(): void {
    this.#role = 'probing';
    this.#probed = new Map();
    if (this.#monmap.ranks.length === 1) return this.#elect({ kind: 'start' });
    this.#sendProbes();
    this.#arm('probe', seconds(this.#world.config.mon_probe_timeout));
  }

  #sendProbes(): void {
    for (const rank of this.#monmap.ranks.keys()) {
      if (rank !== this.#rank && !this.#probed.has(rank)) this.#sendNow(rank, this.#probeMessage('probe'));
    }
  }

  #probeMessage(op: MonProbe['op']): MonProbe {
    return {
      type: 'mon_probe',
      op,
      fsid: this.#monmap.fsid,
      name: this.#name,
      quorum: this.#quorum(),
      firstCommitted: this.#paxos.firstCommitted,
      lastCommitted: this.#paxos.lastCommitted,
    };
  }

  #onProbe(from: number, probe: MonProbe): void {
    if (!equalBytes(probe.fsid, this.#monmap.fsid)) {
      this.#world.log.warn('a monitor of another cluster probes here', { name: probe.name });
      return;
    }
    // Who probes has started anew: a connection held up by an old refusal may be tried at once.
    this.#peerRetry.delete(from);
    if (probe.op === 'probe') this.#sendNow(from, this.#probeMessage('reply'));
    if (this.#role !== 'probing') return;
    this.#probed.set(from, probe);
    if (probe.firstCommitted > this.#paxos.lastCommitted + 1) return this.#startSync(from);
    const answered = this.#probed.size + 1;
    if (answered === this.#monmap.ranks.length) this.#elect({ kind: 'start' });
    // A majority would do; who is just starting as well is given a moment, which saves a second election.
    else if (answered > this.#monmap.ranks.length / 2) this.#arm('probe settled', PROBE_SETTLE);
  }

  // Elections

  #callElection(reason: string): void {
    this.#world.log.info('calling an election', { reason });
    this.#elect({ kind: 'start' });
  }

  #onElection(from: number, message: MonElection): void {
    if (!equalBytes(message.fsid, this.#monmap.fsid) || this.#role === 'synchronizing') return;
    const { op: kind, epoch, quorum } = message;
    this.#elect({ kind, from, epoch, quorum });
  }

  #elect(event: ElectorEvent): void {
    const [next, effects] = stepElector(this.#elector, event);
    this.#elector = next;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: ElectorEffect): void {
    switch (effect.kind) {
      case 'store': {
        const transaction = new MonTransaction();
        transaction.putNumber('elector', 'epoch', effect.epoch);
        this.#submit(transaction);
        return;
      }
      case 'send': {
        const { op, quorum, to } = effect;
        const { fsid } = this.#monmap;
        this.#sendDurably(to, { type: 'mon_election', op, fsid, epoch: this.#elector.epoch, quorum });
        return;
      }
      case 'timer': {
        const timeout = seconds(this.#world.config.mon_election_timeout);
        this.#arm('election', effect.long ? timeout * 2 : timeout);
        return;
      }
      case 'electing':
        return this.#leaveQuorum();
      case 'won':
        return this.#join('leader', this.#rank, effect.quorum);
      case 'lost':
        return this.#join('peon', effect.leader, effect.quorum);
    }
  }

  #leaveQuorum(): void {
    this.#role = 'electing';
    this.#world.clock.disarm('probe');
    this.#world.clock.disarm('propose');
    this.#proposeArmed = false;
    this.#paxos.suspend();
    // What was not committed for certain is asked of the next leader; the commands are such that twice does no harm.
    for (const { request } of [...this.#proposed, ...this.#uncommitted]) this.#wait(request);
    this.#proposed = [];
    this.#uncommitted = [];
  }

  #join(role: 'leader' | 'peon', leader: number, quorum: readonly number[]): void {
    this.#role = role;
    this.#quorumSince = this.#world.clock.now();
    this.#world.clock.disarm('election');
    const names = quorum.map((rank) => this.#monmap.ranks[rank]!);
    this.#world.log.info(`${role} in quorum`, { epoch: this.#elector.epoch, quorum: names.join(',') });
    if (role === 'leader') {
      this.#paxos.lead(this.#elector.epoch, quorum);
      return;
    }
    this.#paxos.follow(this.#elector.epoch, leader, quorum);
    for (const [tid, request] of this.#forwarded) this.#forward(tid, request);
    this.#dispatchWaiting();
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

  // Store sync

  #startSync(from: number): void {
    this.#world.log.info('copying the store of another monitor', { from: this.#monmap.ranks[from] });
    this.#role = 'synchronizing';
    this.#syncFrom = from;
    this.#syncVersion = 0;
    this.#elector = { ...this.#elector, state: { name: 'idle' } };
    this.#paxos.suspend();
    this.#wipe();
    this.#requestChunk('');
  }

  #wipe(): void {
    const transaction = new MonTransaction();
    for (const prefix of ['paxos', 'osdmap', 'mgrmap', 'auth', 'logm', 'config']) {
      for (const [key] of this.#store.list(prefix)) transaction.del(prefix, key);
    }
    transaction.putNumber(LOCAL, 'synchronizing', 1);
    this.#submit(transaction);
    this.#paxos.reload();
  }

  #requestChunk(after: string): void {
    if (this.#syncFrom === undefined) return;
    this.#sendDurably(this.#syncFrom, {
      type: 'mon_sync',
      op: 'get',
      after,
      done: false,
      lastCommitted: 0,
      data: new Uint8Array(0),
    });
    this.#arm('sync', seconds(this.#world.config.mon_sync_timeout));
  }

  #onSync(from: number, message: MonSync): void {
    if (message.op === 'get') return this.#sendChunk(from, message.after);
    if (this.#role !== 'synchronizing' || from !== this.#syncFrom) return;
    this.#storeChunk(message);
  }

  #sendChunk(to: number, after: string): void {
    const skip = (prefix: string) => prefix === 'elector' || prefix === LOCAL;
    const { entries, done } = this.#store.chunk(fromHex(after), SYNC_CHUNK_BYTES, skip);
    const data = new Encoder(4096);
    data.list(entries, ([key, value]) => {
      data.blob(key);
      data.blob(value);
    });
    const last = entries.at(-1)?.[0];
    this.#sendNow(to, {
      type: 'mon_sync',
      op: 'chunk',
      after: last === undefined ? after : toHex(last),
      done,
      lastCommitted: this.#paxos.lastCommitted,
      data: data.finish(),
    });
  }

  /**
   * The copy is not of one moment: values committed meanwhile may or may not show in it. Starting Paxos at the version of
   * the first chunk and applying all later values again makes it exact, for each says what keys become.
   */
  #storeChunk(chunk: MonSync): void {
    if (this.#syncVersion === 0) this.#syncVersion = chunk.lastCommitted;
    const from = new Decoder(chunk.data);
    const entries = from.list('sync', 8, () => [from.blob('sync.key'), from.blob('sync.value')] as const);
    const token = this.#nextToken++;
    this.#world.kv.submit(
      entries.map(([key, value]) => ({ op: 'put', key, value })),
      token,
    );
    if (!chunk.done) return this.#requestChunk(chunk.after);
    const end = new MonTransaction();
    end.putNumber('paxos', 'last_committed', this.#syncVersion);
    for (const key of ['accepted_pn', 'pending_pn', 'pending_v']) end.del('paxos', key);
    end.del(LOCAL, 'synchronizing');
    this.#submit(end);
    this.#world.clock.disarm('sync');
    this.#syncFrom = undefined;
    this.#paxos.reload();
    this.#services.refresh();
    this.#probe();
  }

  // Proposals

  #proposeSoon(): void {
    if (this.#role !== 'leader' || this.#proposeArmed) return;
    const { config, clock } = this.#world;
    const idle = clock.now() - this.#lastCommitAt > seconds(config.paxos_propose_interval);
    const at = idle
      ? clock.now() + seconds(config.paxos_min_wait)
      : this.#lastCommitAt + seconds(config.paxos_propose_interval);
    this.#proposeArmed = true;
    clock.arm('propose', this.#paxos.lastCommitted <= 1 ? clock.now() : at);
  }

  #propose(): void {
    this.#proposeArmed = false;
    // While a round is under way the changes wait for its end.
    if (this.#role !== 'leader' || this.#paxos.state !== 'active') return;
    const transaction = new MonTransaction();
    this.#services.encodePending(transaction);
    this.#trimPaxos(transaction);
    if (transaction.empty) return this.#finish(this.#uncommitted.splice(0));
    this.#proposed = this.#uncommitted.splice(0);
    this.#paxos.propose(transaction);
  }

  #trimPaxos(transaction: MonTransaction): void {
    const { config } = this.#world;
    const kept = this.#paxos.lastCommitted - this.#paxos.firstCommitted;
    if (kept < config.paxos_min + config.paxos_trim_min) return;
    const first = Math.min(
      this.#paxos.lastCommitted - config.paxos_min,
      this.#paxos.firstCommitted + config.paxos_trim_max,
    );
    this.#paxos.trimTo(first, transaction);
  }

  #onCommitted(): void {
    this.#lastCommitAt = this.#world.clock.now();
    this.#services.refresh();
    for (const session of this.#sessions.values()) {
      this.#services.serveSubscriptions(session, (reply) => this.#world.net.send(session.id, reply));
    }
  }

  #onPaxosActive(): void {
    if (!this.#services.leading) this.#services.onLeading();
    this.#finish(this.#proposed.splice(0));
    this.#services.afterCommit();
    this.#dispatchWaiting();
    if (this.#services.dirty || this.#uncommitted.length > 0) this.#proposeSoon();
  }

  #finish(done: readonly { readonly finish: () => void }[]): void {
    for (const { finish } of done) finish();
  }

  // Requests

  #onRequest(request: Request): void {
    // While a round is under way nothing may be added to what it decides: requests wait for its end.
    if (this.#writeable) return this.#serve(request);
    if (this.#role === 'peon') {
      this.#lastForward += 1n;
      const tid = this.#lastForward;
      this.#forwarded.set(tid, request);
      this.#boundForwarded();
      return this.#forward(tid, request);
    }
    this.#wait(request);
  }

  get #writeable(): boolean {
    return this.#role === 'leader' && this.#services.leading && this.#paxos.state === 'active';
  }

  #wait(request: Request): void {
    this.#waiting.push(request);
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift();
  }

  #boundForwarded(): void {
    if (this.#forwarded.size <= MAX_WAITING) return;
    const [oldest] = this.#forwarded.keys();
    if (oldest !== undefined) this.#forwarded.delete(oldest);
  }

  #dispatchWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) this.#onRequest(request);
    if (this.#role !== 'leader') return;
    // Requests forwarded to a former leader are this monitor's own now.
    const forwarded = [...this.#forwarded.values()];
    this.#forwarded.clear();
    for (const request of forwarded) this.#onRequest(request);
  }

  #serve(request: Request): void {
    this.#services.serve(request, (finish) => {
      this.#uncommitted.push({ request, finish });
      this.#proposeSoon();
    });
  }

  #forward(tid: bigint, { from, message }: Request): void {
    const leader = this.#leader();
    if (leader === undefined) return;
    const { entity, addrs, globalId } = from;
    this.#sendNow(leader, { type: 'mon_forward', tid, entity, addrs, globalId, request: message });
  }

  #onForward(rank: number, forward: MonForward): void {
    const { tid, entity, addrs, globalId } = forward;
    const route = (reply: Message | undefined) => this.#sendNow(rank, { type: 'mon_route', tid, reply });
    const from: Requester = { entity, addrs, globalId, reply: route, done: () => route(undefined) };
    if (this.#role === 'leader') this.#onRequest({ from, message: forward.request as Message });
  }

  #onRoute(route: MonRoute): void {
    const request = this.#forwarded.get(route.tid);
    if (request === undefined) return;
    if (route.reply === undefined) this.#forwarded.delete(route.tid);
    else {
      request.from.reply(route.reply as Message);
      this.#forwarded.delete(route.tid);
    }
  }

  // Timers

  #arm(timer: string, after: Instant): void {
    this.#world.clock.arm(timer, this.#world.clock.now() + after);
  }

  #onTimer(name: string): void {
    if (name.startsWith('paxos ')) return this.#paxos.onTimer(name.slice('paxos '.length) as PaxosTimer);
    switch (name) {
      case 'probe':
        if (this.#role === 'probing') this.#probe();
        return;
      case 'probe settled':
        if (this.#role === 'probing') this.#elect({ kind: 'start' });
        return;
      case 'probe again':
        if (this.#role === 'probing') this.#sendProbes();
        return;
      case 'election':
        return this.#elect({ kind: 'timeout' });
      case 'propose':
        return this.#propose();
      case 'sync':
        if (this.#role === 'synchronizing') this.#probe();
        return;
      case 'tick':
        this.#arm('tick', seconds(this.#world.config.mon_tick_interval));
        if (this.#writeable) this.#services.tick();
        return;
      default:
        return;
    }
  }
}
