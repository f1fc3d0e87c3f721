/** All links to and from other OSDs: which messages are taken in, from whom, and when. */
import { type AddrVec, type Epoch, type OsdId, sameAddrVec } from '@spirula/encoding';
import { type OsdMap, osdUp } from '@spirula/maps';
import type { Message, OsdMapMessage, OsdPeerMessage } from '@spirula/messages';
import { type Instant, type Peer, type ResetReason, SECOND, type SessionId, type World } from '@spirula/world';
import { IncomingLink, isPeriodic, LINK_TIMER, OutgoingLink } from './peer-link.ts';

const ACK_TIMER = 'osd link acks';
const ACK_DELAY: Instant = SECOND / 20;
/** Messages of a newer epoch kept until the map arrives, of each peer; beyond it the connection is closed, to try again. */
const MAX_EARLY = 4096;
/** Likewise bytes of objects in them. */
const MAX_EARLY_BYTES = 64 << 20;

export interface PeerLinksHost {
  readonly whoami: OsdId;
  readonly world: World<Message>;
  /** Undefined before the first map. */
  readonly map: OsdMap | undefined;
  onPeerMessage(from: OsdId, message: OsdPeerMessage): void;
  onPeerMaps(message: OsdMapMessage): void;
  /** Somebody's map is newer than the own one. */
  wantMap(epoch: Epoch): void;
  /** A peer that the map has down, or elsewhere, still speaks: it may not know. */
  onStalePeer(session: SessionId, epoch: Epoch): void;
  /** Nobody listens where the map has a peer. */
  onRefused(osd: OsdId): void;
}

/** One incarnation of a peer, as the receiving side knows it. */
interface Sender {
  readonly osd: OsdId;
  readonly addrs: AddrVec;
  readonly link: IncomingLink;
  /** Messages of an epoch newer than the map, in order, with all that followed them. */
  early: (OsdPeerMessage | OsdMapMessage)[];
  earlyBytes: number;
}

interface Outgoing {
  readonly link: OutgoingLink;
  readonly upFrom: Epoch;
  /** Newest epoch of the maps sent. */
  mapsUpTo: Epoch;
}

interface IncomingSession {
  readonly osd: OsdId;
  readonly addrs: AddrVec;
  sender: Sender | undefined;
}

export class PeerLinks {
  readonly #host: PeerLinksHost;
  readonly #outgoing = new Map<OsdId, Outgoing>();
  /** Which peer a session opened here leads to. */
  readonly #bySession = new Map<SessionId, OsdId>();
  readonly #senders = new Map<OsdId, Sender>();
  readonly #sessions = new Map<SessionId, IncomingSession>();
  #lastLink = 0;
  #ackArmed = false;

  constructor(host: PeerLinksHost) {
    this.#host = host;
  }

  /** Messages that no peer has acknowledged yet. */
  get unacked(): number {
    let count = 0;
    for (const { link } of this.#outgoing.values()) count += link.unacked;
    return count;
  }

  /** The newest epoch a peer has or will have by what was sent: what was sent arrives. */
  mapsSentTo(osd: OsdId): Epoch {
    return this.#outgoing.get(osd)?.mapsUpTo ?? 0;
  }

  /**
   * To a peer that is up in the map; to another it is dropped: its interval is over. So are leases while earlier ones are
   * on their way: they are said again.
   */
  send(osd: OsdId, message: OsdPeerMessage | OsdMapMessage): void {
    const { map, world, whoami } = this.#host;
    if (!map || !osdUp(map, osd) || !this.#isSelfIn(map)) return;
    let entry = this.#outgoing.get(osd);
    if (!entry) {
      this.#lastLink += 1;
      const link = new OutgoingLink(world, whoami, osd, map.clusterAddrs[osd]!, this.#lastLink);
      entry = { link, upFrom: map.osdInfo[osd]!.upFrom, mapsUpTo: 0 };
      this.#outgoing.set(osd, entry);
    }
    if (isPeriodic(message) && entry.link.isPending(message.type)) return;
    if (message.type === 'osd_map') entry.mapsUpTo = Math.max(entry.mapsUpTo, newestIn(message));
    entry.link.send(message);
    if (entry.link.session !== undefined) this.#bySession.set(entry.link.session, osd);
  }

  /** Whether the map has this incarnation up: nobody listens to another. */
  #isSelfIn(map: OsdMap): boolean {
    const { whoami, world } = this.#host;
    return osdUp(map, whoami) && sameAddrVec(map.clusterAddrs[whoami]!, world.net.endpoint('cluster'));
  }

  /** A newer map is in force, one after another: streams to whom it marks down are over. */
  onMap(map: OsdMap): void {
    const meUp = this.#isSelfIn(map);
    for (const [osd, { link, upFrom }] of [...this.#outgoing]) {
      const same = meUp && osdUp(map, osd) && map.osdInfo[osd]!.upFrom === upFrom;
      if (same && sameAddrVec(map.clusterAddrs[osd]!, link.addrs)) continue;
      if (link.session !== undefined) this.#bySession.delete(link.session);
      link.close();
      this.#outgoing.delete(osd);
    }
  }

  /** Takes in what was waiting for the map now in force. Call when the PGs have followed it. */
  deliverEarly(): void {
    for (const sender of [...this.#senders.values()]) {
      const { early } = sender;
      sender.early = [];
      sender.earlyBytes = 0;
      for (const message of early) this.#take(sender, message);
    }
    this.#sendAcks('soon');
  }

  onAccepted(session: SessionId, peer: Peer): void {
    const osd = Number(peer.entity.id);
    if (peer.entity.type !== 'osd' || !Number.isInteger(osd) || osd < 0) {
      this.#host.world.net.close(session);
      return;
    }
    this.#sessions.set(session, { osd, addrs: peer.addrs, sender: undefined });
  }

  /** Returns whether the session belongs here. */
  onMessage(session: SessionId, message: Message): boolean {
    const osd = this.#bySession.get(session);
    if (osd !== undefined) {
      const { link } = this.#outgoing.get(osd)!;
      if (message.type === 'osd_link_ack') link.onAck(message);
      else if (message.type === 'osd_map') this.#host.onPeerMaps(message);
      return true;
    }
    const state = this.#sessions.get(session);
    if (!state) return false;
    this.#onIncoming(session, state, message);
    return true;
  }

  #onIncoming(session: SessionId, state: IncomingSession, message: Message): void {
    if (message.type === 'osd_link') {
      if (message.osd !== state.osd) {
        this.#close(session);
        return;
      }
      const sender = this.#senderOf(state);
      const stream = sender.link.onOpen(session, message.link, message.firstSeq);
      if (stream === 'new') {
        sender.early = [];
        sender.earlyBytes = 0;
      }
      if (stream === 'over') this.#close(session);
      else state.sender = sender;
      return;
    }
    const { sender } = state;
    if (!sender || !isPeerMessage(message)) return;
    if (sender.early.length >= MAX_EARLY || sender.earlyBytes >= MAX_EARLY_BYTES) {
      this.#close(session);
      return;
    }
    if (!sender.link.onMessage(session)) return;
    this.#take(sender, message);
    this.#sendAcks('now');
  }

  #senderOf({ osd, addrs }: IncomingSession): Sender {
    let sender = this.#senders.get(osd);
    if (!sender || !sameAddrVec(sender.addrs, addrs)) {
      sender = { osd, addrs, link: new IncomingLink(), early: [], earlyBytes: 0 };
      this.#senders.set(osd, sender);
    }
    return sender;
  }

  #take(sender: Sender, message: OsdPeerMessage | OsdMapMessage): void {
    if (message.type === 'osd_map') {
      this.#host.onPeerMaps(message);
      return;
    }
    const { map } = this.#host;
    if (!map || message.epoch > map.epoch || sender.early.length > 0) {
      sender.early.push(message);
      sender.earlyBytes += objectBytes(message);
      this.#host.wantMap(message.epoch);
      return;
    }
    // Only from an OSD of the map: its name, its address, its nonce.
    if (osdUp(map, sender.osd) && sameAddrVec(map.clusterAddrs[sender.osd]!, sender.addrs)) {
      this.#host.onPeerMessage(sender.osd, message);
    } else if (sender.link.session !== undefined) this.#host.onStalePeer(sender.link.session, message.epoch);
  }

  #sendAcks(due: 'now' | 'soon'): void {
    const { net, clock } = this.#host.world;
    let later = false;
    for (const { link } of this.#senders.values()) {
      const { ackDue } = link;
      if (ackDue === 'now' || (ackDue === 'soon' && due === 'soon')) net.send(link.session!, link.takeAck());
      else if (ackDue === 'soon') later = true;
    }
    if (later && !this.#ackArmed) {
      this.#ackArmed = true;
      clock.arm(ACK_TIMER, clock.now() + ACK_DELAY);
    }
  }

  #close(session: SessionId): void {
    this.#host.world.net.close(session);
    this.#sessions.get(session)?.sender?.link.onReset(session);
    this.#sessions.delete(session);
  }

  /** Returns whether the session belonged here. */
  onReset(session: SessionId, reason: ResetReason): boolean {
    const osd = this.#bySession.get(session);
    if (osd !== undefined) {
      this.#bySession.delete(session);
      this.#outgoing.get(osd)!.link.onReset();
      if (reason === 'refused') this.#host.onRefused(osd);
      return true;
    }
    const state = this.#sessions.get(session);
    state?.sender?.link.onReset(session);
    return this.#sessions.delete(session);
  }

  onDrained(session: SessionId): boolean {
    const osd = this.#bySession.get(session);
    if (osd === undefined) return false;
    this.#outgoing.get(osd)!.link.onDrained();
    return true;
  }

  /** Returns whether the timer belongs here. */
  onTimer(name: string): boolean {
    if (name === ACK_TIMER) {
      this.#ackArmed = false;
      this.#sendAcks('soon');
      return true;
    }
    if (!name.startsWith(LINK_TIMER)) return false;
    const osd = Number(name.slice(LINK_TIMER.length));
    const link = this.#outgoing.get(osd)?.link;
    link?.onTimer();
    if (link?.session !== undefined) this.#bySession.set(link.session, osd);
    return true;
  }
}

function newestIn({ incrementals, fulls }: OsdMapMessage): Epoch {
  return Math.max(0, ...incrementals.keys(), ...fulls.keys());
}

/** Bytes of object data in a message. */
function objectBytes(message: OsdPeerMessage): number {
  if (message.type === 'pg_push') return message.part.data.length;
  if (message.type !== 'osd_repop') return 0;
  return message.changes.reduce((sum, change) => sum + (change.op === 'write' ? change.data.length : 0), 0);
}

const PEER_MESSAGES: ReadonlySet<string> = new Set<OsdPeerMessage['type'] | 'osd_map'>([
  'osd_map',
  'osd_repop',
  'osd_repop_reply',
  'pg_backfill_progress',
  'pg_backfill_progress_reply',
  'pg_backfill_remove',
  'pg_info',
  'pg_lease_acks',
  'pg_leases',
  'pg_log',
  'pg_notify',
  'pg_pull',
  'pg_push',
  'pg_push_reply',
  'pg_query',
  'pg_remove',
  'pg_reserve',
  'pg_scan',
  'pg_scan_reply',
]);

function isPeerMessage(message: Message): message is OsdPeerMessage | OsdMapMessage {
  return PEER_MESSAGES.has(message.type);
}
