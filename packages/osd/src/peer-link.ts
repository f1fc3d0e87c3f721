/**
 * The ordered stream of messages from this OSD to one incarnation of another: each message arrives once and in order, or
 * one of the two has ended (Ceph's lossless peer policy). Connections may break meanwhile: what was not acknowledged is
 * sent again on the next one, and its receiver drops what it has.
 *
 *   sender                                   receiver
 *   osd_link {link, firstSeq}  ------------> numbers what follows firstSeq, firstSeq+1 ...
 *   message, message ...       ------------> takes in what is new
 *                              <------------ osd_link_ack {seq}, now and then
 *
 * A stream ends when the map says that either of them was marked down: its messages belong to intervals that ended with
 * it. A sender numbers its streams upward, so that the receiver knows a new one from an old one that is retried.
 */
import type { AddrVec, OsdId } from '@spirula/encoding';
import type { Message, OsdLinkAck, PgLeaseAcks, PgLeases } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, type World } from '@spirula/world';

/** Between attempts to connect; doubles up to the second. */
const FIRST_RETRY: Instant = SECOND / 20;
const MAX_RETRY: Instant = 2 * SECOND;

export const LINK_TIMER = 'osd link ';

/**
 * What has not been acknowledged is kept, and bounded by what causes it: writes (clients' requests are bounded), recovery
 * operations (osd_recovery_max_active), a few messages for each PG and interval, one round of leases. A peer that is
 * marked down ends the link and all of it.
 */
export class OutgoingLink {
  readonly osd: OsdId;
  readonly addrs: AddrVec;
  /** Number of the stream. */
  readonly link: number;
  readonly #world: World<Message>;
  readonly #whoami: OsdId;
  #session: SessionId | undefined;
  /** Not acknowledged, oldest first; the first has number `#firstSeq`. */
  #queue: Message[] = [];
  #firstSeq = 1;
  /** How many of the queue have been sent on the present connection. */
  #sent = 0;
  #blocked = false;
  #retryUs = FIRST_RETRY;
  /** Number of the newest message of each type that `isPending` is asked about. */
  readonly #newest = new Map<Message['type'], number>();

  constructor(world: World<Message>, whoami: OsdId, osd: OsdId, addrs: AddrVec, link: number) {
    this.#world = world;
    this.#whoami = whoami;
    this.osd = osd;
    this.addrs = addrs;
    this.link = link;
  }

  get session(): SessionId | undefined {
    return this.#session;
  }

  get unacked(): number {
    return this.#queue.length;
  }

  /** Whether a message of the type, sent before, has not been acknowledged: another would wait behind it. */
  isPending(type: PeriodicMessage['type']): boolean {
    return (this.#newest.get(type) ?? 0) >= this.#firstSeq;
  }

  send(message: Message): void {
    this.#queue.push(message);
    if (isPeriodic(message)) this.#newest.set(message.type, this.#firstSeq + this.#queue.length - 1);
    if (this.#session === undefined) {
      if (this.#queue.length === 1) this.#open();
    } else this.#pump();
  }

  /** The stream is over. */
  close(): void {
    if (this.#session !== undefined) this.#world.net.close(this.#session);
    this.#world.clock.disarm(LINK_TIMER + this.osd);
    this.#session = undefined;
    this.#queue = [];
  }

  #open(): void {
    const { net } = this.#world;
    this.#session = net.open('cluster', { type: 'osd', addrs: this.addrs });
    this.#sent = 0;
    this.#blocked = false;
    net.send(this.#session, { type: 'osd_link', osd: this.#whoami, link: this.link, firstSeq: this.#firstSeq });
    this.#pump();
  }

  #pump(): void {
    const { net } = this.#world;
    while (!this.#blocked && this.#session !== undefined && this.#sent < this.#queue.length) {
      const queued = net.send(this.#session, this.#queue[this.#sent]!);
      this.#sent += 1;
      this.#blocked = queued >= net.highWater;
    }
  }

  onDrained(): void {
    this.#blocked = false;
    this.#pump();
  }

  onAck({ link, seq }: OsdLinkAck): void {
    // Only what was sent can have arrived.
    const count = Math.min(seq - this.#firstSeq + 1, this.#sent);
    if (link !== this.link || count <= 0) return;
    this.#queue.splice(0, count);
    this.#firstSeq += count;
    this.#sent -= count;
    this.#retryUs = FIRST_RETRY;
  }

  onReset(): void {
    this.#session = undefined;
    this.#sent = 0;
    this.#world.clock.arm(LINK_TIMER + this.osd, this.#world.clock.now() + this.#retryUs);
    this.#retryUs = Math.min(this.#retryUs * 2, MAX_RETRY);
  }

  onTimer(): void {
    if (this.#session === undefined && this.#queue.length > 0) this.#open();
  }
}

/** Said again and again, each time with all there is to say. */
export type PeriodicMessage = PgLeases | PgLeaseAcks;

export function isPeriodic(message: Message): message is PeriodicMessage {
  return message.type === 'pg_leases' || message.type === 'pg_lease_acks';
}

/** Messages taken in before an acknowledgement is sent at once. */
const ACK_EVERY = 32;

/** What has arrived of a peer's streams. */
export class IncomingLink {
  /** The newest stream, and the last message taken in of it. */
  #link = 0;
  #seq = 0;
  #session: SessionId | undefined;
  /** Number of the next message on the session. */
  #next = 0;
  #ackedSeq = 0;

  get session(): SessionId | undefined {
    return this.#session;
  }

  /** A connection of stream `link` begins with message `firstSeq`. */
  onOpen(session: SessionId, link: number, firstSeq: number): 'new' | 'resumed' | 'over' {
    if (link < this.#link) return 'over';
    const isNew = link > this.#link;
    if (isNew) this.#seq = firstSeq - 1;
    this.#link = link;
    // What was acknowledged on a connection that broke may not have been heard.
    this.#ackedSeq = firstSeq - 1;
    this.#session = session;
    this.#next = firstSeq;
    return isNew ? 'new' : 'resumed';
  }

  onReset(session: SessionId): void {
    if (session === this.#session) this.#session = undefined;
  }

  /** Returns whether a message that arrived on `session` is new. */
  onMessage(session: SessionId): boolean {
    if (session !== this.#session) return false;
    const seq = this.#next++;
    if (seq <= this.#seq) return false;
    this.#seq = seq;
    return true;
  }

  /** Whether an acknowledgement is due: at once, or before long. */
  get ackDue(): 'now' | 'soon' | 'no' {
    if (this.#session === undefined || this.#seq === this.#ackedSeq) return 'no';
    return this.#seq - this.#ackedSeq >= ACK_EVERY ? 'now' : 'soon';
  }

  takeAck(): OsdLinkAck {
    this.#ackedSeq = this.#seq;
    return { type: 'osd_link_ack', link: this.#link, seq: this.#seq };
  }
}
