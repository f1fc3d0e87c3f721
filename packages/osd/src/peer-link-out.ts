import type { AddrVec, Epoch, OsdId } from '@spirula/encoding';
import type { Message, OsdPeerMessage } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, type World } from '@spirula/world';

const FIRST_RETRY: Instant = SECOND / 100;
const LAST_RETRY: Instant = SECOND;

/** Where a stream leads and from whom: when either changes it is another stream. */
export interface LinkEnds {
  readonly osd: OsdId;
  readonly addrs: AddrVec;
  readonly peerUpFrom: Epoch;
  readonly ownUpFrom: Epoch;
}

/**
 * The messages of this OSD to one other, numbered, kept until acknowledged, and sent again on every new connection.
 *
 *   acked  |  unacked: #base .. #sent-1  |  not sent on this connection: #sent .. next-1
 */
export class LinkOut {
  readonly ends: LinkEnds;
  readonly #link: number;
  readonly #whoami: OsdId;
  readonly #world: World<Message>;
  #session: SessionId | undefined;
  #unacked: OsdPeerMessage[] = [];
  #base = 1;
  #sent = 1;
  #full = false;
  #retryDelay: Instant = FIRST_RETRY;
  #retryAt: Instant | undefined;

  constructor(world: World<Message>, whoami: OsdId, link: number, ends: LinkEnds) {
    this.#world = world;
    this.#whoami = whoami;
    this.#link = link;
    this.ends = ends;
  }

  get session(): SessionId | undefined {
    return this.#session;
  }

  /** When to connect again; undefined: nothing to do. */
  get retryAt(): Instant | undefined {
    return this.#retryAt;
  }

  get length(): number {
    return this.#unacked.length;
  }

  push(message: OsdPeerMessage): void {
    this.#unacked.push(message);
    if (this.#session !== undefined) this.#pump();
    else if (this.#retryAt === undefined) this.connect();
  }

  connect(): void {
    const { net } = this.#world;
    const { osd: _, addrs, ownUpFrom } = this.ends;
    this.#retryAt = undefined;
    this.#session = net.open('cluster', { type: 'osd', addrs });
    this.#sent = this.#base;
    this.#full = false;
    const hello = { osd: this.#whoami, upFrom: ownUpFrom, link: this.#link, firstSeq: this.#base };
    net.send(this.#session, { type: 'osd_link', ...hello });
    this.#pump();
  }

  onDrained(): void {
    this.#full = false;
    this.#pump();
  }

  onAck(link: number, seq: number): void {
    const acked = seq - this.#base + 1;
    if (link !== this.#link || acked <= 0 || acked > this.#sent - this.#base) return;
    this.#unacked.splice(0, acked);
    this.#base += acked;
    this.#retryDelay = FIRST_RETRY;
  }

  onReset(): void {
    this.#session = undefined;
    // With nothing to say, the next message connects.
    if (this.#unacked.length === 0) return;
    this.#retryAt = this.#world.clock.now() + this.#retryDelay;
    this.#retryDelay = Math.min(this.#retryDelay * 2, LAST_RETRY);
  }

  close(): void {
    if (this.#session !== undefined) this.#world.net.close(this.#session);
    this.#session = undefined;
    this.#unacked = [];
    this.#retryAt = undefined;
  }

  #pump(): void {
    const { net } = this.#world;
    while (!this.#full && this.#sent < this.#base + this.#unacked.length) {
      const queued = net.send(this.#session!, this.#unacked[this.#sent - this.#base]!);
      this.#sent += 1;
      this.#full = queued > net.highWater;
    }
  }
}
