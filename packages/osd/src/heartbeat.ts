/**
 * Pings between OSDs over the front and the back network (OSD::heartbeat, handle_osd_ping). A peer that answers on neither
 * or only one for longer than osd_heartbeat_grace is reported to the monitors, every osd_mon_report_interval with all who
 * are silent then (OSD::tick_without_osd_lock); so is, at once, one whose address refuses connections. A report is withdrawn
 * when the peer answers again.
 *
 *     ping sent --answered on both--> healthy          unhealthy: the oldest ping that is open is older than the grace
 *         +-----not answered: stays open, from when it was sent
 *
 * Silence counts only while this OSD itself ran: whoever was stopped for a minute cannot tell who answered meanwhile.
 */
import { type AddrVec, type Epoch, type OsdId, sameAddrVec } from '@spirula/encoding';
import { type OsdMap, osdUp } from '@spirula/maps';
import type { Message, OsdPing, PingStat } from '@spirula/messages';
import { type Instant, type Peer, type ResetReason, SECOND, type SessionId, seconds, type World } from '@spirula/world';
import { PingTimes } from './ping-times.ts';

const TICK_TIMER = 'osd heartbeat';
const REPORT_TIMER = 'osd heartbeat report';
/** OSD_TICK_INTERVAL: how often it is looked whether reports are due, five hundredths more or less. */
const REPORT_TICK: Instant = SECOND;
/** Of a silent peer so many are remembered, the oldest always: more than leave within the grace. */
const MAX_OPEN_PINGS = 64;

const NETWORKS = ['hb_front', 'hb_back'] as const;
type Network = (typeof NETWORKS)[number];

interface SentPing {
  readonly stamp: Instant;
  /** When it left, in the time awake. */
  readonly sentAt: Instant;
}

interface HeartbeatPeer {
  readonly osd: OsdId;
  readonly addrs: Readonly<Record<Network, AddrVec>>;
  readonly sessions: Record<Network, SessionId | undefined>;
  /** Pings that have not been answered on both networks, oldest first. */
  open: SentPing[];
  /** When an answer last came on each network, in the time awake; at first, when pinging began. */
  readonly heard: Record<Network, Instant>;
  /** Stamp of the newest answer on each network; 0: none yet. */
  readonly answered: Record<Network, Instant>;
  readonly times: Readonly<Record<Network, PingTimes>>;
  reopenedAt: Instant;
  reported: boolean;
}

export interface HeartbeatHost {
  readonly whoami: OsdId;
  readonly world: World<Message>;
  readonly map: OsdMap | undefined;
  /** Whether this OSD pings others: it is up, or wants to know whether it may be. */
  readonly isPinging: boolean;
  /** Whether it answers: it is not stopping, and its own work goes on. */
  readonly isAnswering: boolean;
  /** Members of the PGs that live here. */
  pgPeers(): ReadonlySet<OsdId>;
  /** `failedForUs` 0: refused, to be believed at once. */
  reportFailure(osd: OsdId, failedForUs: Instant, immediate: boolean): void;
  withdrawFailure(osd: OsdId): void;
  /** A peer's map is newer. */
  wantMap(epoch: Epoch): void;
  /** A peer's map is older. */
  onOlderPeer(osd: OsdId, epoch: Epoch): void;
}

export class Heartbeat {
  readonly #host: HeartbeatHost;
  readonly #peers = new Map<OsdId, HeartbeatPeer>();
  readonly #bySession = new Map<SessionId, { readonly peer: HeartbeatPeer; readonly network: Network }>();
  /** Who asks on sessions that others opened. */
  readonly #accepted = new Map<SessionId, OsdId>();
  #lastTick: Instant;
  /** How long this OSD had been running at the last tick, times when it was stopped left out. */
  #awakeAtTick: Instant = 0;
  #lastReport: Instant;

  constructor(host: HeartbeatHost) {
    this.#host = host;
    this.#lastTick = host.world.clock.now();
    this.#lastReport = this.#lastTick;
  }

  get peers(): readonly OsdId[] {
    return [...this.#peers.keys()].sort((a, b) => a - b);
  }

  /** Of peers that have been there for a minute, in the order of their numbers. */
  pingTimes(): PingStat[] {
    return this.peers.flatMap((osd) => {
      const { hb_back, hb_front } = this.#peers.get(osd)!.times;
      return hb_back.averages.length === 0 ? [] : [{ osd, back: hb_back.averages, front: hb_front.averages }];
    });
  }

  start(): void {
    this.#armTick();
    this.#armReport();
  }

  /** Between two ticks at the most, and some time for the event loop. */
  get #maxInterval(): Instant {
    return seconds(0.5 + this.#host.world.config.osd_heartbeat_interval);
  }

  /** Time in which this OSD ran. What goes beyond an interval without a tick it spent stopped, its mail unread. */
  get #awake(): Instant {
    return this.#awakeAtTick + Math.min(this.#host.world.clock.now() - this.#lastTick, this.#maxInterval);
  }

  #armTick(): void {
    const { clock, random, config } = this.#host.world;
    // Spread out: half a second to a second and a half of the interval's parts, as Ceph does.
    const interval = seconds(0.5 + (random.below(10) / 10) * config.osd_heartbeat_interval);
    clock.arm(TICK_TIMER, clock.now() + interval);
  }

  #armReport(): void {
    const { clock, random } = this.#host.world;
    clock.arm(REPORT_TIMER, clock.now() + REPORT_TICK - REPORT_TICK / 20 + random.below(REPORT_TICK / 10));
  }

  /** Whom to ping: PG members, the neighbours by number, and more until there are osd_heartbeat_min_peers. */
  updatePeers(): void {
    const { map, whoami, world, isPinging } = this.#host;
    const wanted = new Set<OsdId>();
    if (map && isPinging) {
      const others: OsdId[] = [];
      for (let i = 1; i < map.maxOsd; i++) {
        const osd = (whoami + i) % map.maxOsd;
        if (osdUp(map, osd)) others.push(osd);
      }
      for (const osd of this.#host.pgPeers()) if (osd !== whoami && osdUp(map, osd)) wanted.add(osd);
      const neighbours = others.length > 1 ? [others[0]!, others.at(-1)!] : others;
      for (const osd of neighbours) wanted.add(osd);
      for (const osd of others) if (wanted.size < world.config.osd_heartbeat_min_peers) wanted.add(osd);
    }
    for (const [osd, peer] of [...this.#peers]) {
      const same =
        wanted.has(osd) &&
        sameAddrVec(peer.addrs.hb_front, map!.hbFrontAddrs[osd]!) &&
        sameAddrVec(peer.addrs.hb_back, map!.hbBackAddrs[osd]!);
      if (!same) this.#forget(peer);
    }
    for (const osd of wanted) if (!this.#peers.has(osd)) this.#add(osd, map!);
  }

  /** Forgets what peers have answered so far, and asks anew. */
  restart(): void {
    for (const peer of [...this.#peers.values()]) this.#forget(peer);
    this.updatePeers();
  }

  /** Asks every peer now. */
  kick(): void {
    if (!this.#host.isPinging) return;
    for (const peer of this.#peers.values()) this.#ping(peer);
  }

  /** Whether enough peers answer for this OSD to be of use to them (OSD::_is_healthy). */
  get hasHealthyPeers(): boolean {
    let healthy = 0;
    for (const peer of this.#peers.values()) {
      if (peer.answered.hb_front > 0 && peer.answered.hb_back > 0 && !this.#isUnhealthy(peer)) healthy += 1;
    }
    return healthy >= this.#peers.size * this.#host.world.config.osd_heartbeat_min_healthy_ratio;
  }

  #isUnhealthy({ open }: HeartbeatPeer): boolean {
    const [oldest] = open;
    return oldest !== undefined && this.#awake - oldest.sentAt > seconds(this.#host.world.config.osd_heartbeat_grace);
  }

  #add(osd: OsdId, map: OsdMap): void {
    const now = this.#awake;
    const peer: HeartbeatPeer = {
      osd,
      addrs: { hb_front: map.hbFrontAddrs[osd]!, hb_back: map.hbBackAddrs[osd]! },
      sessions: { hb_front: undefined, hb_back: undefined },
      open: [],
      heard: { hb_front: now, hb_back: now },
      answered: { hb_front: 0, hb_back: 0 },
      times: { hb_front: new PingTimes(), hb_back: new PingTimes() },
      reopenedAt: this.#host.world.clock.now(),
      reported: false,
    };
    this.#peers.set(osd, peer);
    this.#open(peer, 'hb_front');
    this.#open(peer, 'hb_back');
    this.#ping(peer);
  }

  #forget(peer: HeartbeatPeer): void {
    for (const network of NETWORKS) {
      const session = peer.sessions[network];
      if (session === undefined) continue;
      this.#bySession.delete(session);
      this.#host.world.net.close(session);
    }
    this.#peers.delete(peer.osd);
  }

  #open(peer: HeartbeatPeer, network: Network): void {
    const session = this.#host.world.net.open(network, { type: 'osd', addrs: peer.addrs[network] });
    peer.sessions[network] = session;
    this.#bySession.set(session, { peer, network });
  }

  #ping(peer: HeartbeatPeer): void {
    const { world, map, whoami } = this.#host;
    const stamp = world.clock.now();
    peer.open.push({ stamp, sentAt: this.#awake });
    if (peer.open.length > MAX_OPEN_PINGS) peer.open.splice(1, 1);
    for (const network of NETWORKS) {
      const session = peer.sessions[network];
      if (session === undefined) this.#open(peer, network);
      world.net.send(peer.sessions[network]!, { type: 'osd_ping', op: 'ping', osd: whoami, epoch: map!.epoch, stamp });
    }
  }

  onAccepted(session: SessionId, { entity }: Peer): void {
    const osd = Number(entity.id);
    if (entity.type === 'osd' && Number.isInteger(osd) && osd >= 0) this.#accepted.set(session, osd);
    else this.#host.world.net.close(session);
  }

  /** Returns whether the timer belongs here. */
  onTimer(name: string): boolean {
    if (name === REPORT_TIMER) this.#onReportTick();
    else if (name === TICK_TIMER) this.#onTick();
    else return false;
    return true;
  }

  #onTick(): void {
    this.#armTick();
    this.#awakeAtTick = this.#awake;
    this.#lastTick = this.#host.world.clock.now();
    if (this.#host.isPinging) for (const peer of this.#peers.values()) this.#ping(peer);
  }

  #onReportTick(): void {
    this.#armReport();
    const { clock, config } = this.#host.world;
    if (clock.now() - this.#lastReport <= seconds(config.osd_mon_report_interval)) return;
    this.#lastReport = clock.now();
    if (!this.#host.isPinging) return;
    for (const peer of this.#peers.values()) {
      if (!this.#isUnhealthy(peer)) continue;
      peer.reported = true;
      const failedFor = this.#awake - Math.min(peer.heard.hb_front, peer.heard.hb_back);
      this.#host.reportFailure(peer.osd, failedFor, false);
    }
  }

  /** Returns whether the session belongs here. */
  onMessage(session: SessionId, message: Message): boolean {
    const own = this.#bySession.get(session);
    if (own) {
      if (message.type === 'osd_ping') this.#onReply(own.peer, own.network, message);
      return true;
    }
    const asker = this.#accepted.get(session);
    if (asker === undefined) return false;
    if (message.type === 'osd_ping' && message.op === 'ping' && message.osd === asker) this.#onPing(session, message);
    return true;
  }

  #onPing(session: SessionId, { osd, epoch, stamp }: OsdPing): void {
    const { map, whoami, world, isAnswering } = this.#host;
    if (!map || !isAnswering) return;
    if (epoch > map.epoch) this.#host.wantMap(epoch);
    const answer = { type: 'osd_ping', osd: whoami, epoch: map.epoch, stamp } as const;
    world.net.send(session, { ...answer, op: 'pingReply' });
    if (osdUp(map, osd)) {
      if (epoch < map.epoch) this.#host.onOlderPeer(osd, epoch);
    } else if (osd >= map.maxOsd || map.osdInfo[osd]!.downAt > epoch) {
      world.net.send(session, { ...answer, op: 'youDied' });
    }
  }

  #onReply(peer: HeartbeatPeer, network: Network, { op, epoch, stamp }: OsdPing): void {
    const { map } = this.#host;
    if (!map) return;
    if (epoch > map.epoch) this.#host.wantMap(epoch);
    const [oldest] = peer.open;
    const newest = peer.open.at(-1);
    // Only what was asked can be answered, and a late answer says nothing new.
    if (op !== 'pingReply' || oldest === undefined || stamp < oldest.stamp || stamp > newest!.stamp) return;
    peer.answered[network] = Math.max(peer.answered[network], stamp);
    peer.heard[network] = this.#awake;
    const now = this.#host.world.clock.now();
    peer.times[network].record(now - stamp, now);
    const both = Math.min(peer.answered.hb_front, peer.answered.hb_back);
    if (both < oldest.stamp) return;
    peer.open = peer.open.filter((ping) => ping.stamp > both);
    if (!peer.reported || this.#isUnhealthy(peer)) return;
    peer.reported = false;
    this.#host.withdrawFailure(peer.osd);
  }

  /** Returns whether the session belongs here. */
  onReset(session: SessionId, reason: ResetReason): boolean {
    const own = this.#bySession.get(session);
    if (!own) return this.#accepted.delete(session);
    this.#bySession.delete(session);
    const { peer, network } = own;
    peer.sessions[network] = undefined;
    const { clock, config } = this.#host.world;
    if (reason === 'refused') {
      if (config.osd_fast_fail_on_connection_refused) this.#host.reportFailure(peer.osd, 0, true);
      // Tried again with the next ping.
      return true;
    }
    if (clock.now() - peer.reopenedAt < SECOND / 10) return true;
    peer.reopenedAt = clock.now();
    this.#open(peer, network);
    return true;
  }
}
