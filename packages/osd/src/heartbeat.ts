/**
 * OSDs watch one another (OSD::heartbeat, handle_osd_ping, heartbeat_check, send_failures). Each pings its peers on two
 * networks; who does not answer on both for osd_heartbeat_grace is reported to the monitors, and, should it answer
 * later, reported alive. Whoever refuses connections is reported at once: nothing runs there.
 *
 *            ping, every ~interval            no reply for the grace           osd_mon_report_interval
 *   watched ----------------------> watched ------------------------> suspect -----------------------> reported
 *      ^                                                                 |  reply            reply: alive |
 *      +-----------------------------------------------------------------+-----------------------------+
 */
import type { AddrVec, Epoch, OsdId } from '@spirula/encoding';
import { type OsdMap, osdExists, osdUp } from '@spirula/maps';
import type { Message, OsdFailure, OsdPing } from '@spirula/messages';
import { type Instant, SECOND, type SessionId, seconds, type World, type WorldEvent } from '@spirula/world';
import { CHANNELS, type Channel, HeartbeatPeer } from './heartbeat-peer.ts';

const PING_TIMER = 'heartbeat ping';
const CHECK_TIMER = 'heartbeat check';
const CHECK_INTERVAL: Instant = SECOND;
const ENDPOINT = { front: 'hb_front', back: 'hb_back' } as const;
/** Connections of peers that ping this OSD. Beyond it the oldest is closed: its peer connects again. */
const MAX_ACCEPTED = 4096;

export interface HeartbeatOptions {
  readonly world: World<Message>;
  readonly whoami: OsdId;
  /** Sends a report to the monitors. */
  readonly report: (failure: OsdFailure) => void;
  /** A peer has maps up to `epoch`. */
  readonly onPeerEpoch: (osd: OsdId, epoch: Epoch) => void;
  /** A peer's map says that this OSD is down. */
  readonly onYouDied: () => void;
}

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #world: World<Message>;
  readonly #grace: Instant;
  readonly #peers = new Map<OsdId, HeartbeatPeer>();
  readonly #dialled = new Map<
    SessionId,
    { readonly peer: HeartbeatPeer; readonly channel: Channel; isOpen: boolean }
  >();
  readonly #accepted = new Set<SessionId>();
  /** Silent since; not reported yet. */
  readonly #suspects = new Map<OsdId, Instant>();
  /** Reported, and not withdrawn. */
  readonly #reported = new Map<OsdId, Instant>();
  #pgPeers: ReadonlySet<OsdId> = new Set();
  #map: OsdMap | undefined;
  #watching = false;
  #lastCheck: Instant = 0;
  #lastReport: Instant | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#grace = seconds(options.world.config.osd_heartbeat_grace);
  }

  /** The OSDs watched, for the statistics. */
  get peers(): readonly OsdId[] {
    return [...this.#peers.keys()].sort((a, b) => a - b);
  }

  /** Begins to watch others: this OSD is up. Pings of others are answered before that, too. */
  start(): void {
    if (this.#watching) return;
    this.#watching = true;
    this.#choosePeers();
    this.#armPing();
    this.#lastCheck = this.#world.clock.now();
    this.#world.clock.arm(CHECK_TIMER, this.#lastCheck + CHECK_INTERVAL);
  }

  /** Stops watching, and forgets what was suspected. */
  stop(): void {
    this.#watching = false;
    this.#world.clock.disarm(PING_TIMER);
    this.#world.clock.disarm(CHECK_TIMER);
    for (const peer of [...this.#peers.values()]) this.#dropPeer(peer);
    this.#suspects.clear();
    this.#reported.clear();
  }

  onMap(map: OsdMap): void {
    this.#map = map;
    for (const osd of [...this.#suspects.keys(), ...this.#reported.keys()]) {
      if (!osdUp(map, osd)) this.#forgetFailure(osd);
    }
    this.#choosePeers();
  }

  /** The OSDs that this one shares PGs with: those are watched whatever their number. */
  setPgPeers(osds: ReadonlySet<OsdId>): void {
    this.#pgPeers = osds;
    this.#choosePeers();
  }

  /** Another monitor answers: what was reported to the one before may be lost. */
  onMonSession(): void {
    for (const [osd, since] of this.#reported) this.#suspects.set(osd, since);
    this.#reported.clear();
  }

  /** Returns whether the event was for the heartbeat. */
  handle(event: WorldEvent<Message>): boolean {
    switch (event.kind) {
      case 'timer':
        if (event.name === PING_TIMER) this.#onPingTimer();
        else if (event.name === CHECK_TIMER) this.#onCheckTimer();
        else return false;
        return true;
      case 'accepted':
        if (event.endpoint !== ENDPOINT.front && event.endpoint !== ENDPOINT.back) return false;
        this.#onAccepted(event.session, event.peer.entity.type === 'osd');
        return true;
      case 'opened': {
        const link = this.#dialled.get(event.session);
        if (link) link.isOpen = true;
        return link !== undefined;
      }
      case 'message':
        return this.#onMessage(event.session, event.message);
      case 'reset':
        return this.#accepted.delete(event.session) || this.#onReset(event.session, event.reason === 'refused');
      case 'drained':
        return this.#accepted.has(event.session) || this.#dialled.has(event.session);
      default:
        return false;
    }
  }

  #armPing(): void {
    const { clock, random, config } = this.#world;
    clock.arm(PING_TIMER, clock.now() + seconds(0.5 + (random.below(10) / 10) * config.osd_heartbeat_interval));
  }

  #onPingTimer(): void {
    const stamp = this.#world.clock.now();
    for (const peer of this.#peers.values()) {
      for (const channel of CHANNELS) if (peer.sessions[channel] === undefined) this.#dial(peer, channel);
      peer.onPing(stamp);
      for (const channel of CHANNELS) this.#sendPing(peer.sessions[channel]!, 'ping', stamp);
    }
    this.#armPing();
  }

  #sendPing(session: SessionId, op: OsdPing['op'], stamp: Instant): void {
    const epoch = this.#map?.epoch ?? 0;
    this.#world.net.send(session, { type: 'osd_ping', op, osd: this.#options.whoami, epoch, stamp });
  }

  #onCheckTimer(): void {
    const { clock, config } = this.#world;
    const now = clock.now();
    const stalled = now - this.#lastCheck > this.#grace / 2;
    this.#lastCheck = now;
    for (const peer of this.#peers.values()) {
      // This OSD did not run for long: answers may be waiting to be read.
      if (stalled) peer.forgive();
      if (this.#reported.has(peer.osd) || this.#suspects.has(peer.osd)) continue;
      if (!peer.isHealthy(now, this.#grace)) this.#suspects.set(peer.osd, peer.silentSince(now));
    }
    if (this.#lastReport === undefined || now - this.#lastReport >= seconds(config.osd_mon_report_interval)) {
      this.#lastReport = now;
      this.#reportSuspects(now);
    }
    clock.arm(CHECK_TIMER, now + CHECK_INTERVAL);
  }

  #reportSuspects(now: Instant): void {
    for (const [osd, since] of this.#suspects) {
      const failedFor = Math.floor((now - since) / SECOND);
      this.#world.log.info('a peer does not answer', { osd, failedFor });
      this.#report(osd, { failedFor, immediate: false, alive: false });
      this.#reported.set(osd, since);
    }
    this.#suspects.clear();
  }

  #report(target: OsdId, how: Pick<OsdFailure, 'failedFor' | 'immediate' | 'alive'>): void {
    const map = this.#map;
    if (!map || !osdExists(map, target)) return;
    const { whoami: reporter } = this.#options;
    const targetAddrs = map.clientAddrs[target]!;
    this.#options.report({ type: 'osd_failure', reporter, target, targetAddrs, epoch: map.epoch, ...how });
  }

  #onMessage(session: SessionId, message: Message): boolean {
    const link = this.#dialled.get(session);
    if (!link && !this.#accepted.has(session)) return false;
    if (message.type !== 'osd_ping') return true;
    switch (message.op) {
      case 'ping':
        if (!link) this.#onPing(session, message);
        return true;
      case 'pingReply':
        if (link && message.osd === link.peer.osd) this.#onReply(link.peer, link.channel, message);
        return true;
      case 'youDied':
        if (link && message.osd === link.peer.osd) this.#options.onYouDied();
        return true;
    }
  }

  #onPing(session: SessionId, { osd, epoch, stamp }: OsdPing): void {
    const map = this.#map;
    this.#sendPing(session, 'pingReply', stamp);
    if (!map) return;
    if (osdUp(map, osd)) this.#options.onPeerEpoch(osd, epoch);
    else if (!osdExists(map, osd) || map.osdInfo[osd]!.downAt > epoch) this.#sendPing(session, 'youDied', stamp);
  }

  #onReply(peer: HeartbeatPeer, channel: Channel, { stamp, epoch }: OsdPing): void {
    const now = this.#world.clock.now();
    peer.onReply(channel, stamp, now);
    this.#options.onPeerEpoch(peer.osd, epoch);
    if (!peer.isHealthy(now, this.#grace)) return;
    this.#suspects.delete(peer.osd);
    if (!this.#reported.delete(peer.osd)) return;
    this.#world.log.info('a peer that was reported answers again', { osd: peer.osd });
    this.#report(peer.osd, { failedFor: 0, immediate: false, alive: true });
  }

  #onAccepted(session: SessionId, isOsd: boolean): void {
    if (!isOsd) {
      this.#world.net.close(session);
      return;
    }
    this.#accepted.add(session);
    if (this.#accepted.size <= MAX_ACCEPTED) return;
    const [oldest] = this.#accepted;
    this.#accepted.delete(oldest!);
    this.#world.net.close(oldest!);
  }

  #onReset(session: SessionId, refused: boolean): boolean {
    const link = this.#dialled.get(session);
    if (!link) return false;
    this.#dialled.delete(session);
    const { peer, channel } = link;
    peer.sessions[channel] = undefined;
    const { osd_fast_fail_on_connection_refused: fastFail, osd_heartbeat_grace: grace } = this.#world.config;
    if (refused && fastFail) {
      this.#world.log.info('a peer refuses connections', { osd: peer.osd });
      // Beyond any grace: nothing will answer there again before it boots.
      this.#report(peer.osd, { failedFor: grace + 1, immediate: true, alive: false });
    }
    // A connection that had been open: its peer may just have died, and then refuses. Else the next ping dials.
    if (link.isOpen && this.#peers.get(peer.osd) === peer) this.#dial(peer, channel);
    return true;
  }

  #dial(peer: HeartbeatPeer, channel: Channel): void {
    const session = this.#world.net.open(ENDPOINT[channel], { type: 'osd', addrs: this.#addrsOf(peer.osd, channel) });
    peer.sessions[channel] = session;
    this.#dialled.set(session, { peer, channel, isOpen: false });
  }

  #addrsOf(osd: OsdId, channel: Channel): AddrVec {
    return (channel === 'front' ? this.#map!.hbFrontAddrs : this.#map!.hbBackAddrs)[osd]!;
  }

  #dropPeer(peer: HeartbeatPeer): void {
    this.#peers.delete(peer.osd);
    for (const channel of CHANNELS) {
      const session = peer.sessions[channel];
      if (session === undefined) continue;
      this.#dialled.delete(session);
      this.#world.net.close(session);
    }
  }

  #forgetFailure(osd: OsdId): void {
    this.#suspects.delete(osd);
    this.#reported.delete(osd);
  }

  /** Makes the OSDs watched those that should be (OSD::maybe_update_heartbeat_peers). */
  #choosePeers(): void {
    const map = this.#map;
    if (!map || !this.#watching) return;
    const wanted = this.#wantedPeers(map);
    for (const peer of [...this.#peers.values()]) {
      if (wanted.has(peer.osd) && map.osdInfo[peer.osd]!.upFrom === peer.upFrom) continue;
      this.#dropPeer(peer);
      // Another incarnation: what was held against the one before is over.
      this.#forgetFailure(peer.osd);
    }
    for (const osd of wanted) {
      if (this.#peers.has(osd)) continue;
      const peer = new HeartbeatPeer(osd, map.osdInfo[osd]!.upFrom);
      this.#peers.set(osd, peer);
      for (const channel of CHANNELS) this.#dial(peer, channel);
    }
  }

  /** PG peers, those reported, both neighbours in the order of numbers, and those that follow until there are enough. */
  #wantedPeers(map: OsdMap): ReadonlySet<OsdId> {
    const { whoami } = this.#options;
    const ring: OsdId[] = [];
    for (let i = 1; i < map.maxOsd; i++) {
      const osd = (whoami + i) % map.maxOsd;
      if (osdUp(map, osd)) ring.push(osd);
    }
    const wanted = new Set<OsdId>();
    for (const osd of [...this.#pgPeers, ...this.#reported.keys()]) {
      if (osd !== whoami && osdUp(map, osd)) wanted.add(osd);
    }
    if (ring.length === 0) return wanted;
    wanted.add(ring[0]!);
    wanted.add(ring[ring.length - 1]!);
    for (const osd of ring) {
      if (wanted.size >= this.#world.config.osd_heartbeat_min_peers) break;
      wanted.add(osd);
    }
    return wanted;
  }
}
