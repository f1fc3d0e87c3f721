/** Sessions on the public endpoint: clients' requests on their way to the PGs, and the maps they are told of. */
import type { AdminAnswer } from '@spirula/admin-socket';
import type { OsdCaps } from '@spirula/auth';
import { AddrType, EMPTY, type EntityAddr, EntityType, type Epoch, Errno } from '@spirula/encoding';
import type { Command, CommandReply, Message, OsdBackoff, OsdMapMessage, OsdOpMessage, ReqId } from '@spirula/messages';
import type { Peer, SessionId, World } from '@spirula/world';
import type { ClientOp } from './client-op.ts';
import type { DynamicPerfStats } from './dynamic-perf-stats.ts';
import { parseCaps } from './op-caps.ts';
import type { OpTracker } from './op-tracker.ts';

/** Requests on this OSD altogether. Beyond it the session with most of them is closed, and its client sends again. */
const MAX_REQUESTS = 16_384;
const NO_ADDR: EntityAddr = { type: AddrType.none, nonce: 0, family: 0, ip: '', port: 0 };

interface ClientSession {
  readonly peer: Peer;
  readonly caps: OsdCaps;
  /** Newest map it is known to have. */
  epoch: Epoch;
  /** Not answered yet. */
  requests: number;
  bytes: number;
}

export interface ClientSessionsHost {
  readonly world: World<Message>;
  readonly epoch: Epoch;
  mapsSince(epoch: Epoch): OsdMapMessage | undefined;
  wantMap(epoch: Epoch): void;
  /** Hands a request to its PG, or answers `onDone`. */
  onRequest(op: ClientOp): void;
  readonly ops: OpTracker;
  readonly perf: DynamicPerfStats;
  /** Runs a command line that is for this OSD itself. */
  runCommand(line: string, done: (answer: AdminAnswer) => void): void;
  onBackoffAck(session: SessionId, message: OsdBackoff): void;
  /** The session is gone: its requests that have not begun are to be dropped. */
  onClosed(session: SessionId): void;
}

export class ClientSessions {
  readonly #host: ClientSessionsHost;
  readonly #sessions = new Map<SessionId, ClientSession>();
  /** Their epoch is newer than the map. */
  #early: ClientOp[] = [];
  #arrivals = 0;
  #requests = 0;
  #bytes = 0;

  constructor(host: ClientSessionsHost) {
    this.#host = host;
  }

  get requests(): number {
    return this.#requests;
  }

  onAccepted(session: SessionId, peer: Peer): void {
    this.#sessions.set(session, { peer, caps: parseCaps(peer.caps), epoch: 0, requests: 0, bytes: 0 });
  }

  isOpen(session: SessionId): boolean {
    return this.#sessions.has(session);
  }

  /** Returns whether the session belongs here. */
  onReset(session: SessionId): boolean {
    if (!this.#sessions.delete(session)) return false;
    const ops = this.#early;
    this.#early = [];
    for (const op of ops) {
      if (op.session === session) this.onDone(op);
      else this.#early.push(op);
    }
    this.#host.onClosed(session);
    return true;
  }

  /** Returns whether the session belongs here. */
  onMessage(session: SessionId, message: Message): boolean {
    const state = this.#sessions.get(session);
    if (!state) return false;
    if (message.type === 'osd_op') this.#onOp(session, state, message);
    else if (message.type === 'osd_backoff') this.#host.onBackoffAck(session, message);
    else if (message.type === 'command') {
      this.#runCommand(session, state, message);
    }
    return true;
  }

  /** Who may not do everything may not command an OSD itself (OSD::handle_command). */
  #runCommand(session: SessionId, { caps }: ClientSession, message: Command): void {
    const reply = (answer: AdminAnswer) => {
      if (!this.#sessions.has(session)) return;
      const sent: CommandReply = { type: 'command_reply', tid: message.tid, ...answer };
      this.#host.world.net.send(session, sent);
    };
    if (caps.allowsAll) this.#host.runCommand(message.cmd[0] ?? '', reply);
    else reply({ code: Errno.EACCES, status: '', data: EMPTY });
  }

  #onOp(session: SessionId, state: ClientSession, message: OsdOpMessage): void {
    const bytes = message.ops.reduce((sum, op) => sum + op.input.length, 0);
    if (this.#isFull) this.#makeRoom(session);
    if (!this.#sessions.has(session)) return;
    this.#requests += 1;
    this.#bytes += bytes;
    state.requests += 1;
    state.bytes += bytes;
    const reqid = reqidOf(state.peer, message);
    const { entityType, entityNum } = reqid;
    const addr = state.peer.addrs[0] ?? NO_ADDR;
    const client = { session, entityType, entityNum, addr, features: message.features };
    const op: ClientOp = {
      session,
      client,
      socketAddr: state.peer.socketAddr ?? client.addr,
      caps: state.caps,
      message,
      reqid,
      arrival: this.#arrivals++,
      bytes,
      arrivedAt: this.#host.perf.isEnabled ? this.#host.world.clock.now() : undefined,
    };
    this.#host.ops.begin(op);
    state.epoch = Math.max(state.epoch, message.epoch);
    if (message.epoch > this.#host.epoch) {
      this.#early.push(op);
      this.#host.wantMap(message.epoch);
      return;
    }
    this.#shareMaps(session, state);
    this.#queue(op);
  }

  #queue(op: ClientOp): void {
    this.#host.ops.mark(op, 'queued_for_pg');
    this.#host.onRequest(op);
  }

  get #isFull(): boolean {
    const { config } = this.#host.world;
    return this.#requests >= MAX_REQUESTS || this.#bytes > 2 * config.osd_client_message_size_cap;
  }

  /**
   * Closes the session that has most under way; and `sender`, when that frees nothing yet: what has begun goes on.
   */
  #makeRoom(sender: SessionId): void {
    const share = ({ requests, bytes }: ClientSession) =>
      Math.max(requests / MAX_REQUESTS, bytes / this.#host.world.config.osd_client_message_size_cap);
    const [largest] = [...this.#sessions].sort(([, a], [, b]) => share(b) - share(a));
    if (largest) this.#close(largest[0]);
    if (this.#isFull && this.#sessions.has(sender)) this.#close(sender);
  }

  #close(session: SessionId): void {
    const { peer, requests, bytes } = this.#sessions.get(session)!;
    this.#host.world.log.warn('too many requests: the session is closed', { client: peer.entity.id, requests, bytes });
    this.#host.world.net.close(session);
    this.onReset(session);
  }

  /** A client behind this OSD's map would not notice that it has to send elsewhere. */
  #shareMaps(session: SessionId, state: ClientSession): void {
    if (state.epoch >= this.#host.epoch) return;
    const maps = this.#host.mapsSince(state.epoch);
    if (!maps) return;
    this.#host.world.net.send(session, maps);
    state.epoch = Math.max(state.epoch, ...maps.incrementals.keys(), ...maps.fulls.keys());
  }

  /** A newer map is in force, and the PGs have followed it. */
  onMap(): void {
    const ops = this.#early;
    this.#early = [];
    for (const op of ops) {
      if (op.message.epoch > this.#host.epoch) this.#early.push(op);
      else this.#queue(op);
    }
  }

  /** A request was answered or dropped. A client whose request was dropped learns from the map why. */
  onDone(op: ClientOp): void {
    this.#host.ops.end(op);
    this.#requests -= 1;
    this.#bytes -= op.bytes;
    const state = this.#sessions.get(op.session);
    if (!state) return;
    state.requests -= 1;
    state.bytes -= op.bytes;
    this.#shareMaps(op.session, state);
  }
}

/** Clients leave the request's name to the session they send it on, whichever that is (MOSDOp::get_reqid). */
function reqidOf(peer: Peer, { reqid, tid }: OsdOpMessage): ReqId {
  if (reqid.tid !== 0n) return reqid;
  const entityNum = peer.globalId === 0n ? reqid.entityNum : peer.globalId;
  return { entityType: EntityType[peer.entity.type], entityNum, tid, inc: reqid.inc };
}
