import { randomInt } from 'node:crypto';
import { type AddressInfo, connect, type Server, type Socket } from 'node:net';
import { noneAccepting, noneConnecting, purposeOf } from '@spirula/auth';
import {
  AddrType,
  type AddrVec,
  type EntityAddr,
  type EntityName,
  formatAddrVec,
  MalformedInput,
} from '@spirula/encoding';
import { decodeMessage, encodeMessage, isPrivate, type Message, UnknownMessage } from '@spirula/messages';
import {
  MsgrConnection,
  type MsgrCrypto,
  type OutgoingMessage,
  type RawMessage,
  type Role,
  type Self,
} from '@spirula/msgr';
import {
  type AcceptingMethod,
  type AuthDecision,
  type Authentication,
  type AuthRequest,
  invariant,
  type Log,
  type Net,
  type Peer,
  type ResetReason,
  type SessionId,
  type WorldEvent,
} from '@spirula/world';
import { LEAST_LARGE_BYTES, largeMemory, separateLarge } from './large-memory.ts';
import { DEFAULT_BOUNDS, type NetBounds } from './net-bounds.ts';
import { listen, type Ports } from './net-listener.ts';
import { NetSession, type SessionListener } from './net-session.ts';
import { receiveInto } from './receive-room.ts';

export interface NodeNetConfig {
  readonly entity: EntityName;
  /** OSD number or monitor rank. Without it, the global id a monitor gives. */
  readonly gid?: bigint;
  readonly crypto: MsgrCrypto;
  readonly log: Log;
  /** Takes one event at a time, never while it is still at work on another. */
  deliver(event: WorldEvent<Message>): void;
  /** How the daemon authenticates; undefined: by auth none. Asked, and used, during handshakes. */
  auth(): Authentication | undefined;
  /** Under auth none: who may connect. Asked during the handshake. */
  authorize(request: AuthRequest): AuthDecision;
  readonly bounds?: Partial<NetBounds>;
}

interface Endpoint {
  readonly addrs: AddrVec;
  /** Undefined for one that only dials out. */
  readonly server: Server | undefined;
}

export interface NetStats {
  readonly sessions: number;
  readonly halfOpen: number;
  readonly queuedBytes: number;
}

const LOOPBACK = '127.0.0.1';
/** Nonces are positive 31-bit numbers; 0 would mean any. */
const MAX_NONCE = 0x7fff_ffff;
/** At most one line about refused connections in this time. */
const REFUSAL_LOG_MS = 1000;

/** The `Net` of one daemon over TCP: listeners on its endpoints, msgr2 on every connection. */
export class NodeNet implements Net<Message> {
  readonly highWater: number;
  /** Tells this run of the daemon from others at the same addresses. */
  readonly nonce = randomInt(1, MAX_NONCE);
  readonly #config: NodeNetConfig;
  readonly #bounds: NetBounds;
  readonly #endpoints = new Map<string, Endpoint>();
  /** Until the socket is gone. */
  readonly #sessions = new Map<SessionId, NetSession>();
  readonly #incoming = new Set<NetSession>();
  readonly #halfOpen = new Set<NetSession>();
  /** Outgoing, to monitors: kept alive. */
  readonly #toMonitors = new Set<NetSession>();
  readonly #listener: SessionListener;
  #events: WorldEvent<Message>[] = [];
  #deliveryScheduled = false;
  #dirty = new Set<NetSession>();
  /** Of this turn. */
  #lastSent: { readonly message: Message; readonly encoded: OutgoingMessage } | undefined;
  #paused = false;
  /** Accepted while paused: they wait as in a hung process's backlog. */
  #backlog: { readonly endpoint: string; readonly socket: Socket }[] = [];
  #destroyed = false;
  #lastSession = 0;
  #globalSeq = 0n;
  /** What the monitors call this client. */
  #globalId = 0n;
  #keepaliveTimer: NodeJS.Timeout | undefined;
  #refused = 0;
  #lastRefusalLog = Number.NEGATIVE_INFINITY;

  constructor(config: NodeNetConfig) {
    this.#config = config;
    this.#bounds = { ...DEFAULT_BOUNDS, ...config.bounds };
    this.highWater = this.#bounds.highWater;
    this.#listener = {
      onReady: (session, peer) => this.#onReady(session, peer),
      onMessage: (session, message) => this.#onMessage(session, message),
      onDrained: (session) => this.#post({ kind: 'drained', session: session.id }),
      onEnded: (session, reason, detail) => this.#onEnded(session, reason, detail),
      onGone: (session) => this.#onGone(session),
      onOutput: (session) => this.#scheduleFlush(session),
    };
  }

  /**
   * Listens for the endpoint `name`, before the daemon starts; returns its addresses.
   *
   * @throws Error in one line when no port is free.
   */
  async bind(name: string, ports: Ports = 0, host: string = LOOPBACK): Promise<AddrVec> {
    invariant(!this.#endpoints.has(name), `endpoint ${name} is bound once`);
    const server = await listen(host, ports, (socket) => this.#onAccept(name, socket));
    const { port } = server.address() as AddressInfo;
    const addrs: AddrVec = [{ type: AddrType.v2, nonce: this.nonce, family: 2, ip: host, port }];
    this.#endpoints.set(name, { addrs, server });
    return addrs;
  }

  /** Declares an endpoint that only dials out: a client's. */
  addClientEndpoint(name: string): void {
    invariant(!this.#endpoints.has(name), `endpoint ${name} is declared once`);
    const addr: EntityAddr = { type: AddrType.any, nonce: this.nonce, family: 2, ip: LOOPBACK, port: 0 };
    this.#endpoints.set(name, { addrs: [addr], server: undefined });
  }

  endpoint(name: string): AddrVec {
    const endpoint = this.#endpoints.get(name);
    invariant(endpoint !== undefined, `endpoint ${name} is known`);
    return endpoint.addrs;
  }

  open(from: string, to: { readonly type: EntityName['type']; readonly addrs: AddrVec }): SessionId {
    const id = this.#nextSession();
    const self = this.#self(from);
    const target = to.addrs.find((addr) => addr.type === AddrType.v2 && addr.family !== 0);
    if (target === undefined) {
      const detail = `${formatAddrVec(to.addrs)} has no msgr2 address`;
      this.#post({ kind: 'reset', session: id, reason: 'refused', detail });
      return id;
    }
    const connection = this.#connection({
      name: 'client',
      self,
      authenticate: () => this.#authenticate(id, to.type),
      targetType: to.type,
      target,
    });
    const session = new NetSession({
      id,
      direction: 'outgoing',
      endpoint: from,
      connect: (onread) => connect({ host: target.ip, port: target.port, onread }),
      connection,
      bounds: this.#bounds,
      listener: this.#listener,
    });
    this.#sessions.set(id, session);
    if (to.type === 'mon') this.#keepAlive(session);
    return id;
  }

  send(id: SessionId, message: Message, use?: 'last'): number {
    const session = this.#sessions.get(id);
    return session?.open ? session.send(this.#encode(message), use) : 0;
  }

  /** One message may go to several peers, one after another. */
  #encode(message: Message): OutgoingMessage {
    if (this.#lastSent?.message !== message) {
      this.#lastSent = { message, encoded: encodeMessage(message) };
      queueMicrotask(() => {
        this.#lastSent = undefined;
      });
    }
    return this.#lastSent.encoded;
  }

  close(id: SessionId): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#events = this.#events.filter((event) => !('session' in event) || event.session !== id);
    session.close();
  }

  stats(): NetStats {
    let queuedBytes = 0;
    for (const session of this.#sessions.values()) queuedBytes += session.queuedBytes;
    return { sessions: this.#sessions.size, halfOpen: this.#halfOpen.size, queuedBytes };
  }

  /** Stops delivering and reading, as a process that hangs: connections stay, nothing answers. */
  pause(): void {
    this.#paused = true;
    for (const session of this.#sessions.values()) session.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const session of this.#sessions.values()) session.resume();
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const { endpoint, socket } of backlog) this.#onAccept(endpoint, socket);
    this.#scheduleDelivery();
  }

  /** An orderly end: no new connections, and what was sent leaves first, for `lingerMs` at the most. */
  async shutdown(): Promise<void> {
    this.#stopListening();
    const sessions = [...this.#sessions.values()];
    for (const session of sessions) session.close();
    await Promise.all(sessions.map((session) => session.gone));
  }

  /** What a kill does: listeners are closed, peers see a reset, nothing is delivered any more. */
  destroy(): void {
    this.#stopListening();
    for (const session of this.#sessions.values()) session.destroy();
  }

  #stopListening(): void {
    this.#destroyed = true;
    this.#events = [];
    clearInterval(this.#keepaliveTimer);
    for (const { server } of this.#endpoints.values()) server?.close();
    for (const { socket } of this.#backlog) socket.destroy();
    this.#backlog = [];
  }

  #nextSession(): SessionId {
    this.#lastSession += 1;
    return this.#lastSession;
  }

  #connection(role: Role): MsgrConnection {
    return new MsgrConnection({ role, crypto: this.#config.crypto, allocate: (bytes) => largeMemory.take(bytes) });
  }

  #authenticate(session: SessionId, to: EntityName['type']) {
    const { entity } = this.#config;
    const auth = this.#config.auth();
    return auth ? auth.connect(session, to) : noneConnecting(entity, purposeOf(entity.type, to), this.#globalId);
  }

  #accept(endpoint: string, peerType: EntityName['type']): readonly AcceptingMethod[] {
    const auth = this.#config.auth();
    return (
      auth?.accept(endpoint, peerType) ?? [noneAccepting((claim) => this.#config.authorize({ endpoint, ...claim }))]
    );
  }

  #self(endpoint: string): Self {
    this.#globalSeq += 1n;
    const { entity, gid } = this.#config;
    const known = this.#globalId === 0n ? undefined : this.#globalId;
    return { entity, addrs: this.endpoint(endpoint), gid: gid ?? known, globalSeq: this.#globalSeq };
  }

  #onAccept(endpoint: string, socket: Socket): void {
    if (this.#paused && this.#backlog.length < this.#bounds.maxHalfOpen) {
      socket.on('error', () => socket.destroy());
      this.#backlog.push({ endpoint, socket });
      return;
    }
    if (this.#paused || this.#halfOpen.size >= this.#bounds.maxHalfOpen) {
      this.#refuse(socket, `${this.#bounds.maxHalfOpen} connections are in their handshake`);
      return;
    }
    if (this.#incoming.size >= this.#bounds.maxConnections) {
      this.#refuse(socket, `${this.#bounds.maxConnections} connections are open`);
      return;
    }
    const { remoteAddress, remotePort } = socket;
    if (remoteAddress === undefined || remotePort === undefined) {
      socket.destroy();
      return;
    }
    const connection = this.#connection({
      name: 'server',
      self: this.#self(endpoint),
      remote: { type: AddrType.v2, nonce: 0, family: 2, ip: remoteAddress, port: remotePort },
      accept: (peerType) => this.#accept(endpoint, peerType),
    });
    const session = new NetSession({
      id: this.#nextSession(),
      direction: 'incoming',
      endpoint,
      connect: (onread) => receiveInto(socket, onread),
      connection,
      bounds: this.#bounds,
      listener: this.#listener,
    });
    this.#sessions.set(session.id, session);
    this.#incoming.add(session);
    this.#halfOpen.add(session);
  }

  #refuse(socket: Socket, reason: string): void {
    socket.destroy();
    this.#refused += 1;
    const now = performance.now();
    if (now - this.#lastRefusalLog < REFUSAL_LOG_MS) return;
    this.#lastRefusalLog = now;
    this.#config.log.warn(`connection refused: ${reason}`, { refused: this.#refused });
  }

  #onReady(session: NetSession, peer: Peer): void {
    this.#halfOpen.delete(session);
    const { id, endpoint } = session;
    if (session.direction === 'incoming') {
      this.#post({ kind: 'accepted', session: id, endpoint, peer });
      return;
    }
    if (this.#globalId === 0n && this.#toMonitors.has(session)) this.#globalId = peer.globalId;
    this.#post({ kind: 'opened', session: id, peer });
  }

  #onMessage(session: NetSession, raw: RawMessage): void {
    try {
      const message = decodeMessage(raw);
      const { entity } = session.peer!;
      if (isPrivate(message) && entity.type === 'client') {
        session.fail('malformed', `client.${entity.id} sends ${message.type}, which only daemons may`);
        return;
      }
      this.#post({
        kind: 'message',
        session: session.id,
        message: raw.data.length < LEAST_LARGE_BYTES ? message : withLargeApart(message),
      });
    } catch (error) {
      if (error instanceof UnknownMessage) this.#config.log.debug(`message dropped: ${error.message}`);
      else if (error instanceof MalformedInput) session.fail('malformed', error.message);
      else throw error;
    }
  }

  #onEnded(session: NetSession, reason: ResetReason, detail: string): void {
    const told = session.peer !== undefined || session.direction === 'outgoing';
    if (told) this.#post({ kind: 'reset', session: session.id, reason, detail });
    if (reason === 'malformed' || reason === 'overflow' || !told) {
      const peer = session.peer && `${session.peer.entity.type}.${session.peer.entity.id}`;
      this.#config.log.warn(`session ended: ${detail}`, { reason, endpoint: session.endpoint, peer });
    }
  }

  #onGone(session: NetSession): void {
    this.#sessions.delete(session.id);
    this.#incoming.delete(session);
    this.#halfOpen.delete(session);
    this.#toMonitors.delete(session);
    this.#dirty.delete(session);
  }

  #keepAlive(session: NetSession): void {
    this.#toMonitors.add(session);
    this.#keepaliveTimer ??= setInterval(() => {
      if (!this.#paused) for (const each of this.#toMonitors) each.keepalive();
    }, this.#bounds.keepaliveMs).unref();
  }

  #post(event: WorldEvent<Message>): void {
    if (this.#destroyed) return;
    this.#events.push(event);
    this.#scheduleDelivery();
  }

  #scheduleDelivery(): void {
    if (this.#deliveryScheduled || this.#paused || this.#events.length === 0) return;
    this.#deliveryScheduled = true;
    setImmediate(() => this.#deliverEvents());
  }

  /** Delivers what is queued now; what comes of it waits for the next turn of the event loop. */
  #deliverEvents(): void {
    this.#deliveryScheduled = false;
    let left = this.#events.length;
    while (left > 0 && !this.#paused) {
      const event = this.#events.shift();
      if (event === undefined) break;
      left -= 1;
      this.#config.deliver(event);
    }
    this.#scheduleDelivery();
  }

  /** Once a turn of the event loop, so that what one event causes leaves in one write. */
  #scheduleFlush(session: NetSession): void {
    if (this.#dirty.size === 0) queueMicrotask(() => this.#flushDirty());
    this.#dirty.add(session);
  }

  #flushDirty(): void {
    const dirty = this.#dirty;
    this.#dirty = new Set();
    for (const session of dirty) session.flush();
  }
}

/** Of ops and their results: so large ones can be given back. */
function withLargeApart(message: Message): Message {
  if (message.type === 'osd_op') {
    const inputs = message.ops.map(({ input }) => input);
    const apart = separateLarge(inputs);
    return apart === inputs ? message : { ...message, ops: message.ops.map((op, i) => ({ ...op, input: apart[i]! })) };
  }
  if (message.type === 'osd_op_reply') {
    const outputs = message.ops.map(({ output }) => output);
    const apart = separateLarge(outputs);
    return apart === outputs
      ? message
      : { ...message, ops: message.ops.map((op, i) => ({ ...op, output: apart[i]! })) };
  }
  return message;
}
