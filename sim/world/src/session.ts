/**
 * A connection between two runs of daemons, seen from one end. The handshake is msgr2's in six legs, each a packet, and two
 * more for each round that authentication takes:
 *
 *     dialling                          accepting
 *       ---------- connect ----------->   refused when nobody listens
 *       <--------- accepted -----------
 *       -- hello, auth request -------->
 *       <-- hello, auth reply more -----   as often as the method needs it
 *       -- auth request more ---------->
 *       <-- auth done ------------------
 *       -- client ident --------------->   the dialled nonce must be this run's; `accepted`
 *       <-- server ident ---------------   `opened`
 *
 * A process that hangs does not take part, its kernel does: connections are made and data acknowledged, up to a point.
 */
import {
  AddrType,
  type AddrVec,
  type Bytes,
  type EntityAddr,
  type EntityName,
  Errno,
  formatAddrVec,
} from '@spirula/encoding';
import { isPrivate, type Message } from '@spirula/messages';
import type {
  AuthAnswer,
  AuthExchange,
  Authenticated,
  AuthSecrets,
  ConnectingAuth,
  Instant,
  Peer,
  ResetReason,
  SessionId,
  WorldEvent,
} from '@spirula/world';
import { passCodec } from './codec-pass.ts';
import { Acceptance, type Authenticator, attempt, connectingAuth, sameSecrets } from './handshake.ts';
import type { Path } from './path.ts';
import type { Pipe } from './pipe.ts';
import type { Scheduler } from './scheduler.ts';
import { isIntact, type Seal, sealMessage } from './seal.ts';
import type { SentMessage, Tracer } from './tracer.ts';

/** What a handshake's leg takes on the wire. */
const LEG_BYTES = 200;
const HANDSHAKE_TIMEOUT: Instant = 10_000_000;
/** Bytes queued on a session from which on its sender should wait, and at which it is reset. */
export const HIGH_WATER = 16 << 20;
const OVERFLOW = 8 * HIGH_WATER;
/** A monitor is asked for a sign of life so often, and taken for dead without one for so long. */
const KEEPALIVE: Instant = 10_000_000;
const KEEPALIVE_TIMEOUT: Instant = 30_000_000;

/** A run of a daemon, as its connections see it. */
export interface NetOwner extends Authenticator {
  readonly gid: bigint | undefined;
  readonly machine: string;
  /** Whether the process does anything: it neither hangs nor is gone. */
  readonly responsive: boolean;
  /** What the monitors call this client; 0n until one has. */
  globalId: bigint;
  addrsOf(endpoint: string): AddrVec;
  nextSession(): SessionId;
  /** Runs `work`, on so many bytes, when the process gets to it; what comes from one source keeps its order. */
  post(source: SessionId, work: () => void, bytes?: number): void;
  /** Undefined unless the run is traced. */
  readonly tracer: Tracer | undefined;
  /** `checksum` is that of a message, for the digest; `sent` is for traces. */
  deliver(event: WorldEvent<Message>, checksum?: number, sent?: SentMessage): void;
  reportBug(rule: string): void;
  onAccept(session: Session): void;
  onSessionGone(session: Session): void;
}

/** What takes connections: one endpoint of a daemon that runs. */
export interface Listener {
  readonly owner: NetOwner;
  readonly endpoint: string;
}

/** What lies between machines, as connections see it. */
export interface Wire {
  readonly scheduler: Scheduler;
  /** From a machine to where an address is; undefined when that is nowhere. */
  pathTo(from: string, addr: EntityAddr): Path | undefined;
  listenerAt(addr: EntityAddr): Listener | undefined;
  newPipe(path: Path, onTimeout: () => void): Pipe;
  /** A packet that nobody sends again when it is lost. */
  sendRaw(path: Path, arrive: () => void): void;
  /** Whether the next message is drawn to go through its codec. */
  passesCodec(): boolean;
}

export interface Dialled {
  readonly type: EntityName['type'];
  readonly addrs: AddrVec;
}

/** What the two ends of a handshake know of it. */
interface Handshake {
  readonly auth: ConnectingAuth;
  readonly acceptance: Acceptance;
  readonly to: Dialled;
  readonly target: EntityAddr;
}

interface AcceptedPeer extends Authenticated {
  readonly exchange?: AuthExchange | undefined;
}

export class Session {
  readonly id: SessionId;
  readonly owner: NetOwner;
  readonly endpoint: string;
  readonly #wire: Wire;
  readonly #direction: 'outgoing' | 'incoming';
  #state: 'handshake' | 'open' | 'closing' | 'gone' = 'handshake';
  #out: Pipe | undefined;
  #other: Session | undefined;
  #peer: Peer | undefined;
  /** A connection cut now is one whose peer did not like who was dialled. */
  #awaitsIdent = false;
  /** Sent before the handshake was complete. */
  #waiting: Message[] = [];
  /** Sent, and not yet taken by the peer's process. */
  #queuedBytes = 0;
  #aboveHighWater = false;
  #lastSignOfLife: Instant = 0;

  constructor(wire: Wire, owner: NetOwner, endpoint: string, direction: 'outgoing' | 'incoming') {
    this.#wire = wire;
    this.owner = owner;
    this.endpoint = endpoint;
    this.#direction = direction;
    this.id = owner.nextSession();
    wire.scheduler.after(HANDSHAKE_TIMEOUT, () => {
      owner.post(this.id, () => {
        if (this.#state === 'handshake') this.abort('timeout', 'no handshake within 10 s');
      });
    });
  }

  get other(): Session | undefined {
    return this.#other;
  }

  /** Of the two ends, the one that was dialled; undefined before anybody has answered. */
  get dialled(): Session | undefined {
    return this.#direction === 'incoming' ? this : this.#other;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  // Handshake, dialling

  dial(to: Dialled): void {
    const target = to.addrs.find((addr) => addr.type === AddrType.v2 && addr.family !== 0);
    const path = target && this.#wire.pathTo(this.owner.machine, target);
    if (target === undefined || path === undefined) {
      this.#end('refused', `${formatAddrVec(to.addrs)} is nowhere`);
      return;
    }
    const out = this.#wire.newPipe(path, () => this.#onStalled());
    this.#out = out;
    out.send(LEG_BYTES, () => this.#onConnect(to, target, path.reverse));
    if (to.type === 'mon') this.#keepAlive();
  }

  /** The connection request is at the other machine. */
  #onConnect(to: Dialled, target: EntityAddr, back: Path): void {
    const listener = this.#wire.listenerAt(target);
    if (listener === undefined) {
      this.#wire.sendRaw(back, () => this.#end('refused', `nobody listens at ${target.port}`));
      return;
    }
    const other = new Session(this.#wire, listener.owner, listener.endpoint, 'incoming');
    listener.owner.onAccept(other);
    other.#other = this;
    other.#out = this.#wire.newPipe(back, () => other.#onStalled());
    this.#other = other;
    other.#leg(() => this.#onAccepted(to, target));
  }

  /** Connected: who this is, and the first word of authentication. */
  #onAccepted(to: Dialled, target: EntityAddr): void {
    const other = this.#other!;
    const auth = connectingAuth(this.owner, this.id, to.type);
    if (auth === undefined) {
      this.#sendReset();
      this.#end('closed', `no ticket for a ${to.type} is held`);
      return;
    }
    const payload = this.owner.auth ? this.owner.during(() => auth.request()) : auth.request();
    this.#leg(() => {
      if (payload === undefined || other.owner.entity.type !== to.type) {
        other.#hangUp();
        this.#awaitsIdent = true;
        return;
      }
      const acceptance = new Acceptance(other.owner, other.endpoint, this.owner.entity.type, auth);
      other.#onAuth(this, { auth, acceptance, to, target }, payload);
    });
  }

  /** Takes a payload of the peer's that authenticates it. */
  #onAuth(client: Session, handshake: Handshake, payload: Bytes): void {
    const answer = handshake.acceptance.answer(payload);
    if (answer === undefined || (answer.kind === 'refuse' && answer.code === Errno.EAGAIN)) this.#hangUp();
    else if (answer.kind === 'refuse') {
      const { auth } = handshake;
      this.#leg(() => {
        if (client.owner.auth) client.owner.during(() => auth.refused(answer.code));
        client.#end('closed', `authentication is refused with ${answer.code}`);
      });
      this.#hangUp();
    } else this.#leg(() => client.#onAuthReply(this, handshake, answer));
  }

  #onAuthReply(server: Session, handshake: Handshake, answer: Exclude<AuthAnswer, { readonly kind: 'refuse' }>): void {
    const { auth, acceptance } = handshake;
    const { owner } = this;
    if (answer.kind === 'more') {
      const more = owner.during(() => attempt(() => auth.more(answer.payload)));
      if (more === undefined) return this.abort('malformed', 'what the peer says of authentication makes no sense');
      this.#leg(() => server.#onAuth(this, handshake, more));
      return;
    }
    const { peer, payload } = answer;
    const { mode } = acceptance;
    let secrets: AuthSecrets | undefined;
    if (owner.auth !== undefined) {
      const found = owner.during(() =>
        attempt(() => ({ secrets: auth.done({ globalId: peer.globalId, mode, payload }) })),
      );
      if (found === undefined) return this.abort('malformed', 'the peer proves nothing');
      secrets = found.secrets;
    }
    if (!sameSecrets(secrets, answer.secrets)) {
      return this.abort('malformed', 'the authentication signature does not match');
    }
    this.#awaitsIdent = true;
    this.#leg(() =>
      server.#onClientIdent(this, handshake, secrets ? { ...peer, exchange: acceptance.exchange } : peer),
    );
  }

  #onClientIdent(client: Session, { to, target }: Handshake, accepted: AcceptedPeer): void {
    const own = this.owner.addrsOf(this.endpoint);
    if (target.nonce !== 0 && own.every(({ nonce }) => nonce !== target.nonce)) {
      this.#hangUp();
      return;
    }
    const { globalId } = accepted;
    const addrs = target.nonce === 0 ? own.map((addr) => ({ ...addr, nonce: 0 })) : own;
    const peer: Peer = { entity: { type: to.type, id: String(this.owner.gid ?? 0n) }, addrs, globalId };
    this.#leg(() => client.#onServerIdent(peer));
    this.#open({ ...accepted, addrs: client.owner.addrsOf(client.endpoint) });
  }

  #onServerIdent(peer: Peer): void {
    this.#awaitsIdent = false;
    if (this.owner.globalId === 0n && peer.entity.type === 'mon') this.owner.globalId = peer.globalId;
    this.#open(peer);
  }

  #open(peer: Peer): void {
    this.#peer = peer;
    const closing = this.#state === 'closing';
    if (!closing) this.#state = 'open';
    this.#queuedBytes = 0;
    // First: the daemon may send more once it is told.
    for (const message of this.#waiting.splice(0)) this.#transmit(message);
    if (closing) {
      this.#sendEnd();
      return;
    }
    this.owner.deliver(
      this.#direction === 'incoming'
        ? { kind: 'accepted', session: this.id, endpoint: this.endpoint, peer }
        : { kind: 'opened', session: this.id, peer },
    );
  }

  /** Sends a leg of the handshake; `arrive` runs in the peer's process. */
  #leg(arrive: () => void): void {
    this.#out!.send(LEG_BYTES, () => {
      const other = this.#other!;
      if (other.#state === 'gone') {
        this.#onUnknownConnection();
        return;
      }
      other.owner.post(other.id, () => {
        if (other.#state !== 'gone') arrive();
      });
    });
  }

  // Messages

  /** Returns the bytes queued; 0 when the session is gone. */
  send(message: Message): number {
    if (this.#state !== 'open' && this.#state !== 'handshake') return 0;
    if (this.#state === 'handshake') {
      this.#waiting.push(message);
      this.#queuedBytes += sealMessage(message).bytes;
    } else this.#transmit(message);
    const queued = this.#queuedBytes;
    if (queued > HIGH_WATER) this.#aboveHighWater = true;
    if (queued > OVERFLOW) this.abort('overflow', `${queued} bytes wait, at most ${OVERFLOW} are kept`);
    return queued;
  }

  #transmit(message: Message): void {
    const sealed = sealMessage(message);
    const { bytes } = sealed;
    const passed = this.#wire.passesCodec() ? passCodec(message) : undefined;
    if (passed?.difference !== undefined) {
      this.owner.reportBug(`a ${message.type} is changed by its codec at ${passed.difference}`);
    }
    const delivered = passed?.message ?? message;
    const seal = passed === undefined ? sealed : sealMessage(delivered);
    this.#queuedBytes += bytes;
    const { machine, tracer } = this.owner;
    const sent = tracer?.sent(machine, this.#out!.path.to.name, this.id, message, bytes);
    this.#out!.send(bytes, () => {
      const other = this.#other!;
      if (other.#state === 'gone') {
        this.#onUnknownConnection();
        return;
      }
      other.owner.post(
        other.id,
        () => {
          this.#onTaken(bytes);
          if (other.#state === 'open') other.#receive(delivered, seal, sent);
        },
        bytes,
      );
    });
  }

  #receive(message: Message, seal: Seal, sent: SentMessage | undefined): void {
    if (!isIntact(message, seal)) {
      this.owner.reportBug(`nobody changes a ${message.type} once it is sent`);
      return;
    }
    const { entity } = this.#peer!;
    if (isPrivate(message) && entity.type === 'client') {
      this.abort('malformed', `client.${entity.id} sends ${message.type}, which only daemons may`);
      return;
    }
    this.owner.deliver({ kind: 'message', session: this.id, message }, seal.checksum, sent);
  }

  /** The peer's process has taken so many bytes. */
  #onTaken(bytes: number): void {
    this.#queuedBytes -= bytes;
    if (!this.#aboveHighWater || this.#state !== 'open' || this.#queuedBytes >= HIGH_WATER / 2) return;
    this.#aboveHighWater = false;
    this.#wire.scheduler.after(0, () => {
      this.owner.post(this.id, () => {
        if (this.#state === 'open') this.owner.deliver({ kind: 'drained', session: this.id });
      });
    });
  }

  // Ends

  /** Ends the session after what was sent has left. Nothing is told of it any more. */
  close(): void {
    if (this.#state === 'gone' || this.#state === 'closing') return;
    if (this.#state === 'handshake' && this.#waiting.length === 0) {
      this.#hangUp();
      return;
    }
    const complete = this.#state === 'open';
    this.#state = 'closing';
    if (complete) this.#sendEnd();
  }

  /** Ends the session at once, tells its daemon, and the peer if the network lets it. */
  abort(reason: ResetReason, detail: string): void {
    this.#sendReset();
    this.#end(reason, detail);
  }

  /** The connection breaks: both ends see a reset. */
  breakOff(): void {
    this.#sendReset();
    this.#end('closed', 'the connection broke');
  }

  /** The process is gone; its kernel closes the connection after the first `kept` packets in flight. */
  orphan(kept: number): void {
    if (this.#state === 'gone') return;
    this.#state = 'gone';
    this.#out?.cut(kept);
    this.#sendEnd();
  }

  /** The machine is gone. Nobody is told. */
  vanish(): void {
    this.#state = 'gone';
  }

  get inFlight(): number {
    return this.#out?.inFlight ?? 0;
  }

  /** Closes without a word. */
  #hangUp(): void {
    this.#state = 'gone';
    this.#sendEnd();
  }

  /** Behind all that was sent. */
  #sendEnd(): void {
    this.#out?.send(LEG_BYTES, () => {
      this.#state = 'gone';
      this.#out!.close();
      this.owner.onSessionGone(this);
      this.#other?.owner.post(this.#other.id, () => this.#other!.#onCut('the peer closed the connection'));
    });
  }

  #sendReset(): void {
    const other = this.#other;
    if (other === undefined) return;
    this.#wire.sendRaw(this.#out!.path, () => other.#onCut('connection reset by peer'));
  }

  /** What was sent came to a machine that does not know the connection. */
  #onUnknownConnection(): void {
    this.#wire.sendRaw(this.#out!.path.reverse, () => this.#onCut('connection reset by peer'));
  }

  #onStalled(): void {
    this.#end('timeout', 'the network does not get through');
  }

  #onCut(detail: string): void {
    if (this.#awaitsIdent) this.#end('refused', `not who was dialled: ${detail}`);
    else this.#end('closed', detail);
  }

  #end(reason: ResetReason, detail: string): void {
    if (this.#state === 'gone') return;
    const told = this.#state !== 'closing' && (this.#peer !== undefined || this.#direction === 'outgoing');
    this.#state = 'gone';
    this.#out?.close();
    this.#waiting = [];
    this.owner.onSessionGone(this);
    if (!told) return;
    this.owner.post(this.id, () => this.owner.deliver({ kind: 'reset', session: this.id, reason, detail }));
  }

  #keepAlive(): void {
    const { scheduler } = this.#wire;
    const { path } = this.#out!;
    this.#lastSignOfLife = scheduler.now;
    const check = () => {
      if (this.#state === 'gone' || this.#state === 'closing') return;
      const blocked = [path, path.reverse].some((way) => way.isCut || way.cloggedUntil !== undefined);
      const answers = this.#other?.owner.responsive === true && !blocked;
      if (answers) this.#lastSignOfLife = scheduler.now;
      if (this.owner.responsive && scheduler.now - this.#lastSignOfLife > KEEPALIVE_TIMEOUT) {
        this.abort('timeout', 'no sign of life for 30 s');
      } else scheduler.after(KEEPALIVE, check);
    };
    scheduler.after(KEEPALIVE, check);
  }
}
