/**
 * What OSDs say to one another about PGs arrives exactly once and in order, as long as both live, although connections
 * break. Each OSD dials each peer it has something to say to; the stream of its messages goes one way on that
 * connection, acknowledgements the other. The stream outlives its connections:
 *
 *   sender     osd_link{link, firstSeq} m m m ...  --X  reset    osd_link{link, first not acknowledged} m m m ...
 *   receiver        <- osd_link_ack{link, seq}                   drops what it has had already
 *
 * A stream ends when either OSD is marked down or another incarnation of it is marked up: what was on its way then is
 * gone, and peering starts anew. An OSD that is ahead in maps may connect before its peer knows of its boot: the peer
 * then holds what it says until the map comes.
 */
import { type Epoch, type OsdId, sameAddrVec } from '@spirula/encoding';
import { type OsdMap, osdUp } from '@spirula/maps';
import type { Message, OsdLink, OsdLinkAck, OsdPeerMessage } from '@spirula/messages';
import { type Instant, type Peer, SECOND, type SessionId, type World, type WorldEvent } from '@spirula/world';
import { type LinkEnds, LinkOut } from './peer-link-out.ts';

const ACK_TIMER = 'peer-link ack';
const RETRY_TIMER = 'peer-link retry';
const ACK_DELAY: Instant = SECOND / 20;
/** Acknowledged at once when so many messages wait for it. */
const ACK_BATCH = 16;
/** A peer that leaves so many messages unacknowledged is as good as dead. */
const MAX_UNACKED = 65_536;
/** Messages held for want of a map. Beyond it the connection is closed: its sender will try again. */
const MAX_HELD = 1024;
/** Connections that have not said whose they are. Beyond it the oldest is closed. */
const MAX_SILENT = 1024;

const peerMessageTypes: Readonly<Record<OsdPeerMessage['type'], true>> = {
  osd_repop: true,
  osd_repop_reply: true,
  pg_backfill_progress: true,
  pg_backfill_progress_reply: true,
  pg_backfill_remove: true,
  pg_info: true,
  pg_lease_acks: true,
  pg_leases: true,
  pg_log: true,
  pg_notify: true,
  pg_pull: true,
  pg_push: true,
  pg_push_reply: true,
  pg_query: true,
  pg_remove: true,
  pg_reserve: true,
  pg_scan: true,
  pg_scan_reply: true,
};

function isPeerMessage(message: Message): message is OsdPeerMessage {
  return Object.hasOwn(peerMessageTypes, message.type);
}

export interface PeerLinksOptions {
  readonly world: World<Message>;
  readonly whoami: OsdId;
  readonly deliver: (osd: OsdId, message: OsdPeerMessage) => void;
  /** A peer has been marked up in `epoch`, which is not here yet. */
  readonly onNewerEpoch: (epoch: Epoch) => void;
  /** A peer does not read. Nothing is sent to it any more; it should be reported. */
  readonly onStuck: (osd: OsdId) => void;
}

/** A connection a peer made. */
interface Incoming {
  readonly peer: Peer;
  hello: OsdLink | undefined;
  /** Number of the next message on it. */
  nextSeq: number;
  /** Undefined: the peer is known, nothing is held. */
  held: OsdPeerMessage[] | undefined;
}

/** What was taken in from one peer. */
interface LinkIn {
  readonly upFrom: Epoch;
  readonly link: number;
  session: SessionId;
  nextSeq: number;
  unacked: number;
}

export class PeerLinks {
  readonly #options: PeerLinksOptions;
  readonly #world: World<Message>;
  readonly #out = new Map<OsdId, LinkOut>();
  readonly #stuck = new Map<OsdId, LinkEnds>();
  readonly #in = new Map<OsdId, LinkIn>();
  readonly #incoming = new Map<SessionId, Incoming>();
  #map: OsdMap | undefined;
  #lastLink = 0;
  #ackArmed = false;

  constructor(options: PeerLinksOptions) {
    this.#options = options;
    this.#world = options.world;
  }

  /** Takes a message for an OSD that the newest map has up; one for another is dropped, as peering will make good. */
  send(osd: OsdId, message: OsdPeerMessage): void {
    const ends = this.#endsOf(osd);
    if (!ends || this.#stuck.has(osd)) return;
    let link = this.#out.get(osd);
    if (!link) {
      link = new LinkOut(this.#world, this.#options.whoami, ++this.#lastLink, ends);
      this.#out.set(osd, link);
    }
    if (link.length < MAX_UNACKED) {
      link.push(message);
      this.#armRetry();
      return;
    }
    this.#world.log.warn('a peer leaves too much unread', { osd });
    link.close();
    this.#out.delete(osd);
    this.#stuck.set(osd, ends);
    this.#options.onStuck(osd);
  }

  /** Call it when the PGs have taken in the map: what was held for it is delivered. */
  onMap(map: OsdMap): void {
    this.#map = map;
    for (const [osd, link] of [...this.#out]) {
      if (sameEnds(link.ends, this.#endsOf(osd))) continue;
      link.close();
      this.#out.delete(osd);
    }
    for (const [osd, ends] of [...this.#stuck]) if (!sameEnds(ends, this.#endsOf(osd))) this.#stuck.delete(osd);
    for (const [osd, link] of [...this.#in]) {
      if (osdUp(map, osd) && map.osdInfo[osd]!.upFrom === link.upFrom) continue;
      this.#in.delete(osd);
      this.#closeIncoming(link.session);
    }
    for (const [session, incoming] of [...this.#incoming]) {
      if (incoming.hello && incoming.held) this.#identify(session, incoming, incoming.hello);
    }
  }

  /** Ends all connections. */
  shutdown(): void {
    for (const link of this.#out.values()) link.close();
    for (const session of [...this.#incoming.keys()]) this.#closeIncoming(session);
    this.#out.clear();
    this.#in.clear();
    this.#world.clock.disarm(ACK_TIMER);
    this.#world.clock.disarm(RETRY_TIMER);
  }

  /** Returns whether the event was for the links. */
  handle(event: WorldEvent<Message>): boolean {
    switch (event.kind) {
      case 'timer':
        if (event.name === ACK_TIMER) this.#onAckTimer();
        else if (event.name === RETRY_TIMER) this.#onRetryTimer();
        else return false;
        return true;
      case 'accepted':
        if (event.endpoint !== 'cluster' || event.peer.entity.type !== 'osd') return false;
        this.#onAccepted(event.session, event.peer);
        return true;
      case 'opened':
        return this.#linkOf(event.session) !== undefined;
      case 'message':
        return this.#onMessage(event.session, event.message);
      case 'drained': {
        const link = this.#linkOf(event.session);
        link?.onDrained();
        return link !== undefined || this.#incoming.has(event.session);
      }
      case 'reset': {
        const link = this.#linkOf(event.session);
        link?.onReset();
        if (link) this.#armRetry();
        return this.#incoming.delete(event.session) || link !== undefined;
      }
      default:
        return false;
    }
  }

  #endsOf(osd: OsdId): LinkEnds | undefined {
    const map = this.#map;
    const { whoami } = this.#options;
    if (!map || !osdUp(map, osd) || !osdUp(map, whoami)) return undefined;
    const [peerUpFrom, ownUpFrom] = [map.osdInfo[osd]!.upFrom, map.osdInfo[whoami]!.upFrom];
    return { osd, addrs: map.clusterAddrs[osd]!, peerUpFrom, ownUpFrom };
  }

  #linkOf(session: SessionId): LinkOut | undefined {
    for (const link of this.#out.values()) if (link.session === session) return link;
    return undefined;
  }

  #armRetry(): void {
    let earliest = Number.POSITIVE_INFINITY;
    for (const { retryAt } of this.#out.values()) earliest = Math.min(earliest, retryAt ?? earliest);
    if (earliest < Number.POSITIVE_INFINITY) this.#world.clock.arm(RETRY_TIMER, earliest);
  }

  #onRetryTimer(): void {
    const now = this.#world.clock.now();
    for (const link of this.#out.values()) if (link.retryAt !== undefined && link.retryAt <= now) link.connect();
    this.#armRetry();
  }

  #onAccepted(session: SessionId, peer: Peer): void {
    this.#incoming.set(session, { peer, hello: undefined, nextSeq: 0, held: [] });
    let silent = 0;
    let oldest: SessionId | undefined;
    for (const [other, { hello }] of this.#incoming) {
      if (hello) continue;
      silent += 1;
      oldest ??= other;
    }
    if (silent > MAX_SILENT) this.#closeIncoming(oldest!);
  }

  #closeIncoming(session: SessionId): void {
    if (this.#incoming.delete(session)) this.#world.net.close(session);
  }

  #onMessage(session: SessionId, message: Message): boolean {
    const incoming = this.#incoming.get(session);
    if (incoming) {
      if (message.type === 'osd_link') this.#onHello(session, incoming, message);
      else if (isPeerMessage(message)) this.#onPeerMessage(session, incoming, message);
      return true;
    }
    const link = this.#linkOf(session);
    if (link && message.type === 'osd_link_ack') this.#onAck(link, message);
    return link !== undefined;
  }

  #onAck(link: LinkOut, { link: number, seq }: OsdLinkAck): void {
    link.onAck(number, seq);
  }

  #onHello(session: SessionId, incoming: Incoming, hello: OsdLink): void {
    if (incoming.hello || incoming.peer.entity.id !== String(hello.osd)) {
      this.#closeIncoming(session);
      return;
    }
    incoming.hello = hello;
    incoming.nextSeq = hello.firstSeq;
    this.#identify(session, incoming, hello);
  }

  /** Delivers, goes on holding, or closes, by whether the map knows this incarnation of the sender. */
  #identify(session: SessionId, incoming: Incoming, hello: OsdLink): void {
    const map = this.#map;
    if (!map || map.epoch < hello.upFrom) {
      this.#options.onNewerEpoch(hello.upFrom);
      return;
    }
    const isCurrent =
      osdUp(map, hello.osd) &&
      map.osdInfo[hello.osd]!.upFrom === hello.upFrom &&
      sameAddrVec(map.clusterAddrs[hello.osd]!, incoming.peer.addrs);
    if (!isCurrent || !this.#continue(session, hello)) {
      this.#closeIncoming(session);
      return;
    }
    const held = incoming.held ?? [];
    incoming.held = undefined;
    for (const message of held) this.#onPeerMessage(session, incoming, message);
  }

  /** Begins a stream, or continues one on a new connection. Returns false when it fits neither. */
  #continue(session: SessionId, { osd, upFrom, link, firstSeq }: OsdLink): boolean {
    const known = this.#in.get(osd);
    if (known && known.link > link) return false;
    if (known && known.session !== session) this.#closeIncoming(known.session);
    if (known?.link === link) {
      if (firstSeq > known.nextSeq) return false;
      known.session = session;
      known.unacked += 1;
      this.#armAck();
      return true;
    }
    this.#in.set(osd, { upFrom, link, session, nextSeq: firstSeq, unacked: 0 });
    return true;
  }

  #onPeerMessage(session: SessionId, incoming: Incoming, message: OsdPeerMessage): void {
    const { hello, held } = incoming;
    if (!hello || (held && held.length >= MAX_HELD)) {
      this.#closeIncoming(session);
      return;
    }
    if (held) {
      held.push(message);
      return;
    }
    const seq = incoming.nextSeq++;
    const link = this.#in.get(hello.osd);
    if (link?.session !== session || seq !== link.nextSeq) return;
    link.nextSeq += 1;
    link.unacked += 1;
    if (link.unacked >= ACK_BATCH) this.#sendAck(link);
    else this.#armAck();
    this.#options.deliver(hello.osd, message);
  }

  #armAck(): void {
    if (this.#ackArmed) return;
    this.#ackArmed = true;
    this.#world.clock.arm(ACK_TIMER, this.#world.clock.now() + ACK_DELAY);
  }

  #onAckTimer(): void {
    this.#ackArmed = false;
    for (const link of this.#in.values()) if (link.unacked > 0) this.#sendAck(link);
  }

  #sendAck(link: LinkIn): void {
    link.unacked = 0;
    this.#world.net.send(link.session, { type: 'osd_link_ack', link: link.link, seq: link.nextSeq - 1 });
  }
}

function sameEnds(a: LinkEnds, b: LinkEnds | undefined): boolean {
  return (
    b !== undefined && a.peerUpFrom === b.peerUpFrom && a.ownUpFrom === b.ownUpFrom && sameAddrVec(a.addrs, b.addrs)
  );
}
