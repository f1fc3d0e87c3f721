/**
 * A session with one monitor, whichever answers, kept up for as long as the owner lives (mon/MonClient.cc).
 *
 *      start             opened              nothing heard for mon_client_ping_timeout,
 *   idle ----> hunting ---------> connected  reset, or the monitor left the map
 *                 ^                   |
 *                 +-------------------+
 *
 * Hunting dials one monitor, and a further one every HUNT_STAGGER while none answers, at most HUNT_PARALLEL at a time;
 * the first to complete the handshake wins. After mon_client_hunt_interval the attempts are given up and made anew, with
 * growing patience. On every new session the subscriptions are renewed and the unanswered requests sent again under
 * their old transaction numbers.
 */
import type { CephxCredentials } from '@spirula/auth';
import {
  type AddrVec,
  type Bytes,
  EMPTY,
  type Epoch,
  Errno,
  equalBytes,
  MalformedInput,
  type Uuid,
} from '@spirula/encoding';
import { decodeMonMap, type MonMap } from '@spirula/maps';
import type { AuthReply, Message } from '@spirula/messages';
import { AuthMethod, type Instant, SECOND, type SessionId, seconds, type World, type WorldEvent } from '@spirula/world';
import { MonHunt } from './mon-hunt.ts';
import { MonSubscriptions } from './mon-subscriptions.ts';

const HUNT_TIMER = 'mon-client hunt';
const TICK_TIMER = 'mon-client tick';
const AUTH_TIMER = 'mon-client auth';
const HUNT_PARALLEL = 3;
const HUNT_STAGGER: Instant = SECOND / 10;
/** Between two rounds of refusals; grows by half each time, up to mon_client_hunt_interval. */
const FIRST_RETRY: Instant = SECOND / 20;
/** mon_client_hunt_interval_backoff and _max_multiple. */
const PATIENCE_GROWTH = 1.5;
const PATIENCE_MAX = 10;
/** Messages kept while no monitor is connected. Beyond it the oldest is dropped. */
const MAX_QUEUED = 1024;
/** Requests awaiting an answer. Beyond it a request fails with EBUSY. */
const MAX_REQUESTS = 16_384;

export interface MonClientOptions {
  readonly world: World<Message>;
  /** Endpoint to dial from. */
  readonly endpoint: string;
  /** One address vector a monitor; the MonMap replaces them. */
  readonly monAddrs: readonly AddrVec[];
  /** Under cephx: kept up to date from here, as long as there is a session. */
  readonly credentials?: CephxCredentials | undefined;
  /** All monitors that answer refuse this client; `code` is a negative errno. They are asked again nevertheless. */
  readonly onRefused?: (code: number) => void;
  /** When given, a monitor of another cluster is not listened to. */
  readonly fsid?: Uuid;
  /** Sent along with subscriptions, for people. */
  readonly hostname?: string;
  /** Everything a monitor sends that is no answer to a request here: maps, config, log. */
  readonly onMessage: (message: Message) => void;
  /** A session with a monitor is up, subscriptions and requests are on their way: send what it alone must hear again. */
  readonly onSession?: () => void;
  /** A newer MonMap is known. */
  readonly onMonMap?: (map: MonMap) => void;
}

export interface CommandResult {
  /** 0 or a negative errno. */
  readonly code: number;
  /** Text for people. */
  readonly status: string;
  readonly data: Bytes;
}

export interface VersionResult {
  readonly code: number;
  readonly newest: Epoch;
  readonly oldest: Epoch;
}

interface Request {
  /** Made when it is sent: the fsid is known then. */
  readonly make: (fsid: Uuid) => Message;
  /** The answer, or undefined when the client was shut down. */
  readonly done: (reply: Message | undefined) => void;
}

type State =
  | { readonly name: 'idle' }
  | { readonly name: 'hunting'; readonly attempts: Map<SessionId, AddrVec>; readonly giveUpAt: Instant }
  | { readonly name: 'connected'; readonly session: SessionId; readonly addrs: AddrVec; heardAt: Instant };

export class MonClient {
  readonly #options: MonClientOptions;
  readonly #world: World<Message>;
  readonly #hunt: MonHunt;
  readonly #subscriptions = new MonSubscriptions();
  readonly #requests = new Map<bigint, Request>();
  #queued: Message[] = [];
  #state: State = { name: 'idle' };
  #monMap: MonMap | undefined;
  #lastTid = 0n;
  #retryDelay: Instant = FIRST_RETRY;
  #patience = 1;

  constructor(options: MonClientOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#hunt = new MonHunt(options.world.random, options.monAddrs);
  }

  /** Undefined until a monitor has sent it. */
  get monMap(): MonMap | undefined {
    return this.#monMap;
  }

  get connected(): boolean {
    return this.#state.name === 'connected';
  }

  /** Addresses of the monitor connected to. */
  get currentMon(): AddrVec | undefined {
    return this.#state.name === 'connected' ? this.#state.addrs : undefined;
  }

  start(): void {
    if (this.#state.name === 'idle') this.#becomeHunting(undefined);
  }

  /** Ends the session. Unanswered requests are answered with ESHUTDOWN. */
  shutdown(): void {
    this.#closeSessions();
    this.#state = { name: 'idle' };
    this.#world.clock.disarm(HUNT_TIMER);
    this.#world.clock.disarm(TICK_TIMER);
    this.#world.clock.disarm(AUTH_TIMER);
    const unanswered = [...this.#requests.values()];
    this.#requests.clear();
    this.#queued = [];
    for (const request of unanswered) request.done(undefined);
  }

  /** Returns whether the event was for this client. What a monitor says to the owner goes to `onMessage`. */
  handle(event: WorldEvent<Message>): boolean {
    switch (event.kind) {
      case 'timer':
        if (event.name === HUNT_TIMER) this.#onHuntTimer();
        else if (event.name === TICK_TIMER) this.#onTick();
        else if (event.name === AUTH_TIMER) this.#renewAuth();
        else return false;
        return true;
      case 'opened':
        if (!this.#owns(event.session)) return false;
        this.#onOpened(event.session);
        return true;
      case 'message':
        if (!this.#owns(event.session)) return false;
        this.#onMessage(event.session, event.message);
        return true;
      case 'reset':
        if (!this.#owns(event.session)) return false;
        this.#onReset(event.session);
        return true;
      case 'drained':
        return this.#owns(event.session);
      default:
        return false;
    }
  }

  /**
   * Asks for `what` (`osdmap`, `mgrmap`, `config`, `log-info` …) from epoch `start` on; 0 is the newest, whole. Renewed
   * with every monitor, from where `gotMap` says it stands.
   */
  subscribe(what: string, start: Epoch, once = false): void {
    if (!this.#subscriptions.want(what, start, once)) return;
    this.#sendSubscriptions(new Map([[what, { start, once }]]));
  }

  unsubscribe(what: string): void {
    this.#subscriptions.unwant(what);
  }

  /** The owner holds `what` up to `epoch` now. */
  gotMap(what: string, epoch: Epoch): void {
    this.#subscriptions.got(what, epoch);
  }

  /** Runs a command on the monitors: an object is sent as JSON. */
  command(cmd: string | Readonly<Record<string, unknown>>, data: Bytes, done: (result: CommandResult) => void): bigint {
    const line = typeof cmd === 'string' ? cmd : JSON.stringify(cmd);
    return this.request(
      (tid, fsid) => ({ type: 'mon_command', tid, fsid, cmd: [line], data }),
      (reply) => {
        if (reply?.type === 'mon_command_ack') done({ code: reply.code, status: reply.status, data: reply.data });
        else done({ code: reply === undefined ? Errno.ESHUTDOWN : Errno.EINVAL, status: '', data: EMPTY });
      },
    );
  }

  /** Newest and oldest epoch of a map (`osdmap`, `mgrmap` …), as the quorum knows them now. */
  getVersion(what: string, done: (result: VersionResult) => void): bigint {
    return this.request(
      (tid) => ({ type: 'mon_get_version', tid, handle: tid, what }),
      (reply) => {
        if (reply?.type === 'mon_get_version_reply') done({ code: 0, newest: reply.newest, oldest: reply.oldest });
        else done({ code: reply === undefined ? Errno.ESHUTDOWN : Errno.EINVAL, newest: 0, oldest: 0 });
      },
    );
  }

  /**
   * Any other request whose reply carries its tid (statfs, get_pool_stats, pool_op). Sent again to every new monitor
   * until answered; `done` gets undefined when the client is shut down first, or at once when too many are waiting.
   */
  request(make: (tid: bigint, fsid: Uuid) => Message, done: (reply: Message | undefined) => void): bigint {
    const tid = ++this.#lastTid;
    if (this.#requests.size >= MAX_REQUESTS) {
      done(undefined);
      return tid;
    }
    const request: Request = { make: (fsid) => make(tid, fsid), done };
    this.#requests.set(tid, request);
    this.#sendRequest(request);
    return tid;
  }

  /** Forgets a request; its answer will be dropped. */
  cancel(tid: bigint): void {
    this.#requests.delete(tid);
  }

  /**
   * Sends a message nobody answers by tid. While hunting it waits for the next session, unless `whileHunting` is
   * `drop`; on a session that breaks it is lost: whoever needs it heard sends it again from `onSession`.
   */
  send(message: Message, whileHunting: 'queue' | 'drop' = 'queue'): void {
    if (this.#state.name === 'connected') {
      this.#world.net.send(this.#state.session, message);
      return;
    }
    if (whileHunting === 'drop') return;
    if (this.#queued.length >= MAX_QUEUED) {
      this.#world.log.warn('no monitor for long: the oldest message is dropped', { type: this.#queued[0]!.type });
      this.#queued.shift();
    }
    this.#queued.push(message);
  }

  /** Leaves the current monitor, for another where there is one. */
  reconnect(): void {
    if (this.#state.name === 'connected') this.#becomeHunting(this.#state.addrs);
  }

  #owns(session: SessionId): boolean {
    if (this.#state.name === 'connected') return this.#state.session === session;
    return this.#state.name === 'hunting' && this.#state.attempts.has(session);
  }

  #closeSessions(): void {
    if (this.#state.name === 'connected') this.#world.net.close(this.#state.session);
    if (this.#state.name === 'hunting')
      for (const session of this.#state.attempts.keys()) this.#world.net.close(session);
  }

  #becomeHunting(last: AddrVec | undefined): void {
    this.#closeSessions();
    this.#world.clock.disarm(TICK_TIMER);
    this.#world.clock.disarm(AUTH_TIMER);
    const patience = seconds(this.#world.config.mon_client_hunt_interval * this.#patience);
    this.#state = { name: 'hunting', attempts: new Map(), giveUpAt: this.#world.clock.now() + patience };
    this.#hunt.beginRound(last);
    this.#dialNext();
  }

  #dialNext(): void {
    if (this.#state.name !== 'hunting') return;
    const { clock, net } = this.#world;
    const { attempts, giveUpAt } = this.#state;
    const addrs = attempts.size < HUNT_PARALLEL ? this.#hunt.next() : undefined;
    if (addrs) {
      attempts.set(net.open(this.#options.endpoint, { type: 'mon', addrs }), addrs);
      clock.arm(HUNT_TIMER, Math.min(clock.now() + HUNT_STAGGER, giveUpAt));
    } else if (attempts.size > 0) {
      clock.arm(HUNT_TIMER, giveUpAt);
    } else {
      // Every monitor refused: none of them runs, or they are just starting, or they do not want this client.
      const refusal = this.#options.credentials?.refusal;
      if (refusal !== undefined) this.#options.onRefused?.(refusal);
      clock.arm(HUNT_TIMER, clock.now() + this.#retryDelay);
      const limit = seconds(this.#world.config.mon_client_hunt_interval);
      this.#retryDelay = Math.min(Math.round(this.#retryDelay * PATIENCE_GROWTH), limit);
    }
  }

  #onHuntTimer(): void {
    if (this.#state.name !== 'hunting') return;
    const { attempts, giveUpAt } = this.#state;
    if (this.#world.clock.now() >= giveUpAt && attempts.size > 0) {
      this.#patience = Math.min(this.#patience * PATIENCE_GROWTH, PATIENCE_MAX);
      this.#becomeHunting(undefined);
    } else if (attempts.size === 0) this.#becomeHunting(undefined);
    else this.#dialNext();
  }

  #onOpened(session: SessionId): void {
    if (this.#state.name !== 'hunting') return;
    const { clock, net, config } = this.#world;
    const addrs = this.#state.attempts.get(session)!;
    for (const other of this.#state.attempts.keys()) if (other !== session) net.close(other);
    this.#state = { name: 'connected', session, addrs, heardAt: clock.now() };
    clock.disarm(HUNT_TIMER);
    clock.arm(TICK_TIMER, clock.now() + seconds(config.mon_client_ping_interval));
    this.#world.log.debug('connected to a monitor', { addrs: addrs.map((addr) => `${addr.ip}:${addr.port}`) });

    this.#options.credentials?.adopt(session);
    // First: with the answer a daemon knows its own clients when the maps tell them of it.
    this.#renewAuth();
    net.send(session, { type: 'mon_get_map' });
    this.#subscriptions.want('monmap', this.#monMap ? this.#monMap.epoch + 1 : 0, false);
    this.#sendSubscriptions(this.#subscriptions.wanted);
    if (this.#monMap) this.#sendAllRequests();
    for (const message of this.#queued.splice(0)) net.send(session, message);
    this.#options.onSession?.();
  }

  #onReset(session: SessionId): void {
    if (this.#state.name === 'connected') {
      this.#world.log.debug('lost the monitor');
      const { addrs } = this.#state;
      // The session is gone already: hunt without closing it.
      this.#state = { name: 'idle' };
      this.#becomeHunting(addrs);
    } else if (this.#state.name === 'hunting') {
      this.#state.attempts.delete(session);
      this.#dialNext();
    }
  }

  #onTick(): void {
    if (this.#state.name !== 'connected') return;
    const { clock, config, net } = this.#world;
    const silence = clock.now() - this.#state.heardAt;
    if (silence > seconds(config.mon_client_ping_timeout)) {
      this.#world.log.info('the monitor has fallen silent', { seconds: silence / SECOND });
      this.#becomeHunting(this.#state.addrs);
      return;
    }
    if (this.#world.buggify('mon-client changes monitors')) return this.reconnect();
    // Every monitor answers this at once, in quorum or not: it serves as the ping.
    if (silence >= seconds(config.mon_client_ping_interval)) net.send(this.#state.session, { type: 'mon_get_map' });
    clock.arm(TICK_TIMER, clock.now() + seconds(config.mon_client_ping_interval));
  }

  #onMessage(session: SessionId, message: Message): void {
    if (this.#state.name !== 'connected' || this.#state.session !== session) return;
    this.#state.heardAt = this.#world.clock.now();
    this.#patience = 1;
    this.#retryDelay = FIRST_RETRY;
    switch (message.type) {
      case 'mon_map':
        this.#onMonMap(message.monmap);
        return;
      case 'mon_command_ack':
      case 'statfs_reply':
      case 'get_pool_stats_reply':
      case 'pool_op_reply':
        this.#onReply(message.tid, message);
        return;
      case 'mon_get_version_reply':
        this.#onReply(message.handle, message);
        return;
      case 'auth_reply':
        this.#onAuthReply(message);
        return;
      default:
        this.#options.onMessage(message);
    }
  }

  /** Asks for new tickets and secrets when it is time, and looks again when it next is. */
  #renewAuth(): void {
    const { credentials } = this.#options;
    if (credentials === undefined || this.#state.name !== 'connected') return;
    const { clock, net } = this.#world;
    for (const payload of credentials.renewals()) {
      net.send(this.#state.session, { type: 'auth', tid: 0n, protocol: AuthMethod.cephx, payload });
    }
    clock.arm(AUTH_TIMER, credentials.renewAt);
  }

  #onAuthReply({ result, payload }: AuthReply): void {
    const { credentials } = this.#options;
    try {
      credentials?.onReply(result, payload);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#world.log.warn('a monitor sent tickets that are not for this client', { error: error.message });
    }
    if (result < 0) {
      // It does not take the ticket that was shown; a new session begins with the key.
      this.#world.log.warn('a monitor gives no new tickets', { result });
      this.reconnect();
      return;
    }
    if (credentials !== undefined) this.#world.clock.arm(AUTH_TIMER, credentials.renewAt);
  }

  #onReply(tid: bigint, reply: Message): void {
    const request = this.#requests.get(tid);
    if (!request) return;
    this.#requests.delete(tid);
    request.done(reply);
  }

  #onMonMap(encoded: Bytes): void {
    let map: MonMap;
    try {
      map = decodeMonMap(encoded);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.#world.log.warn('a monitor sent a MonMap that does not parse', { error: error.message });
      this.reconnect();
      return;
    }
    if (this.#options.fsid && !equalBytes(map.fsid, this.#options.fsid)) {
      this.#world.log.error('a monitor of another cluster answered');
      this.reconnect();
      return;
    }
    this.#subscriptions.got('monmap', map.epoch);
    const before = this.#monMap;
    if (before && before.epoch >= map.epoch) return;
    this.#monMap = map;
    this.#hunt.learn(map);
    if (!before) this.#sendAllRequests();
    this.#options.onMonMap?.(map);
    // A monitor that was removed goes on talking; leave it.
    if (before && this.#state.name === 'connected' && !this.#hunt.knows(this.#state.addrs)) this.reconnect();
  }

  #sendSubscriptions(what: MonSubscriptions['wanted']): void {
    if (this.#state.name !== 'connected') return;
    const message: Message = { type: 'mon_subscribe', what: new Map(what), hostname: this.#options.hostname ?? '' };
    this.#world.net.send(this.#state.session, message);
  }

  #sendRequest(request: Request): void {
    if (this.#state.name === 'connected' && this.#monMap) {
      this.#world.net.send(this.#state.session, request.make(this.#monMap.fsid));
    }
  }

  #sendAllRequests(): void {
    for (const request of this.#requests.values()) this.#sendRequest(request);
  }
}
