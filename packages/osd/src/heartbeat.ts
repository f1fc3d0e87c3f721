/**
 * Pings between OSDs over the front and the back network (OSD::heartbeat, handle_osd_ping). A peer that answers on neither
 * or only one for longer than osd_heartbeat_grace is reported to the monitors; so is, at once, one whose address refuses
 * connections. A report is withdrawn when the peer answers again.
 */
import { type AddrVec, type Epoch, type OsdId, sameAddrVec } from '@spirula/encoding';
import { type OsdMap, osdUp } from '@spirula/maps';
import type { Message, OsdPing } from '@spirula/messages';
import { type Instant, type ResetReason, SECOND, type SessionId, seconds, type World } from '@spirula/world';

const TICK_TIMER = 'osd heartbeat';

type Network = 'hb_front' | 'hb_back';

interface HeartbeatPeer {
  readonly osd: OsdId;
  readonly addrs: Readonly<Record<Network, AddrVec>>;
  readonly sessions: Record<Network, SessionId | undefined>;
  /** When the oldest ping left that has not been answered on both networks; undefined: all are. */
  unansweredSince: Instant | undefined;
  /** When an answer last came on each network. */
  readonly heard: Record<Network, Instant>;
  /** Stamp of the newest answer on each network. */
  readonly answered: Record<Network, Instant>;
  lastPing: Instant;
  reopenedAt: Instant;
  reported: boolean;
}

export interface HeartbeatHost {
  readonly whoami: OsdId;
  readonly world: World<Message>;
  readonly map: OsdMap | undefined;
  /** Whether this OSD is up: else it pings nobody. */
  readonly isActive: boolean;
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
  readonly #accepted = new Set<SessionId>();
  #lastTick: Instant = 0;

  constructor(host: HeartbeatHost) {
    this.#host = host;
  }

  get peers(): readonly OsdId[] {
    return [...this.#peers.keys()].sort((a, b) => a - b);
  }

  start(): void {
    this.#armTick();
  }

  get #maxInterval(): Instant {
    return seconds(0.5 + this.#host.world.config.osd_heartbeat_interval);
  }

  #armTick(): void {
    const { clock, random, config } = this.#host.world;
    // Spread out: half a second to a second and a half of the interval's parts, as Ceph does.
    const interval = seconds(0.5 + (random.below(10) / 10) * config.osd_heartbeat_interval);
    clock.arm(TICK_TIMER, clock.now() + interval);
  }

  /** Whom to ping: PG members, the neighbours by number, and more until there are osd_heartbeat_min_peers. */
  updatePeers(): void {
    const { map, whoami, world, isActive } = this.#host;
    const wanted = new Set<OsdId>();
    if (map && isActive) {
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

  #add(osd: OsdId, map: OsdMap): void {
    const now = this.#host.world.clock.now();
    const peer: HeartbeatPeer = {
      osd,
      addrs: { hb_front: map.hbFrontAddrs[osd]!, hb_back: map.hbBackAddrs[osd]! },
      sessions: { hb_front: undefined, hb_back: undefined },
      unansweredSince: undefined,
      heard: { hb_front: now, hb_back: now },
      answered: { hb_front: 0, hb_back: 0 },
      lastPing: 0,
      reopenedAt: now,
      reported: false,
    };
    this.#peers.set(osd, peer);
    this.#open(peer, 'hb_front');
    this.#open(peer, 'hb_back');
    this.#ping(peer);
  }

  #forget(peer: HeartbeatPeer): void {
    for (const network of ['hb_front', 'hb_back'] as const) {
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
    peer.unansweredSince ??= stamp;
    peer.lastPing = stamp;
    for (const network of ['hb_front', 'hb_back'] as const) {
      const session = peer.sessions[network];
      if (session === undefined) this.#open(peer, network);
      world.net.send(peer.sessions[network]!, { type: 'osd_ping', op: 'ping', osd: whoami, epoch: map!.epoch, stamp });
    }
  }

  onAccepted(session: SessionId): void {
    this.#accepted.add(session);
  }

  /** Returns whether the timer belongs here. */
  onTimer(name: string): boolean {
    if (name !== TICK_TIMER) return false;
    this.#armTick();
    const now = this.#host.world.clock.now();
    const grace = seconds(this.#host.world.config.osd_heartbeat_grace);
    // This OSD itself did not run for long: answers may be waiting to be read.
    const stalled = this.#lastTick !== 0 && now - this.#lastTick > Math.max(grace / 2, 2 * this.#maxInterval);
    this.#lastTick = now;
    if (!this.#host.isActive) return true;
    for (const peer of this.#peers.values()) {
      if (stalled) peer.unansweredSince = undefined;
      if (peer.unansweredSince !== undefined && now - peer.unansweredSince > grace) {
        const failedFor = now - Math.min(peer.heard.hb_front, peer.heard.hb_back);
        peer.reported = true;
        this.#host.reportFailure(peer.osd, failedFor, false);
      }
      this.#ping(peer);
    }
    return true;
  }

  /** Returns whether the session belongs here. */
  onMessage(session: SessionId, message: Message): boolean {
    const own = this.#bySession.get(session);
    if (own) {
      if (message.type === 'osd_ping') this.#onReply(own.peer, own.network, message);
      return true;
    }
    if (!this.#accepted.has(session)) return false;
    if (message.type === 'osd_ping' && message.op === 'ping') this.#onPing(session, message);
    return true;
  }

  #onPing(session: SessionId, { osd, epoch, stamp }: OsdPing): void {
    const { map, whoami, world, isActive } = this.#host;
    if (!map || !isActive) return;
    if (epoch > map.epoch) this.#host.wantMap(epoch);
    const isUp = osdUp(map, osd);
    const died = !isUp && (osd >= map.maxOsd || map.osdInfo[osd]!.downAt > epoch);
    const op = died ? 'youDied' : 'pingReply';
    world.net.send(session, { type: 'osd_ping', op, osd: whoami, epoch: map.epoch, stamp });
    if (isUp && epoch < map.epoch) this.#host.onOlderPeer(osd, epoch);
  }

  #onReply(peer: HeartbeatPeer, network: Network, { op, epoch, stamp }: OsdPing): void {
    const { map, world } = this.#host;
    if (!map) return;
    if (epoch > map.epoch) this.#host.wantMap(epoch);
    if (op !== 'pingReply' || stamp > peer.lastPing || stamp < peer.answered[network]) return;
    peer.answered[network] = stamp;
    peer.heard[network] = world.clock.now();
    const both = Math.min(peer.answered.hb_front, peer.answered.hb_back);
    if (peer.unansweredSince === undefined || both < peer.unansweredSince) return;
    // What was sent after the ping answered last is still open.
    peer.unansweredSince = both < peer.lastPing ? peer.lastPing : undefined;
    if (!peer.reported) return;
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
